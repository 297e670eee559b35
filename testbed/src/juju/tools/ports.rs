//! `open-port`, `close-port`, `opened-ports`: the ports of the application's service.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::IGNORED_FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::model::port::OpenedPort;
use crate::juju::model::port::PortRange;
use crate::juju::output::Value;

/// Opens a port at the commit.
pub(super) fn open(call: &mut Call<'_>) -> Result<String, Refusal> {
    for port in wanted(call)? {
        call.context.ports.open(port, &stored(call));
    }
    Ok(String::new())
}

/// Closes a port at the commit.
pub(super) fn close(call: &mut Call<'_>) -> Result<String, Refusal> {
    for port in wanted(call)? {
        call.context.ports.close(port, &stored(call));
    }
    Ok(String::new())
}

/// Prints the ports that are open, those of this hook included.
pub(super) fn opened(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[SHOW_ENDPOINTS, FORMAT, OUTPUT])?;
    parsed.at_most(0)?;
    let mut endpoints: BTreeMap<PortRange, Vec<String>> = BTreeMap::new();
    for port in call.context.ports.applied_to(&stored(call)) {
        endpoints.entry(port.range).or_default().push(port.endpoint);
    }
    let lines = endpoints.into_iter().map(|(range, endpoints)| {
        if !parsed.is_set(SHOW_ENDPOINTS) {
            return range.to_string();
        }
        let for_all = endpoints.iter().any(String::is_empty);
        let endpoints = if for_all { "*".to_owned() } else { endpoints.join(", ") };
        format!("{range} ({endpoints})")
    });
    call.print(&parsed, "smart", &Value::List(lines.collect()))
}

/// The port of the command line, for each endpoint.
fn wanted(call: &mut Call<'_>) -> Result<Vec<OpenedPort>, Refusal> {
    let parsed = call.parse(&[ENDPOINTS, IGNORED_FORMAT])?;
    let missing = || Refusal::Usage("no port or range specified".to_owned());
    let range = parsed.positional(0).ok_or_else(missing)?;
    let range: PortRange = range.parse().map_err(Refusal::Usage)?;
    parsed.at_most(1)?;
    call.notice_format(&parsed);
    if range.from != range.to {
        let text = "port ranges are not supported for k8s applications, \
                    please specify a single port";
        return Err(Refusal::Failed(text.to_owned()));
    }
    let endpoints = parsed.value(ENDPOINTS).unwrap_or_default().split(',');
    let endpoints = endpoints.map(|endpoint| endpoint.trim().to_owned());
    Ok(endpoints.map(|endpoint| OpenedPort { range, endpoint }).collect())
}

/// The unit's ports as the controller has them.
fn stored(call: &Call<'_>) -> BTreeSet<OpenedPort> {
    let unit = call.world.model.unit(&call.context.unit);
    unit.map(|unit| unit.opened_ports.clone()).unwrap_or_default()
}

const ENDPOINTS: Flag = Flag { names: &["endpoints"], takes: Takes::Text };
const SHOW_ENDPOINTS: Flag = Flag { names: &["endpoints"], takes: Takes::Nothing };
