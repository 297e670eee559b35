//! Who reads which secret, and which of its revisions.

use super::Consumer;
use super::Content;
use super::Secret;
use super::change::SecretChange;
use super::error::SecretError;
use crate::juju::model::Model;
use crate::juju::model::application_of;

/// Which revision of a secret a unit wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The one that it has read first, or chosen since.
    Tracked,
    /// The latest, this once.
    Peek,
    /// The latest, from now on.
    Refresh,
}

impl Model {
    /// Reads a secret for a unit and notes which revision it reads from now on. With an id the
    /// label becomes the unit's own one for it, or the owner's, if the unit acts for that.
    pub fn read_secret(
        &mut self,
        unit: &str,
        id: Option<&str>,
        label: &str,
        wanted: Wanted,
    ) -> Result<Content, SecretError> {
        if let Some(own) = self.secret_of_unit_or_application(unit, id, label) {
            let manages = self.check_manages(unit, &own).is_ok();
            if id.is_some() && !label.is_empty() && manages {
                let change =
                    SecretChange { label: Some(label.to_owned()), ..SecretChange::default() };
                self.update_secret(unit, &own, &change)?;
            }
            return self.read_revision(unit, &own, "", wanted);
        }
        let id = match id {
            Some(id) => id.to_owned(),
            None => self
                .secret_of_consumer(unit, label)
                .ok_or_else(|| SecretError::NoLabel { label: label.to_owned() })?,
        };
        let secret = self.secret(&id)?;
        if !self.may_read(unit, secret) {
            return Err(SecretError::Denied);
        }
        self.read_revision(unit, &id, label, wanted)
    }

    /// Whether a unit may read the secret: as owner, of the owning application, or by a grant.
    pub fn may_read(&self, unit: &str, secret: &Secret) -> bool {
        let application = application_of(unit);
        let is = |name: &str| name == unit || name == application;
        is(&secret.owner)
            || secret
                .grants
                .iter()
                .any(|grant| is(&grant.subject) && self.relation(grant.relation).is_some())
    }

    /// The secrets that the unit may change: its own, and as leader those of its application.
    pub fn secrets_managed_by(&self, unit: &str) -> impl Iterator<Item = (&String, &Secret)> {
        let application = application_of(unit);
        let leads = self.leader(application) == Some(unit);
        self.secrets.iter().filter(move |(_, secret)| {
            secret.owner == unit || (leads && secret.owner == application)
        })
    }

    fn read_revision(
        &mut self,
        unit: &str,
        id: &str,
        label: &str,
        wanted: Wanted,
    ) -> Result<Content, SecretError> {
        let secret = self.secret(id)?;
        let latest = secret.latest();
        let known = secret.consumers.get(unit);
        let is_new_label = known.is_none_or(|consumer| consumer.label != label);
        if !label.is_empty() && is_new_label {
            self.check_label(unit, label)?;
        }
        let secret = self.secret_mut(id)?;
        // Whoever reads for the first time tracks what it reads, whatever it asked for.
        let consumer = secret
            .consumers
            .entry(unit.to_owned())
            .or_insert_with(|| Consumer { revision: latest, label: String::new() });
        if wanted == Wanted::Refresh {
            consumer.revision = latest;
        }
        if !label.is_empty() {
            label.clone_into(&mut consumer.label);
        }
        let revision = if wanted == Wanted::Peek { latest } else { consumer.revision };
        let content = secret.revisions.get(&revision).cloned();
        content.ok_or_else(|| SecretError::NoRevision { id: id.to_owned(), revision })
    }

    fn secret_of_unit_or_application(
        &self,
        unit: &str,
        id: Option<&str>,
        label: &str,
    ) -> Option<String> {
        let owned = self
            .secrets
            .iter()
            .filter(|(_, secret)| secret.owner == unit || secret.owner == application_of(unit));
        let mut found = owned.filter(|(own, secret)| match id {
            Some(id) => *own == id,
            None => secret.label == label && !label.is_empty(),
        });
        found.next().map(|(id, _)| id.clone())
    }

    fn secret_of_consumer(&self, unit: &str, label: &str) -> Option<String> {
        let mut found = self.secrets.iter().filter(|(_, secret)| {
            secret.consumers.get(unit).is_some_and(|it| it.label == label && !label.is_empty())
        });
        found.next().map(|(id, _)| id.clone())
    }
}
