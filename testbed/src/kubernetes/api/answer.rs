//! What the API answers: to three requests of an application that is trusted. Without sockets.

use hyper::Method;
use serde_json::Value;
use serde_json::json;

use super::objects;
use crate::kubernetes::state::State;

/// A request, with the account whose token it bears.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) account: Option<String>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// An answer: the status of HTTP and an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Answers; a PATCH changes the state.
pub(crate) fn answer(state: &mut State, namespace: &str, request: &Request) -> Reply {
    reply(state, namespace, request).unwrap_or_else(|refusal| refusal)
}

fn reply(state: &mut State, namespace: &str, request: &Request) -> Result<Reply, Reply> {
    let Some(account) = &request.account else {
        return Err(refusal(401, "Unauthorized", "Unauthorized"));
    };
    let (resource, name) = object_of(&request.path, namespace);
    let verb = request.method.as_str().to_ascii_lowercase();
    if !state.sets.get(account).is_some_and(|set| set.template.trust) {
        let user = format!("system:serviceaccount:{namespace}:{account}");
        let text = format!("{resource} \"{name}\" is forbidden: User \"{user}\" cannot {verb} it");
        return Err(refusal(403, "Forbidden", &text));
    }
    let object = match (&request.method, resource) {
        (&Method::GET, SETS) => objects::stateful_set(state, name),
        (&Method::GET, PODS) => objects::pod(state, name),
        (&Method::PATCH, SETS) => {
            patch(state, name, request)?;
            objects::stateful_set(state, name)
        }
        _ => return Err(refusal(405, "MethodNotAllowed", ONLY)),
    };
    let missing = || refusal(404, "NotFound", &format!("{resource} \"{name}\" not found"));
    object.map(|body| Reply { status: 200, body }).ok_or_else(missing)
}

/// Kind and name of what a path means; others than these two have no kind.
fn object_of<'a>(path: &'a str, namespace: &str) -> (&'static str, &'a str) {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["apis", "apps", "v1", "namespaces", space, SETS, name] if *space == namespace => {
            (SETS, *name)
        }
        ["api", "v1", "namespaces", space, PODS, name] if *space == namespace => (PODS, *name),
        _ => ("", path),
    }
}

/// A merge patch of the partition; nothing else can be changed.
fn patch(state: &mut State, name: &str, request: &Request) -> Result<(), Reply> {
    if request.content_type != "application/merge-patch+json" {
        return Err(refusal(415, "UnsupportedMediaType", "only merge patches are known here"));
    }
    let invalid = || refusal(422, "Invalid", ONLY);
    let patch: Value = serde_json::from_slice(&request.body)
        .map_err(|error| refusal(400, "BadRequest", &error.to_string()))?;
    let partition = patch.pointer("/spec/updateStrategy/rollingUpdate/partition");
    let partition = partition.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let partition = partition.ok_or_else(invalid)?;
    let version = patch.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    let mut understood = json!({
        "spec": { "updateStrategy": { "rollingUpdate": { "partition": partition } } },
    });
    if let (Some(version), Some(object)) = (version, understood.as_object_mut()) {
        object.insert("metadata".to_owned(), json!({ "resourceVersion": version }));
    }
    if understood != patch {
        return Err(invalid());
    }
    let Some(set) = state.sets.get_mut(name) else { return Ok(()) };
    if version.is_some_and(|version| version != set.object_version.to_string()) {
        let text = format!("statefulsets \"{name}\": the object has been modified");
        return Err(refusal(409, "Conflict", &text));
    }
    set.partition = partition;
    Ok(())
}

fn refusal(status: u16, reason: &str, message: &str) -> Reply {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status,
    });
    Reply { status, body }
}

const SETS: &str = "statefulsets";
const PODS: &str = "pods";
const ONLY: &str =
    "the test bed's API has GET of StatefulSets and pods, and PATCH of the partition";

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::juju::cloud::StatefulSet;
    use crate::juju::cloud::Template;

    fn state(trust: bool) -> State {
        let template = Template {
            version: 1,
            charm: PathBuf::new(),
            containers: Vec::new(),
            storages: Vec::new(),
            trust,
        };
        let mut state = State::default();
        state.apply(&StatefulSet { application: "app".to_owned(), replicas: 3, template });
        state
    }

    fn ask(state: &mut State, method: Method, path: &str, body: &str) -> Reply {
        let request = Request {
            account: Some("app".to_owned()),
            method,
            path: path.to_owned(),
            content_type: "application/merge-patch+json".to_owned(),
            body: body.as_bytes().to_vec(),
        };
        answer(state, "lab", &request)
    }

    fn patch_of(partition: u32, version: &str) -> String {
        let body = json!({
            "metadata": { "resourceVersion": version },
            "spec": { "updateStrategy": { "rollingUpdate": { "partition": partition } } },
        });
        body.to_string()
    }

    const SET: &str = "/apis/apps/v1/namespaces/lab/statefulsets/app";

    #[test]
    fn an_application_that_is_not_trusted_is_refused_all_and_a_stranger_is_not_known() {
        for (method, path) in [
            (Method::GET, SET),
            (Method::PATCH, SET),
            (Method::GET, "/api/v1/namespaces/lab/pods/app-0"),
            (Method::GET, "/api/v1/namespaces/other/secrets"),
        ] {
            let reply = ask(&mut state(false), method, path, &patch_of(1, "1"));
            assert_eq!((reply.status, &reply.body["reason"]), (403, &json!("Forbidden")), "{path}");
        }
        let mut state = state(true);
        let body = Vec::new();
        let (path, content_type) = (SET.to_owned(), String::new());
        let request = Request { account: None, method: Method::GET, path, content_type, body };
        assert_eq!(answer(&mut state, "lab", &request).status, 401);
    }

    #[test]
    fn a_stateful_set_is_read_and_its_partition_changed_by_a_merge_patch() {
        let mut state = state(true);
        let read = ask(&mut state, Method::GET, SET, "");
        assert_eq!(read.status, 200);
        assert_eq!(read.body["spec"]["replicas"], 3);
        let status = &read.body["status"];
        assert_eq!(status["currentRevision"], status["updateRevision"]);
        let version = read.body["metadata"]["resourceVersion"].as_str().unwrap();
        let patched = ask(&mut state, Method::PATCH, SET, &patch_of(2, version));
        assert_eq!(patched.status, 200);
        let strategy = &patched.body["spec"]["updateStrategy"];
        assert_eq!(strategy["rollingUpdate"]["partition"], 2);
    }

    #[test]
    fn what_was_meant_for_an_older_object_is_a_conflict() {
        let mut state = state(true);
        state.advance();
        assert_eq!(ask(&mut state, Method::PATCH, SET, &patch_of(2, "1")).status, 409);
        assert_eq!(state.sets["app"].partition, 0);
    }

    #[test]
    fn what_it_does_not_know_is_refused_and_not_passed_over() {
        let mut state = state(true);
        let template = r#"{"spec": {"replicas": 1}}"#;
        assert_eq!(ask(&mut state, Method::PATCH, SET, template).status, 422);
        assert_eq!(ask(&mut state, Method::PATCH, SET, "no json").status, 400);
        assert_eq!(ask(&mut state, Method::DELETE, SET, "").status, 405);
        let missing =
            ["/apis/apps/v1/namespaces/lab/statefulsets/none", "/api/v1/namespaces/lab/pods/app-9"];
        for path in missing {
            assert_eq!(ask(&mut state, Method::GET, path, "").status, 404, "{path}");
        }
    }
}
