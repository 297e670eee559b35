//! Does what the rules have decided, and records it.

use std::fs;

use crate::trace::entry::What;

use crate::juju::action::ActionResult;
use crate::juju::core::Core;
use crate::juju::core::copy;
use crate::juju::hook::Hook;
use crate::juju::launch::Ground;
use crate::juju::model::application_of;
use crate::juju::requests::RequestKind;
use crate::juju::requests::Resolved;
use crate::juju::run::HookRun;
use crate::juju::world::World;
use crate::lock::lock;

use super::Me;
use super::event::Event;
use super::event::UnitEvent;
use super::process::Outcome;
use super::process::program_of;
use super::process::run_process;
use super::record::Step;
use super::resolver::Operation;
use super::view::View;

/// One operation of that agent.
pub(super) fn perform(core: &Core, me: &Me, ground: &Ground, operation: Operation, view: &View) {
    match operation {
        Operation::Unpack => unpack(core, me, ground),
        Operation::Run(event) => run_event(core, me, ground, event, view),
        Operation::Request(id) => run_request(core, me, ground, id),
        Operation::Skip(event) => with(core, me, |world| {
            world.deployment.requests.resolved.remove(&me.unit);
            world.complete(me, &event, view);
        }),
        Operation::EnterScopes => with(core, me, |world| world.enter_scopes(me, view)),
        Operation::AcceptLeadership => with(core, me, |world| world.accept_leadership(me)),
        Operation::ResignLeadership => with(core, me, |world| world.record(me).leads = false),
        Operation::FailAction(id) => with(core, me, |world| {
            let result = ActionResult::failed("action terminated");
            world.deployment.requests.end(id, result);
            world.record(me).action = None;
        }),
        Operation::DropStorage(id) => with(core, me, |world| {
            if let Some(unit) = world.model.unit_mut(&me.unit) {
                unit.storage.remove(&id);
            }
        }),
        Operation::Die => with(core, me, |world| world.die(me)),
        Operation::End => with(core, me, |world| {
            if let Some(running) = &mut world.agent(&me.unit).running {
                running.has_ended = true;
            }
        }),
    }
}

/// Changes the world for that agent, if it still is the unit's.
fn with(core: &Core, me: &Me, change: impl FnOnce(&mut World)) {
    let mut world = lock(&core.world);
    if world.is_current(me) {
        change(&mut world);
        world.note_change();
    }
}

fn unpack(core: &Core, me: &Me, ground: &Ground) {
    let folder = {
        let world = lock(&core.world);
        let name = application_of(&me.unit);
        let deployed = world.deployment.applications.get(name);
        deployed.and_then(|deployed| deployed.folders.get(&me.version)).cloned()
    };
    let is_empty = fs::read_dir(&ground.charm_here).is_ok_and(|mut it| it.next().is_none());
    let copied = match folder {
        Some(folder) if is_empty => copy(&folder, &ground.charm_here),
        Some(_) | None => Ok(()),
    };
    with(core, me, |world| {
        if let Err(error) = copied {
            world.complain(&me.unit, &error);
        }
        if let Some(running) = &mut world.agent(&me.unit).running {
            running.memory.is_unpacked = true;
        }
        let record = world.record(me);
        if record.step == Step::Idle {
            let event = if record.installed { UnitEvent::UpgradeCharm } else { UnitEvent::Install };
            record.step = Step::Queued(event.into());
        }
    });
}

/// A hook that is about to run, with the faults and the relations' members that it is to meet; and whether
/// its agent dies when it is through.
fn ready(core: &Core, me: &Me, hook: Hook, name: &str, about: Option<String>) -> (Hook, bool) {
    let mut world = lock(&core.world);
    let (mut hook, dies) = world.deployment.faults.strike(hook, name);
    for (relation, delivered) in &world.record(me).relations {
        let members: Vec<&str> = delivered.members.keys().map(String::as_str).collect();
        hook = hook.delivered(*relation, &members);
    }
    let (unit, event) = (me.unit.clone(), name.to_owned());
    world.deployment.trace.push(What::EventBegan { unit, event, about });
    (hook, dies)
}

fn run_event(core: &Core, me: &Me, ground: &Ground, event: Event, view: &View) {
    if !begin(core, me, &event, view) {
        return;
    }
    let hook = event.hook(&me.unit);
    let name = event.name();
    let (hook, dies) = ready(core, me, hook, &name, event.about());
    let program = program_of(ground, &format!("hooks/{name}"));
    let outcome = match program {
        Some(program) => {
            let command = me.place.command(&ground.charm, &program);
            run_process(core, me, ground, hook, command, &name, dies)
        }
        None => Outcome::Missing,
    };
    with(core, me, |world| world.take_in(me, &event, view, outcome));
}

/// Records that the hook is begun; or, when there is no point in it any more, that it is done.
fn begin(core: &Core, me: &Me, event: &Event, view: &View) -> bool {
    let mut world = lock(&core.world);
    if !world.is_current(me) {
        return false;
    }
    let leads = world.claims_leadership(&me.unit, application_of(&me.unit));
    let is_idle = match event {
        Event::Unit(UnitEvent::LeaderElected) => !leads,
        Event::Secret(event) => event.needs_lease && !leads,
        Event::Relation(event) => world.model.relation(event.relation).is_none(),
        Event::Unit(_) | Event::Workload(_) | Event::Storage(_) => false,
    };
    if is_idle {
        world.complete(me, event, view);
        world.note_change();
        return false;
    }
    if let Some(running) = &mut world.agent(&me.unit).running {
        let memory = &mut running.memory;
        memory.retry.at = None;
        memory.is_hook_terminated = false;
        memory.owes_start &= *event != UnitEvent::Start.into();
    }
    if let Some(resolved) = world.deployment.requests.resolved.remove(&me.unit)
        && resolved == Resolved::Retry
        && let Some(running) = &mut world.agent(&me.unit).running
    {
        running.memory.retry.reset();
    }
    world.record(me).step = Step::Pending(event.clone());
    let status_before = match event {
        Event::Unit(UnitEvent::Install) if !world.record(me).status_set => {
            Some("installing charm software")
        }
        Event::Unit(UnitEvent::Stop) => Some("stopping charm software"),
        Event::Unit(UnitEvent::Remove) => Some("cleaning up prior to charm deletion"),
        Event::Unit(_)
        | Event::Relation(_)
        | Event::Workload(_)
        | Event::Storage(_)
        | Event::Secret(_) => None,
    };
    if let Some(message) = status_before {
        world.set_unit_status(me, "maintenance", message);
    }
    if *event != UnitEvent::UpdateStatus.into() {
        let message = match event.about() {
            Some(unit) if matches!(event, Event::Relation(_)) => {
                format!("running {} hook for {unit}", event.name())
            }
            Some(_) | None => format!("running {} hook", event.name()),
        };
        world.set_agent_status(&me.unit, "executing", &message);
    }
    world.note_change();
    true
}

fn run_request(core: &Core, me: &Me, ground: &Ground, id: u64) {
    let request = {
        let mut world = lock(&core.world);
        let Some(request) = world.deployment.requests.get(id).cloned() else { return };
        world.deployment.requests.begin(id);
        world.record(me).action = Some(id);
        request
    };
    let (name, path, hook) = match &request.kind {
        RequestKind::Action { name, parameters } => {
            let mut hook = Hook::action(&me.unit, name, &id.to_string());
            for (key, value) in parameters {
                hook = hook.parameter(key, value.clone());
            }
            (name.clone(), program_of(ground, &format!("actions/{name}")), hook)
        }
        RequestKind::Exec { .. } => {
            let id = id.to_string();
            let hook = Hook::exec(&me.unit)
                .variable("JUJU_ACTION_NAME", "juju-exec")
                .variable("JUJU_ACTION_UUID", &id)
                .variable("JUJU_ACTION_TAG", &format!("action-{id}"));
            ("juju-exec".to_owned(), Some("/bin/bash".into()), hook)
        }
    };
    let (hook, dies) = ready(core, me, hook, &name, Some(id.to_string()));
    let outcome = match path {
        None => Outcome::Missing,
        Some(program) => {
            let mut command = me.place.command(&ground.charm, &program);
            if let RequestKind::Exec { command: text } = &request.kind {
                command.args(["-c", text]);
            }
            run_process(core, me, ground, hook, command, &name, dies)
        }
    };
    let result = match outcome {
        Outcome::Ended(run) => result_of(&run),
        Outcome::Missing => ActionResult::failed("action not implemented on unit"),
        Outcome::Failed(error) => ActionResult::failed(&error.to_string()),
        Outcome::AgentDied => {
            with(core, me, |world| world.die_before_record(me));
            return;
        }
        Outcome::Gone => return,
    };
    with(core, me, |world| {
        world.deployment.trace.push(What::Action {
            unit: me.unit.clone(),
            action: name,
            status: result.status.clone(),
            message: result.message.clone(),
        });
        world.deployment.requests.end(id, result);
        world.record(me).action = None;
    });
}

fn result_of(run: &HookRun) -> ActionResult {
    run.action_result.clone().unwrap_or_else(|| ActionResult::of_command(run))
}
