//! Why a controller refuses something about a secret.

use thiserror::Error;

use crate::juju::names::quoted;

/// Why the controller does not do something with a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// There is no such secret.
    #[error("secret \"secret:{id}\" not found")]
    NotFound {
        /// Its id.
        id: String,
    },
    /// The secret has no such revision, or no longer.
    #[error("secret revision \"{id}/{revision}\" not found")]
    NoRevision {
        /// The secret's id.
        id: String,
        /// The revision.
        revision: u32,
    },
    /// Neither does the unit own a secret of that label nor has it given that label to one.
    #[error("consumer label {} not found", quoted(label))]
    NoLabel {
        /// The label.
        label: String,
    },
    /// The unit has no such right.
    #[error("permission denied")]
    Denied,
    /// It takes the leader to do it.
    #[error("\"{unit}\" is not leader of \"{application}\"")]
    NotLeader {
        /// The unit that asked.
        unit: String,
        /// Its application.
        application: String,
    },
    /// The label is in use.
    #[error("secret label {} for {holder} already exists", quoted(label))]
    LabelTaken {
        /// The label.
        label: String,
        /// Who uses it and as what.
        holder: String,
    },
    /// The subject has access by another relation.
    #[error("cannot change secret permission scope")]
    OtherScope,
    /// The relation of a grant is on its way out.
    #[error("cannot grant access to secret in scope of \"{scope}\" which is not alive")]
    ScopeNotAlive {
        /// The relation's tag.
        scope: String,
    },
}
