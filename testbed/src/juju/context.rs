//! One hook's view of the model: its own unsaved writes, what it has read, what it believes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use super::action::Action;
use super::bag::Overlay;
use super::files::Files;
use super::hook::Happening;
use super::hook::Hook;
use super::hook::Kind;
use super::model::Bag;
use super::model::Status;
use super::model::application::ConfigOption;
use super::model::application_of;
use super::model::relation::Relation;
use super::ports::PendingPorts;
use super::run::LogLine;
use super::secrets::PendingSecrets;
use super::tools::Refusal;
use super::world::World;

/// What a hook holds between its start and its commit.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) unit: String,
    pub(crate) application: String,
    pub(crate) kind: Kind,
    /// The relation that the hook is about.
    pub(crate) relation: Option<HookRelation>,
    /// Own unit databags by relation.
    pub(crate) unit_bags: BTreeMap<u32, Overlay>,
    /// Own application databags by relation, as leader.
    pub(crate) application_bags: BTreeMap<u32, Overlay>,
    /// The charm's state as loaded and as it is now.
    pub(crate) state: Option<(Bag, Bag)>,
    /// Ports opened and closed.
    pub(crate) ports: PendingPorts,
    /// Secrets added, changed and removed.
    pub(crate) secrets: PendingSecrets,
    /// The action, in one.
    pub(crate) action: Option<Action>,
    /// Options as first read.
    pub(crate) config: Option<BTreeMap<String, ConfigOption>>,
    /// The unit's status as first read.
    pub(crate) status: Option<Status>,
    /// The storage that the hook is about, by its id.
    pub(crate) storage: Option<String>,
    /// Whether `juju-reboot` was called.
    pub(crate) wants_reboot: bool,
    /// The files of the charm's container.
    pub(crate) files: Files,
    /// Lines by `juju-log`.
    pub(crate) log: Vec<LogLine>,
    members: BTreeMap<u32, BTreeSet<String>>,
    read: BTreeMap<(u32, String), Bag>,
    was_refused_leadership: bool,
}

/// The relation of a relation hook.
#[derive(Clone, Debug)]
pub(crate) struct HookRelation {
    pub(crate) id: u32,
    pub(crate) endpoint: String,
    pub(crate) remote_application: String,
    /// Empty in hooks about an application.
    pub(crate) remote_unit: String,
}

impl Context {
    /// The context at the start of a hook; the agent forgets what the hook brings anew.
    pub(crate) fn begin(
        hook: &Hook,
        relation: Option<HookRelation>,
        files: Files,
        world: &mut World,
    ) -> Self {
        let application = application_of(&hook.unit).to_owned();
        let mut members = BTreeMap::new();
        for known in known_relations(world, hook, &application) {
            let units = match hook.delivered.get(&known.id) {
                Some(units) => units.iter().cloned().collect(),
                None => in_scope(known, &hook.unit, &application),
            };
            members.insert(known.id, units);
        }
        if let (Some(relation), Some((_, happening))) = (&relation, &hook.relation) {
            let units: &mut BTreeSet<String> = members.entry(relation.id).or_default();
            let key = (relation.id, relation.remote_unit.clone());
            match happening {
                Happening::Joined { .. } | Happening::Changed { .. } => {
                    units.insert(relation.remote_unit.clone());
                    world.agent(&hook.unit).members.remove(&key);
                }
                Happening::Departed { .. } => {
                    units.remove(&relation.remote_unit);
                    world.agent(&hook.unit).members.remove(&key);
                }
                Happening::Created | Happening::ApplicationChanged | Happening::Broken => {}
            }
        }
        let variable = |name: &str| {
            let found = hook.variables.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.clone())
        };
        let action = matches!(hook.kind, Kind::Action { .. }).then(|| Action {
            parameters: Value::Object(hook.parameters.clone()),
            ..Action::default()
        });
        Self {
            unit: hook.unit.clone(),
            application,
            kind: hook.kind.clone(),
            relation,
            unit_bags: BTreeMap::new(),
            application_bags: BTreeMap::new(),
            state: None,
            ports: PendingPorts::default(),
            secrets: PendingSecrets::begin(&world.model, &hook.unit),
            action,
            config: None,
            status: None,
            storage: variable("JUJU_STORAGE_ID"),
            wants_reboot: false,
            files,
            log: Vec::new(),
            members,
            read: BTreeMap::new(),
            was_refused_leadership: false,
        }
    }

    /// Whether the hook knows the relation: its unit has entered the scope.
    pub(crate) fn knows(&self, relation: u32) -> bool {
        self.members.contains_key(&relation)
    }

    /// Numbers of the relations that the hook knows.
    pub(crate) fn relations(&self) -> impl Iterator<Item = u32> {
        self.members.keys().copied()
    }

    /// The other units in a relation, as far as events have delivered them.
    pub(crate) fn members(&self, relation: u32) -> BTreeSet<String> {
        self.members.get(&relation).cloned().unwrap_or_default()
    }

    /// Whether this unit leads; a no stays a no for the rest of the hook.
    pub(crate) fn is_leader(&mut self, world: &World) -> bool {
        if !world.claims_leadership(&self.unit, &self.application) {
            self.was_refused_leadership = true;
        }
        !self.was_refused_leadership
    }

    /// The own unit databag of a relation.
    pub(crate) fn unit_bag(&mut self, world: &World, relation: u32) -> &mut Overlay {
        self.unit_bags.entry(relation).or_insert_with(|| {
            let record = world.model.relation(relation).and_then(|it| it.units.get(&self.unit));
            Overlay::of(record.map(|member| member.data.clone()).unwrap_or_default())
        })
    }

    /// The own application databag of a relation, which only a leader holds a copy of.
    pub(crate) fn application_bag(&mut self, world: &World, relation: u32) -> &mut Overlay {
        self.application_bags.entry(relation).or_insert_with(|| {
            let record = world.model.relation(relation);
            let bag = record.and_then(|it| it.application_data.get(&self.application));
            Overlay::of(bag.cloned().unwrap_or_default())
        })
    }

    /// The databag of a unit, read as its role in the relation allows.
    pub(crate) fn read_unit(
        &mut self,
        world: &mut World,
        relation: u32,
        unit: &str,
    ) -> Result<Bag, Refusal> {
        if unit == self.unit {
            return Ok(self.unit_bag(world, relation).seen().clone());
        }
        let key = (relation, unit.to_owned());
        let is_member = self.members.get(&relation).is_some_and(|units| units.contains(unit));
        let cache = if is_member { &world.agent(&self.unit).members } else { &self.read };
        if let Some(bag) = cache.get(&key) {
            return Ok(bag.clone());
        }
        let bag = stored_unit_bag(world, relation, unit)?;
        let cache = if is_member { &mut world.agent(&self.unit).members } else { &mut self.read };
        cache.insert(key, bag.clone());
        Ok(bag)
    }

    /// The databag of an application, read as this unit's role allows.
    pub(crate) fn read_application(
        &mut self,
        world: &mut World,
        relation: u32,
        application: &str,
    ) -> Result<Bag, Refusal> {
        let is_own = application == self.application;
        if is_own && self.is_leader(world) {
            return Ok(self.application_bag(world, relation).seen().clone());
        }
        let record = world.model.relation(relation);
        let allowed = record
            .is_some_and(|it| it.endpoints.contains_key(application) && (!is_own || it.is_peer()));
        if !allowed {
            return Err(Refusal::Failed("permission denied".to_owned()));
        }
        let key = (relation, application.to_owned());
        if let Some(bag) = self.read.get(&key) {
            return Ok(bag.clone());
        }
        let bag = record.and_then(|it| it.application_data.get(application));
        let bag = bag.cloned().unwrap_or_default();
        self.read.insert(key, bag.clone());
        Ok(bag)
    }

    /// The options of the application, as they were when the hook first asked.
    pub(crate) fn config(&mut self, world: &World) -> &BTreeMap<String, ConfigOption> {
        self.config.get_or_insert_with(|| {
            let application = world.model.applications.get(&self.application);
            application.map(|application| application.config.clone()).unwrap_or_default()
        })
    }

    /// The status of the unit, as it was when the hook first asked.
    pub(crate) fn status(&mut self, world: &World) -> &Status {
        self.status.get_or_insert_with(|| {
            let unit = world.model.unit(&self.unit);
            unit.map_or_else(|| world.model.status("unknown", ""), |unit| unit.status.clone())
        })
    }

    /// The charm's state as this hook sees it.
    pub(crate) fn state(&mut self, world: &World) -> &mut Bag {
        let (_, current) = self.state.get_or_insert_with(|| {
            let stored = world.model.unit(&self.unit).map(|unit| unit.state.clone());
            let stored = stored.unwrap_or_default();
            (stored.clone(), stored)
        });
        current
    }
}

fn known_relations<'a>(
    world: &'a World,
    hook: &'a Hook,
    application: &'a str,
) -> impl Iterator<Item = &'a Relation> {
    // Scopes are entered only once the install hook is committed.
    let is_install = hook.kind == Kind::Hook("install".to_owned());
    world.model.relations.iter().filter(move |relation| {
        let entered = relation.units.get(&hook.unit).is_some_and(|member| member.in_scope);
        entered && !is_install && relation.endpoints.contains_key(application)
    })
}

/// The units on the other side, or the other units of a peer relation.
fn in_scope(relation: &Relation, unit: &str, application: &str) -> BTreeSet<String> {
    let remote = relation.remote_of(application);
    let members = relation.units.iter().filter(|(name, member)| {
        member.in_scope && *name != unit && application_of(name) == remote
    });
    members.map(|(name, _)| name.clone()).collect()
}

fn stored_unit_bag(world: &World, relation: u32, unit: &str) -> Result<Bag, Refusal> {
    let denied = || Refusal::Failed("permission denied".to_owned());
    let record = world.model.relation(relation).ok_or_else(denied)?;
    if !record.endpoints.contains_key(application_of(unit)) {
        return Err(denied());
    }
    record.units.get(unit).map(|member| member.data.clone()).ok_or_else(|| {
        let name = described(world, record);
        Refusal::Failed(format!(
            "cannot read settings for unit \"{unit}\" in relation \"{name}\": \
             unit \"{unit}\": settings not found"
        ))
    })
}

/// A relation's name in error texts: its endpoints, the requirer first.
fn described(world: &World, relation: &Relation) -> String {
    let mut endpoints: Vec<(bool, String)> = Vec::new();
    for (application, endpoint) in &relation.endpoints {
        let record = world.model.applications.get(application);
        let role = record.and_then(|it| it.endpoints.get(endpoint)).map(|it| it.role);
        let is_provider = role == Some(super::model::application::Role::Provider);
        endpoints.push((is_provider, format!("{application}:{endpoint}")));
    }
    endpoints.sort();
    let names: Vec<String> = endpoints.into_iter().map(|(_, name)| name).collect();
    names.join(" ")
}
