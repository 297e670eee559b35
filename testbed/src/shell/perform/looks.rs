//! Commands that show what there is.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::juju::model::Model;
use crate::juju::model::application_of;
use crate::juju::model::relation::Relation;
use crate::juju::output;
use crate::lab::status::PodStatus;
use crate::shell::ask;
use crate::shell::command::Format;
use crate::shell::error::ShellError;
use crate::shell::session::Session;
use crate::shell::status::View;
use crate::shell::table::Table;
use crate::shell::value::UnitName;

pub(super) fn status(
    session: &Session,
    relations: bool,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let status = session.lab.status();
    let time = Timestamp::now().strftime("%H:%M:%SZ").to_string();
    let servers = match format {
        Format::Tabular => ask::servers(&session.lab, &status),
        Format::Json | Format::Yaml => Vec::new(),
    };
    let view = View {
        status: &status,
        servers: &servers,
        relations,
        time: &time,
        version: session.lab.controller().switches().juju.version(),
        speed: session.lab.speed(),
    };
    match format {
        Format::Tabular => Ok(write!(out, "{}", view.tabular())?),
        Format::Json | Format::Yaml => write_value(&view.value(), format, out),
    }
}

pub(super) fn show_unit(
    session: &Session,
    unit: &UnitName,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let name = session.unit(unit)?;
    let model = session.lab.model();
    let pods = session.lab.pods();
    let pod = pods.iter().find(|pod| pod.unit == name);
    let shown = described(&model, &name, pod).ok_or(ShellError::NoUnit(name))?;
    write_value(&shown, format, out)
}

/// A unit as `juju show-unit` tells of it.
fn described(model: &Model, name: &str, pod: Option<&PodStatus>) -> Option<Value> {
    let unit = model.unit(name)?;
    let application = application_of(name);
    let relations = model.relations.iter().filter_map(|relation| {
        let endpoint = relation.endpoint_of(application)?;
        Some(described_relation(relation, name, endpoint))
    });
    let ports = unit.opened_ports.iter().map(|port| port.range.to_string());
    Some(json!({name: {
        "workload-version": unit.workload_version,
        "opened-ports": ports.collect::<Vec<_>>(),
        "leader": model.leader(application) == Some(name),
        "life": unit.life,
        "address": unit.address,
        "provider-id": pod.map(|pod| &pod.name),
        "charm-state": unit.state,
        "relation-info": relations.collect::<Vec<_>>(),
    }}))
}

fn described_relation(relation: &Relation, unit: &str, endpoint: &str) -> Value {
    let application = application_of(unit);
    let remote = relation.remote_of(application);
    let member = |member: &crate::juju::model::relation::Member| json!({"in-scope": member.in_scope, "data": member.data});
    let others = relation.units.iter();
    let others = others.filter(|(name, _)| *name != unit && application_of(name) == remote);
    json!({
        "relation-id": relation.id,
        "endpoint": endpoint,
        "related-endpoint": relation.endpoint_of(remote),
        "application-data": relation.application_data.get(remote),
        "local-unit": relation.units.get(unit).map(member),
        "related-units": others
            .map(|(name, it)| (name.clone(), member(it)))
            .collect::<BTreeMap<_, _>>(),
    })
}

fn write_value(value: &Value, format: Format, out: &mut dyn Write) -> Result<(), ShellError> {
    let format = if format == Format::Json { "json" } else { "yaml" };
    let text = output::text(&output::Value::from(value), format);
    Ok(write!(out, "{}", text.unwrap_or_else(|_| format!("{value}\n")))?)
}

pub(super) fn secrets(session: &Session, out: &mut dyn Write) -> Result<(), ShellError> {
    let heading = ["ID", "Name", "Owner", "Rotation", "Revision", "Read by"];
    let mut table = Table::new(&heading, &[4]);
    for (id, secret) in &session.lab.model().secrets {
        let name = if secret.label.is_empty() { "-" } else { &secret.label };
        let readers: Vec<&str> = secret.consumers.keys().map(String::as_str).collect();
        table.row(&[
            id,
            name,
            &secret.owner,
            secret.rotate.word(),
            &secret.latest().to_string(),
            &readers.join(" "),
        ]);
    }
    Ok(write!(out, "{}", table.text())?)
}

pub(super) fn actions(
    session: &Session,
    application: &str,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let mut table = Table::new(&["Action", "Description"], &[]);
    for (action, description) in session.lab.actions(application)? {
        table.row(&[&action, description.lines().next().unwrap_or_default()]);
    }
    Ok(write!(out, "{}", table.text())?)
}

pub(super) fn pods(session: &Session, out: &mut dyn Write) -> Result<(), ShellError> {
    let heading = ["Pod", "Ready", "Phase", "Restarts", "Address", "Template", "Containers"];
    let mut table = Table::new(&heading, &[3, 5]);
    for pod in session.lab.pods() {
        let ready = pod.containers.iter().filter(|it| it.is_ready).count();
        let restarts: u32 = pod.containers.iter().map(|it| it.restarts).sum();
        let containers = pod.containers.iter().map(|it| match (it.is_running, it.is_ready) {
            (true, true) => it.name.clone(),
            (true, false) => format!("{} (not ready)", it.name),
            (false, _) => format!("{} (not running)", it.name),
        });
        table.row(&[
            &pod.name,
            &format!("{ready}/{}", pod.containers.len()),
            &pod.phase,
            &restarts.to_string(),
            &pod.address,
            &pod.version.to_string(),
            &containers.collect::<Vec<_>>().join(", "),
        ]);
    }
    write!(out, "{}", table.text())?;
    for pod in session.lab.pods().iter().filter(|pod| !pod.trouble.is_empty()) {
        writeln!(out, "{}: {}", pod.name, pod.trouble)?;
    }
    Ok(())
}

pub(super) fn switches(
    session: &Session,
    name: Option<&str>,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let mut table = Table::new(&["Switch", "Value"], &[]);
    let switches = session.lab.switches();
    if let Some(name) = name.filter(|name| !switches.contains_key(*name)) {
        return Err(ShellError::Usage(format!("there is no switch `{name}`; `switch` lists them")));
    }
    for (switch, value) in switches.iter().filter(|(it, _)| name.is_none_or(|name| name == *it)) {
        table.row(&[switch, value.as_str().unwrap_or(&value.to_string())]);
    }
    Ok(write!(out, "{}", table.text())?)
}
