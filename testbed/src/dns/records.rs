//! The names as the server knows them at a moment: a change may become known late.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// It has these addresses.
    Addresses(Vec<Ipv4Addr>),
    /// It is a part of longer names and has no address.
    Bare,
    /// There is no such name.
    Unknown,
}

/// All names, each state of them with the moment from which on it is known. Moments are measured from
/// any fixed one.
#[derive(Debug, Default)]
pub(crate) struct Records {
    states: Vec<(Duration, BTreeMap<String, Ipv4Addr>)>,
}

impl Records {
    /// Notes what the names are from `since` on; a change that was to become known later is forgotten.
    pub(crate) fn change(&mut self, since: Duration, names: BTreeMap<String, Ipv4Addr>) {
        if self.states.last().is_some_and(|(_, last)| *last == names) {
            // Nothing changes: what is on its way stays on its way, unless it is to be known sooner.
            if let Some((last, _)) = self.states.last_mut() {
                *last = since.min(*last);
            }
        } else {
            self.states.push((since, names));
        }
        if let Some(last) = self.states.pop() {
            self.states.retain(|(known, _)| *known < last.0);
            self.states.push(last);
        }
    }

    /// The addresses of a name, which is in lower case.
    ///
    /// The name of a headless service, one label shorter than its pods' names, has all of theirs.
    pub(crate) fn find(&self, name: &str, now: Duration) -> Known {
        let names = self.at(now);
        if let Some(address) = names.and_then(|names| names.get(name)) {
            return Known::Addresses(vec![*address]);
        }
        let below = |longer: &str| {
            longer.strip_suffix(name).and_then(|rest| rest.strip_suffix('.').map(str::to_owned))
        };
        let mut addresses = Vec::new();
        let mut is_part = false;
        for (longer, address) in names.into_iter().flatten() {
            let Some(rest) = below(longer) else { continue };
            is_part = true;
            if !rest.contains('.') {
                addresses.push(*address);
            }
        }
        match (addresses.is_empty(), is_part) {
            (false, _) => Known::Addresses(addresses),
            (true, true) => Known::Bare,
            (true, false) => Known::Unknown,
        }
    }

    /// The name of a pod at this address.
    pub(crate) fn name_of(&self, address: Ipv4Addr, now: Duration) -> Option<String> {
        let mut names = self.at(now).into_iter().flatten();
        names.find(|(_, other)| **other == address).map(|(name, _)| name.clone())
    }

    fn at(&self, now: Duration) -> Option<&BTreeMap<String, Ipv4Addr>> {
        self.states.iter().rev().find(|(since, _)| *since <= now).map(|(_, names)| names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 10);
    const SECOND: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 11);

    fn names(pairs: &[(&str, Ipv4Addr)]) -> BTreeMap<String, Ipv4Addr> {
        pairs.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_service_has_the_addresses_of_its_pods_and_what_is_above_it_has_none() {
        let mut records = Records::default();
        records.change(
            seconds(0),
            names(&[("a-0.a-ep.lab.svc", FIRST), ("a-1.a-ep.lab.svc", SECOND)]),
        );
        for (name, known) in [
            ("a-1.a-ep.lab.svc", Known::Addresses(vec![SECOND])),
            ("a-ep.lab.svc", Known::Addresses(vec![FIRST, SECOND])),
            ("lab.svc", Known::Bare),
            ("svc", Known::Bare),
            ("a-2.a-ep.lab.svc", Known::Unknown),
            ("ep.lab.svc", Known::Unknown),
            ("x.a-1.a-ep.lab.svc", Known::Unknown),
        ] {
            assert_eq!(records.find(name, seconds(0)), known, "{name}");
        }
        assert_eq!(records.name_of(SECOND, seconds(0)).as_deref(), Some("a-1.a-ep.lab.svc"));
        assert_eq!(records.name_of(Ipv4Addr::LOCALHOST, seconds(0)), None);
    }

    #[test]
    fn a_late_change_shows_the_names_as_they_were_until_it_is_known() {
        let mut records = Records::default();
        records.change(seconds(0), names(&[("a", FIRST)]));
        records.change(seconds(10), names(&[("a", SECOND)]));
        let address = |records: &Records, now| records.find("a", seconds(now));
        assert_eq!(address(&records, 9), Known::Addresses(vec![FIRST]));
        assert_eq!(address(&records, 10), Known::Addresses(vec![SECOND]));
        // The same again, while it is under way: it is known no later.
        records.change(seconds(15), names(&[("a", SECOND)]));
        assert_eq!(address(&records, 10), Known::Addresses(vec![SECOND]));
        // Healed: known at once, and the late one never comes.
        records.change(seconds(30), names(&[]));
        records.change(seconds(20), names(&[("a", FIRST)]));
        assert_eq!(address(&records, 40), Known::Addresses(vec![FIRST]));
    }

    #[test]
    fn nothing_is_known_before_the_first_names() {
        assert_eq!(Records::default().find("a", seconds(1)), Known::Unknown);
    }
}
