//! Processes found by the network namespace they run in, whoever started them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::error::BedError;
use crate::wait;

/// Names the network namespace of a process, or `None` when the process has ended.
pub(crate) fn namespace_of(process: u32) -> Option<String> {
    let link = fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// The processes in a network namespace; one that has ended and was not yet waited for is none.
pub(crate) fn processes_in(namespace: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| namespace_of(*process).as_deref() == Some(namespace))
        .collect()
}

/// The argv of a process as the process table shows it.
pub(crate) fn argv_of(process: u32) -> String {
    let bytes = fs::read(Path::new("/proc").join(process.to_string()).join("cmdline"));
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).replace('\0', " ");
    text.trim_end().to_owned()
}

/// Sends a signal to one process; one that has ended already is no error.
pub(crate) fn send(process: u32, signal: Signal) {
    if let Ok(process) = i32::try_from(process) {
        let _ = signal::kill(Pid::from_raw(process), signal);
    }
}

/// Kills everything in a network namespace but the process `spared`, and waits until it is gone.
pub(crate) fn kill_all_in(namespace: &str, spared: Option<u32>) -> Result<(), BedError> {
    wait::until("the processes of a pod end", Duration::from_secs(10), || {
        let mut left = processes_in(namespace);
        left.retain(|process| Some(*process) != spared);
        for process in &left {
            send(*process, Signal::SIGKILL);
        }
        left.is_empty().then_some(())
    })?;
    Ok(())
}
