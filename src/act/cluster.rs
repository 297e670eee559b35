//! What is told to Sentinels.

use std::net::SocketAddr;

use crate::clients::parallel::ask_all;
use crate::clients::redis::connection::Connection;
use crate::clients::redis::connection::Failure;
use crate::clients::redis::sentinel;
use crate::clients::redis::sentinel::Taken;
use crate::clock::Budget;
use crate::names::SENTINEL_PORT;
use crate::observe::cluster::ROUND;
use crate::observe::cluster::place;
use crate::procedure::forget_units::INFO_PERIOD;
use crate::world::World;
use crate::world::obstacle::Obstacle;
use crate::world::password::Password;

/// What a Sentinel is told.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// `SENTINEL SET <application> quorum N`.
    Quorum(usize),
    /// `SENTINEL DEBUG info-period MS`.
    InfoPeriod(u64),
    /// `SENTINEL RESET <application>`.
    Reset,
    /// `SENTINEL FAILOVER <application>`.
    Failover,
}

impl Order {
    fn in_words(self) -> &'static str {
        match self {
            Self::Quorum(_) => "set the quorum",
            Self::InfoPeriod(_) => "set the info period",
            Self::Reset => "reset the Sentinel",
            Self::Failover => "ask for a failover",
        }
    }
}

/// Sets the quorum of several Sentinels, at the same time.
pub fn set_quorum(
    world: &World,
    quorum: usize,
    sentinels: &[u32],
    budget: &Budget,
) -> Vec<Obstacle> {
    tell_all(world, Order::Quorum(quorum), sentinels, budget)
}

/// Asks a Sentinel for a failover.
pub fn ask_failover(world: &World, sentinel: u32, budget: &Budget) -> Vec<Obstacle> {
    tell_all(world, Order::Failover, &[sentinel], budget)
}

/// Gives several Sentinels their usual INFO period back, at the same time.
pub fn restore_info_period(world: &World, sentinels: &[u32], budget: &Budget) -> Vec<Obstacle> {
    tell_all(world, Order::InfoPeriod(INFO_PERIOD), sentinels, budget)
}

/// Tells one Sentinel something.
pub fn tell(world: &World, order: Order, unit: u32, budget: &Budget) -> Vec<Obstacle> {
    tell_all(world, order, &[unit], budget)
}

fn tell_all(world: &World, order: Order, sentinels: &[u32], budget: &Budget) -> Vec<Obstacle> {
    let messages = sentinels.iter().filter_map(|unit| {
        let place = place(world.juju.unit.number, world.cluster.as_ref()?, *unit)?;
        let message = Message {
            to: SocketAddr::new(place, SENTINEL_PORT),
            password: world.juju.application.sentinel_password.clone(),
            master: world.juju.naming.application.clone(),
            order,
        };
        Some((*unit, message))
    });
    let outcomes = ask_all(messages.collect(), &budget.at_most(ROUND), send);
    sentinels
        .iter()
        .filter_map(|unit| {
            let failure = match outcomes.get(unit) {
                Some(Ok(())) => return None,
                Some(Err(failure)) => failure,
                None => &Failure::TimedOut,
            };
            let sentinel = world.juju.naming.unit(*unit);
            let what = format!("{} of {sentinel}: its Sentinel {failure}", order.in_words());
            Some(Obstacle::Failed { what })
        })
        .collect()
}

struct Message {
    to: SocketAddr,
    password: Option<Password>,
    master: String,
    order: Order,
}

fn send(message: Message, budget: &Budget) -> Result<(), Failure> {
    let password = message.password.as_ref().map(Password::reveal);
    let mut connection = Connection::open(message.to, password, budget)?;
    match message.order {
        Order::Quorum(quorum) => sentinel::set_quorum(&mut connection, &message.master, quorum),
        Order::InfoPeriod(period) => sentinel::set_info_period(&mut connection, period),
        Order::Reset => sentinel::reset(&mut connection, &message.master),
        Order::Failover => match sentinel::failover(&mut connection, &message.master) {
            Taken::Yes | Taken::Unknown => Ok(()),
            Taken::Refused(why) => Err(Failure::Error(why)),
        },
    }
}
