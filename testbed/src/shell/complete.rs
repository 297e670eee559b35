//! What a word that is being typed may become.

use std::collections::BTreeMap;

use clap::CommandFactory;

use super::command::Line;

/// The names that a model has at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Applications, with their units.
    pub applications: BTreeMap<String, Vec<String>>,
    /// Containers of any pod.
    pub containers: Vec<String>,
    /// Actions of any application.
    pub actions: Vec<String>,
}

/// Where the last word of a line begins, and what it may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The place of its first letter.
    pub start: usize,
    /// The words that it may become.
    pub words: Vec<String>,
    /// Whether it may be the path of a file, too.
    pub is_path: bool,
}

/// What the last word of the line may become.
pub fn complete(line: &str, names: &Names) -> Completion {
    let start = line.rfind(char::is_whitespace).map_or(0, |place| place + 1);
    let typed = line.get(start..).unwrap_or_default();
    let mut command = Line::command();
    let mut position = 0;
    for word in line.get(..start).unwrap_or_default().split_whitespace() {
        if let Some(found) = command.find_subcommand(word) {
            command = found.clone();
            position = 0;
        } else if !word.starts_with('-') {
            position += 1;
        }
    }
    let mut words: Vec<String> = Vec::new();
    let mut is_path = false;
    if typed.starts_with('-') {
        let options = command.get_opts().filter_map(clap::Arg::get_long);
        words.extend(options.map(|option| format!("--{option}")));
    } else {
        let positionals: Vec<&clap::Arg> = command.get_positionals().collect();
        if position >= positionals.len() {
            words.extend(command.get_subcommands().flat_map(called));
        }
        // The last one may take many words.
        let repeated =
            || positionals.last().filter(|it| matches!(it.get_action(), clap::ArgAction::Append));
        if let Some(argument) = positionals.get(position).or_else(repeated) {
            let values = argument.get_possible_values();
            words.extend(values.iter().map(|value| value.get_name().to_owned()));
            let known = known(argument.get_id().as_str(), names);
            is_path = known.is_none();
            words.extend(known.unwrap_or_default());
        }
    }
    words.retain(|word| word.starts_with(typed));
    words.sort();
    words.dedup();
    Completion { start, words, is_path }
}

fn called(command: &clap::Command) -> Vec<String> {
    let names = std::iter::once(command.get_name()).chain(command.get_visible_aliases());
    names.map(str::to_owned).collect()
}

/// The names that may stand for an argument of that id; nothing for one that names nothing in a model.
fn known(id: &str, names: &Names) -> Option<Vec<String>> {
    match id {
        "application" | "one" => Some(names.applications.keys().cloned().collect()),
        "unit" | "units" => Some(names.applications.values().flatten().cloned().collect()),
        "other" => Some(
            names
                .applications
                .iter()
                .flat_map(|(name, units)| std::iter::once(name).chain(units))
                .cloned()
                .collect(),
        ),
        "container" => Some(names.containers.clone()),
        "action" => Some(names.actions.clone()),
        "command" => {
            let root = Line::command();
            Some(root.get_subcommands().map(|it| it.get_name().to_owned()).collect())
        }
        "file" | "charm" | "path" => None,
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::Completion;
    use super::Names;
    use super::complete;

    fn names() -> Names {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Names {
            applications: [
                ("redis-k8s".to_owned(), texts(&["redis-k8s/0", "redis-k8s/1"])),
                ("shop".to_owned(), texts(&["shop/0"])),
            ]
            .into(),
            containers: texts(&["charm", "redis", "sentinel"]),
            actions: texts(&["get-password"]),
        }
    }

    #[test]
    fn words_become_what_may_stand_at_their_place() {
        let table: [(&str, &[&str]); 13] = [
            ("sta", &["status"]),
            (
                "re",
                &[
                    "refresh",
                    "relate",
                    "remove-application",
                    "remove-relation",
                    "remove-unit",
                    "resolved",
                ],
            ),
            ("scale r", &["redis-k8s"]),
            ("config ", &["redis-k8s", "shop"]),
            ("run redis-k8s/0 ", &["get-password"]),
            ("show-unit s", &["shop/0"]),
            ("resolved redis-k8s/0 redis-k8s/1", &["redis-k8s/1"]),
            ("status --f", &["--format"]),
            ("fault lose-l", &["lose-leader", "lose-leader-elected"]),
            ("fault cut redis-k8s/0 redis-k8s/", &["redis-k8s/0", "redis-k8s/1"]),
            ("fault kill redis-k8s/0 s", &["sentinel"]),
            ("fault hook redis-k8s/0 start k", &["kill"]),
            ("fault hook redis-k8s/0 start kill ", &["at-call"]),
        ];
        for (line, expected) in table {
            assert_eq!(complete(line, &names()).words, expected, "{line}");
        }
    }

    #[test]
    fn a_charm_and_a_file_are_paths() {
        let expected = Completion { start: 7, words: vec![], is_path: true };
        assert_eq!(complete("deploy ./my", &names()), expected);
        assert!(complete("trace /tm", &names()).is_path);
        assert!(!complete("scale ./my", &names()).is_path);
    }
}
