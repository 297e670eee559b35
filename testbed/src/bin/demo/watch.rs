//! Watches a failover in the logs of the Sentinels, and tells what they say as they say it.

use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

use testbed::bed::Bed;
use testbed::wait;

use crate::Outcome;
use crate::paint::Paint;
use crate::screen::Screen;

/// What was written in the logs of some Sentinels before something happens.
#[derive(Debug)]
pub(crate) struct Watch {
    read: BTreeMap<u32, usize>,
    begun: Instant,
}

impl Watch {
    /// From now on.
    pub(crate) fn begin(bed: &Bed, units: &[u32]) -> Outcome<Self> {
        let mut read = BTreeMap::new();
        for unit in units {
            read.insert(*unit, bed.pod(*unit)?.sentinel_log().len());
        }
        Ok(Self { read, begun: Instant::now() })
    }

    /// Tells the news until all these Sentinels name another master than `old`; gives it and the time.
    pub(crate) fn until_failed_over(
        &mut self,
        screen: &mut Screen,
        bed: &Bed,
        old: u32,
    ) -> Outcome<(u32, Duration)> {
        let units: Vec<u32> = self.read.keys().copied().collect();
        let what = format!("the Sentinels of units {units:?} name another master than unit {old}");
        let found = wait::until(&what, LIMIT, || {
            self.tell(screen, bed);
            bed.named_master(&units).filter(|master| *master != old)
        });
        let took = self.begun.elapsed();
        match found {
            Ok(master) => {
                self.tell(screen, bed);
                Ok((master, took))
            }
            Err(error) => Err(bed
                .pods()
                .iter()
                .fold(error, |error, pod| error.with(pod.host(), &pod.log_tails()))
                .into()),
        }
    }

    fn tell(&mut self, screen: &mut Screen, bed: &Bed) {
        for (unit, read) in &mut self.read {
            let Ok(pod) = bed.pod(*unit) else { continue };
            let log = pod.sentinel_log();
            let news = log.get(*read..).unwrap_or_default();
            // A last line without its end is still being written.
            let whole = news.rfind('\n').map_or(0, |end| end + 1);
            for line in news.get(..whole).unwrap_or_default().lines() {
                let Some((event, meaning)) = event_of(line) else { continue };
                let at = format!("{:.1} s", self.begun.elapsed().as_secs_f64());
                let who = format!("Sentinel {unit}  {event:16} ");
                screen.pieces(&at, &[(Paint::Plain, who), (Paint::Dim, meaning.to_owned())]);
            }
            *read += whole;
        }
    }
}

/// The event of a line that a reader of the story wants to know, and what it means.
fn event_of(line: &str) -> Option<(&'static str, &'static str)> {
    let event = line.get(line.find(['+', '-'])?..)?;
    TOLD.into_iter()
        .find(|(told, _)| event.strip_prefix(told).is_some_and(|rest| rest.starts_with(' ')))
}

const TOLD: [(&str, &str); 5] = [
    ("+sdown master", "misses the master"),
    ("+odown master", "enough Sentinels miss it"),
    ("+elected-leader", "is elected to lead the failover"),
    ("+promoted-slave", "has made a replica master"),
    ("+switch-master", "follows the new master"),
];

/// Twice what the longest failover without trouble takes, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_the_failover_are_told_and_others_are_not() {
        let line = "9:X 24 Nov 2026 06:45:20.123 # +sdown master redis-k8s h 6379";
        assert_eq!(event_of(line), Some(("+sdown master", "misses the master")));
        assert_eq!(event_of("9:X 24 Nov 2026 06:45:20.123 # +sdown slave h"), None);
        assert_eq!(event_of("no event"), None);
    }
}
