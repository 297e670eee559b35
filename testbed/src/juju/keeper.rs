//! The controller's own work: leases, and the provisioner that keeps applications as wanted.

use std::collections::BTreeSet;
use std::thread;
use std::time::Instant;

use crate::trace::entry::What;

use super::clock::PROVISIONER_ROUND;
use super::cloud::StatefulSet;
use super::core::CloudHandle;
use super::core::Core;
use super::model::Life;
use super::model::application_of;
use super::model::unit::Storage;
use super::model::unit::StorageKind;
use super::model::unit::Unit;
use super::world::World;
use crate::lock::lock;

/// What Kubernetes is asked for.
enum Order {
    Apply(StatefulSet),
    Delete(String),
}

/// Starts the controller's own thread; it ends with the last handle.
pub(super) fn start(core: Core) {
    thread::spawn(move || {
        let mut round = Instant::now();
        let mut world = lock(&core.world);
        while !world.deployment.is_over {
            let now = Instant::now();
            let lease = if world.deployment.is_away { None } else { world.tend_leases(now) };
            let is_round = round <= now;
            if is_round {
                let period = world.deployment.clock.period(PROVISIONER_ROUND);
                round = now.checked_add(period).unwrap_or(now);
            }
            let orders = world.provision(is_round);
            if !orders.is_empty() {
                drop(world);
                for order in orders {
                    carry_out(&core, order);
                }
                world = lock(&core.world);
                continue;
            }
            let until = lease.map_or(round, |lease| lease.min(round));
            world = Core::wait(world, Some(until));
        }
    });
}

/// Without the world's lock: Kubernetes tells of pods while it does it.
fn carry_out(core: &Core, order: Order) {
    let Some(CloudHandle(cloud)) = lock(&core.cloud).clone() else { return };
    let (name, done) = match &order {
        Order::Apply(set) => (&set.application, cloud.apply(set)),
        Order::Delete(name) => (name, cloud.delete(name)),
    };
    if let Err(error) = done {
        lock(&core.world).complain(name, &error);
    }
}

impl World {
    /// Brings applications nearer to what is wanted; gives what Kubernetes is to do for it.
    fn provision(&mut self, is_round: bool) -> Vec<Order> {
        let names: Vec<String> = self.deployment.applications.keys().cloned().collect();
        names.iter().filter_map(|name| self.provision_application(name, is_round)).collect()
    }

    fn provision_application(&mut self, name: &str, is_round: bool) -> Option<Order> {
        let is_going = self.model.applications.get(name)?.life != Life::Alive;
        let deployed = self.deployment.applications.get_mut(name)?;
        let scale = if is_going { 0 } else { deployed.scale };
        deployed.scale = scale;
        self.mark_leavers(name, scale);
        self.bury_the_unborn(name);
        if is_round && self.deployment.switches.dead_when_bare {
            self.bury_the_bare(name);
        }
        let deployed = self.deployment.applications.get(name)?;
        let leaving: BTreeSet<String> = deployed.leaving.clone();
        let life = |unit: &String| self.model.unit(unit).map(|unit| unit.life);
        let are_dead = leaving.iter().all(|unit| matches!(life(unit), None | Some(Life::Dead)));
        if !leaving.is_empty() && (!are_dead || !is_round) {
            // The pods of all leavers stay until the last of them is done.
            return self.apply(name, scale.max(highest(&leaving)));
        }
        for unit in &leaving {
            self.remove(unit);
        }
        if let Some(deployed) = self.deployment.applications.get_mut(name) {
            deployed.leaving.clear();
        }
        let is_empty = self.model.applications.get(name)?.units.is_empty();
        if is_going && is_empty && !self.has_relations(name) {
            self.forget_application(name);
            return Some(Order::Delete(name.to_owned()));
        }
        if let Some(lowest) = leaving.iter().map(|unit| number_of(unit)).min() {
            // Their pods go, even if as many are wanted again meanwhile.
            return self.apply(name, scale.min(lowest));
        }
        self.apply(name, scale)
    }

    /// The order to Kubernetes, if it differs from the last one.
    fn apply(&mut self, name: &str, replicas: u32) -> Option<Order> {
        let trust = self.model.applications.get(name)?.trust;
        let deployed = self.deployment.applications.get_mut(name)?;
        let set = deployed.stateful_set(name, replicas, trust);
        if deployed.applied.as_ref() == Some(&set) {
            return None;
        }
        deployed.applied = Some(set.clone());
        Some(Order::Apply(set))
    }

    /// Units beyond the scale are told to go, highest numbers first.
    fn mark_leavers(&mut self, name: &str, scale: u32) {
        let Some(application) = self.model.applications.get_mut(name) else { return };
        let mut marked = Vec::new();
        for (unit, record) in &mut application.units {
            if number_of(unit) >= scale && record.life == Life::Alive {
                record.life = Life::Dying;
                marked.push(unit.clone());
            }
        }
        for unit in &marked {
            let (of, life) = (unit.clone(), "dying".to_owned());
            self.deployment.trace.push(What::Life { of, life });
        }
        if let Some(deployed) = self.deployment.applications.get_mut(name)
            && !marked.is_empty()
        {
            deployed.leaving.extend(marked);
            self.note_change();
        }
    }

    /// A unit that goes before it has begun has nothing to run.
    fn bury_the_unborn(&mut self, name: &str) {
        let Some(application) = self.model.applications.get_mut(name) else { return };
        for (unit, record) in &mut application.units {
            let has_agent = self.agents.get(unit).is_some_and(|agent| agent.running.is_some());
            let is_installed = self.deployment.records.get(unit).is_some_and(|it| it.installed);
            if record.life == Life::Dying && !has_agent && !is_installed {
                record.life = Life::Dead;
            }
        }
    }

    /// A dying unit that nothing holds in the model any more is dead, whatever it still has to run.
    fn bury_the_bare(&mut self, name: &str) {
        let Some(application) = self.model.applications.get_mut(name) else { return };
        let relations = &self.model.relations;
        let mut is_any = false;
        for (unit, record) in &mut application.units {
            let in_scope = relations
                .iter()
                .any(|relation| relation.units.get(unit).is_some_and(|member| member.in_scope));
            if record.life == Life::Dying && !in_scope && record.storage.is_empty() {
                record.life = Life::Dead;
                is_any = true;
                let (of, life) = (unit.clone(), "dead".to_owned());
                self.deployment.trace.push(What::Life { of, life });
            }
        }
        if is_any {
            self.note_change();
        }
    }

    /// The unit's record goes; its databags stay.
    fn remove(&mut self, unit: &str) {
        self.release_lease(unit);
        self.model.remove_unit(unit);
        self.deployment.records.remove(unit);
        self.deployment.requests.fail_all(unit, "unit is gone");
        let (of, life) = (unit.to_owned(), "removed".to_owned());
        self.deployment.trace.push(What::Life { of, life });
        self.drop_broken_relations();
        self.note_change();
    }

    fn forget_application(&mut self, name: &str) {
        self.model.applications.remove(name);
        self.deployment.applications.remove(name);
        self.model.relations.retain(|relation| !relation.endpoints.contains_key(name));
        let (of, life) = (name.to_owned(), "removed".to_owned());
        self.deployment.trace.push(What::Life { of, life });
        self.note_change();
    }

    /// Whether other applications' units are still in a relation with this one.
    fn has_relations(&self, name: &str) -> bool {
        self.model.relations.iter().any(|relation| {
            !relation.is_peer()
                && relation.endpoints.contains_key(name)
                && relation.units.values().any(|member| member.in_scope)
        })
    }

    /// A relation that is to go goes when no unit is in it.
    pub(crate) fn drop_broken_relations(&mut self) {
        self.model.relations.retain(|relation| {
            let is_empty = !relation.units.values().any(|member| member.in_scope);
            relation.life == Life::Alive || !is_empty
        });
    }

    /// A unit's record, as it is before its pod runs.
    pub(crate) fn add_unit(&mut self, name: &str) {
        let status = self.model.status("waiting", "installing agent");
        let agent_status = Some(self.model.status("allocating", ""));
        let unit = Unit {
            life: Life::Alive,
            address: String::new(),
            status: status.clone(),
            agent_status,
            workload_version: String::new(),
            state: super::model::Bag::new(),
            opened_ports: BTreeSet::new(),
            storage: self.storage_of(name),
        };
        if let Some(application) = self.model.applications.get_mut(application_of(name)) {
            application.units.insert(name.to_owned(), unit);
        }
        self.record_status(name, &status);
    }

    /// The unit's storage: that of an earlier unit of its name, or new.
    fn storage_of(&mut self, unit: &str) -> std::collections::BTreeMap<String, Storage> {
        let deployment = &mut self.deployment;
        let Some(deployed) = deployment.applications.get(application_of(unit)) else {
            return std::collections::BTreeMap::new();
        };
        let mut all = std::collections::BTreeMap::new();
        for (name, location) in &deployed.charm.storages {
            let key = (unit.to_owned(), name.clone());
            let id = deployment.volumes.entry(key).or_insert_with(|| {
                let id = format!("{name}/{}", deployment.next_storage);
                deployment.next_storage += 1;
                id
            });
            let kind = StorageKind::Filesystem;
            let location = location.display().to_string();
            all.insert(id.clone(), Storage { kind, location, not_provisioned: true });
        }
        all
    }
}

fn number_of(unit: &str) -> u32 {
    let number = unit.rsplit_once('/').and_then(|(_, number)| number.parse().ok());
    number.unwrap_or_default()
}

/// How many pods there are as long as these units have theirs.
fn highest(units: &BTreeSet<String>) -> u32 {
    units.iter().map(|unit| number_of(unit).saturating_add(1)).max().unwrap_or_default()
}
