//! The command line of `pebble`.

use std::env;
use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::pebble::client::commands;
use crate::pebble::quote::quoted;
use crate::pebble::run;
use crate::pebble::run::Options;

/// Does what the words ask for: run the daemon, or talk to one.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> =
        words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (command, rest) = match words.split_first() {
        None => ("help", &[][..]),
        Some((command, rest)) => (command.as_str(), rest),
    };
    if command == "run" {
        return match options(rest) {
            Err(why) => complain(&format!("error: {why}")),
            Ok(options) => match run::run(&options) {
                Ok(code) => ExitCode::from(code),
                Err(why) => complain(&format!("cannot run daemon: {why}")),
            },
        };
    }
    match commands::run(command, rest) {
        Some(Ok(code)) => ExitCode::from(code),
        Some(Err(why)) => complain(&format!("error: {why}")),
        None => complain(&format!("error: unknown command {}, see 'pebble help'", quoted(command))),
    }
}

fn complain(text: &str) -> ExitCode {
    // There is nowhere to complain to when standard error is gone.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

fn options(words: &[String]) -> Result<Options, String> {
    let verbose = env::var("PEBBLE_VERBOSE").is_ok_and(|value| value == "1" || value == "true");
    let mut options = Options { verbose, ..Options::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || {
            let missing =
                || format!("expected argument for flag `{}'", flag.trim_start_matches('-'));
            given.clone().or_else(|| words.next().cloned()).ok_or_else(missing)
        };
        match flag {
            "--create-dirs" => options.create_dirs = true,
            "--hold" => options.hold = true,
            "--verbose" | "-v" => options.verbose = true,
            "--http" => options.http = Some(value()?),
            "--identities" => options.identities = Some(PathBuf::from(value()?)),
            _ if flag.starts_with('-') => {
                return Err(format!("unknown flag `{}'", flag.trim_start_matches('-')));
            }
            _ => return Err("too many arguments for command".to_owned()),
        }
    }
    Ok(options)
}
