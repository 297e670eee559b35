//! What it takes to ask the group's servers.

use crate::names::Naming;
use crate::world::cluster::Kind;
use crate::world::password::Password;

/// Who asks, by which names, and with which passwords.
#[derive(Clone, Debug)]
pub struct Access {
    /// The number of the unit that asks: its own servers are reached at 127.0.0.1.
    pub unit: u32,
    /// How the application's units are called.
    pub naming: Naming,
    /// What Redis is logged in to with; `None` where it runs without a password, or none is known.
    pub redis_password: Option<Password>,
    /// What Sentinel is logged in to with, if that is known.
    pub sentinel_password: Option<Password>,
}

impl Access {
    /// The password of one kind of server.
    pub fn password_of(&self, kind: Kind) -> Option<&Password> {
        match kind {
            Kind::Redis => self.redis_password.as_ref(),
            Kind::Sentinel => self.sentinel_password.as_ref(),
        }
    }
}
