//! What makes a layer, and a plan, acceptable.

use crate::pebble::clock::Span;
use crate::pebble::plan::PlanError;
use crate::pebble::plan::entries::Check;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::entries::LogTarget;
use crate::pebble::plan::entries::Service;
use crate::pebble::plan::order;
use crate::pebble::plan::words;
use crate::pebble::quote::quoted;

/// What can be said of a layer alone.
pub(crate) fn layer(entries: &Entries) -> Result<(), PlanError> {
    for (name, entry) in &entries.services {
        service(name, entry).map_err(PlanError::Layer)?;
    }
    for (name, entry) in &entries.checks {
        check(name, entry).map_err(PlanError::Layer)?;
    }
    for (name, entry) in &entries.log_targets {
        log_target(name, entry).map_err(PlanError::Layer)?;
    }
    Ok(())
}

fn service(name: &str, entry: &Service) -> Result<(), String> {
    let shown = quoted(name);
    if name.is_empty() {
        return Err("cannot use empty string as service name".to_owned());
    }
    if name == "pebble" {
        return Err(format!("cannot use reserved service name {shown}"));
    }
    if name.starts_with('-') {
        return Err(format!("cannot use service name {shown}: starting with \"-\" not allowed"));
    }
    if let Err(error) = words::command(&entry.command) {
        let told = format!("plan service {shown} command invalid: cannot parse service {shown}");
        return Err(format!("{told} command: {error}"));
    }
    let action = |field: &str, action: &str, allowed: &[&str]| {
        if action.is_empty() || allowed.contains(&action) {
            return Ok(());
        }
        Err(format!("plan service {shown} {field} action {} invalid", quoted(action)))
    };
    let after_failure = ["restart", "shutdown", "success-shutdown", "ignore"];
    action(
        "on-success",
        &entry.on_success,
        &["restart", "shutdown", "failure-shutdown", "ignore"],
    )?;
    action("on-failure", &entry.on_failure, &after_failure)?;
    for word in entry.on_check_failure.values() {
        action("on-check-failure", word, &after_failure)?;
    }
    match entry.backoff_factor.filter(|&factor| factor < 1.0) {
        None => Ok(()),
        Some(factor) => {
            Err(format!("plan service {shown} backoff-factor must be 1.0 or greater, not {factor}"))
        }
    }
}

fn check(name: &str, entry: &Check) -> Result<(), String> {
    let shown = quoted(name);
    if name.is_empty() {
        return Err("cannot use empty string as check name".to_owned());
    }
    if !["", "alive", "ready"].contains(&entry.level.as_str()) {
        return Err(format!("plan check {shown} level must be \"alive\" or \"ready\""));
    }
    if !["", "enabled", "disabled"].contains(&entry.startup.as_str()) {
        return Err(format!("plan check {shown} startup must be \"enabled\" or \"disabled\""));
    }
    for (field, span) in [("period", entry.period), ("timeout", entry.timeout)] {
        if span == Some(Span(0)) {
            return Err(format!("plan check {shown} {field} must not be zero"));
        }
    }
    if let Some(exec) = &entry.exec {
        words::split(&exec.command)
            .map_err(|error| format!("plan check {shown} command invalid: {error}"))?;
        exec.owner
            .ids()
            .map_err(|error| format!("plan check {shown} has invalid user/group: {error}"))?;
    }
    Ok(())
}

fn log_target(name: &str, entry: &LogTarget) -> Result<(), String> {
    let shown = quoted(name);
    if !["", "loki", "opentelemetry"].contains(&entry.kind.as_str()) {
        let kind = quoted(&entry.kind);
        return Err(format!(
            "log target {shown} has unsupported type {kind}, must be {TARGET_KINDS}"
        ));
    }
    match entry.labels.keys().find(|label| label.starts_with("pebble_")) {
        None => Ok(()),
        Some(label) => {
            let label = quoted(label);
            Err(format!("log target {shown}: label {label} uses reserved prefix \"pebble_\""))
        }
    }
}

/// What can only be said of all layers together.
pub(crate) fn plan(entries: &Entries) -> Result<(), PlanError> {
    let refused = |text: String| Err(PlanError::Plan(text));
    for (name, entry) in &entries.services {
        if entry.command.is_empty() {
            return refused(format!("plan must define \"command\" for service {}", quoted(name)));
        }
    }
    for (name, entry) in &entries.checks {
        planned_check(name, entry, entries)?;
    }
    for (name, entry) in &entries.log_targets {
        let shown = quoted(name);
        if entry.kind.is_empty() {
            return refused(format!(
                "plan must define \"type\" ({TARGET_KINDS}) for log target {shown}"
            ));
        }
        if entry.location.is_empty() {
            return refused(format!("plan must define \"location\" for log target {shown}"));
        }
        for listed in &entry.services {
            let service = listed.strip_prefix('-').unwrap_or(listed);
            if service != "all" && !entries.services.contains_key(service) {
                let service = quoted(service);
                return refused(format!("log target {shown} specifies unknown service {service}"));
            }
        }
    }
    let names: Vec<String> = entries.services.keys().cloned().collect();
    order::ordered(&entries.services, &names, order::Towards::Start)?;
    order::ordered(&entries.services, &names, order::Towards::Stop)?;
    Ok(())
}

fn planned_check(name: &str, entry: &Check, entries: &Entries) -> Result<(), PlanError> {
    let shown = quoted(name);
    let kinds = [entry.http.is_some(), entry.tcp.is_some(), entry.exec.is_some()];
    let refused = |text: String| Err(PlanError::Plan(text));
    if kinds.iter().filter(|&&kind| kind).count() != 1 {
        let kinds = "one of \"http\", \"tcp\", or \"exec\"";
        return refused(format!("plan must specify {kinds} for check {shown}"));
    }
    if entry.http.as_ref().is_some_and(|http| http.url.is_empty()) {
        return refused(format!("plan must set \"url\" for http check {shown}"));
    }
    if entry.tcp.as_ref().is_some_and(|tcp| tcp.port == 0) {
        return refused(format!("plan must set \"port\" for tcp check {shown}"));
    }
    let Some(exec) = &entry.exec else { return Ok(()) };
    if exec.command.is_empty() {
        return refused(format!("plan must set \"command\" for exec check {shown}"));
    }
    let context = &exec.service_context;
    if !context.is_empty() && !entries.services.contains_key(context) {
        let context = quoted(context);
        let told = format!("plan check {shown} service context specifies non-existent service");
        return refused(format!("{told} {context}"));
    }
    Ok(())
}

const TARGET_KINDS: &str = "\"loki\" or \"opentelemetry\"";
