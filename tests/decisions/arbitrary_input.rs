//! Input from outside, of any shape: the environment, the databag, what hook tools print.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use redis_k8s::clients::hook_tools::goal_state::GoalState;
use redis_k8s::clients::hook_tools::relation::relation_numbers;
use redis_k8s::clients::json::parse;
use redis_k8s::env::HookEnv;
use redis_k8s::event::Event;
use redis_k8s::names::UnitName;
use redis_k8s::names::cluster_domain;
use redis_k8s::world::deferral::Deferral;
use redis_k8s::world::juju::Application;
use redis_k8s::world::password::Password;

use crate::worlds::naming;

fn environment(variables: &[(&str, &str)]) -> HookEnv {
    HookEnv::from_variables(variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))))
}

#[test]
fn an_empty_variable_means_an_absent_one() {
    assert_eq!(
        environment(&[("JUJU_DISPATCH_PATH", ""), ("JUJU_UNIT_NAME", "")]),
        HookEnv::default()
    );
    assert!(Event::from_env(&environment(&[("JUJU_DISPATCH_PATH", "")])).is_err());
}

#[test]
fn every_kind_of_event_is_told_by_its_path() {
    let event =
        |path: &str| Event::from_env(&environment(&[("JUJU_DISPATCH_PATH", path)])).unwrap();
    assert_eq!(event("hooks/leader-elected"), Event::LeaderElected);
    assert_eq!(event("hooks/start"), Event::Start);
    assert_eq!(event("hooks/config-changed"), Event::ConfigChanged);
    assert_eq!(event("hooks/update-status"), Event::UpdateStatus);
    assert_eq!(event("hooks/stop"), Event::Stop);
    assert_eq!(event("hooks/remove"), Event::Remove);
    assert_eq!(event("actions/check-service"), Event::Action { name: "check-service".to_owned() });
    assert_eq!(event("hooks/upgrade-charm"), Event::UpgradeCharm);
    let container = "redis".to_owned();
    assert_eq!(event("hooks/redis-pebble-ready"), Event::PebbleReady { container });
    let container = "sentinel".to_owned();
    assert_eq!(event("hooks/sentinel-pebble-custom-notice"), Event::Notice { container });
    let container = "redis".to_owned();
    assert_eq!(event("hooks/redis-pebble-check-failed"), Event::Check { container });
    let container = "sentinel".to_owned();
    assert_eq!(event("hooks/sentinel-pebble-check-recovered"), Event::Check { container });
    for hook in ["created", "joined", "changed"] {
        let path = format!("hooks/redis-peers-relation-{hook}");
        assert_eq!(event(&path), Event::PeersChanged);
    }
    assert_eq!(event("hooks/redis-peers-relation-departed"), Event::PeerDeparted);
    assert_eq!(event("hooks/database-storage-attached"), Event::StorageAttached);
    assert_eq!(event("hooks/database-storage-detaching"), Event::StorageDetaching);
    let ignored = |hook: &str| Event::Ignored { hook: hook.to_owned() };
    for hook in [
        "other-pebble-ready",
        "redis-peers-relation-broken",
        "my-redis-peers-relation-changed",
        "a-kind-of-juju-9",
    ] {
        let path = format!("hooks/{hook}");
        let env = environment(&[("JUJU_DISPATCH_PATH", &path)]);
        assert_eq!(Event::from_env(&env).unwrap(), ignored(hook));
    }
}

#[test]
fn the_cluster_domain_comes_from_the_resolvers_search_list() {
    let search = "nameserver 10.0.0.1\nsearch lab.svc.example.org. svc.example.org example.org\n";
    assert_eq!(cluster_domain(search, "lab"), "example.org");
    assert_eq!(cluster_domain(search, "other"), "cluster.local");
    assert_eq!(cluster_domain("", "lab"), "cluster.local");
}

#[test]
fn a_host_name_means_its_unit_in_any_spelling_and_no_other() {
    let naming = naming();
    assert_eq!(naming.unit_meant(&naming.host(12)), Some(12));
    assert_eq!(naming.unit_meant("redis-k8s-2"), Some(2));
    assert_eq!(naming.unit_meant("redis-k8s-2.redis-k8s-endpoints"), Some(2));
    for other in ["10.1.0.12", "redis-k8s-", "redis-k8s-+2", "redis-2", "redis-k8s-2x", ""] {
        assert_eq!(naming.unit_meant(other), None, "{other}");
    }
}

#[test]
fn a_password_is_shown_to_nobody() {
    let bag = BTreeMap::from([("redis-password".to_owned(), "planted-secret".to_owned())]);
    let application = Application::load(&bag);
    assert!(!format!("{application:?}").contains("planted"));
    assert_eq!(format!("{} {:?}", Password::new("planted"), Password::new("planted")), "*** ***");
}

#[test]
fn a_garbled_answer_is_described_without_its_text() {
    let error = parse::<BTreeMap<String, String>>(br#"{"redis-password": ["planted-secret"]}"#)
        .unwrap_err()
        .to_string();
    assert!(!error.contains("planted"), "{error}");
}

fn bytes() -> impl Strategy<Value = OsString> {
    proptest::collection::vec(any::<u8>(), 0..40).prop_map(OsString::from_vec)
}

proptest! {
    #[test]
    fn any_environment_is_read(
        variables in proptest::collection::vec((bytes(), bytes()), 0..6),
        path in bytes(),
        unit in bytes(),
    ) {
        let mut variables = variables;
        variables.push(("JUJU_DISPATCH_PATH".into(), path));
        variables.push(("JUJU_UNIT_NAME".into(), unit));
        let env = HookEnv::from_variables(variables);
        let event = Event::from_env(&env);
        prop_assert_eq!(event.is_ok(), env.dispatch_path.is_some());
        drop(env.unit_name.map(|unit| unit.parse::<UnitName>()));
    }

    #[test]
    fn a_hooks_name_goes_round(hook in "[a-z][a-z0-9-]{0,30}", unit in 0u32..100_000) {
        let path = format!("hooks/{hook}-relation-joined");
        let event = Event::from_env(&environment(&[("JUJU_DISPATCH_PATH", &path)])).unwrap();
        prop_assert_eq!(event, Event::Ignored { hook: format!("{hook}-relation-joined") });
        let name = UnitName { application: hook, number: unit };
        prop_assert_eq!(name.to_string().parse::<UnitName>().unwrap(), name);
        prop_assert_eq!(naming().unit_meant(&naming().host(unit)), Some(unit));
    }

    #[test]
    fn any_answer_of_a_hook_tool_is_read_or_refused(
        output in proptest::collection::vec(any::<u8>(), 0..200),
        text in "[\\[\\]{}:,\"a-z0-9 ]{0,60}",
    ) {
        for bytes in [output.as_slice(), text.as_bytes()] {
            drop(parse::<GoalState>(bytes));
            drop(parse::<Option<BTreeMap<String, String>>>(bytes));
            drop(parse::<Option<String>>(bytes));
            let _ = parse::<bool>(bytes);
            if let Ok(ids) = parse::<Vec<String>>(bytes) {
                drop(relation_numbers(&ids));
            }
        }
        drop(Deferral::parse(&text));
        drop(cluster_domain(&text, "lab"));
    }

    #[test]
    fn what_a_databag_says_goes_round(
        redis in "[A-Za-z0-9]{1,32}",
        sentinel in "[A-Za-z0-9]{1,32}",
        host in "[a-z.-]{1,40}",
        epoch in any::<u64>(),
    ) {
        let application = Application {
            redis_password: Some(Password::new(redis)),
            sentinel_password: Some(Password::new(sentinel)),
            leader_host: Some(host.clone()),
            master_epoch: Some(epoch),
            bootstrap: Some(host),
            leaving: Some("0,1".to_owned()),
            accepted_loss: Some("1".to_owned()),
            redis_without_password: false,
        };
        let bag = application.changes_since(&Application::default());
        prop_assert_eq!(bag.len(), 7);
        prop_assert_eq!(&Application::load(&bag), &application);
        prop_assert!(application.changes_since(&application).is_empty());
        let emptied = Application::default().changes_since(&application);
        prop_assert!(emptied.values().all(String::is_empty), "an empty value deletes its key");
    }

    #[test]
    fn any_databag_is_read(bag in proptest::collection::btree_map(
        "(redis-password|leader-host|master-epoch|bootstrap|enable-password|[a-z]{1,5})",
        ".{0,20}",
        0..6,
    )) {
        drop(Application::load(&bag));
    }
}
