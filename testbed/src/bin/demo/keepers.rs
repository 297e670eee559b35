//! What the keepers say, from the logs of the containers that they run in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use testbed::lab::Lab;
use testbed::names::Names;

use crate::news::Line;
use crate::news::number;
use crate::paint::Paint;
use crate::show::short;

/// How much of the log of each pod has been read, by unit.
#[derive(Debug, Default)]
pub(crate) struct Keepers {
    read: BTreeMap<String, usize>,
}

impl Keepers {
    /// What they have said since the last time, with the time since 1970.
    pub(crate) fn news(&mut self, lab: &Lab, names: &Names) -> Vec<Line> {
        let mut lines = Vec::new();
        for status in lab.pods() {
            let Ok(pod) = lab.pod(&status.unit) else { continue };
            let log = pod.log("redis");
            let read = self.read.entry(status.unit.clone()).or_default();
            if log.len() < *read {
                // Another pod's.
                *read = 0;
            }
            let news = log.get(*read..).unwrap_or_default();
            // A last line without its end is still being written.
            let whole = news.rfind('\n').map_or(0, |end| end + 1);
            *read += whole;
            for line in news.get(..whole).unwrap_or_default().lines() {
                let Some((at, said)) = said(line) else { continue };
                lines.push(Line {
                    at,
                    is_more: false,
                    who: number(&status.unit),
                    source: "keeper",
                    paint: Paint::Cyan,
                    text: short(names, said),
                });
            }
        }
        lines
    }
}

/// When the keeper said what: Pebble puts time and service before it.
fn said(line: &str) -> Option<(Duration, &str)> {
    let (time, said) = line.split_once(" [redis] ")?;
    let time: Timestamp = time.parse().ok()?;
    let is_noise = NOISE.iter().any(|noise| said.starts_with(noise));
    let at = Duration::try_from(time.duration_since(Timestamp::UNIX_EPOCH)).ok()?;
    (!is_noise).then_some((at, said))
}

/// What tells a reader nothing that the next line does not.
const NOISE: [&str; 4] =
    ["Redis is process", "Redis has no link", "Redis is getting", "set min-replicas"];

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_keepers_line_is_told_from_those_of_other_services() {
        let line = "1970-01-01T00:00:01.500Z [redis] rang: redis.charm/well";
        let (at, text) = said(line).unwrap();
        assert_eq!((at.as_millis(), text), (1500, "rang: redis.charm/well"));
        assert!(said("1970-01-01T00:00:01.500Z [redis_exporter] time=x").is_none());
        assert!(said("1970-01-01T00:00:01.500Z [redis] Redis is process 7").is_none());
    }
}
