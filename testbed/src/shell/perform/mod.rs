//! Carries commands out.

mod applications;
mod faults;
mod looks;
mod records;
mod units;
mod waits;

use std::io::Write;

use super::command::Command;
use super::error::ShellError;
use super::help::help;
use super::session::Flow;
use super::session::Session;

/// Carries a command out, and writes what it has to say.
pub(crate) fn perform(
    session: &mut Session,
    command: &Command,
    out: &mut dyn Write,
) -> Result<Flow, ShellError> {
    match command {
        Command::Deploy(deploy) => applications::deploy(session, deploy, out)?,
        Command::Refresh { application, path } => {
            applications::refresh(session, application, path.as_deref(), out)?;
        }
        Command::ScaleApplication { application, units } => {
            session.application(application)?;
            session.lab.scale(application, *units)?;
        }
        Command::AddUnit(units) => {
            let scale = session.application(&units.application)?.scale;
            session.lab.scale(&units.application, scale.saturating_add(units.num_units))?;
        }
        Command::RemoveUnit(units) => {
            let scale = session.application(&units.application)?.scale;
            session.lab.scale(&units.application, scale.saturating_sub(units.num_units))?;
        }
        Command::Config { application, settings, reset } => {
            applications::config(session, application, settings, reset, out)?;
        }
        Command::Trust { application, remove } => session.lab.trust(application, !remove)?,
        Command::AttachResource { application, resource } => {
            applications::attach(session, application, resource)?;
        }
        Command::Integrate(ends) => {
            session.lab.integrate(&ends.one, &ends.other)?;
        }
        Command::RemoveRelation(ends) => session.lab.remove_relation(&ends.one, &ends.other)?,
        Command::RemoveApplication { application, .. } => {
            session.lab.remove_application(application)?;
        }
        Command::Status { relations, format } => looks::status(session, *relations, *format, out)?,
        Command::ShowUnit { unit, format } => looks::show_unit(session, unit, *format, out)?,
        Command::Secrets => looks::secrets(session, out)?,
        Command::Actions { application } => looks::actions(session, application, out)?,
        Command::Pods => looks::pods(session, out)?,
        Command::Run { unit, action, parameters } => {
            units::run(session, unit, action, parameters, out)?;
        }
        Command::Exec { unit, command } => units::exec(session, unit, command, out)?,
        Command::Ssh { container, unit, command } => {
            units::ssh(session, unit, container, command, out)?;
        }
        Command::Resolved { units, no_retry } => {
            for unit in units {
                session.lab.resolved(&session.unit(unit)?, !no_retry)?;
            }
        }
        Command::DeletePod { unit } => session.lab.delete_pod(&session.unit(unit)?)?,
        Command::Fault { fault } => faults::strike(session, fault)?,
        Command::DebugLog { lines, include, replay, tail } => {
            let lines = if *replay { usize::MAX } else { *lines };
            records::debug_log(session, include, lines, *tail, out)?;
        }
        Command::Logs { unit, container, lines } => {
            let log = session.lab.container_log(&session.unit(unit)?, container)?;
            records::last_lines(&log, Some(*lines).filter(|lines| *lines > 0), out)?;
        }
        Command::Timeline { lines, file } => {
            records::timeline(session, *lines, file.as_deref(), out)?;
        }
        Command::Trace { file } => records::trace(session, file)?,
        Command::WaitFor { state, timeout } => waits::wait_for(session, state, *timeout)?,
        Command::Speed => writeln!(out, "{}", session.lab.speed())?,
        Command::Switch { name: Some(name), value: Some(value) } => {
            session.lab.set_switch(name, value)?;
        }
        Command::Switch { name, value: _ } => {
            looks::switches(session, name.as_deref(), out)?;
        }
        Command::Help { command } => write!(out, "{}", help(command)?)?,
        Command::History => {
            for (number, line) in session.history.iter().enumerate() {
                writeln!(out, "{:>4}  {line}", number + 1)?;
            }
        }
        Command::Exit => return Ok(Flow::Over),
    }
    Ok(Flow::On)
}
