//! `fault`: from the operator's words to what the lab breaks.

use crate::lab::faults::HookFault;
use crate::lab::faults::NoticeFault;
use crate::lab::faults::Whose;
use crate::lab::target::Target;
use crate::shell::error::ShellError;
use crate::shell::fault::CallMoment;
use crate::shell::fault::Disturbance;
use crate::shell::fault::Fault;
use crate::shell::fault::Moment;
use crate::shell::fault::Strike;
use crate::shell::fault::Victim;
use crate::shell::session::Session;
use crate::shell::value::UnitName;

pub(super) fn strike(session: &Session, fault: &Fault) -> Result<(), ShellError> {
    let lab = &session.lab;
    let unit = |name: &UnitName| session.unit(name);
    match fault {
        Fault::Kill(victim) => lab.kill(&unit(&victim.unit)?, &target(victim))?,
        Fault::Freeze(victim) => lab.freeze(&unit(&victim.unit)?, &target(victim))?,
        Fault::Thaw(victim) => lab.thaw(&unit(&victim.unit)?, &target(victim))?,
        Fault::Cut { unit: one, other: Some(other) } => lab.cut(&unit(one)?, &unit(other)?)?,
        Fault::Cut { unit: one, other: None } => lab.isolate(&unit(one)?)?,
        Fault::Heal => lab.heal()?,
        Fault::SilenceDns { unit } => lab.silence_dns(&whose(session, unit.as_ref())?)?,
        Fault::SlowDns { by, unit } => lab.slow_dns(&whose(session, unit.as_ref())?, *by)?,
        Fault::HealDns => lab.heal_dns()?,
        Fault::Wipe(volume) => lab.wipe_volume(&unit(&volume.unit)?, &volume.storage)?,
        Fault::Snapshot { volume, name } => {
            lab.snapshot_volume(&unit(&volume.unit)?, &volume.storage, name)?;
        }
        Fault::RollBack { volume, name } => {
            lab.roll_back_volume(&unit(&volume.unit)?, &volume.storage, name)?;
        }
        Fault::SlowDisk { unit: name, by } => lab.slow_disk(&unit(name)?, *by)?,
        Fault::LoseLeader { application, moment } => lose(session, application, moment.as_ref())?,
        Fault::MakeLeader { unit: name } => lab.make_leader(&unit(name)?)?,
        Fault::NoLeader { application, span } => lab.no_leader_for(application, *span)?,
        Fault::LoseLeaderElected { unit: name } => lab.lose_leader_elected(&unit(name)?)?,
        Fault::ControllerAway => lab.controller_away()?,
        Fault::ControllerBack => lab.controller_back()?,
        Fault::RestartAgent { unit: name } => lab.restart_agent(&unit(name)?)?,
        Fault::Hook { unit: name, strike, moment: CallMoment::AtCall(call) } => {
            let hook = call.hook.as_deref().unwrap_or(ANY);
            lab.strike_hook(&unit(name)?, hook, index(call.number), struck(*strike))?;
        }
        Fault::Notices { unit: name, container, disturbance } => {
            lab.disturb_notices(&unit(name)?, container, disturbed(disturbance))?;
        }
    }
    Ok(())
}

fn target(victim: &Victim) -> Target {
    match (&victim.container, &victim.process) {
        (Some(container), Some(name)) => {
            Target::Process { container: container.clone(), name: name.clone() }
        }
        (Some(container), None) => Target::Container(container.clone()),
        (None, _) => Target::Pod,
    }
}

fn whose(session: &Session, unit: Option<&UnitName>) -> Result<Whose, ShellError> {
    Ok(match unit {
        Some(name) => Whose::Unit(session.unit(name)?),
        None => Whose::All,
    })
}

fn lose(session: &Session, application: &str, moment: Option<&Moment>) -> Result<(), ShellError> {
    let Some(moment) = moment else { return Ok(session.lab.lose_leadership(application)?) };
    let leader = session.unit(&UnitName { application: application.to_owned(), number: None })?;
    match moment {
        Moment::AtCall(call) => {
            let hook = call.hook.as_deref().unwrap_or(ANY);
            let fault = HookFault::LoseLeadership;
            session.lab.strike_hook(&leader, hook, index(call.number), fault)?;
        }
        Moment::AtCommit { hook } => {
            session.lab.lose_leadership_at_commit(&leader, hook.as_deref().unwrap_or(ANY))?;
        }
    }
    Ok(())
}

fn struck(strike: Strike) -> HookFault {
    match strike {
        Strike::Fail => HookFault::Fail(1),
        Strike::Hang => HookFault::Hang,
        Strike::Kill => HookFault::Kill,
        Strike::Terminate => HookFault::Terminate,
    }
}

fn disturbed(disturbance: &Disturbance) -> NoticeFault {
    match disturbance {
        Disturbance::Delay { by } => NoticeFault::Delay(*by),
        Disturbance::Repeat => NoticeFault::Repeat,
        Disturbance::Drop => NoticeFault::Drop,
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The lab's word for a hook of any name.
const ANY: &str = "*";
