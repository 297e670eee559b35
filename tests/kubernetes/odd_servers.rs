//! Whatever answers, the client comes to an end in time, and shows the token to nobody.
#![expect(clippy::disallowed_methods, reason = "a test takes the time, and spoils files")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use redis_k8s::clients::kubernetes::Kubernetes;
use redis_k8s::clients::kubernetes::error::KubernetesError;
use redis_k8s::clients::kubernetes::objects::StatefulSet;
use redis_k8s::clock::Budget;

use crate::server::Manner;
use crate::server::account;
use crate::server::start;

fn ask(account: &Path, address: SocketAddr) -> Result<StatefulSet, KubernetesError> {
    let budget = Budget::start(LIMIT).unwrap();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    Kubernetes::new(account, &host, &port, &budget)?.stateful_set("app")
}

fn asked(manner: Manner) -> Result<StatefulSet, KubernetesError> {
    ask(account(TOKEN).path(), start("kubernetes-api", manner))
}

fn says(status: &str, body: &str) -> Result<StatefulSet, KubernetesError> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    asked(Manner::Says(head + body))
}

#[test]
fn a_stateful_set_is_read_by_what_kubernetes_leaves_out_too() {
    let bare = says("200 OK", r#"{"metadata": {}, "spec": {}}"#).unwrap();
    assert_eq!((bare.partition(), bare.spec.replicas), (0, 1));
    let full = r#"{"metadata": {"resourceVersion": "7", "managedFields": []},
        "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
        "status": {"currentRevision": "a", "updateRevision": "b"}}"#;
    assert_eq!(says("200 OK", full).unwrap().partition(), 2);
}

#[test]
fn each_refusal_is_told_from_the_others() {
    for (status, error) in [
        ("403 Forbidden", KubernetesError::Forbidden),
        ("404 Not Found", KubernetesError::NotFound),
        ("409 Conflict", KubernetesError::Conflict),
    ] {
        assert_eq!(says(status, "{}"), Err(error), "{status}");
    }
    let told = says("500 Internal Server Error", r#"{"message": "etcd is away"}"#).unwrap_err();
    assert_eq!(told.to_string(), "it answers 500: etcd is away");
    let elsewhere = says("302 Found", "").unwrap_err();
    assert_eq!(elsewhere.to_string(), "it answers 302: ", "nobody else is told the token");
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    assert_eq!(says("200 OK", "[]"), Err(KubernetesError::Garbage));
    assert_eq!(says("200 OK", "no json"), Err(KubernetesError::Garbage));
    assert_eq!(asked(Manner::NeverEnds), Err(KubernetesError::TooLong));
    for manner in [Manner::Says("SSH-2.0\r\n\r\n".to_owned()), Manner::Plain] {
        assert!(matches!(asked(manner), Err(KubernetesError::Lost(_))));
    }
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned();
    assert!(asked(Manner::Says(cut)).is_err());
}

#[test]
fn a_silent_server_is_given_up_when_the_budget_ends() {
    let begun = Instant::now();
    assert_eq!(asked(Manner::Silent), Err(KubernetesError::TimedOut));
    assert!(begun.elapsed() < LIMIT + Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_server_that_is_not_the_clusters_is_told_nothing() {
    let stranger = start("test-certificate", Manner::Silent);
    let refused = ask(account(TOKEN).path(), stranger).unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
}

#[test]
fn an_account_that_cannot_be_used_is_named_and_its_token_never_shown() {
    let nobody = start("kubernetes-api", Manner::Silent);
    for (name, content) in [("token", "two\nlines"), ("ca.crt", "no certificate")] {
        let account = account(TOKEN);
        fs::write(account.path().join(name), content).unwrap();
        let text = ask(account.path(), nobody).unwrap_err().to_string();
        assert!(text.contains(name) && !text.contains("two"), "{text}");
    }
    let missing = ask(Path::new("/no/account"), nobody).unwrap_err().to_string();
    assert!(missing.contains("/no/account/token"), "{missing}");
    let echoed = says("401 Unauthorized", &format!("{{\"message\": \"bad {TOKEN}\"}}"));
    assert!(
        !echoed.unwrap_err().to_string().contains(TOKEN),
        "a server may repeat what it was sent"
    );
}

const TOKEN: &str = "token-that-nobody-sees";

const LIMIT: Duration = Duration::from_secs(2);
