//! The stop at SIGTERM: a master hands over, then Redis ends with its data on disk.
//!
//! ```text
//! priority 0 -> a replica in sync -> another is master -> a dump, if it fits -> Redis has ended
//!                  by 12 s              by 16 s              by 23 s             by 23.5 s of 25
//! ```
//!
//! Whatever of it is not done in time, writes that are held stay held: Redis is never let loose.

use std::path::Path;
use std::time::Duration;

use tracing::error;
use tracing::info;
use tracing::warn;

use crate::clients::process::Process;
use crate::clients::redis::commands;
use crate::clients::redis::commands::Link;
use crate::clients::redis::commands::RedisState;
use crate::clients::volume;
use crate::keeper::Desk;
use crate::keeper::act;
use crate::keeper::decide::End;
use crate::keeper::how_it_ended;
use crate::keeper::look;
use crate::keeper::look::own_redis;
use crate::keeper::look::own_state;
use crate::keeper::noting;
use crate::keeper::running::Setting;
use crate::procedure::forget_units::INFO_PERIOD;
use crate::procedure::forget_units::SHORT_INFO_PERIOD;
use crate::procedure::switchover::Limits;
use crate::procedure::switchover::Next;
use crate::procedure::switchover::Outcome;
use crate::procedure::switchover::Switchover;
use crate::render::inputs::Inputs;
use crate::render::places;
use crate::world::cluster::Cluster;

/// Hands over where the own Redis is master, and ends it.
pub(crate) fn stop(mut process: Process, desk: &mut Desk) {
    let began = desk.watch.now();
    desk.read_inputs();
    info!("stopped by SIGTERM: Redis is to end, with its data on disk");
    let mut dumped = false;
    if let Some(inputs) = desk.inputs.clone() {
        leave(&inputs, &mut process, desk, began);
        dumped = end_with_dump(&inputs, &mut process, desk, began);
        limit_end(&inputs, &mut process, desk, began);
    }
    end(&mut process, desk, began);
    if how_it_ended() == End::Clean {
        let dump = volume::dump_length(Path::new(places::DATA)).filter(|_| dumped);
        desk.lineage.stopped_cleanly(dump, &desk.watch);
    }
}

/// Makes sure that no other master counts on this unit, then lets another be master.
fn leave(inputs: &Inputs, process: &mut Process, desk: &mut Desk, began: Duration) {
    // Before anything else: a master that stops at the same time must not choose this unit.
    let leaving = [(Setting::Priority(0), "this unit stops")];
    if let Err(failure) = act::configure(inputs, &leaving, &desk.watch) {
        warn!("cannot set replica-priority: Redis {failure}");
    }
    if inputs.is_alone() {
        return;
    }
    let limits = Limits { ready: began + READY, over: began + HANDED_OVER };
    let mut switchover = Switchover::new(inputs.unit, limits);
    let outcome = loop {
        if !process.is_running() {
            return;
        }
        let cluster = desk.look(inputs, look::SHORT_LOOK);
        let step = switchover.next(&cluster, desk.watch.now());
        if let Next::Done(outcome) = step {
            let hastened: Vec<u32> = switchover.hastened().iter().copied().collect();
            act::set_info_period(inputs, &cluster, &hastened, INFO_PERIOD, &desk.watch);
            break outcome;
        }
        perform(step, inputs, &cluster, &mut switchover, desk);
    };
    let took = desk.watch.now().saturating_sub(began).as_secs_f64();
    match outcome {
        Outcome::NoMaster => {}
        Outcome::Moved(unit) => {
            let name = inputs.naming().unit(unit);
            info!("handed over to {name} in {took:.2} s");
        }
        Outcome::NobodyThere
        | Outcome::NobodyInSync
        | Outcome::NobodyToAsk
        | Outcome::OutOfTime => info!("not handed over: {outcome} ({took:.2} s)"),
    }
}

fn perform(
    step: Next,
    inputs: &Inputs,
    cluster: &Cluster,
    switchover: &mut Switchover,
    desk: &mut Desk,
) {
    let watch = &desk.watch;
    match step {
        Next::Fence => {
            // It holds from some moment after this one.
            let now = watch.now();
            let held = act::hold_writes(inputs, watch);
            if let Err(failure) = &held {
                warn!("cannot hold writes: Redis {failure}");
            }
            switchover.fenced(held.is_ok(), now);
        }
        Next::Hasten(units) => {
            act::set_info_period(inputs, cluster, &units, SHORT_INFO_PERIOD, watch);
        }
        Next::Ask(units) => {
            let answer = act::ask_for_failover(inputs, cluster, &units, watch);
            switchover.answered(answer, watch.now());
        }
        Next::Follow(unit) => {
            // By its address: nobody may be there to look its name up.
            let address = cluster.members.get(&unit).and_then(|member| member.address);
            let host = address.map_or(cluster.naming.host(unit), |address| address.to_string());
            match act::follow(inputs, &host, watch) {
                Ok(()) => info!("follow {host}: {} is master now", cluster.unit_text(unit)),
                Err(failure) => warn!("cannot follow {host}: Redis {failure}"),
            }
        }
        Next::Unfence => {
            if let Err(failure) = act::take_writes(inputs, watch) {
                warn!("cannot let writes be refused: Redis {failure}");
            }
        }
        Next::Look | Next::Done(_) => watch.rest(BETWEEN_LOOKS),
    }
}

/// Notes what its data are, and ends a replica with a dump, from which it starts by a partial resync,
/// where there is time for one. True where it has written one.
fn end_with_dump(inputs: &Inputs, process: &mut Process, desk: &mut Desk, began: Duration) -> bool {
    let Some(state) = last_state(inputs, process, desk, began) else { return false };
    if state.master.is_none() {
        // It holds them itself a moment later; the note is to be exact.
        if let Err(failure) = act::hold_writes(inputs, &desk.watch) {
            warn!("cannot hold writes: Redis {failure}");
        }
    }
    let last = own_state(inputs, &desk.watch).unwrap_or(state);
    if let Some(note) = noting::noted(desk.lineage.note(), &last) {
        desk.lineage.change(note);
    }
    if !is_whole(&last) {
        return false;
    }
    let left = (began + DUMPED).saturating_sub(desk.watch.now());
    let dumped = own_redis(inputs, &desk.watch).and_then(|mut connection| {
        let takes = commands::time_of_dump(&mut connection)?;
        if takes > left {
            info!("no dump: it would take {takes:?}, and {left:?} are left");
            return Ok(false);
        }
        connection.renew(&desk.watch.budget(left));
        commands::end_with_dump(&mut connection)
    });
    dumped.unwrap_or_else(|failure| {
        warn!("no dump: Redis {failure}");
        false
    })
}

/// Its state, as soon as it is a master or a whole replica; what it is otherwise where that takes long.
fn last_state(
    inputs: &Inputs,
    process: &mut Process,
    desk: &Desk,
    began: Duration,
) -> Option<RedisState> {
    let limit = (desk.watch.now() + LINKED).min(began + DUMPED);
    while process.is_running() {
        let state = own_state(inputs, &desk.watch).ok();
        let is_it = state.as_ref().is_some_and(|state| state.master.is_none() || is_whole(state));
        if is_it || desk.watch.now() >= limit {
            return state;
        }
        desk.watch.rest(BETWEEN_LOOKS);
    }
    None
}

/// Whether it is a replica whose disk, and whose dump, hold all that it has.
fn is_whole(state: &RedisState) -> bool {
    let is_linked = state.master.as_ref().is_some_and(|master| master.link == Link::Up);
    is_linked && !state.is_loading && state.append_only && !state.is_rewriting
}

/// Redis waits at its end for replicas that do not have all yet; it is to end by itself in time.
fn limit_end(inputs: &Inputs, process: &mut Process, desk: &Desk, began: Duration) {
    if !process.is_running() {
        return;
    }
    let left = (began + DUMPED).saturating_sub(desk.watch.now()).min(LONGEST_END);
    let limited = own_redis(inputs, &desk.watch).and_then(|mut connection| {
        commands::configure(&mut connection, "shutdown-timeout", &left.as_secs().to_string())
    });
    if let Err(failure) = limited {
        warn!("cannot limit its end: Redis {failure}");
    }
}

/// Ends it with its data on disk. Redis 7 holds writes at SIGTERM, and waits for its replicas.
fn end(process: &mut Process, desk: &Desk, began: Duration) {
    process.terminate();
    while process.is_running() {
        if desk.watch.now() >= began + ENDED {
            // Pebble kills us next, and would leave a Redis that takes writes.
            error!("Redis does not end in time: it is killed");
            process.kill();
            return;
        }
        desk.watch.rest(STOPPING);
    }
    let took = desk.watch.now().saturating_sub(began).as_secs_f64();
    info!("Redis has ended after {took:.2} s");
}

/// Until when a replica that is in sync is waited for. Every limit is counted from SIGTERM.
const READY: Duration = Duration::from_secs(12);

/// Until when another unit is to be master.
const HANDED_OVER: Duration = Duration::from_secs(16);

/// Until when a dump is to be written.
const DUMPED: Duration = Duration::from_secs(23);

/// Until when Redis is to end; Pebble waits 25 s for the keeper.
const ENDED: Duration = Duration::from_millis(23_500);

/// Redis' own default.
const LONGEST_END: Duration = Duration::from_secs(10);

/// How long a master that handed over is given to follow the new one. It has all data: a link is enough.
const LINKED: Duration = Duration::from_secs(3);

/// A look takes a few milliseconds, and writers wait.
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);

/// How late the end of an adopted Redis is noticed; a child's is at once.
const STOPPING: Duration = Duration::from_millis(50);
