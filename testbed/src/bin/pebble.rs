//! The daemon of the test bed, and its client commands.

use std::env;
use std::process::ExitCode;
use testbed::pebble::command;

fn main() -> ExitCode {
    command::main(env::args_os().skip(1))
}
