//! What there is to say, and how each command is said.

use std::fmt::Write;

use clap::CommandFactory;

use super::command::Line;
use super::error::ShellError;

/// The help of a command, named by its words; without any, the list of all commands.
pub fn help(words: &[String]) -> Result<String, ShellError> {
    let root = Line::command();
    if words.is_empty() {
        return Ok(overview(&root));
    }
    let mut command = &root;
    for word in words {
        let known = command.find_subcommand(word);
        command = known.ok_or_else(|| ShellError::NoCommand(words.join(" ")))?;
    }
    let shown = command.clone().bin_name(words.join(" ")).disable_help_flag(true);
    Ok(shown.disable_help_subcommand(true).render_help().to_string())
}

fn overview(root: &clap::Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        // Nothing fails that writes into a string.
        let _ = writeln!(text, "{title}");
        for name in *names {
            let Some(command) = root.find_subcommand(name) else { continue };
            let aliases = command.get_visible_aliases().collect::<Vec<_>>().join(", ");
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let called =
                if aliases.is_empty() { (*name).to_owned() } else { format!("{name}, {aliases}") };
            let _ = writeln!(text, "  {called:<27} {about}");
        }
        text.push('\n');
    }
    text + NOTES
}

/// All commands, by what they are for.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Applications",
        &[
            "deploy",
            "refresh",
            "scale-application",
            "add-unit",
            "remove-unit",
            "config",
            "trust",
            "attach-resource",
            "integrate",
            "remove-relation",
            "remove-application",
        ],
    ),
    ("What there is", &["status", "show-unit", "secrets", "actions", "pods"]),
    ("Units", &["run", "exec", "ssh", "resolved", "delete-pod"]),
    ("What goes wrong", &["fault"]),
    ("What happened", &["debug-log", "logs", "timeline", "trace"]),
    ("The shell", &["wait-for", "speed", "switch", "help", "history", "exit"]),
];

const NOTES: &str = "\
help COMMAND explains one, and `help fault kill` one of its faults.
# begins a comment. In a file of commands, - before one lets the file go on when it fails.
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::GROUPS;
    use super::Line;
    use super::help;

    #[test]
    fn each_command_is_listed_once_and_has_a_line_to_itself() {
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let root = Line::command();
        let mut known: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
        for line in help(&[]).unwrap().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn a_fault_is_explained_as_it_is_said() {
        let text = help(&["fault".to_owned(), "cut".to_owned()]).unwrap();
        assert!(text.contains("Usage: fault cut [OPTIONS] <UNIT> [OTHER]"), "{text}");
        assert!(help(&["flaut".to_owned()]).is_err());
    }
}
