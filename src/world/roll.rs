//! A roll of the application's pods, as Kubernetes tells of it: pod after pod becomes a new one, from the
//! highest ordinal down. Thinking that several rules share is a method on the facts.

use crate::world::cluster::Cluster;

/// The application's StatefulSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// Where the API was asked.
    pub server: Server,
    /// The pods below this ordinal keep their version.
    pub partition: u32,
    /// Whether pods are to be of another version than all had last.
    pub is_under_way: bool,
    /// The lowest ordinal from which on all pods are new and stay; that of the last one and one more
    /// where even that is old, or is being replaced.
    pub renewed_from: u32,
    /// Whether the pod below those is on its way out already, or not there.
    pub is_one_away: bool,
    /// Whether this unit is being removed: its pod does not come back.
    pub is_leaving: bool,
}

/// Where the API of Kubernetes is, as every container is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub host: String,
    /// Its port.
    pub port: String,
}

impl Roll {
    /// The unit whose turn it is: the highest that is not yet both new and whole. Every pod below it has
    /// to wait; nothing is to be waited for where there is none.
    pub fn turn(&self, cluster: &Cluster) -> Option<u32> {
        if !self.is_under_way {
            return None;
        }
        let is_through =
            |unit: u32| unit >= self.renewed_from && cluster.ailment_of(unit).is_none();
        cluster.planned().into_iter().rev().find(|unit| !is_through(*unit))
    }

    /// Whether some pod might go that has to wait for this unit. (While the one that goes is away, those
    /// below it are held as long as it holds.)
    pub fn is_to_be_held_at(&self, turn: u32) -> bool {
        let holds = |highest: u32| self.is_one_away && self.partition >= highest;
        let is_safe = self.renewed_from.checked_sub(1).is_none_or(holds);
        self.partition < turn && !is_safe
    }

    /// What keeps that unit's pod from being let go, if anything does: the group has to be whole without
    /// it. (Whether it is whole itself is of no account: its new pod may be the cure.)
    pub fn hindrance(&self, turn: u32, cluster: &Cluster) -> Option<String> {
        if let Err(obstacle) = cluster.settled() {
            return Some(obstacle.to_string());
        }
        cluster
            .planned()
            .into_iter()
            .filter(|unit| *unit != turn)
            .find_map(|unit| cluster.ailment_of(unit))
    }

    /// What the roll waits for, in words; `None` where none is under way.
    pub fn waits_for(&self, cluster: &Cluster) -> Option<String> {
        let turn = self.turn(cluster)?;
        let replaced = || format!("the new pod of {}", cluster.unit_text(turn));
        let own = || cluster.ailment_of(turn).filter(|_| turn >= self.renewed_from);
        Some(self.hindrance(turn, cluster).or_else(own).unwrap_or_else(replaced))
    }
}
