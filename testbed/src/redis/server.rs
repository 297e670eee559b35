//! The two servers of a unit.

/// The port of Redis.
pub const REDIS_PORT: u16 = 6379;

/// The port of Sentinel.
pub const SENTINEL_PORT: u16 = 26379;

/// A server that a client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Redis.
    Redis,
    /// Sentinel.
    Sentinel,
}

impl Server {
    /// The port that it has by custom.
    pub const fn port(self) -> u16 {
        match self {
            Self::Redis => REDIS_PORT,
            Self::Sentinel => SENTINEL_PORT,
        }
    }

    /// The key under which charms of Redis keep its password in the application's peer databag.
    pub(crate) const fn password_key(self) -> &'static str {
        match self {
            Self::Redis => "redis-password",
            Self::Sentinel => "sentinel-password",
        }
    }
}
