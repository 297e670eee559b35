//! Labels of secrets: a name is in use once among an application's and all its units' secrets.

use super::error::SecretError;
use crate::juju::model::Model;
use crate::juju::model::application_of;
use crate::juju::names::quoted;

impl Model {
    /// Refuses a label that is in use already, for an owner or for a unit that reads.
    pub(super) fn check_label(&self, name: &str, label: &str) -> Result<(), SecretError> {
        if label.is_empty() {
            return Ok(());
        }
        let taken = |holder: String| SecretError::LabelTaken { label: label.to_owned(), holder };
        for secret in self.secrets.values() {
            let owner_uses = secret.label == label;
            let users = secret.consumers.iter().filter(|(_, consumer)| consumer.label == label);
            let consumers: Vec<&str> = users.map(|(consumer, _)| consumer.as_str()).collect();
            if owner_uses && are_kin(&secret.owner, name)
                || consumers.iter().any(|consumer| *consumer != name && are_kin(consumer, name))
            {
                return Err(taken(quoted(&tag(name))));
            }
            if consumers.contains(&name) {
                return Err(taken(format!("consumer {}", quoted(&tag(name)))));
            }
            if owner_uses && secret.owner == name {
                return Err(taken(format!("owner {}", quoted(&tag(name)))));
            }
        }
        Ok(())
    }
}

/// Whether one is the application of the other, a unit.
fn are_kin(one: &str, other: &str) -> bool {
    one != other && (application_of(one) == other || one == application_of(other))
}

/// A unit or an application as the controller tags it.
pub(crate) fn tag(name: &str) -> String {
    if name.contains('/') {
        format!("unit-{}", name.replace('/', "-"))
    } else {
        format!("application-{name}")
    }
}
