//! Clients that write all the time: one asks Sentinel for each write, one only after an error.

#![expect(clippy::print_stdout, reason = "a gap is reported")]

use std::time::Duration;

use testbed::writer::Writer;
use testbed::writer::plan::Habit;
use testbed::writer::plan::Plan;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::host;
use crate::stage::is_without_password;
use crate::stage::name;

/// Both of them, in the pod of a unit that lives through the story.
pub(crate) struct Writers {
    at: String,
    writers: Vec<Writer>,
}

impl Writers {
    /// Starts them; `sentinels` are the units whose Sentinels they ask.
    pub(crate) fn start(story: &Story, at: u32, sentinels: &[u32], replicas: u32) -> Self {
        Self::start_in(story, &name(at), sentinels, replicas)
    }

    /// The same in the pod of any application's unit.
    pub(crate) fn start_in(story: &Story, at: &str, sentinels: &[u32], replicas: u32) -> Self {
        let bag = story.databag();
        let without = is_without_password(&bag);
        let habits = [("asks", Habit::AsksEachTime), ("keeps", Habit::KeepsConnection)];
        let writers = habits.map(|(title, habit)| {
            let plan = Plan {
                name: title.to_owned(),
                habit,
                sentinels: sentinels.iter().map(|unit| (host(*unit), 26379)).collect(),
                group: APPLICATION.to_owned(),
                redis_password: bag.get("redis-password").filter(|_| !without).cloned(),
                sentinel_password: bag.get("sentinel-password").cloned(),
                period: Duration::from_millis(10),
                replicas,
            };
            let pod = story.lab.pod(at).unwrap();
            Writer::start(&pod, plan).unwrap_or_else(|error| story.fail(&error.to_string()))
        });
        Self { at: at.to_owned(), writers: writers.into() }
    }

    /// Waits until both have written for a while.
    pub(crate) fn write_again(&self, story: &Story) {
        for writer in &self.writers {
            let before = writer.so_far().acknowledged();
            story.until("a client writes", || {
                (writer.so_far().acknowledged() > before + 50).then_some(())
            });
        }
    }

    /// Stops them: every acknowledged write is there. Gives the longest time without one, and prints it.
    pub(crate) fn end(self, story: &Story, what: &str) -> Duration {
        let pod = story.lab.pod(&self.at).unwrap();
        let mut worst = Duration::ZERO;
        for writer in self.writers {
            let written = writer.stop().unwrap();
            let missing = written.missing(&pod).unwrap();
            if !missing.is_empty() {
                let of = written.acknowledged();
                story.fail(&format!("{what}: of {of} writes these are lost: {missing:?}"));
            }
            worst = worst.max(written.worst_gap());
        }
        println!("{what}: nobody could write for {:.2} s at most", worst.as_secs_f64());
        worst
    }
}
