//! leader-elected.

use expect_test::expect;
use redis_k8s::event::Event;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::juju::Leadership;
use redis_k8s::world::password::Password;

use crate::worlds::Facts;
use crate::worlds::first_deployment;
use crate::worlds::healthy;
use crate::worlds::host;
use crate::worlds::plans;
use crate::worlds::plans_after_waiting;
use crate::worlds::sentinel_entry;

#[test]
fn a_first_deployment_gets_passwords_and_a_record_without_asking_anybody() {
    plans(
        Event::LeaderElected,
        first_deployment(),
        expect![[r#"
            store redis-password -- there is none
            store sentinel-password -- there is none
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master -- first deployment
        "#]],
    );
}

#[test]
fn a_password_that_exists_is_never_touched() {
    let mut world = first_deployment();
    world.juju.application.redis_password = Some(Password::new("kept"));
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            store sentinel-password -- there is none
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master -- first deployment
        "#]],
    );
}

#[test]
fn a_healthy_application_is_left_alone() {
    plans(Event::LeaderElected, healthy(3), expect![""]);
}

#[test]
fn a_minion_plans_nothing() {
    let mut world = healthy(3);
    world.juju.leadership = Leadership::Minion;
    world.juju.application.leader_host = Some(host(2));
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn a_wrong_record_is_corrected() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(2));
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master at epoch 3 -- the Sentinels elected it
        "#]],
    );
}

#[test]
fn a_record_of_the_python_charm_gets_its_epoch() {
    let mut world = healthy(3);
    world.juju.application.master_epoch = None;
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record epoch 3 -- the Sentinels name it
        "#]],
    );
}

#[test]
fn the_first_agreed_census_ends_the_first_start() {
    let mut world = healthy(3);
    world.juju.application.bootstrap = Some(host(0));
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            end the first start -- the Sentinels agree on a master
        "#]],
    );
}

#[test]
fn a_minority_decides_nothing() {
    let mut world = healthy(3);
    world.fail_over_to(1, 2);
    world.silence(0, Silence::TimedOut);
    world.silence(2, Silence::TimedOut);
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn two_sentinels_of_an_old_epoch_never_outvote_one_of_a_higher() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(2));
    world.fail_over_to(1, 1);
    world.view(2).epoch = 5;
    world.view(2).vote = host(2);
    world.view(2).master = host(2);
    world.server(2).role = Role::Master;
    plans_after_waiting(Event::LeaderElected, world, expect![""]);
}

#[test]
fn a_sentinel_of_the_highest_epoch_that_lists_no_other_decides() {
    let mut world = healthy(3);
    world.fail_over_to(1, 1);
    world.view(2).epoch = 5;
    world.view(2).vote = host(2);
    world.view(2).master = host(2);
    world.view(2).sentinels.clear();
    world.server(2).role = Role::Master;
    world.server(1).role = Role::Replica { of: host(2), link_up: true };
    plans_after_waiting(
        Event::LeaderElected,
        world,
        expect![[r#"
            record redis-k8s-2.redis-k8s-endpoints.lab.svc.cluster.local as master at epoch 5 -- the Sentinels elected it
        "#]],
    );
}

#[test]
fn while_scaling_from_one_to_three_the_one_that_is_listed_decides() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(1));
    world.silence(1, Silence::NotResolved);
    world.silence(2, Silence::Refused);
    world.view(0).sentinels.clear();
    world.view(0).replicas.clear();
    world.view(0).quorum = 1;
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master at epoch 3 -- the Sentinels elected it
        "#]],
    );
}

#[test]
fn a_master_that_says_it_is_a_replica_is_not_recorded() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(2));
    world.server(0).role = Role::Replica { of: host(1), link_up: true };
    plans_after_waiting(Event::LeaderElected, world, expect![""]);
}

#[test]
fn a_failover_led_by_another_unit_is_waited_for() {
    let mut world = healthy(3);
    world.view(2).leads_failover = true;
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            wait for the failover to finish -- failover in progress, led by redis-k8s/2
        "#]],
    );
}

#[test]
fn a_wrong_quorum_is_set_on_that_sentinel_alone() {
    let mut world = healthy(3);
    world.view(1).quorum = 1;
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            set quorum 2 on redis-k8s/1 -- 3 units planned
        "#]],
    );
}

#[test]
fn a_quorum_is_raised_only_where_every_planned_unit_is_listed() {
    let mut world = healthy(5);
    for unit in 0..5 {
        world.view(unit).quorum = 2;
    }
    world.view(3).sentinels.pop();
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            set quorum 3 on redis-k8s/0, redis-k8s/1, redis-k8s/2, redis-k8s/4 -- 5 units planned
        "#]],
    );
}

#[test]
fn an_info_period_that_a_killed_run_shortened_is_restored() {
    let mut world = healthy(3);
    world.view(2).info_period = Some(1_000);
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            restore the info period of redis-k8s/2 -- an earlier run was cut short
        "#]],
    );
}

#[test]
fn without_a_record_and_without_a_vote_the_own_host_is_recorded_but_no_first_start() {
    let mut world = healthy(3);
    world.juju.application.leader_host = None;
    for unit in 0..3 {
        world.silence(unit, Silence::Refused);
    }
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master -- nobody names one
        "#]],
    );
}

#[test]
fn without_a_record_a_vote_of_a_minority_is_no_reason_to_record_anybody() {
    let mut world = healthy(3);
    world.juju.application.leader_host = None;
    world.silence(0, Silence::Refused);
    world.silence(2, Silence::Refused);
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn before_the_peer_relation_nothing_is_planned() {
    let mut world = first_deployment();
    world.juju.peer_relation = None;
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn sentinels_that_refuse_the_password_may_name_somebody_so_nobody_is_recorded() {
    let mut world = healthy(3);
    world.juju.application.leader_host = None;
    for unit in 0..3 {
        world.silence(unit, Silence::WrongPassword);
    }
    plans(Event::LeaderElected, world, expect![""]);
}

#[test]
fn dead_entries_under_addresses_do_not_outvote_units_that_are_all_listed_by_name() {
    let mut world = healthy(3);
    world.juju.application.leader_host = Some(host(2));
    for unit in 0..3 {
        for ghost in ["10.9.9.1", "10.9.9.2", "10.9.9.3"] {
            let mut entry = sentinel_entry(7);
            ghost.clone_into(&mut entry.host);
            world.view(unit).sentinels.push(entry);
        }
    }
    plans(
        Event::LeaderElected,
        world,
        expect![[r#"
            record redis-k8s-0.redis-k8s-endpoints.lab.svc.cluster.local as master at epoch 3 -- the Sentinels elected it
        "#]],
    );
}
