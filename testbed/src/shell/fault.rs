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
    },
    /// End all cuts
    Heal,
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
        /// Only to this unit's pod
        unit: Option<UnitName>,
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
    /// Let each fsync and fdatasync of a pod take longer; 0 ends it
    SlowDisk {
        /// Whose pod
        unit: UnitName,
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
    /// Strike a unit's next hook at its k-th tool call
    Hook {
        /// The unit
        unit: UnitName,
        /// What happens to it
        strike: Strike,
        /// When
        #[command(subcommand)]
        moment: CallMoment,
    },
    /// Disturb the Pebble notices that a unit's agent sees
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
    /// Before the k-th tool call is answered
    AtCall(Call),
    /// Between its exit and its commit
    AtCommit {
        /// Only a hook of this name
        hook: Option<String>,
    },
}

/// A moment of a hook that a tool call marks.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum CallMoment {
    /// At the k-th tool call
    AtCall(Call),
}

/// A tool call of a hook.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Call {
    /// Which call, from 1
    #[arg(value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub number: u32,
    /// Only in a hook of this name
    pub hook: Option<String>,
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
    /// Each comes later
    Delay {
        /// By how much
        #[arg(value_parser = span)]
        by: Duration,
    },
    /// The next one comes twice
    Repeat,
    /// The next one never comes
    Drop,
}
