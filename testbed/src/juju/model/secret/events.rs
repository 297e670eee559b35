//! Which secret hooks a unit should get. Whoever runs them remembers which it has run already.

use jiff::SignedDuration;
use jiff::Timestamp;

use super::Rotation;
use super::Secret;
use crate::juju::model::Model;
use crate::juju::model::application_of;

/// What a secret hook tells. Two that are equal tell the same: a unit gets such a hook once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretEvent {
    /// The kind of it.
    pub kind: SecretEventKind,
    /// The secret.
    pub id: String,
    /// The unit's label for it, or the owner's.
    pub label: String,
    /// Whether it goes to the leader alone, as its application owns the secret.
    pub needs_lease: bool,
}

/// The kinds of secret hooks, in the order that an agent looks for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretEventKind {
    /// To the owner: a revision is no longer to be used.
    Expired {
        /// Which.
        revision: u32,
    },
    /// To the owner: it is time for a new revision.
    Rotate {
        /// Since when.
        due: Timestamp,
        /// The latest revision when the hook is sent.
        revision: u32,
    },
    /// To a reader: there is a later revision than the one that it tracks.
    Changed {
        /// The latest.
        latest: u32,
    },
    /// To the owner: nobody tracks a revision any more that is not the latest.
    Remove {
        /// Which.
        revision: u32,
    },
}

impl SecretEvent {
    /// The hook's name.
    pub fn hook(&self) -> &'static str {
        match self.kind {
            SecretEventKind::Expired { .. } => "secret-expired",
            SecretEventKind::Rotate { .. } => "secret-rotate",
            SecretEventKind::Changed { .. } => "secret-changed",
            SecretEventKind::Remove { .. } => "secret-remove",
        }
    }

    /// The revision that it is about: of a change and a rotation, the latest.
    pub fn revision(&self) -> u32 {
        match self.kind {
            SecretEventKind::Expired { revision }
            | SecretEventKind::Rotate { revision, .. }
            | SecretEventKind::Changed { latest: revision }
            | SecretEventKind::Remove { revision } => revision,
        }
    }

    /// The environment variables that the hook has beside those of every hook.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("JUJU_SECRET_ID", format!("secret:{}", self.id)),
            ("JUJU_SECRET_LABEL", self.label.clone()),
        ];
        match self.kind {
            SecretEventKind::Expired { .. } | SecretEventKind::Remove { .. } => {
                variables.push(("JUJU_SECRET_REVISION", self.revision().to_string()));
            }
            SecretEventKind::Rotate { .. } | SecretEventKind::Changed { .. } => {}
        }
        variables
    }
}

impl Model {
    /// The secret hooks that are due for the unit at that time, in the order that they run.
    pub fn secret_events(&self, unit: &str, now: Timestamp) -> Vec<SecretEvent> {
        let mut events = self.secret_changes(unit);
        for (id, secret) in self.secrets_managed_by(unit) {
            let needs_lease = secret.owner != unit;
            let label = &secret.label;
            let event =
                |kind| SecretEvent { kind, id: id.clone(), label: label.clone(), needs_lease };
            let revision = secret.latest();
            if secret.expire.is_some_and(|expire| expire <= now) {
                events.push(event(SecretEventKind::Expired { revision }));
            }
            if let Some(due) = secret.next_rotate.filter(|due| *due <= now) {
                events.push(event(SecretEventKind::Rotate { due, revision }));
            }
            let obsolete = secret.obsolete();
            events.extend(obsolete.map(|revision| event(SecretEventKind::Remove { revision })));
        }
        events.sort();
        events
    }

    /// When the next of a unit's secrets expires or is to be rotated, however long ago that was.
    pub fn next_secret_time(&self, unit: &str) -> Option<Timestamp> {
        let owned = self.secrets_managed_by(unit);
        owned.flat_map(|(_, secret)| secret.expire.into_iter().chain(secret.next_rotate)).min()
    }

    /// Notes that a `secret-rotate` hook has ended well. If the charm has made no new revision
    /// since the one that was the latest before, it is told again soon.
    pub fn note_secret_rotated(&mut self, id: &str, revision_before: u32) {
        let Some(secret) = self.secrets.get_mut(id) else { return };
        let Some(due) = secret.next_rotate.filter(|_| secret.rotate != Rotation::Never) else {
            return;
        };
        let soon = due.checked_add(ROTATE_AGAIN).ok();
        let regular = secret.rotate.next(due);
        // Soon also where it would expire first: the charm has a last chance then.
        let expires_first = secret.expire.is_some_and(|expire| {
            regular.is_some_and(|regular| expire < regular) && soon.is_some_and(|it| it < expire)
        });
        let is_unchanged = secret.latest() == revision_before;
        secret.next_rotate = if is_unchanged || expires_first { soon } else { regular };
    }

    fn secret_changes(&self, unit: &str) -> Vec<SecretEvent> {
        let read = self.secrets.iter().filter_map(|(id, secret)| {
            let consumer = secret.consumers.get(unit)?;
            let latest = secret.latest();
            let is_due = consumer.revision < latest && self.may_read(unit, secret);
            let label = if consumer.label.is_empty() && is_of_own(unit, secret) {
                secret.label.clone()
            } else {
                consumer.label.clone()
            };
            let kind = SecretEventKind::Changed { latest };
            is_due.then(|| SecretEvent { kind, id: id.clone(), label, needs_lease: false })
        });
        read.collect()
    }
}

/// Whether the unit knows the secret by its owner's label.
fn is_of_own(unit: &str, secret: &Secret) -> bool {
    secret.owner == unit || secret.owner == application_of(unit)
}

/// How long after it was due a rotation is asked for again.
const ROTATE_AGAIN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::SecretEvent;
    use crate::juju::model::Model;
    use crate::juju::model::secret::Secret;

    const ID: &str = "d0a1b2c3d4e5f6g7h8i0";

    /// Three units of `app`, whose leader is `app/0`, related to two of `web`, with one secret.
    fn model(secret: &str) -> Model {
        let mut model = Model::application("app", 3);
        let relation = model.relate(("app", "redis"), ("web", "db"));
        assert_eq!(relation, 1);
        for number in 0..2 {
            model.add_unit("web", number);
        }
        model.applications.get_mut("app").unwrap().leader = Some("app/0".to_owned());
        let secret: Secret = serde_json::from_str(secret).unwrap();
        model.secrets.insert(ID.to_owned(), secret);
        model
    }

    fn told(model: &Model, unit: &str, now: &str) -> Vec<String> {
        let line = |event: SecretEvent| {
            let variables = event.variables().into_iter().skip(1).map(|(_, value)| value);
            let words: Vec<String> =
                [event.hook().to_owned()].into_iter().chain(variables).collect();
            words.join(" ")
        };
        model.secret_events(unit, now.parse().unwrap()).into_iter().map(line).collect()
    }

    #[test]
    fn each_unit_is_told_of_what_concerns_it() {
        // (what it is about, the secret, the unit, the hooks with label and revision)
        let cases: &[(&str, &str, &str, &[&str])] = &[
            (
                "a consumer behind the latest revision",
                r#"{"owner":"app","label":"L","revisions":{"1":{},"2":{}},
                   "grants":[{"subject":"web","relation":1}],
                   "consumers":{"web/0":{"revision":1,"label":"mine"}}}"#,
                "web/0",
                &["secret-changed mine"],
            ),
            (
                "a consumer that reads the latest",
                r#"{"owner":"app","revisions":{"1":{},"2":{}},
                   "grants":[{"subject":"web","relation":1}],
                   "consumers":{"web/0":{"revision":2}}}"#,
                "web/0",
                &[],
            ),
            (
                "a unit that has a grant but has never read",
                r#"{"owner":"app","revisions":{"1":{},"2":{}},
                   "grants":[{"subject":"web","relation":1}]}"#,
                "web/0",
                &[],
            ),
            (
                "a consumer whose grant is gone",
                r#"{"owner":"app","revisions":{"1":{},"2":{}},
                   "consumers":{"web/0":{"revision":1}}}"#,
                "web/0",
                &[],
            ),
            (
                "a minion behind: by the owner's label",
                r#"{"owner":"app","label":"L","revisions":{"1":{},"2":{}},
                   "consumers":{"app/1":{"revision":1}}}"#,
                "app/1",
                &["secret-changed L"],
            ),
            (
                "a minion is not told what is its leader's business",
                r#"{"owner":"app","revisions":{"1":{},"2":{}},
                   "rotate":"daily","next_rotate":"2026-01-01T00:00:00Z",
                   "expire":"2026-01-01T00:00:00Z"}"#,
                "app/1",
                &[],
            ),
            (
                "the leader: expired, to be rotated, and the revisions that nobody reads",
                r#"{"owner":"app","label":"L","revisions":{"1":{},"2":{},"3":{},"4":{}},
                   "rotate":"daily","next_rotate":"2026-01-01T00:00:00Z",
                   "expire":"2026-01-01T00:00:00Z","consumers":{"web/0":{"revision":2}}}"#,
                "app/0",
                &[
                    "secret-expired L 4",
                    "secret-rotate L",
                    "secret-remove L 1",
                    "secret-remove L 3",
                ],
            ),
            (
                "the leader, when nothing is due yet",
                r#"{"owner":"app","revisions":{"1":{}},
                   "rotate":"daily","next_rotate":"2026-01-02T00:00:01Z",
                   "expire":"2026-01-02T00:00:01Z"}"#,
                "app/0",
                &[],
            ),
            (
                "a unit as owner, which is a reader too",
                r#"{"owner":"app/1","label":"own","revisions":{"1":{},"2":{},"3":{}},
                   "consumers":{"app/1":{"revision":2}}}"#,
                "app/1",
                &["secret-changed own", "secret-remove own 1"],
            ),
            (
                "the leader, of another unit's secret",
                r#"{"owner":"app/1","revisions":{"1":{},"2":{}}}"#,
                "app/0",
                &[],
            ),
        ];
        for (what, secret, unit, hooks) in cases {
            assert_eq!(told(&model(secret), unit, "2026-01-02T00:00:00Z"), *hooks, "{what}");
        }
    }

    #[test]
    fn a_rotation_is_due_again_after_its_period_or_soon() {
        // (the charm has made a revision, expiry, next time)
        let cases = [
            (true, None, "2026-01-03T00:00:00Z"),
            (false, None, "2026-01-02T00:05:00Z"),
            (true, Some("2026-01-02T12:00:00Z"), "2026-01-02T00:05:00Z"),
            (true, Some("2026-01-04T00:00:00Z"), "2026-01-03T00:00:00Z"),
            (true, Some("2026-01-02T00:01:00Z"), "2026-01-03T00:00:00Z"),
        ];
        for (is_changed, expire, next) in cases {
            let secret = r#"{"owner":"app","revisions":{"1":{},"2":{}},
                            "rotate":"daily","next_rotate":"2026-01-02T00:00:00Z"}"#;
            let mut model = model(secret);
            let record = model.secrets.get_mut(ID).unwrap();
            record.expire = expire.map(|expire: &str| expire.parse().unwrap());
            model.note_secret_rotated(ID, if is_changed { 1 } else { 2 });
            let due = model.secrets[ID].next_rotate.unwrap().to_string();
            assert_eq!(due, next, "changed {is_changed}, expires {expire:?}");
        }
    }
}
