//! What can go wrong in the test bed itself, as opposed to in what it tests.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

use crate::wait::TimedOut;

/// Why the test bed could not do what it was asked for.
#[derive(Debug, Error)]
pub enum BedError {
    /// A program that a bed needs is not on this machine.
    #[error("cannot find {program}: run make test (or scripts/install-servers)")]
    Missing {
        /// The name of the program.
        program: String,
    },
    /// The machine lets this user make no namespaces.
    #[error(
        "cannot make namespaces: run as root, or allow user namespaces with a range of ids \
         (apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \
         {user}; sysctl user.max_user_namespaces=10000 \
         kernel.apparmor_restrict_unprivileged_userns=0): {reason}",
        user = std::env::var("USER").unwrap_or_else(|_| "$USER".to_owned())
    )]
    NoNamespaces {
        /// What the kernel said.
        reason: String,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{program} failed ({status}): {stderr}")]
    Failed {
        /// The program and what it was to do.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: String,
    },
    /// A file of the bed could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such pod in the bed.
    #[error("cannot find pod {pod}: it was never added, or is removed")]
    NoPod {
        /// Its name.
        pod: String,
    },
    /// There is such a pod already.
    #[error("cannot add pod {pod}: remove the one that is there, or replace it")]
    PodExists {
        /// Its name.
        pod: String,
    },
    /// There is no such container in the pod.
    #[error("cannot find container {container} in pod {pod}: it is not in the pod's spec")]
    NoContainer {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
    },
    /// The disk of a container was to be slow, for which nothing was prepared.
    #[error("cannot slow the disk of {container}: set can_slow_disk in the pod's spec")]
    NoSlowDisk {
        /// Which container of which pod.
        container: String,
    },
    /// A server that was to be up has ended, or is already running when it is to be started.
    #[error("{server} {state}; its log ends:\n{log}")]
    Server {
        /// Which server of which pod.
        server: String,
        /// What is wrong with it.
        state: &'static str,
        /// The tail of its log.
        log: String,
    },
    /// A server's answer is an error, or no answer.
    #[error("{server} answered {command:?} with {answer}")]
    Answer {
        /// Which server of which pod.
        server: String,
        /// What was asked.
        command: String,
        /// What came back.
        answer: String,
    },
    /// Something never happened.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
}

/// Names the file in the error of an operation on it.
pub(crate) fn at_file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BedError {
    let path = path.into();
    move |source| BedError::File { path, source }
}
