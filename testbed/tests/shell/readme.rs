//! The README tells of each command and each fault.

use clap::CommandFactory;
use testbed::shell::command::Line;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_tells_of_each_command() {
    let (_, commands) = README.split_once("## Commands").unwrap();
    let (commands, _) = commands.split_once("###").unwrap();
    for command in Line::command().get_subcommands() {
        let name = command.get_name();
        let is_told = commands.split('`').any(|text| text.split_whitespace().next() == Some(name));
        assert!(is_told, "the README lacks `{name}`");
    }
}

#[test]
fn the_readme_tells_of_each_fault() {
    let (_, faults) = README.split_once("### Faults").unwrap();
    let (faults, _) = faults.split_once("###").unwrap();
    let root = Line::command();
    for fault in root.find_subcommand("fault").unwrap().get_subcommands() {
        let name = fault.get_name();
        let is_told = faults.split('`').any(|text| text.split_whitespace().next() == Some(name));
        assert!(is_told, "the README lacks `fault {name}`");
    }
}
