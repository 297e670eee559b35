//! Texts in columns.

/// Rows of cells under a heading, as wide as they need to be, two spaces apart.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    right: &'static [usize],
}

impl Table {
    /// A table of that heading; the columns at `right` stand at their right edge.
    pub(crate) fn new(heading: &[&str], right: &'static [usize]) -> Self {
        let heading = heading.iter().map(|&cell| cell.to_owned()).collect();
        Self { rows: vec![heading], right }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| cell.replace('\n', " ")).collect());
    }

    /// Its text, one row a line.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell: &String| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if self.right.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["App", "Scale", "Message"], &[1]);
        table.row(&["redis-k8s", "3", "two\nlines"]);
        table.row(&["ä", "10", ""]);
        assert_eq!(
            table.text(),
            "App        Scale  Message\nredis-k8s      3  two lines\nä             10\n"
        );
    }
}
