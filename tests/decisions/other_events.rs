//! Every event but leader-elected.

use expect_test::expect;
use redis_k8s::env::HookEnv;
use redis_k8s::event::Event;
use redis_k8s::world::deferral::Deferral;

use crate::worlds::Facts;
use crate::worlds::first_deployment;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::plans;

fn event(path: &str) -> Event {
    let env = HookEnv { dispatch_path: Some(path.to_owned()), ..HookEnv::default() };
    Event::from_env(&env).unwrap()
}

#[test]
fn a_lost_leader_elected_is_found_by_start_config_changed_and_update_status() {
    for path in ["hooks/start", "hooks/config-changed", "hooks/update-status"] {
        plans(
            event(path),
            first_deployment(),
            expect![[r#"
                store redis-password -- there is none
                store sentinel-password -- there is none
                record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master -- first deployment
            "#]],
        );
    }
}

#[test]
fn they_look_and_do_not_wait() {
    let mut world = healthy(3);
    world.view(2).leads_failover = true;
    let event = event("hooks/update-status");
    let situation = redis_k8s::decide::Situation { event: &event, world: &world, may_wait: false };
    assert!(!redis_k8s::decide::decide(&situation).waits());
}

#[test]
fn a_deferred_leader_elected_runs_again_at_any_event_but_three() {
    let stale = || {
        let mut world = healthy(3);
        world.juju.application.leader_host = Some(host(2));
        world.juju.deferral = Some(Deferral { since: 1, tries: 1, why: "a failover".to_owned() });
        world
    };
    for path in ["hooks/redis-peers-relation-changed", "hooks/redis-pebble-ready", "hooks/install"]
    {
        plans(
            event(path),
            stale(),
            expect![[r#"
                record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master at epoch 3 -- the Sentinels elected it
            "#]],
        );
    }
    for path in ["hooks/stop", "hooks/remove"] {
        plans(event(path), stale(), expect![""]);
    }
    plans(
        event("actions/check-service"),
        stale(),
        expect![[r#"
            answer result -- Redis was asked
        "#]],
    );
}

#[test]
fn an_event_without_rules_plans_nothing() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(2));
    plans(event("hooks/some-endpoint-with-hyphens-relation-broken"), world, expect![""]);
}
