//! What the operator may break, as the words of `fault`.

use std::time::Duration;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use super::value::UnitName;
use super::value::short_span;
use super::value::span;

/// A fault.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Fault {
    /// SIGKILL to a process, a container or a whole pod
    Kill(Victim),
    /// SIGSTOP to a process, a container or a whole pod
    Freeze(Victim),
    /// SIGCONT to what was frozen
    Thaw(Victim),
    /// Drop every packet between two pods, or between one and all others
    Cut {
        /// The one pod
        unit: UnitName,
        /// The other one; without it, all others
        other: Option<UnitName>,
        /// Only those from the one to the other
        #[arg(long, requires = "other")]
        one_way: bool,
    },
    /// End all cuts, or those of a pod, or those between two pods
    Heal {
        /// The one pod
        unit: Option<UnitName>,
        /// The other one
        other: Option<UnitName>,
    },
    /// Let the resolver answer nothing
    SilenceDns {
        /// Only to this unit's pod
        unit: Option<UnitName>,
    },
    /// Let the resolver answer later
    SlowDns {
        /// By how much, in milliseconds unless it says otherwise
        #[arg(value_parser = short_span)]
        by: Duration,
    },
    /// Let the resolver learn later of pods that come and go
    LateDns {
        /// By how much
        #[arg(value_parser = span)]
        by: Duration,
    },
    /// Let the resolver answer as it should
    HealDns,
    /// Empty a unit's volume
    Wipe(Volume),
    /// Keep a copy of a unit's volume under a name
    Snapshot {
        /// Which volume
        #[command(flatten)]
        volume: Volume,
        /// The name of the copy
        name: String,
    },
    /// Put a copy of a unit's volume back
    RollBack {
        /// Which volume
        #[command(flatten)]
        volume: Volume,
        /// The name of the copy
        name: String,
    },
    /// Let each fsync and fdatasync in a container take longer; 0 ends it
    SlowDisk {
        /// Whose pod
        unit: UnitName,
        /// The container
        container: String,
        /// By how much, in milliseconds unless it says otherwise
        #[arg(value_parser = short_span)]
        by: Duration,
    },
    /// Take the lease from the leader: now, or at a moment of its next hook
    LoseLeader {
        /// The application
        application: String,
        /// When
        #[command(subcommand)]
        moment: Option<Moment>,
    },
    /// Take the lease from a leader that does not know of it until it would renew it
    StealLeader {
        /// The application
        application: String,
    },
    /// Give the lease to a unit
    MakeLeader {
        /// The unit
        unit: UnitName,
    },
    /// Let nobody lead for a while
    NoLeader {
        /// The application
        application: String,
        /// For how long
        #[arg(value_name = "FOR", value_parser = span)]
        span: Duration,
    },
    /// Let a unit's next leader-elected be recorded and never run
    LoseLeaderElected {
        /// The unit
        unit: UnitName,
    },
    /// Take the controller out of reach
    ControllerAway,
    /// Bring the controller back: every agent begins anew
    ControllerBack,
    /// Let a unit's agent begin anew in the same pod
    RestartAgent {
        /// The unit
        unit: UnitName,
    },
    /// Strike a unit's next hook of a name at its k-th tool call
    Hook {
        /// The unit
        unit: UnitName,
        /// The hook: start, redis-peers-relation-changed, an action's name
        hook: String,
        /// What happens to it
        strike: Strike,
        /// When
        #[command(subcommand)]
        moment: CallMoment,
    },
    /// Let a unit's agent die when its next hook of a name is through, before that is recorded
    LoseRecord {
        /// The unit
        unit: UnitName,
        /// The hook
        hook: String,
    },
    /// Disturb the next Pebble notice that a unit's agent sees
    Notices {
        /// The unit
        unit: UnitName,
        /// The container
        container: String,
        /// What happens to them
        #[command(subcommand)]
        disturbance: Disturbance,
    },
}

/// A process, a container or a pod.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Victim {
    /// Whose pod
    pub unit: UnitName,
    /// Only this container
    pub container: Option<String>,
    /// Only the process of this name in it
    pub process: Option<String>,
}

/// A unit's volume.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Volume {
    /// Whose volume
    pub unit: UnitName,
    /// The storage's name in the charm's metadata
    pub storage: String,
}

/// A moment of a hook.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Moment {
    /// Before a hook's k-th tool call is answered
    AtCall {
        /// Which call, from 1
        #[arg(value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
        /// The hook
        #[arg(default_value = LEADERS_OWN)]
        hook: String,
    },
    /// Between a hook's exit and its commit
    AtCommit {
        /// The hook
        #[arg(default_value = LEADERS_OWN)]
        hook: String,
    },
}

/// A moment of a hook that a tool call marks.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum CallMoment {
    /// At the k-th tool call
    AtCall {
        /// Which call, from 1
        #[arg(value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
    },
}

/// What happens to a hook.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Strike {
    /// The tool that it calls fails
    Fail,
    /// The tool that it calls is never answered
    Hang,
    /// SIGKILL
    Kill,
    /// SIGTERM
    Terminate,
}

/// What happens to notices.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Disturbance {
    /// It comes later
    Delay {
        /// By how much
        #[arg(value_parser = span)]
        by: Duration,
    },
    /// It comes twice
    Repeat,
    /// It never comes
    Drop,
}

/// The hook that only a leader runs.
const LEADERS_OWN: &str = "leader-elected";
