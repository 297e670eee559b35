//! What Juju says, by hook tools, one after another: Juju serialises them.

use std::collections::BTreeMap;

use rand::TryRng;
use rand::rngs::SysRng;
use thiserror::Error;
use tracing::info;

use crate::clients::files;
use crate::clients::hook_tools::ToolError;
use crate::clients::hook_tools::goal_state::goal_state_units;
use crate::clients::hook_tools::leadership::is_leader;
use crate::clients::hook_tools::relation::relation_get_application;
use crate::clients::hook_tools::relation::relation_ids;
use crate::clients::hook_tools::state::state_get;
use crate::clock;
use crate::clock::Budget;
use crate::env::HookEnv;
use crate::names;
use crate::names::Naming;
use crate::names::NoUnitName;
use crate::names::PEER_ENDPOINT;
use crate::names::UnitName;
use crate::world::deferral;
use crate::world::deferral::Deferral;
use crate::world::juju::Application;
use crate::world::juju::FreshPasswords;
use crate::world::juju::Juju;
use crate::world::juju::Leadership;
use crate::world::juju::SENTINEL_STATE;
use crate::world::password::Password;

/// Why Juju's side of the world cannot be read.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// A variable that Juju always sets is missing.
    #[error("{0} is not set; Juju sets it for every hook")]
    NoVariable(&'static str),
    /// The unit's name makes no sense.
    #[error("JUJU_UNIT_NAME makes no sense")]
    UnitName(#[source] NoUnitName),
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    NoRandomness,
    /// A hook tool failed.
    #[error("cannot learn from Juju what is")]
    Tool(#[source] ToolError),
}

/// Who we are, by the environment alone; nothing of the application is known yet.
pub fn identity(env: &HookEnv) -> Result<Juju, Unreadable> {
    let unit: UnitName = env
        .unit_name
        .as_deref()
        .ok_or(Unreadable::NoVariable("JUJU_UNIT_NAME"))?
        .parse()
        .map_err(Unreadable::UnitName)?;
    let model = env.model_name.clone().ok_or(Unreadable::NoVariable("JUJU_MODEL_NAME"))?;
    let cluster_domain = names::cluster_domain(&files::resolver_configuration(), &model);
    let naming = Naming { application: unit.application.clone(), model, cluster_domain };
    Ok(Juju {
        unit,
        naming,
        peer_relation: None,
        application: Application::default(),
        leadership: Leadership::Unknown,
        has_own_sentinel: false,
        deferral: None,
        now: clock::unix_seconds(),
        fresh_passwords: FreshPasswords { redis: fresh_password()?, sentinel: fresh_password()? },
    })
}

/// What this unit has kept: leader-elected of an earlier run, and whether its Sentinel's file is its own.
pub fn read_state(juju: &mut Juju, budget: &Budget) -> Result<(), ToolError> {
    let state = state_get(budget)?;
    juju.deferral = state.get(deferral::STATE_KEY).and_then(|text| Deferral::parse(text));
    juju.has_own_sentinel = state.contains_key(SENTINEL_STATE);
    Ok(())
}

/// The peer relation and its application databag.
pub fn read_peers(juju: &mut Juju, budget: &Budget) -> Result<(), ToolError> {
    juju.peer_relation = relation_ids(PEER_ENDPOINT, budget)?.first().copied();
    if let Some(relation) = juju.peer_relation {
        let bag = relation_get_application(relation, &juju.unit.application, budget)?;
        juju.application = Application::load(&bag);
    }
    Ok(())
}

/// The application's units by number; true for one that is dying.
pub fn goal_state(juju: &Juju, budget: &Budget) -> Result<BTreeMap<u32, bool>, ToolError> {
    Ok(goal_state_units(budget)?
        .into_iter()
        .filter_map(|(name, status)| Some((name.parse::<UnitName>().ok()?, status == DYING)))
        .filter(|(unit, _)| unit.application == juju.unit.application)
        .map(|(unit, dying)| (unit.number, dying))
        .collect())
}

/// Whether this unit leads. A question that failed is no reason to fail the hook: the next leader
/// gets an event of its own.
pub fn leadership(budget: &Budget) -> Result<Leadership, ToolError> {
    match is_leader(budget) {
        Ok(true) => Ok(Leadership::Leader),
        Ok(false) => Ok(Leadership::Minion),
        Err(error) if error.is_termination() || error.is_timeout() => Err(error),
        Err(error) => {
            info!("cannot tell who leads: {error}");
            Ok(Leadership::Unknown)
        }
    }
}

/// 32 characters of A-Z a-z 0-9, each as likely as any other: bytes that would favour some of them
/// are thrown away.
fn fresh_password() -> Result<Password, Unreadable> {
    let mut password = String::with_capacity(PASSWORD_LENGTH);
    let mut bytes = [0; 64];
    while password.len() < PASSWORD_LENGTH {
        SysRng.try_fill_bytes(&mut bytes).map_err(|_| Unreadable::NoRandomness)?;
        let fair = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte >> 2)));
        password.extend(fair.take(PASSWORD_LENGTH - password.len()).map(|byte| char::from(*byte)));
    }
    Ok(Password::new(password))
}

/// Six bits choose one of these or nothing.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const PASSWORD_LENGTH: usize = 32;

/// How goal-state marks a unit that is being removed and still runs.
const DYING: &str = "dying";
