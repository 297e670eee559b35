//! What changes secrets: the controller's rules about who may, and what becomes of it.

use jiff::Timestamp;

use super::Content;
use super::Grant;
use super::Rotation;
use super::Secret;
use super::error::SecretError;
use crate::juju::model::Life;
use crate::juju::model::Model;
use crate::juju::model::application::Role;
use crate::juju::model::application_of;

/// What a hook changes of a secret; nothing where it stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretChange {
    /// The owner's label.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How often it is to be changed.
    pub rotate: Option<Rotation>,
    /// When it expires.
    pub expire: Option<Timestamp>,
    /// All keys and values of a new revision.
    pub content: Option<Content>,
}

impl SecretChange {
    /// Adds a later change.
    pub(crate) fn take_over(&mut self, later: Self) {
        self.label = later.label.or(self.label.take());
        self.description = later.description.or(self.description.take());
        self.rotate = later.rotate.or(self.rotate);
        self.expire = later.expire.or(self.expire);
        self.content = later.content.or(self.content.take());
    }
}

impl Model {
    /// Makes a secret of that id.
    pub fn create_secret(
        &mut self,
        unit: &str,
        id: &str,
        owner: &str,
        change: &SecretChange,
    ) -> Result<(), SecretError> {
        if owner != unit {
            self.check_leader(unit)?;
        }
        self.check_label(owner, change.label.as_deref().unwrap_or_default())?;
        let rotate = change.rotate.unwrap_or_default();
        let secret = Secret {
            owner: owner.to_owned(),
            label: change.label.clone().unwrap_or_default(),
            description: change.description.clone().unwrap_or_default(),
            rotate,
            next_rotate: rotate.next(self.instant()),
            expire: change.expire,
            revisions: change.content.iter().map(|content| (1, content.clone())).collect(),
            removed_latest: 0,
            grants: Vec::new(),
            consumers: [].into(),
        };
        self.secrets.insert(id.to_owned(), secret);
        Ok(())
    }

    /// Changes a secret. The content that it has already makes no new revision.
    pub fn update_secret(
        &mut self,
        unit: &str,
        id: &str,
        change: &SecretChange,
    ) -> Result<(), SecretError> {
        self.check_manages(unit, id)?;
        let now = self.instant();
        let secret = self.secret(id)?;
        if let Some(label) = change.label.as_ref().filter(|label| **label != secret.label) {
            self.check_label(&secret.owner, label)?;
        }
        let secret = self.secret_mut(id)?;
        secret.label = change.label.clone().unwrap_or_else(|| secret.label.clone());
        if let Some(description) = &change.description {
            secret.description.clone_from(description);
        }
        if let Some(rotate) = change.rotate.filter(|rotate| *rotate != secret.rotate) {
            secret.rotate = rotate;
            secret.next_rotate = rotate.next(now);
        }
        secret.expire = change.expire.or(secret.expire);
        let latest = secret.latest();
        let content = change.content.as_ref();
        if let Some(content) = content.filter(|new| secret.revisions.get(&latest) != Some(new)) {
            secret.revisions.insert(latest + 1, content.clone());
        }
        Ok(())
    }

    /// Lets a unit read the latest revision from now on.
    pub fn track_secret(&mut self, unit: &str, id: &str) -> Result<(), SecretError> {
        let secret = self.secret_mut(id)?;
        let latest = secret.latest();
        secret.consumers.entry(unit.to_owned()).or_default().revision = latest;
        Ok(())
    }

    /// Lets an application or a unit of it read a secret for as long as a relation lasts.
    pub fn grant_secret(&mut self, unit: &str, id: &str, grant: &Grant) -> Result<(), SecretError> {
        self.check_manages(unit, id)?;
        if !self.relation(grant.relation).is_some_and(|it| it.life == Life::Alive) {
            let scope = self.relation_tag(grant.relation);
            return Err(SecretError::ScopeNotAlive { scope });
        }
        let secret = self.secret_mut(id)?;
        match secret.grants.iter().find(|it| it.subject == grant.subject) {
            Some(existing) if existing.relation != grant.relation => Err(SecretError::OtherScope),
            Some(_) => Ok(()),
            None => {
                secret.grants.push(grant.clone());
                Ok(())
            }
        }
    }

    /// Takes an application's or a unit's right to read a secret, if it has one.
    pub fn revoke_secret(
        &mut self,
        unit: &str,
        id: &str,
        subject: &str,
    ) -> Result<(), SecretError> {
        self.check_manages(unit, id)?;
        self.secret_mut(id)?.grants.retain(|grant| grant.subject != subject);
        Ok(())
    }

    /// Removes a revision, or all of the secret; what is not there is removed already.
    pub fn remove_secret(
        &mut self,
        unit: &str,
        id: &str,
        revision: Option<u32>,
    ) -> Result<(), SecretError> {
        if !self.secrets.contains_key(id) {
            return Ok(());
        }
        self.check_manages(unit, id)?;
        let secret = self.secret_mut(id)?;
        secret.removed_latest = secret.latest();
        secret.revisions.retain(|number, _| revision.is_some_and(|gone| *number != gone));
        if secret.revisions.is_empty() {
            self.secrets.remove(id);
        }
        Ok(())
    }

    /// Forgets secrets, rights and pins of a unit or application that is gone.
    pub fn forget_secrets_of(&mut self, name: &str) {
        self.secrets.retain(|_, secret| secret.owner != name);
        for secret in self.secrets.values_mut() {
            secret.grants.retain(|grant| grant.subject != name);
            secret.consumers.remove(name);
        }
    }

    /// Takes away the rights that go with a relation.
    pub fn forget_grants_of(&mut self, relation: u32) {
        for secret in self.secrets.values_mut() {
            secret.grants.retain(|grant| grant.relation != relation);
        }
    }

    /// A relation as it is named in what tells of a secret's grants.
    pub(crate) fn relation_tag(&self, relation: u32) -> String {
        let Some(record) = self.relation(relation) else { return format!("relation-{relation}") };
        let mut sides: Vec<(bool, String)> = Vec::new();
        for (application, endpoint) in &record.endpoints {
            let known = self.applications.get(application);
            let role = known.and_then(|it| it.endpoints.get(endpoint)).map(|it| it.role);
            let is_provider = role == Some(Role::Provider);
            sides.push((is_provider, format!("{application}.{endpoint}")));
        }
        sides.sort();
        let sides: Vec<String> = sides.into_iter().map(|(_, side)| side).collect();
        format!("relation-{}", sides.join("#"))
    }

    pub(super) fn secret(&self, id: &str) -> Result<&Secret, SecretError> {
        self.secrets.get(id).ok_or_else(|| SecretError::NotFound { id: id.to_owned() })
    }

    pub(super) fn secret_mut(&mut self, id: &str) -> Result<&mut Secret, SecretError> {
        self.secrets.get_mut(id).ok_or_else(|| SecretError::NotFound { id: id.to_owned() })
    }

    fn check_leader(&self, unit: &str) -> Result<(), SecretError> {
        let application = application_of(unit);
        if self.leader(application) == Some(unit) {
            return Ok(());
        }
        let application = application.to_owned();
        Err(SecretError::NotLeader { unit: unit.to_owned(), application })
    }

    pub(super) fn check_manages(&self, unit: &str, id: &str) -> Result<(), SecretError> {
        let owner = &self.secret(id)?.owner;
        if owner == unit {
            return Ok(());
        }
        if owner != application_of(unit) {
            return Err(SecretError::Denied);
        }
        self.check_leader(unit)
    }
}
