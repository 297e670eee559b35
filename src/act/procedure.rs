//! Drives the sequences of `procedure/`: does what the next step says, and waits where it says so.
//! Each step is decided on a look that was taken after the last command: the one from before a RESET
//! would show a Sentinel that still knows everybody.

use std::time::Duration;

use crate::act::cluster::Order;
use crate::act::cluster::tell;
use crate::clock::Budget;
use crate::observe::cluster::BETWEEN_LOOKS;
use crate::observe::cluster::look;
use crate::procedure::forget_units::Command;
use crate::procedure::forget_units::ForgetUnits;
use crate::procedure::forget_units::INFO_PERIOD;
use crate::procedure::forget_units::Next;
use crate::procedure::forget_units::Outcome;
use crate::world::World;
use crate::world::obstacle::Obstacle;

/// Forgets units that are gone, one Sentinel after the other.
pub fn forget_units(world: &World, budget: &Budget) -> Vec<Obstacle> {
    let Some(mut seen) = world.cluster.clone() else { return Vec::new() };
    let mut procedure = ForgetUnits::default();
    let mut failures = Vec::new();
    loop {
        let in_time = budget.left().is_some() && failures.is_empty();
        match procedure.next(&seen, in_time) {
            Next::Send(unit, command) => {
                failures.extend(send(world, command, unit, budget));
                seen = look(&world.juju.access(), seen, budget);
            }
            Next::Look => {
                budget.pause(BETWEEN_LOOKS);
                seen = look(&world.juju.access(), seen, budget);
            }
            Next::Done(outcome) => {
                report(&procedure, world, &outcome);
                return failures;
            }
        }
    }
}

/// A Sentinel gets its INFO period back also when the time is up, or SIGTERM came. One that hangs
/// must not use up the time of the commit: a later run restores it.
fn send(world: &World, command: Command, unit: u32, budget: &Budget) -> Vec<Obstacle> {
    match command {
        Command::InfoPeriod(INFO_PERIOD) => tell(
            world,
            Order::InfoPeriod(INFO_PERIOD),
            unit,
            &budget.for_commit().at_most(RESTORING),
        ),
        Command::InfoPeriod(period) => tell(world, Order::InfoPeriod(period), unit, budget),
        Command::Reset => tell(world, Order::Reset, unit, budget),
    }
}

fn report(procedure: &ForgetUnits, world: &World, outcome: &Outcome) {
    let reset: Vec<String> =
        procedure.reset().iter().map(|unit| world.juju.naming.unit(*unit).to_string()).collect();
    let end = match outcome {
        Outcome::Finished => String::new(),
        Outcome::Held(obstacle) => format!("; the rest waits: {obstacle}"),
        Outcome::OutOfTime => "; the rest is for a later run".to_owned(),
    };
    tracing::info!("reset the Sentinels of [{}], one at a time{end}", reset.join(", "));
}

/// A Sentinel answers within milliseconds.
const RESTORING: Duration = Duration::from_millis(300);
