//! Clients that write while something happens to the master, and what they find afterwards.

#![expect(clippy::print_stdout, reason = "a test tells what it measured")]

use std::time::Duration;

use testbed::writer::Writer;
use testbed::writer::plan::Habit;
use testbed::writer::plan::Plan;

use crate::stage::FAILOVER;
use crate::stage::Stage;

/// Clients beside a unit that lives on, content when so many replicas have their write too. They do not
/// ask the Sentinel of the unit that something happens to: one that hangs holds a client up.
pub(crate) fn start(stage: &Stage, at: u32, gone: u32, replicas: u32) -> Vec<Writer> {
    let pod = stage.bed.pod(at).unwrap().pod().unwrap();
    let habits = [("asks", Habit::AsksEachTime), ("stays", Habit::KeepsConnection)];
    let start = |(name, habit)| {
        let mut plan = Plan::of(stage.bed.layout(), name, habit).with_replicas(replicas);
        plan.sentinels.retain(|(host, _)| *host != stage.bed.host(gone));
        Writer::start(&pod, plan).unwrap()
    };
    habits.map(start).into()
}

/// Ends the clients when they write again: nothing is lost. Gives the longest gap.
pub(crate) fn end(stage: &Stage, at: u32, writers: Vec<Writer>) -> Duration {
    let pod = stage.bed.pod(at).unwrap().pod().unwrap();
    let gaps = writers.into_iter().map(|writer| {
        let before = writer.so_far().acknowledged();
        stage.wait("a client writes again", FAILOVER, || {
            (writer.so_far().acknowledged() > before + 20).then_some(())
        });
        let written = writer.stop().unwrap();
        assert_eq!(written.missing(&pod).unwrap(), Vec::<u64>::new(), "{}", stage.logs());
        println!("{} writes, longest gap {:?}", written.acknowledged(), written.worst_gap());
        written.worst_gap()
    });
    gaps.max().unwrap()
}
