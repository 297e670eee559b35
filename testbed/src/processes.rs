//! Processes found by the PID namespace they run in, whoever started them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::error::BedError;
use crate::wait;

/// Names the PID namespace of a process, or `None` when the process has ended.
pub(crate) fn namespace_of(process: u32) -> Option<String> {
    let link = fs::read_link(format!("/proc/{process}/ns/pid")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// The processes in a PID namespace; one that has ended and was not yet waited for is none.
pub(crate) fn processes_in(namespace: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| namespace_of(*process).as_deref() == Some(namespace))
        // A process that has ended keeps its number, and nothing else.
        .filter(|process| fs::read_link(format!("/proc/{process}/ns/mnt")).is_ok())
        .collect()
}

/// The argv of a process as the process table shows it.
pub(crate) fn argv_of(process: u32) -> String {
    let bytes = fs::read(Path::new("/proc").join(process.to_string()).join("cmdline"));
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).replace('\0', " ");
    text.trim_end().to_owned()
}

/// The variables that a process was started with.
pub(crate) fn environment_of(process: u32) -> Vec<(String, String)> {
    let bytes = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Whether a process runs the program of that name, by the kernel's name for it, which has at most 15
/// bytes, or by its own.
pub(crate) fn is_named(process: u32, name: &str) -> bool {
    let kernel = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let own = argv_of(process);
    let own = own.split([' ', ':']).next().unwrap_or_default();
    kernel.trim_end() == name || Path::new(own).file_name().is_some_and(|own| own == name)
}

/// Sends a signal to one process; one that has ended already is no error.
pub(crate) fn send(process: u32, signal: Signal) {
    if let Ok(process) = i32::try_from(process) {
        let _ = signal::kill(Pid::from_raw(process), signal);
    }
}

/// Kills everything in a PID namespace but the process `spared`, and waits until it is gone.
pub(crate) fn kill_all_in(namespace: &str, spared: u32) -> Result<(), BedError> {
    wait::until("the processes of a container end", Duration::from_secs(10), || {
        let mut left = processes_in(namespace);
        left.retain(|process| *process != spared);
        for process in &left {
            send(*process, Signal::SIGKILL);
        }
        left.is_empty().then_some(())
    })?;
    Ok(())
}
