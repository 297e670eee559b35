//! What a StatefulSet does next, decided from what is wanted and the pods that there are. Pure.
//!
//! As Juju makes it: `podManagementPolicy: Parallel`, rolling update, no `minReadySeconds`. Scaling waits
//! for nobody; an update replaces one pod at a time, and the next only when the last is ready.

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) replicas: u32,
    /// Pods of lower ordinals keep the version that the set had before.
    pub(crate) partition: u32,
    /// The version that all pods had last.
    pub(crate) before: u32,
    /// The version that all pods are to have.
    pub(crate) version: u32,
}

/// A pod that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) ordinal: u32,
    pub(crate) version: u32,
    pub(crate) phase: Phase,
}

/// How far a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its containers start, or one is not ready.
    Unready,
    /// All its containers run and are ready.
    Ready,
    /// It has been told to end.
    Terminating,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Makes the pod of that ordinal; its volumes are those of the last one.
    Create { ordinal: u32, version: u32 },
    /// Tells the pod of that ordinal to end.
    Delete { ordinal: u32 },
}

/// The steps that are due now, in their order.
pub(crate) fn next_steps(wanted: Wanted, pods: &[Seen]) -> Vec<Step> {
    let pod = |ordinal: u32| pods.iter().find(|pod| pod.ordinal == ordinal);
    let missing: Vec<Step> = (0..wanted.replicas)
        .filter(|ordinal| pod(*ordinal).is_none())
        .map(|ordinal| Step::Create { ordinal, version: wanted.version_of(ordinal) })
        .collect();
    let mut surplus: Vec<u32> = pods
        .iter()
        .filter(|pod| pod.ordinal >= wanted.replicas && pod.phase != Phase::Terminating)
        .map(|pod| pod.ordinal)
        .collect();
    surplus.sort_unstable_by(|one, other| other.cmp(one));
    let outdated = outdated(wanted, pods);
    let deleted = surplus.into_iter().chain(outdated).map(|ordinal| Step::Delete { ordinal });
    missing.into_iter().chain(deleted).collect()
}

/// The pod that goes next in a rolling update: the highest that is not of its version, if all above it
/// are there and ready.
fn outdated(wanted: Wanted, pods: &[Seen]) -> Option<u32> {
    for ordinal in (wanted.partition..wanted.replicas).rev() {
        let pod = pods.iter().find(|pod| pod.ordinal == ordinal)?;
        if pod.version != wanted.version && pod.phase != Phase::Terminating {
            return Some(ordinal);
        }
        if pod.phase != Phase::Ready {
            return None;
        }
    }
    None
}

/// Whether all pods are ready and of the new version, which is then the one that the set had before.
pub(crate) fn is_rolled_out(wanted: Wanted, pods: &[Seen]) -> bool {
    let new = |pod: &&Seen| pod.version == wanted.version && pod.phase == Phase::Ready;
    pods.iter().filter(new).count() == pods.len() && pods.len() == wanted.replicas as usize
}

impl Wanted {
    fn version_of(self, ordinal: u32) -> u32 {
        if ordinal < self.partition { self.before } else { self.version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `2b+` is pod 2 of version b, ready; `-` unready, `x` terminating.
    fn pods(text: &str) -> Vec<Seen> {
        text.split_whitespace()
            .map(|word| {
                let (pod, phase) = word.split_at(word.len() - 1);
                let (ordinal, version) = pod.split_at(pod.len() - 1);
                Seen {
                    ordinal: ordinal.parse().expect("an ordinal"),
                    version: u32::from(version.as_bytes()[0] - b'a'),
                    phase: match phase {
                        "+" => Phase::Ready,
                        "-" => Phase::Unready,
                        "x" => Phase::Terminating,
                        other => panic!("no phase: {other}"),
                    },
                }
            })
            .collect()
    }

    fn version(version: u32) -> char {
        char::from(b'a' + u8::try_from(version).expect("a small version"))
    }

    fn steps(replicas: u32, partition: u32, roll: (char, char), there: &str) -> String {
        let number = |letter: char| u32::from(letter) - u32::from('a');
        let wanted =
            Wanted { replicas, partition, before: number(roll.0), version: number(roll.1) };
        let words = next_steps(wanted, &pods(there)).into_iter().map(|step| match step {
            Step::Create { ordinal, version: made } => format!("create {ordinal}{}", version(made)),
            Step::Delete { ordinal } => format!("delete {ordinal}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn scaling_waits_for_nobody() {
        for (replicas, there, due) in [
            (3, "", "create 0a, create 1a, create 2a"),
            (3, "0a- 1a- 2a-", ""),
            (5, "0a+ 1a- 2a+", "create 3a, create 4a"),
            (1, "0a+ 1a+ 2a-", "delete 2, delete 1"),
            (1, "0a+ 1a+ 2ax", "delete 1"),
            (0, "0a+ 1a-", "delete 1, delete 0"),
            (0, "0ax", ""),
            (12, "0a+ 1a+ 2a+ 3a+ 4a+ 5a+ 6a+ 7a+ 8a+ 9a+ 10a+", "create 11a"),
            (9, "0a+ 1a+ 2a+ 3a+ 4a+ 5a+ 6a+ 7a+ 8a+ 9a+ 10a+", "delete 10, delete 9"),
        ] {
            assert_eq!(steps(replicas, 0, ('a', 'a'), there), due, "{replicas}: {there}");
        }
    }

    #[test]
    fn a_pod_that_is_gone_is_made_anew_and_one_that_ends_is_waited_for() {
        for (there, due) in
            [("0a+ 2a+", "create 1a"), ("0a+ 1ax 2a+", ""), ("2a+", "create 0a, create 1a")]
        {
            assert_eq!(steps(3, 0, ('a', 'a'), there), due, "{there}");
        }
    }

    #[test]
    fn an_update_goes_from_the_highest_ordinal_down_one_at_a_time_when_the_last_is_ready() {
        for (there, due) in [
            ("0a+ 1a+ 2a+", "delete 2"),
            ("0a+ 1a+ 2ax", ""),
            ("0a+ 1a+", "create 2b"),
            ("0a+ 1a+ 2b-", ""),
            ("0a+ 1a+ 2b+", "delete 1"),
            ("0a+ 1ax 2b+", ""),
            ("0a+ 1b+ 2b+", "delete 0"),
            ("0b+ 1b+ 2b+", ""),
            // An old pod that is not ready is replaced all the same: that is how a bad version is mended.
            ("0a+ 1a- 2b+", "delete 1"),
            ("0a+ 1a+ 2a-", "delete 2"),
            // One that was ready and is not any more holds the roll up.
            ("0a+ 1b+ 2b-", ""),
            // A pod that goes for another reason comes back as the new version.
            ("1a+ 2b+", "create 0b, delete 1"),
        ] {
            assert_eq!(steps(3, 0, ('a', 'b'), there), due, "{there}");
        }
    }

    #[test]
    fn pods_below_the_partition_keep_their_version() {
        for (partition, there, due) in [
            (2, "0a+ 1a+ 2a+", "delete 2"),
            (2, "0a+ 1a+ 2b+", ""),
            (2, "0a+ 2b+", "create 1a"),
            (1, "0a+ 1a+ 2b+", "delete 1"),
            (7, "0a+ 1a+ 2a+", ""),
            (7, "0a+ 2a+", "create 1a"),
        ] {
            assert_eq!(steps(3, partition, ('a', 'b'), there), due, "{partition}: {there}");
        }
    }

    #[test]
    fn an_update_and_a_scale_down_go_side_by_side() {
        assert_eq!(steps(2, 0, ('a', 'b'), "0a+ 1a+ 2a+"), "delete 2, delete 1");
        assert_eq!(steps(4, 0, ('a', 'b'), "0a+ 1a+ 2a+"), "create 3b");
    }

    #[test]
    fn a_roll_is_over_when_all_are_ready_and_new() {
        let wanted = Wanted { replicas: 2, partition: 0, before: 0, version: 1 };
        for (there, over) in [
            ("0b+ 1b+", true),
            ("0b+ 1b-", false),
            ("0a+ 1b+", false),
            ("1b+", false),
            ("0b+ 1b+ 2bx", false),
        ] {
            assert_eq!(is_rolled_out(wanted, &pods(there)), over, "{there}");
        }
    }
}
