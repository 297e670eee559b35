//! The API's objects, with the fields that a charm may read here.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::kubernetes::state::Key;
use crate::kubernetes::state::State;
use crate::kubernetes::statefulset::Phase;

/// A StatefulSet as `kubectl get -o json` shows it.
pub(crate) fn stateful_set(state: &State, name: &str) -> Option<Value> {
    let set = state.sets.get(name)?;
    let own = || {
        let pods = state.pods.iter().filter(|(key, _)| key.application == name);
        pods.map(|(_, record)| record).filter(|record| record.phase != Phase::Terminating)
    };
    let of_version = |version: u32| own().filter(|record| record.version == version).count();
    Some(json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": name,
            "resourceVersion": set.object_version.to_string(),
        },
        "spec": {
            "podManagementPolicy": "Parallel",
            "replicas": set.replicas,
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "partition": set.partition },
            },
        },
        "status": {
            "replicas": own().count(),
            "readyReplicas": own().filter(|record| record.phase == Phase::Ready).count(),
            "currentReplicas": of_version(set.before.version),
            "updatedReplicas": of_version(set.template.version),
            "currentRevision": revision(name, set.before.version),
            "updateRevision": revision(name, set.template.version),
        },
    }))
}

/// A pod, the same way.
pub(crate) fn pod(state: &State, name: &str) -> Option<Value> {
    let (application, ordinal) = name.rsplit_once('-')?;
    let key = Key { application: application.to_owned(), ordinal: ordinal.parse().ok()? };
    let record = state.pods.get(&key)?;
    let mut metadata = json!({
        "name": name,
        "labels": {
            "app.kubernetes.io/name": application,
            "controller-revision-hash": revision(application, record.version),
        },
    });
    if let (Phase::Terminating, Some(fields)) = (record.phase, metadata.as_object_mut()) {
        let time = Timestamp::now().to_string();
        fields.insert("deletionTimestamp".to_owned(), Value::String(time));
    }
    Some(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata }))
}

/// In place of the hash of a template.
fn revision(application: &str, version: u32) -> String {
    format!("{application}-{version:010x}")
}
