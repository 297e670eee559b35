//! The parts of the API's objects that a roll is read from.

use serde::Deserialize;

/// A StatefulSet.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct StatefulSet {
    /// What every object has.
    pub metadata: Metadata,
    /// What it is to be.
    pub spec: StatefulSetSpec,
    /// What it is.
    #[serde(default)]
    pub status: StatefulSetStatus,
}

/// What a StatefulSet is to be.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct StatefulSetSpec {
    /// How many pods.
    #[serde(default = "one")]
    pub replicas: u32,
    /// How its pods are replaced.
    #[serde(default)]
    pub update_strategy: UpdateStrategy,
}

/// How the pods of a StatefulSet are replaced.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStrategy {
    /// One after the other, from the highest ordinal down.
    #[serde(default)]
    pub rolling_update: Option<RollingUpdate>,
}

/// The settings of a rolling update.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct RollingUpdate {
    /// Pods of lower ordinals keep their version.
    #[serde(default)]
    pub partition: Option<u32>,
}

/// What a StatefulSet is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct StatefulSetStatus {
    /// The version that all pods had last.
    #[serde(default)]
    pub current_revision: String,
    /// The version that all pods are to have.
    #[serde(default)]
    pub update_revision: String,
}

/// A pod.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Pod {
    /// What every object has.
    pub metadata: Metadata,
}

/// What every object has.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Changes with the object.
    #[serde(default)]
    pub resource_version: String,
    /// When it is gone at the latest; only one that has been told to go has it.
    #[serde(default)]
    pub deletion_timestamp: Option<String>,
    /// Its labels.
    #[serde(default)]
    pub labels: Labels,
}

/// The labels that matter here.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Labels {
    /// The version of a StatefulSet that a pod was made of.
    #[serde(default, rename = "controller-revision-hash")]
    pub revision: String,
}

impl StatefulSet {
    /// Pods of lower ordinals keep their version.
    pub fn partition(&self) -> u32 {
        let rolling = self.spec.update_strategy.rolling_update.as_ref();
        rolling.and_then(|rolling| rolling.partition).unwrap_or_default()
    }
}

/// What Kubernetes takes where nothing is said.
fn one() -> u32 {
    1
}
