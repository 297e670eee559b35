//! What a hook does to secrets until its commit, and what its agent knew of them when it began.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::model::Model;
use super::model::secret::Content;
use super::model::secret::Secret;
use super::model::secret::change::SecretChange;
use super::model::secret::read::Wanted;

/// The changes of one hook.
#[derive(Debug, Default)]
pub(crate) struct PendingSecrets {
    /// New secrets by id, in the order that they were added.
    pub(crate) created: Vec<Creation>,
    /// Changes by id, in the order that they were first made.
    pub(crate) updated: Vec<(String, SecretChange)>,
    /// Ids of those whose latest revision, not there yet, this unit is to read from now on.
    pub(crate) tracked: BTreeSet<String>,
    /// Subjects by id and relation. Of several units in one relation the last one counts, as the
    /// agent notes one grant for each relation.
    pub(crate) granted: BTreeMap<(String, u32), String>,
    /// Ids and subjects.
    pub(crate) revoked: Vec<(String, String)>,
    /// Ids with the revision to remove, if not all.
    pub(crate) removed: BTreeMap<String, Option<u32>>,
    /// The secrets that the unit could change when the hook began. They stay as they were.
    known: BTreeMap<String, Secret>,
}

/// A secret to be made.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) values: SecretChange,
}

impl PendingSecrets {
    /// No changes yet.
    pub(crate) fn begin(model: &Model, unit: &str) -> Self {
        let known = model.secrets_managed_by(unit);
        let known = known.map(|(id, secret)| (id.clone(), secret.clone())).collect();
        Self { known, ..Self::default() }
    }

    /// A secret that the unit could change when the hook began.
    pub(crate) fn known(&self, id: &str) -> Option<&Secret> {
        self.known.get(id)
    }

    /// A secret that this hook has added.
    pub(crate) fn created(&self, id: &str) -> Option<&Creation> {
        self.created.iter().find(|creation| creation.id == id)
    }

    /// Ids of what the unit owns, as this hook left it.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let known = self.known.keys().filter(|id| !self.removed.contains_key(*id));
        known.chain(self.created.iter().map(|creation| &creation.id)).cloned().collect()
    }

    /// Metadata of what the unit owns: those from the beginning of the hook with this hook's
    /// changes over them, but for content and grants.
    pub(crate) fn described(&self, id: &str) -> Option<Secret> {
        let known = self.known.get(id).filter(|_| !self.removed.contains_key(id))?;
        let mut secret = known.clone();
        if let Some((_, change)) = self.updated.iter().find(|(updated, _)| updated == id) {
            let change = change.clone();
            secret.label = change.label.unwrap_or(secret.label);
            secret.description = change.description.unwrap_or(secret.description);
            secret.rotate = change.rotate.unwrap_or(secret.rotate);
            secret.expire = change.expire.or(secret.expire);
        }
        Some(secret)
    }

    /// Adds a secret; of two with one label the second is refused.
    pub(crate) fn create(&mut self, creation: Creation) -> Result<(), String> {
        let label = creation.values.label.as_ref();
        let is_taken = self.created.iter().any(|it| it.values.label.as_ref() == label);
        if let Some(label) = label.filter(|_| is_taken) {
            return Err(label.clone());
        }
        self.created.push(creation);
        Ok(())
    }

    /// Changes a secret, be it of this hook or an older one.
    pub(crate) fn update(&mut self, id: &str, mut change: SecretChange) {
        if let Some(secret) = self.known.get(id) {
            let latest = secret.revisions.get(&secret.latest());
            change.content.take_if(|content| Some(&*content) == latest);
        }
        if change == SecretChange::default() {
            return;
        }
        self.removed.remove(id);
        if let Some(creation) = self.created.iter_mut().find(|creation| creation.id == id) {
            creation.values.take_over(change);
        } else if let Some((_, earlier)) = self.updated.iter_mut().find(|(it, _)| it == id) {
            earlier.take_over(change);
        } else {
            self.updated.push((id.to_owned(), change));
        }
    }

    /// Takes a right away.
    pub(crate) fn revoke(&mut self, id: &str, subject: &str) {
        let revocation = (id.to_owned(), subject.to_owned());
        if !self.revoked.contains(&revocation) {
            self.revoked.push(revocation);
        }
    }

    /// Removes a revision, or all of the secret; earlier changes of it are forgotten.
    pub(crate) fn remove(&mut self, id: &str, revision: Option<u32>) {
        self.created.retain(|creation| creation.id != id);
        self.updated.retain(|(updated, _)| updated != id);
        self.granted.retain(|(granted, _), _| granted != id);
        self.revoked.retain(|(revoked, _)| revoked != id);
        self.tracked.remove(id);
        self.removed.insert(id.to_owned(), revision);
    }

    /// The content that this hook has given to a secret: that of a new one always, that of an
    /// older one only where the latest is wanted. A label beside the id becomes the secret's.
    pub(crate) fn read(
        &mut self,
        id: Option<&str>,
        label: &str,
        wanted: Wanted,
    ) -> Option<Content> {
        if let Some(id) = id
            && let Some(content) = self.read_by_id(id, label, wanted)
        {
            return Some(content);
        }
        if label.is_empty() {
            return None;
        }
        let is_named = |change: &SecretChange| change.label.as_deref() == Some(label);
        if let Some(creation) = self.created.iter().find(|it| is_named(&it.values)) {
            return creation.values.content.clone();
        }
        let (id, change) = self.updated.iter().find(|(_, it)| is_named(it))?;
        match wanted {
            Wanted::Tracked => return None,
            Wanted::Peek => {}
            Wanted::Refresh => {
                self.tracked.insert(id.clone());
            }
        }
        change.content.clone()
    }

    fn read_by_id(&mut self, id: &str, label: &str, wanted: Wanted) -> Option<Content> {
        let new_label = || (!label.is_empty()).then(|| label.to_owned());
        if let Some(creation) = self.created.iter_mut().find(|creation| creation.id == id) {
            creation.values.label = new_label().or(creation.values.label.take());
            return creation.values.content.clone();
        }
        if wanted == Wanted::Tracked {
            return None;
        }
        let (_, change) = self.updated.iter_mut().find(|(updated, _)| updated == id)?;
        change.label = new_label().or(change.label.take());
        if wanted == Wanted::Refresh {
            self.tracked.insert(id.to_owned());
        }
        change.content.clone()
    }

    /// The id of a secret of the unit by a label that it has given, this hook's included.
    pub(crate) fn labelled(&self, unit: &str, label: &str) -> Option<String> {
        let own = self.known.iter().find(|(id, secret)| {
            secret.owner == unit && self.described(id).is_some_and(|it| it.label == label)
        });
        let updated = || {
            let mut changes = self.updated.iter();
            changes.find(|(_, change)| change.label.as_deref() == Some(label))
        };
        own.map(|(id, _)| id).or_else(|| updated().map(|(id, _)| id)).cloned()
    }
}
