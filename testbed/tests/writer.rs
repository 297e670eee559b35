//! Writers against real servers: what they acknowledge is there, what is lost they name, and how long
//! they could not write they tell.

use std::error::Error;
use std::time::Duration;

use testbed::bed::Bed;
use testbed::error::BedError;
use testbed::layout::Layout;
use testbed::wait;
use testbed::writer::Writer;
use testbed::writer::plan::Habit;
use testbed::writer::plan::Plan;

type Outcome = Result<(), Box<dyn Error>>;

const HABITS: [Habit; 2] = [Habit::AsksEachTime, Habit::KeepsConnection];

fn settled(units: u32) -> Result<Bed, BedError> {
    let bed =
        Bed::start(Layout { units, down_after: Duration::from_secs(1), ..Layout::default() })?;
    bed.settle(&(0..units).collect::<Vec<_>>(), Duration::from_secs(20))?;
    Ok(bed)
}

fn wait_for(writer: &Writer, count: usize) -> Outcome {
    let more = writer.so_far().acknowledged() + count;
    wait::until("more writes are acknowledged", Duration::from_secs(30), || {
        (writer.so_far().acknowledged() >= more).then_some(())
    })?;
    Ok(())
}

#[test]
fn every_acknowledged_write_is_there_while_nothing_happens() -> Outcome {
    let bed = settled(2)?;
    let at = bed.pod(1)?.pod()?;
    for habit in HABITS {
        let plan = Plan::of(bed.layout(), &format!("{habit:?}"), habit).with_replicas(1);
        let writer = Writer::start(&at, plan)?;
        wait_for(&writer, 20)?;
        let written = writer.stop()?;
        assert_eq!(written.masters(), [bed.host(0)]);
        assert_eq!(written.missing(&at)?, [0; 0]);
    }
    assert_eq!(bed.leaks(), [""; 0]);
    Ok(())
}

#[test]
fn a_lost_write_is_named() -> Outcome {
    let bed = settled(1)?;
    let at = bed.pod(0)?.pod()?;
    let plan = Plan::of(bed.layout(), "orders", Habit::KeepsConnection);
    let writer = Writer::start(&at, plan)?;
    wait_for(&writer, 10)?;
    let written = writer.stop()?;
    bed.pod(0)?.redis("DEL writer:orders:3")?;
    bed.pod(0)?.redis("SET writer:orders:5 other")?;
    assert_eq!(written.missing(&at)?, [3, 5]);
    Ok(())
}

#[test]
fn writers_follow_a_failover_and_tell_how_long_it_took() -> Outcome {
    let bed = settled(3)?;
    let at = bed.pod(2)?.pod()?;
    let start = |habit: Habit| {
        Writer::start(&at, Plan::of(bed.layout(), &format!("{habit:?}"), habit).with_replicas(1))
    };
    let writers = [start(Habit::AsksEachTime)?, start(Habit::KeepsConnection)?];
    bed.pod(0)?.kill()?;
    let master = bed.failed_over(0, &[1, 2], Duration::from_secs(30))?;
    for writer in &writers {
        wait::until("the new master acknowledges", Duration::from_secs(30), || {
            (writer.so_far().masters() == [bed.host(0), bed.host(master)]).then_some(())
        })?;
        wait_for(writer, 5)?;
    }
    for writer in writers {
        let written = writer.stop()?;
        assert!(written.unacknowledged() > 0);
        assert!(written.worst_gap() > Duration::from_secs(1), "{:?}", written.worst_gap());
        assert_eq!(written.missing(&at)?, [0; 0], "a replica had all of them");
    }
    Ok(())
}

#[test]
fn one_that_keeps_its_connection_writes_on_to_an_old_master_and_names_what_that_loses() -> Outcome {
    let bed = settled(3)?;
    let with_old_master = bed.pod(0)?.pod()?;
    let plan = Plan::of(bed.layout(), "cut-off", Habit::KeepsConnection);
    let writer = Writer::start(&with_old_master, plan)?;
    bed.isolate(0)?;
    bed.failed_over(0, &[1, 2], Duration::from_secs(30))?;
    wait_for(&writer, 5)?;
    let written = writer.stop()?;
    assert_eq!(written.masters(), [bed.host(0)]);
    let elsewhere = bed.pod(1)?.pod()?;
    bed.remove(0)?;
    let missing = written.missing(&elsewhere)?;
    assert!(missing.len() >= 5, "{missing:?}");
    let last = u64::try_from(written.acknowledged() + written.unacknowledged() - 1)?;
    assert_eq!(missing.last(), Some(&last));
    Ok(())
}

#[test]
fn without_a_replica_a_write_that_waits_for_one_is_not_acknowledged() -> Outcome {
    let bed = settled(2)?;
    let at = bed.pod(0)?.pod()?;
    let plan = Plan::of(bed.layout(), "orders", Habit::KeepsConnection).with_replicas(1);
    let writer = Writer::start(&at, plan)?;
    bed.pod(1)?.kill_redis()?;
    wait::until("a write is not acknowledged", Duration::from_secs(30), || {
        writer.so_far().tail().contains("0 of 1 replicas have it").then_some(())
    })?;
    let written = writer.stop()?;
    assert!(written.acknowledged() > 0);
    Ok(())
}
