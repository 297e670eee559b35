//! Counters, in the text form of Prometheus.

use hyper::Response;
use hyper::StatusCode;
use std::fmt::Display;
use std::fmt::Write;

use crate::pebble::api::reply;
use crate::pebble::api::reply::Body;
use crate::pebble::shared::Shared;

/// `GET /v1/metrics`
pub(crate) fn metrics(shared: &Shared) -> Response<Body> {
    let mut text = String::new();
    let services = shared.services.borrow();
    let active = services.iter().map(|(name, run)| (name, u64::from(run.stage.is_alive())));
    let help = "Whether the service is currently active (1) or not (0)";
    family(&mut text, "pebble_service_active", "gauge", "service", help, active);
    let starts = services.iter().map(|(name, run)| (name, run.starts));
    let help = "Number of times the service has started";
    family(&mut text, "pebble_service_start_count", "counter", "service", help, starts);
    let checks = shared.checks.borrow();
    let up = checks.iter().map(|(name, run)| (name, u64::from(!run.is_down())));
    let help = "Whether the health check is up (1) or not (0)";
    family(&mut text, "pebble_check_up", "gauge", "check", help, up);
    let successes = checks.iter().map(|(name, run)| (name, run.all_successes));
    let help = "Number of times the check has succeeded";
    family(&mut text, "pebble_check_success_count", "counter", "check", help, successes);
    let failures = checks.iter().map(|(name, run)| (name, run.all_failures));
    let help = "Number of times the check has failed";
    family(&mut text, "pebble_check_failure_count", "counter", "check", help, failures);
    reply::with_type(StatusCode::OK, "text/plain; charset=utf-8", text)
}

/// One family; nothing where it has no members.
fn family<'a, N: Display + 'a>(
    text: &mut String,
    name: &str,
    kind: &str,
    label: &str,
    help: &str,
    members: impl Iterator<Item = (&'a N, u64)>,
) {
    let lines: Vec<String> = members
        .map(|(member, value)| format!("{name}{{{label}=\"{member}\"}} {value}\n"))
        .collect();
    if !lines.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{}", lines.concat());
    }
}
