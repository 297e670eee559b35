//! The run's log lines: gathered, and handed to Juju in one call for each level at the end.
#![expect(clippy::print_stdout, reason = "Juju logs what a hook prints at DEBUG")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fmt::Write as _;
use std::io;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tracing::Event;
use tracing::Level;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;

use crate::clients::hook_tools::log::juju_log;
use crate::clock::Budget;

/// Where log lines go: INFO and above are gathered, in order within a level; debug lines go to
/// standard output at once, which Juju logs at DEBUG, except in an action, whose output is its
/// operator's.
#[derive(Clone, Default)]
pub struct Journal {
    lines: Arc<Mutex<BTreeMap<Level, Vec<String>>>>,
    in_action: bool,
}

impl Journal {
    /// Begins to gather, for the whole process.
    pub fn open(in_action: bool) -> Self {
        let journal = Self { in_action, ..Self::default() };
        let subscriber = tracing_subscriber::registry().with(journal.clone());
        // A second journal in one process would be a mistake of a test; the first stays.
        drop(tracing::subscriber::set_global_default(subscriber));
        journal
    }

    /// Hands the lines to Juju, the gravest level first. A log must not fail a hook: what Juju does
    /// not take is printed, except in an action.
    pub fn close(&self, budget: &Budget) {
        for (level, lines) in std::mem::take(&mut *self.gathered()) {
            let text = lines.join("\n");
            if let Err(error) = juju_log(juju_level(level), &text, budget)
                && !self.in_action
            {
                println!("{text}\ncannot log: {error}");
            }
        }
    }

    fn gathered(&self) -> MutexGuard<'_, BTreeMap<Level, Vec<String>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        let mut line = Line(String::new());
        event.record(&mut line);
        if level <= Level::INFO {
            self.gathered().entry(level).or_default().push(line.0);
        } else if level == Level::DEBUG && !self.in_action {
            println!("{}", line.0);
        }
    }
}

/// Prints lines of INFO and above at once: for a process beside Redis, whose output Pebble keeps.
pub fn print_lines() {
    drop(tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Printer)));
}

struct Printer;

impl<S: Subscriber> Layer<S> for Printer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= Level::INFO {
            let mut line = Line(String::new());
            event.record(&mut line);
            // A log that nobody reads any more must not end who writes it.
            let _ = writeln!(io::stdout(), "{}", line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

fn juju_level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}
