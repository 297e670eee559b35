//! `demo DISPATCH`: the charm through a deploy, failovers and scaling, told on a terminal.
//!
//! The program DISPATCH, Redis, Sentinel and every hook tool are real processes of this run, and each
//! line shows what one of them said, or what the model did by Juju's and Kubernetes' own rules. No hook
//! is run at will. Ends with 0 only if every step came out as it should.

mod keepers;
mod news;
mod paint;
mod screen;
mod show;
mod stage;
mod story;
mod summary;

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use screen::Screen;

/// What a step gives, or what went wrong in words.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut screen = Screen::open();
    let mut arguments = env::args_os().skip(1);
    let (Some(dispatch), None) = (arguments.next(), arguments.next()) else {
        screen.trouble("usage: demo DISPATCH (see `make demo`)");
        return ExitCode::from(2);
    };
    match story::tell(&mut screen, &PathBuf::from(dispatch)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                text.push_str(": ");
                text.push_str(&inner.to_string());
                cause = inner.source();
            }
            screen.trouble(&text);
            ExitCode::FAILURE
        }
    }
}
