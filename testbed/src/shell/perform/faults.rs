//! `fault`: from the operator's words to what the lab breaks.

use crate::juju::faults::HookFault;
use crate::juju::faults::NoticeFault;
use crate::juju::hook::FaultKind;
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
        Fault::Cut { unit: one, other: None, .. } => lab.isolate(&unit(one)?)?,
        Fault::Cut { unit: one, other: Some(other), one_way: false } => {
            lab.cut(&unit(one)?, &unit(other)?)?;
        }
        Fault::Cut { unit: one, other: Some(other), one_way: true } => {
            lab.cut_one_way(&unit(one)?, &unit(other)?)?;
        }
        Fault::Heal { unit: None, .. } => lab.heal()?,
        Fault::Heal { unit: Some(one), other: None } => lab.rejoin(&unit(one)?)?,
        Fault::Heal { unit: Some(one), other: Some(other) } => {
            lab.heal_link(&unit(one)?, &unit(other)?)?;
        }
        Fault::SilenceDns { unit } => lab.silence_dns(&whose(session, unit.as_ref())?)?,
        Fault::SlowDns { by } => lab.slow_dns(*by)?,
        Fault::LateDns { by } => lab.late_dns(*by)?,
        Fault::HealDns => lab.heal_dns()?,
        Fault::Wipe(volume) => lab.wipe_volume(&unit(&volume.unit)?, &volume.storage)?,
        Fault::Snapshot { volume, name } => {
            lab.snapshot_volume(&unit(&volume.unit)?, &volume.storage, name)?;
        }
        Fault::RollBack { volume, name } => {
            lab.roll_back_volume(&unit(&volume.unit)?, &volume.storage, name)?;
        }
        Fault::SlowDisk { unit: name, container, by } => {
            lab.slow_disk(&unit(name)?, container, *by)?;
        }
        Fault::LoseLeader { application, moment } => lose(session, application, moment.as_ref())?,
        Fault::StealLeader { application } => lab.steal_leadership(application)?,
        Fault::MakeLeader { unit: name } => lab.make_leader(&unit(name)?)?,
        Fault::NoLeader { application, span } => lab.no_leader_for(application, *span)?,
        Fault::LoseLeaderElected { unit: name } => lab.lose_leader_elected(&unit(name)?)?,
        Fault::ControllerAway => lab.controller_away()?,
        Fault::ControllerBack => lab.controller_back()?,
        Fault::RestartAgent { unit: name } => lab.restart_agent(&unit(name)?)?,
        Fault::Hook { unit: name, hook, strike, moment: CallMoment::AtCall { number } } => {
            lab.strike_hook_at(&unit(name)?, hook, index(*number), struck(*strike))?;
        }
        Fault::LoseRecord { unit: name, hook } => {
            lab.strike_hook(&unit(name)?, hook, HookFault::AgentDiesBeforeRecord)?;
        }
        Fault::Notices { unit: name, container, disturbance } => {
            lab.disturb_notice(&unit(name)?, container, disturbed(disturbance))?;
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
        Moment::AtCall { number, hook } => {
            let call = index(*number);
            session.lab.strike_hook_at(&leader, hook, call, FaultKind::LoseLeadership)?;
        }
        Moment::AtCommit { hook } => {
            session.lab.strike_hook(&leader, hook, HookFault::LosesLeadershipAtCommit)?;
        }
    }
    Ok(())
}

fn struck(strike: Strike) -> FaultKind {
    match strike {
        Strike::Fail => FaultKind::Exit(1, "struck by the operator".to_owned()),
        Strike::Hang => FaultKind::Hang,
        Strike::Kill => FaultKind::KillHook,
        Strike::Terminate => FaultKind::TerminateHook,
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
