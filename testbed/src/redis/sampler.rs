//! Watches without a gap how many replicas a Sentinel knows: what it forgets for a moment, a look now
//! and then does not see.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::error::BedError;
use crate::lock::lock;
use crate::pod::Pod;
use crate::wait;

/// Asks one Sentinel over one connection from inside its pod; dropped, it ends.
#[derive(Debug)]
pub struct Sampler {
    child: Mutex<Child>,
    samples: Arc<Mutex<Vec<Sample>>>,
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When, since 1970: samples of several samplers are of one clock.
    pub at: Duration,
    /// How many replicas were known; none if there was no answer.
    pub replicas: Option<u64>,
}

/// What the samples say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many answers there were.
    pub answers: usize,
    /// How often there was none.
    pub failures: usize,
    /// The smallest number of replicas in any answer.
    pub fewest_replicas: Option<u64>,
    /// The longest time between two answers.
    pub largest_gap: Duration,
}

impl Sampler {
    /// Starts to ask every 20 ms; the first answer is there when this returns.
    pub fn start(
        pod: &Pod,
        port: u16,
        group: &str,
        password: Option<&str>,
    ) -> Result<Self, BedError> {
        let mut command = pod.own_command("sentinel-sampler")?;
        command.args([&port.to_string(), group, "20"]).stdout(Stdio::piped());
        if let Some(password) = password {
            command.env("SAMPLER_PASSWORD", password);
        }
        let mut child = pod.spawn(&mut command)?;
        let samples = Arc::new(Mutex::new(Vec::new()));
        if let Some(stdout) = child.stdout.take() {
            let samples = Arc::clone(&samples);
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    lock(&samples).extend(Sample::parse(&line));
                }
            });
        }
        let started = Self { child: Mutex::new(child), samples };
        wait::until("a sampler gets its first answer", Duration::from_secs(5), || {
            (started.summary().answers > 0).then_some(())
        })?;
        Ok(started)
    }

    /// All samples so far.
    pub fn samples(&self) -> Vec<Sample> {
        lock(&self.samples).clone()
    }

    /// What the samples so far say together.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.samples())
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Sample {
    fn parse(line: &str) -> Option<Self> {
        let (at, replicas) = line.split_once(' ')?;
        Some(Self { at: Duration::from_micros(at.parse().ok()?), replicas: replicas.parse().ok() })
    }
}

impl Summary {
    fn of(samples: &[Sample]) -> Self {
        let answers: Vec<_> = samples.iter().filter(|sample| sample.replicas.is_some()).collect();
        let gaps = answers.iter().zip(answers.iter().skip(1));
        Self {
            answers: answers.len(),
            failures: samples.len() - answers.len(),
            fewest_replicas: answers.iter().filter_map(|sample| sample.replicas).min(),
            largest_gap: gaps
                .map(|(earlier, later)| later.at.saturating_sub(earlier.at))
                .max()
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_tells_the_fewest_replicas_and_the_largest_gap() {
        let samples: Vec<_> = ["0 2", "20000 2", "40000 -", "90000 0"]
            .into_iter()
            .filter_map(Sample::parse)
            .collect();
        let summary = Summary::of(&samples);
        assert_eq!((summary.answers, summary.failures), (3, 1));
        assert_eq!(summary.fewest_replicas, Some(0));
        assert_eq!(summary.largest_gap, Duration::from_millis(70));
    }
}
