//! In which order services start and stop.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::pebble::plan::PlanError;
use crate::pebble::plan::entries::Service;
use crate::pebble::quote::listed;
use crate::pebble::quote::quoted;

type Services = BTreeMap<String, Service>;

/// What the order is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Start,
    Stop,
}

/// The named services and those that must go with them, in lanes: one after the other within a
/// lane, the lanes side by side.
pub(crate) fn lanes(
    services: &Services,
    names: &[String],
    towards: Towards,
) -> Result<Vec<Vec<String>>, PlanError> {
    let ordered = ordered(services, names, towards)?;
    let mut lanes: Vec<Vec<String>> = Vec::new();
    let mut left: Vec<String> = ordered;
    while let Some(first) = left.first().cloned() {
        let mut lane = BTreeSet::from([first]);
        // A lane is whatever hangs together, by any chain of relations.
        loop {
            let size = lane.len();
            for name in &left {
                if lane.iter().any(|member| related(services, member, name)) {
                    lane.insert(name.clone());
                }
            }
            if lane.len() == size {
                break;
            }
        }
        let (together, apart) = left.into_iter().partition(|name| lane.contains(name));
        lanes.push(together);
        left = apart;
    }
    Ok(lanes)
}

fn related(services: &Services, one: &str, other: &str) -> bool {
    let names = |from: &str, to: &str| {
        services.get(from).is_some_and(|service| {
            [&service.requires, &service.after, &service.before]
                .into_iter()
                .flatten()
                .any(|name| name == to)
        })
    };
    names(one, other) || names(other, one)
}

/// The named services and those that must go with them, in one line.
pub(crate) fn ordered(
    services: &Services,
    names: &[String],
    towards: Towards,
) -> Result<Vec<String>, PlanError> {
    let involved = involved(services, names, towards)?;
    let mut waits: BTreeMap<&str, BTreeSet<&str>> =
        involved.iter().map(|name| (name.as_str(), BTreeSet::new())).collect();
    for name in &involved {
        let Some(service) = services.get(name) else { continue };
        for (listed, earlier) in [(&service.after, true), (&service.before, false)] {
            for other in listed.iter().filter(|other| involved.contains(*other) && *other != name) {
                let (first, second) = if earlier == (towards == Towards::Start) {
                    (other.as_str(), name.as_str())
                } else {
                    (name.as_str(), other.as_str())
                };
                waits.entry(second).or_default().insert(first);
            }
        }
    }
    let mut order = Vec::new();
    while !waits.is_empty() {
        let Some(next) = waits.iter().find(|(_, after)| after.is_empty()).map(|(name, _)| *name)
        else {
            let names = listed(in_a_loop(&waits));
            return Err(PlanError::Plan(format!("services in before/after loop: {names}")));
        };
        waits.remove(next);
        for after in waits.values_mut() {
            after.remove(next);
        }
        order.push(next.to_owned());
    }
    Ok(order)
}

/// With the services go what they require (to start), or what requires them (to stop).
fn involved(
    services: &Services,
    names: &[String],
    towards: Towards,
) -> Result<BTreeSet<String>, PlanError> {
    let mut involved = BTreeSet::new();
    let mut pending: Vec<String> = names.to_vec();
    while let Some(name) = pending.pop() {
        let Some(service) = services.get(&name) else {
            return Err(PlanError::Plan(format!("service {} does not exist", quoted(&name))));
        };
        if !involved.insert(name.clone()) {
            continue;
        }
        match towards {
            Towards::Start => pending.extend(service.requires.iter().cloned()),
            Towards::Stop => pending.extend(
                services
                    .iter()
                    .filter(|(_, other)| other.requires.contains(&name))
                    .map(|(other, _)| other.clone()),
            ),
        }
    }
    Ok(involved)
}

/// Of those that still wait, the members of one loop.
fn in_a_loop<'a>(waits: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let reach = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(name) = pending.pop() {
            for &next in waits.get(name).into_iter().flatten() {
                if seen.insert(next) {
                    pending.push(next);
                }
            }
        }
        seen
    };
    for &name in waits.keys() {
        let reached = reach(name);
        if reached.contains(name) {
            return reached.into_iter().filter(|&other| reach(other).contains(name)).collect();
        }
    }
    waits.keys().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::Services;
    use super::Towards;
    use super::lanes;
    use crate::pebble::plan::entries::Service;

    fn services(of: &[(&str, &[&str], &[&str])]) -> Services {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        of.iter()
            .map(|&(name, requires, after)| {
                let (requires, after) = (list(requires), list(after));
                (name.to_owned(), Service { after, requires, ..Service::default() })
            })
            .collect()
    }

    #[test]
    fn a_chain_is_one_lane_and_strangers_are_their_own() {
        let chain = services(&[
            ("a", &["b"], &["b"]),
            ("b", &["c"], &["c"]),
            ("c", &[], &[]),
            ("d", &[], &[]),
        ]);
        let all = ["a".to_owned(), "d".to_owned()];
        assert_eq!(
            lanes(&chain, &all, Towards::Start).unwrap(),
            vec![vec!["c", "b", "a"], vec!["d"]]
        );
        assert_eq!(
            lanes(&chain, &["c".to_owned()], Towards::Stop).unwrap(),
            vec![vec!["a", "b", "c"]]
        );
    }

    #[test]
    fn a_loop_is_named() {
        let looped = services(&[("a", &[], &["b"]), ("b", &[], &["a"]), ("c", &[], &["a"])]);
        let all: Vec<String> = looped.keys().cloned().collect();
        let error = lanes(&looped, &all, Towards::Start).unwrap_err();
        assert_eq!(error.to_string(), "services in before/after loop: a, b");
    }
}
