//! The texts of files: what stands in them, and that no value can add a line.

use std::collections::BTreeSet;

use expect_test::expect;
use proptest::prelude::*;
use redis_k8s::names::KEEPER;
use redis_k8s::names::SENTINEL_STARTER;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::render::layer;
use redis_k8s::render::places;
use redis_k8s::render::redis_conf::Memory;
use redis_k8s::render::redis_conf::RedisConf;
use redis_k8s::render::sentinel_conf::SentinelConf;
use redis_k8s::render::sentinel_conf::members;
use redis_k8s::render::sentinel_conf::pruned;
use redis_k8s::world::password::Password;
use serde_json::Value;

use crate::worlds::host;
use crate::worlds::inputs;
use crate::worlds::naming;

fn redis_conf() -> RedisConf {
    RedisConf {
        priority: 0,
        host: host(1),
        master: Some(host(0)),
        password: Some(Password::new("redis-secret")),
        planned: 3,
        memory_limit: Some(1 << 30),
        append_only: true,
    }
}

fn sentinel_conf() -> SentinelConf {
    SentinelConf {
        naming: naming(),
        unit: 1,
        planned: [0, 1, 2].into(),
        master: host(0),
        epoch: 3,
        redis_password: Some(Password::new("redis-secret")),
        sentinel_password: Some(Password::new("sentinel-secret")),
    }
}

#[test]
fn a_replica_of_three_units() {
    expect![[r#"
        bind * -::*
        protected-mode no
        port 6379
        daemonize no
        dir "/var/lib/redis"
        pidfile "/var/lib/redis/redis.pid"
        logfile "/var/log/redis/redis-server.log"
        appendonly yes
        save ""
        maxmemory 644245092
        repl-backlog-size 40265318
        repl-diskless-sync-delay 1
        replica-announce-ip "redis-k8s-1.redis-k8s-endpoints.lab.svc.cluster.local"
        replica-announce-port 6379
        replica-priority 0
        min-replicas-to-write 1
        min-replicas-max-lag 10
        requirepass "redis-secret"
        masterauth "redis-secret"
        replicaof "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local" 6379
    "#]]
    .assert_eq(&redis_conf().render());
}

#[test]
fn a_master_of_two_units_without_a_password_or_a_limit() {
    let conf =
        RedisConf { master: None, password: None, planned: 2, memory_limit: None, ..redis_conf() };
    let text = conf.render();
    for word in ["replicaof", "requirepass", "masterauth"] {
        assert!(!text.contains(word), "{text}");
    }
    for line in ["min-replicas-to-write 0", "maxmemory 0", "repl-backlog-size 134217728"] {
        assert!(text.lines().any(|other| other == line), "{text}");
    }
}

#[test]
fn memory_leaves_room_for_a_fork_and_a_backlog_is_never_too_small() {
    for (limit, most, backlog) in [
        (None, 0, 128 << 20),
        (Some(0), 4 << 20, 1 << 20),
        (Some(10 << 20), 6_291_456, 1 << 20),
        (Some(10 << 30), 6_442_450_944, 256 << 20),
    ] {
        assert_eq!(Memory::of(limit), Memory { most, backlog });
    }
}

#[test]
fn a_sentinel_knows_every_planned_unit() {
    expect![[r#"
        bind * -::*
        protected-mode no
        port 26379
        daemonize no
        dir "/var/lib/redis/sentinel"
        logfile ""
        sentinel myid dfff7ae7480f1a914d1e52ce672468b200000001
        sentinel resolve-hostnames yes
        sentinel announce-hostnames yes
        sentinel announce-ip "redis-k8s-1.redis-k8s-endpoints.lab.svc.cluster.local"
        sentinel announce-port 26379
        requirepass "sentinel-secret"
        sentinel sentinel-pass "sentinel-secret"
        sentinel monitor redis-k8s "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local" 6379 2
        sentinel down-after-milliseconds redis-k8s 5000
        sentinel failover-timeout redis-k8s 10000
        sentinel config-epoch redis-k8s 3
        sentinel current-epoch 3
        sentinel auth-pass redis-k8s "redis-secret"
        sentinel known-sentinel redis-k8s "redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local" 26379 dfff7ae7480f1a914d1e52ce672468b200000000
        sentinel known-replica redis-k8s "redis-k8s-1.redis-k8s-endpoints.lab.svc.cluster.local" 6379
        sentinel known-replica redis-k8s "redis-k8s-2.redis-k8s-endpoints.lab.svc.cluster.local" 6379
        sentinel known-sentinel redis-k8s "redis-k8s-2.redis-k8s-endpoints.lab.svc.cluster.local" 26379 dfff7ae7480f1a914d1e52ce672468b200000002
    "#]]
    .assert_eq(&sentinel_conf().render());
}

#[test]
fn only_entries_of_units_that_are_no_members_are_taken_out() {
    let file = "sentinel monitor shop shop-2.x 6379 2\nsentinel known-replica shop shop-1.x 6379\n\
                sentinel known-replica shop shop-2.x 6379\n\
                sentinel known-sentinel shop shop-1.x 26379 aa\n\
                sentinel known-sentinel shop \"shop-2.x\" 26379 bb\n\
                sentinel known-replica shop 10.1.0.2 6379\nuser default on shop-2.x\n";
    expect![[r"
        sentinel monitor shop shop-2.x 6379 2
        sentinel known-replica shop shop-1.x 6379
        sentinel known-sentinel shop shop-1.x 26379 aa
        user default on shop-2.x
    "]]
    .assert_eq(&pruned(file, "shop-0.x\nshop-1.x\n").unwrap());
    assert_eq!(pruned(file, "shop-1.x\nshop-2.x\n10.1.0.2\n"), None);
    assert_eq!(pruned(file, " \n"), None, "a list without anybody is none");
}

#[test]
fn layers_hold_no_secret_replace_what_was_there_and_never_restart_a_container() {
    for (layer, command) in [(layer::redis(), KEEPER), (layer::sentinel(), SENTINEL_STARTER)] {
        let text = layer.to_string();
        assert!(!text.contains("alive"), "{text}");
        let entries = ["services", "checks"].map(|section| layer[section].as_object().unwrap());
        for entry in entries.into_iter().flat_map(|section| section.values()) {
            assert_eq!(entry["override"], "replace");
        }
        let commands: Vec<&str> = layer["services"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(|s| s["command"].as_str())
            .collect();
        assert!(commands.iter().any(|it| it.rsplit('/').next() == Some(command)), "{commands:?}");
    }
    let redis = &layer::redis()["services"][layer::REDIS];
    assert_eq!(redis["kill-delay"], "25s");
    assert_eq!(redis["user"], Value::Null, "the keeper is root");
    assert_eq!(layer::sentinel()["services"][layer::SENTINEL]["user"], places::USER);
    assert_eq!(layer::exporter_password(Some("s\"x")), r#"{"redis://localhost:6379":"s\"x"}"#);
}

#[test]
fn inputs_of_an_older_charm_are_read_and_what_is_no_input_is_refused() {
    let least = r#"{"application":"a","model":"m","cluster_domain":"d","unit":1,"planned":[0,1]}"#;
    let inputs = Inputs::parse(least).unwrap();
    assert_eq!(inputs.redis_password, None);
    assert!(!inputs.deferred && !inputs.is_alone() && !inputs.is_bootstrap());
    let error = Inputs::parse(r#"{"redis_password":"secret"#).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

proptest! {
    #[test]
    fn inputs_are_read_as_they_were_written(
        redis in prop::option::of(".*"), planned in prop::collection::btree_set(any::<u32>(), 0..9),
    ) {
        let mut told = inputs(1, 3);
        told.redis_password = redis.map(Password::new);
        told.planned = planned;
        told.deferred = true;
        prop_assert_eq!(Inputs::parse(&told.render()).unwrap(), told);
    }

    #[test]
    fn no_value_adds_a_line_or_a_word(secret in ".*", master in ".*") {
        let password = Some(Password::new(secret));
        let lines = redis_conf().render().lines().count();
        let redis = RedisConf { password: password.clone(), master: Some(master.clone()), ..redis_conf() };
        let text = redis.render();
        prop_assert_eq!(text.split('\n').count(), lines + 1);
        prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
        let lines = sentinel_conf().render().lines().count();
        let sentinel = SentinelConf { redis_password: password, master: host(0), ..sentinel_conf() };
        prop_assert_eq!(sentinel.render().split('\n').count(), lines + 1);
    }

    #[test]
    fn what_is_pruned_once_is_not_pruned_again(
        file in "(sentinel known-(replica|sentinel) shop [a-c] 1\n|other [a-c]\n){0,9}",
        hosts in prop::collection::btree_set("[a-c]", 1..3),
    ) {
        let members = members(&hosts.iter().cloned().collect::<BTreeSet<String>>());
        let once = pruned(&file, &members).unwrap_or(file);
        prop_assert_eq!(pruned(&once, &members), None);
        for line in once.lines().filter(|line| line.starts_with("sentinel")) {
            let host = line.split(' ').nth(3).unwrap();
            prop_assert!(hosts.contains(host));
        }
    }
}
