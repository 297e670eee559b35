//! Opened and closed ports at the commit.

use crate::juju::context::Context;
use crate::juju::model::Model;
use crate::juju::model::port::Protocol;
use crate::juju::ports::PendingPorts;

/// Kubernetes services know nothing of ICMP; the controller refuses it before all else.
pub(super) fn refuse_protocols(ports: &PendingPorts) -> Result<(), String> {
    if ports.opened.iter().any(|port| port.range.protocol == Protocol::Icmp) {
        return Err("protocol icmp on caas models not supported".to_owned());
    }
    Ok(())
}

/// Ports are opened for endpoints that there are.
pub(super) fn check(context: &Context, model: &Model) -> Result<(), String> {
    let application = &context.application;
    let record = model.applications.get(application);
    for endpoint in context.ports.opened.iter().map(|port| &port.endpoint) {
        let is_known = record.is_some_and(|it| it.endpoints.contains_key(endpoint));
        if !is_known && !endpoint.is_empty() {
            return Err(format!(
                "cannot open/close ports: open port range: \
                 endpoint \"{endpoint}\" for application \"{application}\" not found"
            ));
        }
    }
    Ok(())
}

/// Opens and closes what the hook has asked for.
pub(super) fn write(context: &Context, model: &mut Model) {
    if let Some(unit) = model.unit_mut(&context.unit) {
        unit.opened_ports = context.ports.applied_to(&unit.opened_ports);
    }
}
