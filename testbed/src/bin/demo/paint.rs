//! Colours of a terminal.

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Paint {
    /// As the terminal has it.
    #[default]
    Plain,
    /// Headings.
    Bold,
    /// What is there and did not change, labels, remarks.
    Dim,
    /// What came out as it should, what was added.
    Green,
    /// What went wrong, what was taken away.
    Red,
    /// What changed, what is waited for.
    Yellow,
    /// The keeper at work.
    Cyan,
}

impl Paint {
    /// The text in this colour, if there are colours.
    pub(crate) fn on(self, text: &str, colours: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "1;31",
            Self::Yellow => "33",
            Self::Cyan => "1;36",
        };
        if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
