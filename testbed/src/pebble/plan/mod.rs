//! What is to run: layers, and the plan that they combine to.

pub(crate) mod combine;
pub(crate) mod decode;
pub(crate) mod entries;
pub(crate) mod layers;
pub(crate) mod order;
pub(crate) mod print;
pub(crate) mod validate;
pub(crate) mod words;

use thiserror::Error;

/// Why a layer or a plan is refused; the text is what the client gets.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum PlanError {
    /// The layer alone makes no sense.
    #[error("cannot parse layer YAML: {0}")]
    Layer(String),
    /// The plan would make no sense with it.
    #[error("{0}")]
    Plan(String),
    /// A layer of a sub-directory would have to be put between others.
    #[error("cannot insert sub-directory layer without 'inner' attribute set")]
    Inner,
}

impl PlanError {
    /// What is wrong, without the words about whose layer it is: the form of the daemon's own start.
    pub(crate) fn bare(self) -> String {
        match self {
            Self::Layer(text) | Self::Plan(text) => text,
            Self::Inner => self.to_string(),
        }
    }
}
