//! The commands of the shell, as typed values; their doc comments are its help.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use super::fault::Fault;
use super::value::Pair;
use super::value::Setting;
use super::value::UnitName;
use super::value::span;

/// One line of the shell.
#[derive(Debug, Parser, PartialEq)]
#[command(name = "model", no_binary_name = true, disable_help_subcommand = true)]
pub struct Line {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What an operator does.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Deploy a charm
    Deploy(Deploy),
    /// Replace an application's charm by another one, unit by unit
    Refresh {
        /// The application
        application: String,
        /// The folder of the other charm; without it, the present one is taken in again
        #[arg(long, short, alias = "charm")]
        path: Option<PathBuf>,
    },
    /// Set the number of an application's units
    #[command(visible_alias = "scale")]
    ScaleApplication {
        /// The application
        application: String,
        /// How many units
        units: u32,
    },
    /// Add units to an application
    AddUnit(Units),
    /// Remove units from an application, the highest numbers first
    RemoveUnit(Units),
    /// Show or set an application's options
    Config {
        /// The application
        application: String,
        /// Options to set (KEY=VALUE), or one to show (KEY)
        #[arg(value_name = "KEY[=VALUE]")]
        settings: Vec<Setting>,
        /// Options to put back to their defaults
        #[arg(long, value_delimiter = ',')]
        reset: Vec<String>,
    },
    /// Let an application's charm use the cluster's credentials
    Trust {
        /// The application
        application: String,
        /// No longer
        #[arg(long)]
        remove: bool,
    },
    /// Give an application another file for a resource
    AttachResource {
        /// The application
        application: String,
        /// The resource and the file
        #[arg(value_name = "RESOURCE=FILE")]
        resource: Pair,
    },
    /// Relate two applications
    #[command(visible_alias = "relate")]
    Integrate(Ends),
    /// Remove a relation
    RemoveRelation(Ends),
    /// Remove an application with all its units
    RemoveApplication {
        /// The application
        application: String,
        /// Asked nowhere here; taken as Juju takes it
        #[arg(long, hide = true)]
        no_prompt: bool,
    },

    /// Show applications, units and, where there is a Redis, its roles
    Status {
        /// Show relations too
        #[arg(long)]
        relations: bool,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Tabular)]
        format: Format,
    },
    /// Show all that is known of a unit, its databags included
    ShowUnit {
        /// The unit
        unit: UnitName,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Yaml)]
        format: Format,
    },
    /// List secrets
    Secrets,
    /// List an application's actions
    Actions {
        /// The application
        application: String,
    },
    /// List pods and their containers, as kubectl does
    Pods,

    /// Run an action and wait for its result
    Run {
        /// The unit
        unit: UnitName,
        /// The action
        action: String,
        /// Its parameters
        #[arg(value_name = "KEY=VALUE")]
        parameters: Vec<Pair>,
    },
    /// Run a command as a hook runs, with hook tools
    Exec {
        /// The units
        #[arg(long, short, required = true, value_delimiter = ',')]
        unit: Vec<UnitName>,
        /// The command
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Run a command in one of a unit's containers, or a shell
    Ssh {
        /// The container
        #[arg(long, short, default_value = "charm")]
        container: String,
        /// The unit
        unit: UnitName,
        /// The command; without one, a shell
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Let a unit's failed hook run again, or count it as done
    Resolved {
        /// The units
        #[arg(required = true)]
        units: Vec<UnitName>,
        /// Count it as done
        #[arg(long)]
        no_retry: bool,
    },
    /// Delete a pod, as kubectl does; another one takes its place
    DeletePod {
        /// Whose pod
        unit: UnitName,
    },
    /// Break something on purpose
    Fault {
        /// What
        #[command(subcommand)]
        fault: Fault,
    },

    /// Show the model's log
    DebugLog {
        /// How many of the last lines
        #[arg(long, short = 'n', default_value_t = 10)]
        lines: usize,
        /// Only this unit's or application's
        #[arg(long, short)]
        include: Vec<String>,
        /// From the beginning
        #[arg(long)]
        replay: bool,
        /// Go on with what comes, until ctrl-C
        #[arg(long, short = 'f')]
        tail: bool,
    },
    /// Show what a container wrote
    Logs {
        /// The unit
        unit: UnitName,
        /// The container
        container: String,
        /// How many of the last lines; 0 for all
        #[arg(long, short = 'n', default_value_t = 0)]
        lines: usize,
    },
    /// Show what happened in this run, in the order that it happened
    Timeline {
        /// Only the last lines
        #[arg(long, short = 'n')]
        lines: Option<usize>,
        /// A file to write it to
        file: Option<PathBuf>,
    },
    /// Write what happened in this run into a file, as JSON lines
    Trace {
        /// The file
        file: PathBuf,
    },

    /// Wait until something is so
    WaitFor {
        /// What
        #[command(subcommand)]
        state: State,
        /// How long at most
        #[arg(long, global = true, default_value = "10m", value_parser = span)]
        timeout: Duration,
    },
    /// Show how much faster than Juju's own all periods pass
    Speed,
    /// Show or set how Juju behaves where its versions differ
    Switch {
        /// The switch
        name: Option<String>,
        /// What it is to be
        value: Option<String>,
    },
    /// List the commands, or explain one
    Help {
        /// The command
        command: Vec<String>,
    },
    /// List the lines of this session
    History,
    /// Leave: everything is taken down
    #[command(visible_alias = "quit")]
    Exit,
}

/// What `deploy` is told.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Deploy {
    /// The folder of an unpacked charm; without it, this project's own charm
    pub charm: Option<String>,
    /// The application's name; without it, the charm's
    pub name: Option<String>,
    /// How many units
    #[arg(long, short = 'n', default_value_t = 1)]
    pub num_units: u32,
    /// An option that differs from its default
    #[arg(long, value_name = "KEY=VALUE")]
    pub config: Vec<Pair>,
    /// Let the charm use the cluster's credentials
    #[arg(long)]
    pub trust: bool,
    /// A file for a resource
    #[arg(long, value_name = "RESOURCE=FILE")]
    pub resource: Vec<Pair>,
    /// A container's memory limit in mebibytes
    #[arg(long, value_name = "CONTAINER=MIB")]
    pub memory: Vec<Pair>,
}

/// An application and a number of units.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Units {
    /// The application
    pub application: String,
    /// How many
    #[arg(long, short = 'n', default_value_t = 1)]
    pub num_units: u32,
}

/// The two sides of a relation.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Ends {
    /// The one side
    #[arg(value_name = "APPLICATION[:ENDPOINT]")]
    pub one: String,
    /// The other side
    #[arg(value_name = "APPLICATION[:ENDPOINT]")]
    pub other: String,
}

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As tables
    Tabular,
    /// As JSON
    Json,
    /// As YAML
    Yaml,
}

/// What may be waited for.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum State {
    /// All units of an application are there, idle, and have a status
    Application {
        /// The application
        application: String,
        /// The status
        #[arg(long, default_value = "active")]
        status: String,
    },
    /// A unit has a status
    Unit {
        /// The unit
        unit: UnitName,
        /// The workload's status
        #[arg(long, default_value = "active")]
        status: String,
        /// What its message holds
        #[arg(long, default_value = "")]
        message: String,
    },
    /// No agent has anything to do
    Idle,
    /// An application with all that was of it is gone
    Removed {
        /// The application
        application: String,
    },
    /// Some time has passed
    Time {
        /// How long
        #[arg(value_parser = span)]
        span: Duration,
    },
}
