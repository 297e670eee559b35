//! The other units' keepers: they are told what this one has, and asked what they have. A Redis that
//! does not run can tell nothing, and a hook comes seconds later.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tracing::error;

use crate::clients::parallel::ask_all;
use crate::clients::redis::connection::Connection;
use crate::clients::redis::serving;
use crate::clients::redis::serving::Told;
use crate::clock::Budget;
use crate::clock::Watch;
use crate::names::KEEPER_PORT;
use crate::observe::cluster::place;
use crate::render::inputs::Inputs;
use crate::world::cluster::Cluster;
use crate::world::lineage::KeeperView;
use crate::world::password::Password;

/// Begins to answer the other keepers.
pub(crate) fn answer() -> Told {
    let told = Told::default();
    if let Err(error) = serving::serve(KEEPER_PORT, QUESTION, told.clone()) {
        error!("cannot answer other keepers at port {KEEPER_PORT}: {error}");
    }
    told
}

/// Asks the keepers of those other units whose address is known, all at the same time.
pub(crate) fn hear(
    inputs: &Inputs,
    cluster: &Cluster,
    units: &[u32],
    watch: &Watch,
    limit: Duration,
) -> BTreeMap<u32, KeeperView> {
    let questions = units
        .iter()
        .filter(|unit| **unit != inputs.unit)
        .filter_map(|unit| {
            let address = SocketAddr::new(place(inputs.unit, cluster, *unit)?, KEEPER_PORT);
            Some((*unit, (address, inputs.redis_password.clone())))
        })
        .collect();
    let answers = ask_all(questions, &watch.budget(limit), ask);
    answers.into_iter().filter_map(|(unit, answer)| Some((unit, answer?))).collect()
}

fn ask((address, password): (SocketAddr, Option<Password>), budget: &Budget) -> Option<KeeperView> {
    let password = password.as_ref().map(Password::reveal);
    let mut connection = Connection::open(address, password, budget).ok()?;
    let answer: String = connection.ask(&redis::cmd(QUESTION)).ok()?;
    KeeperView::parse(&answer)
}

const QUESTION: &str = "LINEAGE";
