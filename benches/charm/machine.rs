//! The machine and the binary that were measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::Outcome;

/// What a reader needs to judge the figures.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) kernel: String,
    pub(crate) redis: String,
    pub(crate) load: String,
    pub(crate) binary: String,
}

impl Machine {
    /// As it is now.
    pub(crate) fn look(dispatch: &Path) -> Outcome<Self> {
        let bytes = fs::read(dispatch)?;
        let linked = if is_static(&bytes).unwrap_or(false) { "static" } else { "dynamic" };
        Ok(Self {
            processor: processor(),
            processors: thread::available_parallelism().map_or(1, usize::from),
            kernel: read_line("/proc/sys/kernel/osrelease"),
            redis: redis_version()?,
            load: load(),
            binary: format!("release, {linked}, {} bytes", bytes.len()),
        })
    }

    /// Whether other work was going on when the bench began.
    pub(crate) fn was_busy(&self) -> bool {
        let last_minute: f64 =
            self.load.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0.0);
        last_minute > 0.5
    }

    /// One line for each fact.
    pub(crate) fn text(&self) -> String {
        let Self { processor, processors, kernel, redis, load, binary } = self;
        format!(
            "machine: {processors} × {processor}, Linux {kernel}\n\
             load average at the start: {load}\n\
             {redis}\n\
             dispatch: {binary}"
        )
    }
}

/// The load averages of the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let line = read_line("/proc/loadavg");
    line.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn read_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("processor", |(_, name)| name).to_owned()
}

fn redis_version() -> Outcome<String> {
    let server = testbed::programs::redis_server()?;
    let output = Command::new(server).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split(' ').find_map(|word| word.strip_prefix("v="));
    Ok(format!("redis-server {}", version.unwrap_or("of unknown version")))
}

/// Whether an ELF file of 64 bits asks for no interpreter, which is the dynamic linker.
fn is_static(elf: &[u8]) -> Option<bool> {
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = elf.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let (headers, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let mut kinds = (0..count).filter_map(|index| number(headers + index * size, 4));
    Some(kinds.all(|kind| kind != INTERPRETER))
}

/// `PT_INTERP`.
const INTERPRETER: usize = 3;
