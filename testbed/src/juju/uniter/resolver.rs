//! Which operation comes next: the rules in the order in which Juju's agent asks them.
//!
//! Nothing here looks at a clock, a file or a process: the record, the agent's memory and the
//! model's view decide alone.

use crate::juju::hook::Happening;
use crate::juju::model::Life;
use crate::juju::switches::AtTermination;
use crate::juju::switches::PebbleReady;
use crate::juju::switches::StorageAttached;
use crate::juju::switches::Switches;

use super::event::Event;
use super::event::RelationEvent;
use super::event::Signal;
use super::event::StorageEvent;
use super::event::UnitEvent;
use super::memory::Memory;
use super::record::Delivered;
use super::record::Record;
use super::record::Step;
use super::relations::InRelation;
use super::view::RelationView;
use super::view::View;

/// All that decides what a unit's agent does next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) unit: &'a str,
    pub(crate) record: &'a Record,
    pub(crate) memory: &'a Memory,
    pub(crate) view: &'a View,
    pub(crate) switches: &'a Switches,
    /// Whether the timer of the failed hook has gone off.
    pub(crate) is_retry_due: bool,
}

/// What a unit's agent does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Unpacks the charm; `install` or `upgrade-charm` is next, or the hook that was cut short.
    Unpack,
    /// Enters the scopes of all relations that it is not in.
    EnterScopes,
    /// Records that the unit leads, and queues `leader-elected`.
    AcceptLeadership,
    /// Records that the unit no longer leads.
    ResignLeadership,
    /// Runs the hook.
    Run(Event),
    /// Takes the hook for done.
    Skip(Event),
    /// Runs an action or a command.
    Request(u64),
    /// Tells the caller that the action was cut short.
    FailAction(u64),
    /// Lets go of storage that the unit was never told of.
    DropStorage(String),
    /// The unit has run its last hook: it is dead, and its agent ends.
    Die,
    /// The agent ends.
    End,
}

/// A rule's answer.
enum Ruling {
    /// Nothing of its own.
    Pass,
    /// That.
    Do(Operation),
    /// Nothing at all, until something changes.
    Wait,
}

type Rule = fn(&Situation<'_>) -> Ruling;

/// First match wins.
const RULES: &[Rule] = &[
    gone,
    outdated_pod,
    charm_to_unpack,
    start_after_restart,
    scopes_to_enter,
    relation_created,
    leadership,
    leader_settings,
    workload,
    secrets,
    interrupted_action,
    requests,
    storage,
    hook_killed_by_termination,
    termination,
    failed_hook,
    queued_hook,
    dying,
    install,
    config_changed,
    relations,
    update_status,
];

/// The next operation; none while there is nothing to do.
pub(crate) fn next(situation: &Situation<'_>) -> Option<Operation> {
    for rule in RULES {
        match rule(situation) {
            Ruling::Pass => {}
            Ruling::Do(operation) => return Some(operation),
            Ruling::Wait => return None,
        }
    }
    None
}

fn gone(s: &Situation<'_>) -> Ruling {
    when(s.view.life == Life::Dead || s.record.removed, || Operation::Die)
}

/// A pod of an earlier charm whose agent restarts waits to be replaced.
fn outdated_pod(s: &Situation<'_>) -> Ruling {
    if s.memory.is_outdated && s.memory.is_terminating {
        Ruling::Do(Operation::End)
    } else if s.memory.is_outdated {
        Ruling::Wait
    } else {
        Ruling::Pass
    }
}

fn charm_to_unpack(s: &Situation<'_>) -> Ruling {
    let is_doomed = s.view.life != Life::Alive && !s.record.installed;
    when(!s.memory.is_unpacked && !is_doomed, || Operation::Unpack)
}

fn start_after_restart(s: &Situation<'_>) -> Ruling {
    let is_due = s.memory.owes_start && s.record.started && s.is_idle();
    when(is_due, || Operation::Run(UnitEvent::Start.into()))
}

fn scopes_to_enter(s: &Situation<'_>) -> Ruling {
    when(s.may_hear_news() && s.view.relations.iter().any(RelationView::is_enterable), || {
        Operation::EnterScopes
    })
}

fn relation_created(s: &Situation<'_>) -> Ruling {
    if !s.may_hear_news() {
        return Ruling::Pass;
    }
    let is_new = |relation: &&RelationView| {
        relation.life == Life::Alive
            && relation.in_scope
            && !s.memory.announced.contains(&relation.id)
    };
    let Some(relation) = s.view.relations.iter().find(is_new) else { return Ruling::Pass };
    let known = s.memory.entered.get(&relation.id);
    Ruling::Do(Operation::Run(Event::Relation(RelationEvent {
        relation: relation.id,
        endpoint: relation.endpoint.clone(),
        happening: Happening::Created,
        remote_application: known.map(|it| it.remote_application.clone()).unwrap_or_default(),
        version: 0,
    })))
}

fn leadership(s: &Situation<'_>) -> Ruling {
    if !s.record.installed {
        return Ruling::Pass;
    }
    if s.view.leads && !s.record.leads && s.is_alive() && s.is_idle() {
        return Ruling::Do(Operation::AcceptLeadership);
    }
    let is_over = !s.view.leads || !s.is_alive();
    when(s.record.leads && is_over, || Operation::ResignLeadership)
}

fn leader_settings(s: &Situation<'_>) -> Ruling {
    let is_due = s.switches.leader_settings_changed
        && s.may_hear_news()
        && !s.record.leads
        && s.memory.leader_settings.as_ref() != Some(&s.view.leader_settings);
    when(is_due, || Operation::Run(UnitEvent::LeaderSettingsChanged.into()))
}

/// A hook about a container that has failed is passed over: whoever watches the container raises
/// it again.
fn workload(s: &Situation<'_>) -> Ruling {
    match &s.record.step {
        Step::Queued(event) | Step::Pending(event) if event.is_workload() => {
            Ruling::Do(Operation::Skip(event.clone()))
        }
        Step::Queued(_) | Step::Pending(_) => Ruling::Pass,
        Step::Idle => {
            let is_held = s.switches.pebble_ready == PebbleReady::AfterStart && !s.record.started;
            let event = s.memory.workload.front().filter(|_| !is_held && s.record.installed);
            event.map_or(Ruling::Pass, |event| {
                Ruling::Do(Operation::Run(Event::Workload(event.clone())))
            })
        }
    }
}

fn secrets(s: &Situation<'_>) -> Ruling {
    let event = s.view.secrets.first().filter(|_| s.may_hear_news());
    event.map_or(Ruling::Pass, |event| Ruling::Do(Operation::Run(Event::Secret(event.clone()))))
}

fn interrupted_action(s: &Situation<'_>) -> Ruling {
    s.record.action.map_or(Ruling::Pass, |action| Ruling::Do(Operation::FailAction(action)))
}

/// Also while a failed hook waits.
fn requests(s: &Situation<'_>) -> Ruling {
    let is_free = !matches!(s.record.step, Step::Queued(_));
    let request = s.view.requests.first().filter(|_| is_free);
    request.map_or(Ruling::Pass, |request| Ruling::Do(Operation::Request(*request)))
}

fn storage(s: &Situation<'_>) -> Ruling {
    let may_run = match s.record.step {
        Step::Idle => true,
        Step::Queued(_) => s.record.started,
        Step::Pending(_) => false,
    };
    if !may_run {
        return Ruling::Pass;
    }
    for storage in &s.view.storages {
        let is_told = s.record.storages.contains(&storage.id);
        let is_late = s.switches.storage_attached == StorageAttached::AfterStart;
        let may_come = storage.is_provisioned && (s.record.started || !is_late);
        let event = StorageEvent {
            id: storage.id.clone(),
            place: storage.is_provisioned.then(|| (storage.location.clone(), storage.kind)),
            is_attached: s.is_alive(),
        };
        match (s.is_alive(), is_told) {
            (true, false) if may_come && s.record.installed => {
                return Ruling::Do(Operation::Run(Event::Storage(event)));
            }
            (false, false) => return Ruling::Do(Operation::DropStorage(storage.id.clone())),
            (false, true) => return Ruling::Do(Operation::Run(Event::Storage(event))),
            (true, _) => {}
        }
    }
    Ruling::Pass
}

fn hook_killed_by_termination(s: &Situation<'_>) -> Ruling {
    let again = s.memory.is_terminating
        && s.memory.is_hook_terminated
        && s.switches.at_termination == AtTermination::HookAgain;
    match &s.record.step {
        Step::Queued(event) if again => Ruling::Do(Operation::Run(event.clone())),
        Step::Queued(_) | Step::Pending(_) | Step::Idle => Ruling::Pass,
    }
}

/// `stop` takes the place of whatever was queued or has failed.
fn termination(s: &Situation<'_>) -> Ruling {
    if !s.memory.is_terminating || !s.is_alive() {
        return Ruling::Pass;
    }
    Ruling::Do(if s.record.started && !s.record.stopped {
        Operation::Run(UnitEvent::Stop.into())
    } else {
        Operation::End
    })
}

fn failed_hook(s: &Situation<'_>) -> Ruling {
    use crate::juju::requests::Resolved;
    let Step::Pending(event) = &s.record.step else { return Ruling::Pass };
    match s.view.resolved {
        Some(Resolved::Retry) => Ruling::Do(Operation::Run(event.clone())),
        Some(Resolved::Skip) => Ruling::Do(Operation::Skip(event.clone())),
        None if s.is_retry_due => Ruling::Do(Operation::Run(event.clone())),
        None => Ruling::Wait,
    }
}

fn queued_hook(s: &Situation<'_>) -> Ruling {
    match &s.record.step {
        // A unit that dies before it is installed runs nothing: see `dying`, then `install`.
        Step::Queued(event) if *event != UnitEvent::Install.into() => {
            Ruling::Do(Operation::Run(event.clone()))
        }
        Step::Queued(_) | Step::Pending(_) | Step::Idle => Ruling::Pass,
    }
}

fn dying(s: &Situation<'_>) -> Ruling {
    if s.is_alive() {
        return Ruling::Pass;
    }
    if let Some(event) = s.next_of_relations() {
        return Ruling::Do(Operation::Run(Event::Relation(event)));
    }
    Ruling::Do(if s.record.started && !s.record.stopped {
        Operation::Run(UnitEvent::Stop.into())
    } else if s.record.installed && !s.record.removed {
        Operation::Run(UnitEvent::Remove.into())
    } else {
        Operation::Die
    })
}

fn install(s: &Situation<'_>) -> Ruling {
    let is_due = !s.record.installed && !s.record.started;
    when(is_due, || Operation::Run(UnitEvent::Install.into()))
}

fn config_changed(s: &Situation<'_>) -> Ruling {
    if s.record.config == Some(s.view.config) {
        return Ruling::Pass;
    }
    let waits_for_pebble =
        s.switches.pebble_ready == PebbleReady::BeforeConfigChanged && !s.record.started;
    if waits_for_pebble && !s.view.containers.iter().all(|name| s.memory.ready.contains(name)) {
        return Ruling::Wait;
    }
    Ruling::Do(Operation::Run(UnitEvent::ConfigChanged.into()))
}

fn relations(s: &Situation<'_>) -> Ruling {
    let event = s.next_of_relations();
    event.map_or(Ruling::Pass, |event| Ruling::Do(Operation::Run(Event::Relation(event))))
}

fn update_status(s: &Situation<'_>) -> Ruling {
    when(s.memory.owes_update_status, || Operation::Run(UnitEvent::UpdateStatus.into()))
}

fn when(is_due: bool, operation: impl FnOnce() -> Operation) -> Ruling {
    if is_due { Ruling::Do(operation()) } else { Ruling::Pass }
}

impl Situation<'_> {
    fn is_alive(&self) -> bool {
        self.view.life == Life::Alive
    }

    fn is_idle(&self) -> bool {
        self.record.step == Step::Idle
    }

    /// Whether the unit is told of what is new in the model: not before `install`, not while
    /// another hook is under way, not when it is dying.
    fn may_hear_news(&self) -> bool {
        self.record.installed && self.is_alive() && self.is_idle()
    }

    /// The next event of any relation, peer relations last as far as the agent knows which they
    /// are.
    fn next_of_relations(&self) -> Option<RelationEvent> {
        if !self.is_idle() {
            return None;
        }
        let is_peer = |relation: &RelationView| {
            self.memory.entered.get(&relation.id).is_some_and(|known| known.is_peer)
        };
        let (last, first): (Vec<_>, Vec<_>) =
            self.view.relations.iter().partition(|relation| is_peer(relation));
        first.into_iter().chain(last).find_map(|relation| {
            let delivered: &Delivered = self.record.relations.get(&relation.id)?;
            InRelation {
                unit: self.unit,
                view: self.view,
                memory: self.memory,
                relation,
                delivered,
                forgets_peers: self.switches.peer_broken_after_restart,
            }
            .next()
        })
    }
}

impl RelationView {
    /// Whether the unit may enter its scope, and has not.
    pub(super) fn is_enterable(&self) -> bool {
        self.life == Life::Alive && !self.is_suspended && !self.in_scope
    }
}

impl Signal {
    /// Whether it says that the container has started.
    pub(crate) fn is_ready(&self) -> bool {
        *self == Self::Ready
    }
}
