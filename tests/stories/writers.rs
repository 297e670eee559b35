//! Clients that write all the time: one asks Sentinel for each write, one only after an error.

#![expect(clippy::print_stdout, reason = "a gap is reported")]

use std::time::Duration;

use testbed::writer::Writer;
use testbed::writer::plan::Habit;

use crate::stage::APPLICATION;
use crate::stage::Story;
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
        let without = is_without_password(&story.databag());
        let habits = [("asks", Habit::AsksEachTime), ("keeps", Habit::KeepsConnection)];
        let writers = habits.map(|(title, habit)| {
            let mut plan = story.lab.write_plan(APPLICATION, sentinels, title, habit);
            plan.redis_password = plan.redis_password.filter(|_| !without);
            let plan = plan.with_replicas(replicas);
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

    /// The longest time between two writes so far.
    pub(crate) fn gap_so_far(&self) -> Duration {
        let gaps = self.writers.iter().map(|writer| writer.so_far().worst_gap());
        gaps.max().unwrap_or_default()
    }

    /// Stops them: every acknowledged write is there. Gives the longest time without one, and prints it.
    pub(crate) fn end(self, story: &Story, what: &str) -> Duration {
        let ended = self.stop(story, what);
        if !ended.missing.is_empty() {
            story.fail(&format!("{what}: these writes are lost: {:?}", ended.missing));
        }
        ended.gap
    }

    /// Stops them where something may be lost. Gives the longest time of which it is, and prints it.
    pub(crate) fn end_with_loss(self, story: &Story, what: &str) -> Duration {
        let ended = self.stop(story, what);
        let (count, span) = (ended.missing.len(), ended.span.as_secs_f64());
        println!("{what}: {count} acknowledged writes lost, of {span:.2} s");
        ended.span
    }

    fn stop(self, story: &Story, what: &str) -> Ended {
        let pod = story.lab.pod(&self.at).unwrap();
        let mut ended = Ended { missing: Vec::new(), span: Duration::ZERO, gap: Duration::ZERO };
        let mut count = 0;
        for writer in self.writers {
            let written = writer.stop().unwrap();
            let missing = written.missing(&pod).unwrap();
            count += written.acknowledged();
            ended.span = ended.span.max(written.span(&missing));
            ended.gap = ended.gap.max(written.worst_gap());
            ended.missing.extend(missing);
        }
        let gap = ended.gap.as_secs_f64();
        println!("{what}: {count} writes, and nobody could write for {gap:.2} s at most");
        ended
    }
}

/// What became of the writes.
struct Ended {
    /// Those that were acknowledged, and are not there.
    missing: Vec<u64>,
    /// The longest time of which they are.
    span: Duration,
    /// The longest time without a write.
    gap: Duration,
}
