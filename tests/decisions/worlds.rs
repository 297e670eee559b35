//! Worlds to start from. A test sets only the facts that it is about.

use std::collections::BTreeMap;

use expect_test::Expect;
use redis_k8s::decide::Situation;
use redis_k8s::decide::decide;
use redis_k8s::decide::verdict::Course;
use redis_k8s::decide::verdict::Verdict;
use redis_k8s::decide::verdict::verdict;
use redis_k8s::event::Event;
use redis_k8s::names::Naming;
use redis_k8s::names::UnitName;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::world::World;
use redis_k8s::world::cluster::Answer;
use redis_k8s::world::cluster::Cluster;
use redis_k8s::world::cluster::Entry;
use redis_k8s::world::cluster::Member;
use redis_k8s::world::cluster::RedisView;
use redis_k8s::world::cluster::Role;
use redis_k8s::world::cluster::SentinelView;
use redis_k8s::world::cluster::Silence;
use redis_k8s::world::juju::Application;
use redis_k8s::world::juju::FreshPasswords;
use redis_k8s::world::juju::Juju;
use redis_k8s::world::juju::Leadership;
use redis_k8s::world::password::Password;

/// The only caller of `decide`: what the plan says, compared with what is expected.
pub(crate) fn plans(event: Event, world: World, expected: Expect) {
    plans_when(event, world, true, expected);
}

/// The same, when the wait is over already.
pub(crate) fn plans_after_waiting(event: Event, world: World, expected: Expect) {
    plans_when(event, world, false, expected);
}

fn plans_when(event: Event, world: World, may_wait: bool, expected: Expect) {
    let situation = Situation { event: &event, world: &world, may_wait };
    expected.assert_eq(&decide(&situation).to_string());
}

/// The verdict on a run that changed nothing.
pub(crate) fn judged(event: Event, world: &World) -> Verdict {
    let course = Course {
        after: world.cluster.as_ref(),
        failures: &[],
        own_failures: &[],
        terminated: false,
    };
    verdict(&event, world, &course)
}

pub(crate) fn naming() -> Naming {
    Naming {
        application: "redis-k8s".to_owned(),
        model: "lab".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
    }
}

pub(crate) fn host(unit: u32) -> String {
    naming().host(unit)
}

/// Before anything ran: unit 0 leads, the databag is empty.
pub(crate) fn first_deployment() -> World {
    let juju = juju(Application::default());
    World { juju, named_units: None, workload: None, cluster: None, roll: None }
}

/// `count` healthy units; unit 0 leads and is master at epoch 3, as recorded.
pub(crate) fn healthy(count: u32) -> World {
    let application = Application {
        redis_password: Some(Password::new("redis-secret")),
        sentinel_password: Some(Password::new("sentinel-secret")),
        leader_host: Some(host(0)),
        master_epoch: Some(3),
        bootstrap: None,
        leaving: None,
        accepted_loss: None,
        redis_without_password: false,
    };
    World {
        juju: juju(application),
        named_units: None,
        workload: None,
        cluster: Some(cluster(count)),
        roll: None,
    }
}

fn juju(application: Application) -> Juju {
    Juju {
        unit: UnitName { application: "redis-k8s".to_owned(), number: 0 },
        naming: naming(),
        peer_relation: Some(1),
        application,
        leadership: Leadership::Leader,
        has_own_sentinel: true,
        deferral: None,
        now: 1_000,
        fresh_passwords: FreshPasswords {
            redis: Password::new("fresh-redis"),
            sentinel: Password::new("fresh-sentinel"),
        },
    }
}

/// What the keeper of a unit is told, of so many units; unit 0 is recorded as master.
pub(crate) fn inputs(own: u32, units: u32) -> Inputs {
    let naming = naming();
    Inputs {
        application: naming.application,
        model: naming.model,
        cluster_domain: naming.cluster_domain,
        unit: own,
        planned: (0..units).collect(),
        leaving: [].into(),
        redis_password: None,
        sentinel_password: None,
        bootstrap: None,
        recorded_master: Some(host(0)),
        recorded_epoch: Some(3),
        deferred: false,
        accepted_loss: [].into(),
        unwell: false,
    }
}

/// `count` healthy units with unit 0 as master at epoch 3.
pub(crate) fn cluster(count: u32) -> Cluster {
    let members = (0..count).map(|unit| (unit, member(unit, count))).collect();
    Cluster { naming: naming(), members, strangers: BTreeMap::new() }
}

fn member(unit: u32, count: u32) -> Member {
    let role = if unit == 0 { Role::Master } else { Role::Replica { of: host(0), link_up: true } };
    let replicas = if unit == 0 { (1..count).map(host).collect() } else { Vec::new() };
    Member {
        leaving: false,
        address: format!("10.1.0.{}", 10 + unit).parse().ok(),
        redis: Answer::Said(RedisView {
            role,
            run_id: format!("run-{unit}"),
            replicas,
            has_data: true,
            priority: (unit > 0).then_some(100),
            offset: 1000,
        }),
        sentinel: Answer::Said(SentinelView {
            my_id: format!("sentinel-{unit}"),
            master: host(0),
            vote: host(0),
            epoch: 3,
            quorum: count as usize / 2 + 1,
            master_down: false,
            leads_failover: false,
            replicas: (1..count).map(replica_entry).collect(),
            sentinels: (0..count).filter(|other| *other != unit).map(sentinel_entry).collect(),
            info_period: Some(10_000),
            master_silence: 300,
            down_after: 5_000,
        }),
    }
}

pub(crate) fn replica_entry(unit: u32) -> Entry {
    Entry {
        host: host(unit),
        port: 6379,
        run_id: format!("run-{unit}"),
        down: false,
        eligible: true,
    }
}

pub(crate) fn sentinel_entry(unit: u32) -> Entry {
    Entry {
        host: host(unit),
        port: 26379,
        run_id: format!("sentinel-{unit}"),
        down: false,
        eligible: false,
    }
}

impl Facts for World {
    fn cluster_mut(&mut self) -> &mut Cluster {
        self.cluster.as_mut().unwrap()
    }
}

impl Facts for Cluster {
    fn cluster_mut(&mut self) -> &mut Cluster {
        self
    }
}

/// Facts that a test sets.
pub(crate) trait Facts {
    fn cluster_mut(&mut self) -> &mut Cluster;

    fn member(&mut self, unit: u32) -> &mut Member {
        self.cluster_mut().members.get_mut(&unit).unwrap()
    }

    fn view(&mut self, unit: u32) -> &mut SentinelView {
        match &mut self.member(unit).sentinel {
            Answer::Said(view) => view,
            Answer::Silent(silence) => panic!("the Sentinel of unit {unit} {silence}"),
        }
    }

    fn server(&mut self, unit: u32) -> &mut RedisView {
        match &mut self.member(unit).redis {
            Answer::Said(view) => view,
            Answer::Silent(silence) => panic!("the Redis of unit {unit} {silence}"),
        }
    }

    /// Redis and Sentinel of a unit give no answer.
    fn silence(&mut self, unit: u32, silence: Silence) {
        let member = self.member(unit);
        member.redis = Answer::Silent(silence.clone());
        member.sentinel = Answer::Silent(silence);
    }

    /// The unit is gone from goal-state, its processes have ended, and the master knows.
    fn remove(&mut self, unit: u32) {
        let cluster = self.cluster_mut();
        cluster.members.remove(&unit);
        for member in cluster.members.values_mut() {
            if let Answer::Said(view) = &mut member.redis {
                view.replicas.retain(|replica| *replica != host(unit));
            }
        }
        let strangers: Vec<_> =
            cluster.sentinels().flat_map(|(_, view)| cluster.strangers_in(view)).collect();
        for stranger in strangers {
            cluster.strangers.insert(stranger, Answer::Silent(Silence::TimedOut));
        }
    }

    /// A failover to `master` at `epoch` is finished: every view and role says so.
    fn fail_over_to(&mut self, master: u32, epoch: u64) {
        let units: Vec<u32> = self.cluster_mut().members.keys().copied().collect();
        for unit in &units {
            if self.cluster_mut().sentinel(*unit).is_some() {
                let view = self.view(*unit);
                view.master = host(master);
                view.vote = host(master);
                view.epoch = epoch;
                view.replicas =
                    units.iter().filter(|u| **u != master).map(|u| replica_entry(*u)).collect();
            }
            if self.cluster_mut().redis(*unit).is_some() {
                let redis = self.server(*unit);
                redis.replicas.clear();
                if *unit == master {
                    redis.role = Role::Master;
                    redis.replicas =
                        units.iter().filter(|u| **u != master).map(|u| host(*u)).collect();
                } else {
                    redis.role = Role::Replica { of: host(master), link_up: true };
                }
            }
        }
    }
}
