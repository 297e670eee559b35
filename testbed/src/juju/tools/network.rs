//! `network-get` and `unit-get`: addresses.

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Parsed;
use crate::juju::flags::RELATION;
use crate::juju::flags::Takes;
use crate::juju::names::quoted;
use crate::juju::output::Value;

/// Prints the addresses of an endpoint. Others are to come in by that of the application's service.
pub(super) fn network_get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let flags = [PRIMARY_ADDRESS, BIND_ADDRESS, INGRESS_ADDRESS, EGRESS_SUBNETS];
    let parsed = call.parse(&[
        PRIMARY_ADDRESS,
        BIND_ADDRESS,
        INGRESS_ADDRESS,
        EGRESS_SUBNETS,
        RELATION,
        FORMAT,
        OUTPUT,
    ])?;
    let missing = || Refusal::Usage("no arguments specified".to_owned());
    let endpoint = parsed.positional(0).ok_or_else(missing)?;
    if endpoint.is_empty() {
        return Err(Refusal::Usage("no binding name specified".to_owned()));
    }
    parsed.at_most(1)?;
    let asked: Vec<Flag> = flags.into_iter().filter(|flag| parsed.is_set(*flag)).collect();
    if parsed.is_set(PRIMARY_ADDRESS) && asked.len() > 1 {
        return Err(Refusal::Failed(
            "--primary-address must be the only flag specified".to_owned(),
        ));
    }
    let addresses = Addresses::of(call, endpoint)?;
    let value = if asked.is_empty() {
        addresses.all(&parsed)
    } else {
        addresses.asked(&parsed, endpoint, asked.len() > 1)?
    };
    call.print(&parsed, "smart", &value)
}

/// Prints an address of the unit.
pub(super) fn unit_get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    let missing = || Refusal::Usage("no setting specified".to_owned());
    let setting = parsed.positional(0).ok_or_else(missing)?;
    let is_private = match setting {
        "private-address" => true,
        "public-address" => false,
        other => return Err(Refusal::Usage(format!("unknown setting {}", quoted(other)))),
    };
    parsed.at_most(1)?;
    let unit = call.world.model.unit(&call.context.unit);
    let address = unit.map(|unit| &unit.address).filter(|it| is_private && !it.is_empty());
    let kind = if is_private { "private" } else { "public" };
    let none = || Refusal::Failed(format!("{kind} address not found"));
    let value = Value::Text(address.ok_or_else(none)?.clone());
    call.print(&parsed, "smart", &value)
}

/// What is known of a unit.
struct Addresses {
    /// The pod's; none before it has one.
    pod: Option<String>,
    /// The service's.
    service: Option<String>,
}

impl Addresses {
    fn of(call: &Call<'_>, endpoint: &str) -> Result<Self, Refusal> {
        let model = &call.world.model;
        let application = model.applications.get(&call.context.application);
        let declared = application.filter(|it| {
            // Every application has an endpoint of that name.
            endpoint == "juju-info" || it.endpoints.contains_key(endpoint)
        });
        let declared = declared.ok_or_else(|| {
            let endpoint = quoted(endpoint);
            Refusal::Failed(format!("no network config found for binding {endpoint}"))
        })?;
        let known = |address: &String| Some(address.clone()).filter(|it| !it.is_empty());
        let unit = model.unit(&call.context.unit);
        Ok(Self {
            pod: unit.and_then(|unit| known(&unit.address)),
            service: known(&declared.service_address),
        })
    }

    fn ingress(&self) -> Vec<String> {
        self.service.iter().cloned().collect()
    }

    fn egress(&self) -> Vec<String> {
        self.service.iter().map(|address| format!("{address}/32")).collect()
    }

    /// All that there is. YAML has some of it twice, under the names that it had once.
    fn all(&self, parsed: &Parsed) -> Value {
        let is_json = parsed.value(FORMAT) == Some("json");
        let text = |key: &str, text: &str| (key.to_owned(), Value::Text(text.to_owned()));
        let addresses = self.pod.iter().map(|address| {
            let mut pairs = vec![text("hostname", ""), text("value", address), text("cidr", "")];
            if !is_json {
                pairs.push(text("address", address));
            }
            Value::Map(pairs)
        });
        let mut device = vec![
            text("mac-address", ""),
            text("interface-name", ""),
            ("addresses".to_owned(), Value::Items(addresses.collect())),
        ];
        if !is_json {
            device.extend([text("macaddress", ""), text("interfacename", "")]);
        }
        let devices = Value::Items(vec![Value::Map(device)]);
        let mut pairs = vec![("bind-addresses".to_owned(), devices)];
        let further = [("egress-subnets", self.egress()), ("ingress-addresses", self.ingress())];
        for (key, list) in further.into_iter().filter(|(_, list)| !list.is_empty()) {
            pairs.push((key.to_owned(), Value::List(list)));
        }
        Value::Map(pairs)
    }

    /// What was asked for: one value, or several by name.
    fn asked(&self, parsed: &Parsed, endpoint: &str, several: bool) -> Result<Value, Refusal> {
        let endpoint = quoted(endpoint);
        let none = |what: &str| {
            let text = format!("no {what} attached to space for binding {endpoint}");
            Refusal::Failed(text)
        };
        let mut found = Vec::new();
        if parsed.is_set(BIND_ADDRESS) || parsed.is_set(PRIMARY_ADDRESS) {
            // Juju 3.6 crashes here before the pod has an address; this is what 4.0 says.
            let address = self.pod.clone().ok_or_else(|| none("bind address"))?;
            found.push(("bind-address".to_owned(), Value::Text(address)));
        }
        if parsed.is_set(EGRESS_SUBNETS) {
            found.push(("egress-subnets".to_owned(), Value::List(self.egress())));
        }
        if parsed.is_set(INGRESS_ADDRESS) {
            let address = self.service.as_ref().or(self.pod.as_ref());
            let address = address.ok_or_else(|| none("addresses"))?;
            found.push(("ingress-address".to_owned(), Value::Text(address.clone())));
        }
        if several {
            return Ok(Value::Map(found));
        }
        Ok(found.pop().map_or(Value::Nil, |(_, value)| value))
    }
}

const PRIMARY_ADDRESS: Flag = Flag { names: &["primary-address"], takes: Takes::Nothing };
const BIND_ADDRESS: Flag = Flag { names: &["bind-address"], takes: Takes::Nothing };
const INGRESS_ADDRESS: Flag = Flag { names: &["ingress-address"], takes: Takes::Nothing };
const EGRESS_SUBNETS: Flag = Flag { names: &["egress-subnets"], takes: Takes::Nothing };
