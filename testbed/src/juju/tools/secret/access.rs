//! `secret-grant` and `secret-revoke`: who else may read a secret, from the commit on.

use super::UNIT;
use super::change::refuse_minion_of_owner;
use super::first_id;
use super::given;
use super::not_found;
use crate::juju::flags::Flag;
use crate::juju::flags::Parsed;
use crate::juju::flags::RELATION;
use crate::juju::flags::Takes;
use crate::juju::model::application_of;
use crate::juju::names;
use crate::juju::names::quoted;
use crate::juju::tools::Call;
use crate::juju::tools::Refusal;

/// Lets the other side of a relation, or a unit of it, read a secret.
pub(in crate::juju::tools) fn grant(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[RELATION, UNIT])?;
    let id = first_id(&parsed)?;
    let relation = call.relation(&parsed)?;
    let remote = remote(call, relation);
    let unit = unit(&parsed)?;
    if let Some(unit) = unit.filter(|unit| application_of(unit) != remote) {
        let (unit, remote) = (quoted(unit), quoted(&remote));
        let text = format!("cannot specify unit {unit} in relation to application {remote}");
        return Err(Refusal::Usage(text));
    }
    parsed.at_most(1)?;
    let secrets = &call.context.secrets;
    let grants = match secrets.described(&id) {
        Some(secret) => secret.grants,
        None if secrets.created(&id).is_some() => Vec::new(),
        None => return Err(not_found(&id)),
    };
    refuse_minion_of_owner(call, &id)?;
    let subject = unit.map_or(remote, str::to_owned);
    for granted in grants.iter().filter(|granted| granted.relation == relation) {
        // A grant to the application is one to its units.
        if granted.subject == subject || !granted.subject.contains('/') {
            return Ok(String::new());
        }
        if !subject.contains('/') {
            let text = "any unit level grants need to be revoked before granting access to the \
                        corresponding application";
            return Err(Refusal::Failed(text.to_owned()));
        }
    }
    call.context.secrets.granted.insert((id, relation), subject);
    Ok(String::new())
}

/// Takes the right to read a secret away; whether the unit may shows at the commit.
pub(in crate::juju::tools) fn revoke(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[RELATION, UNIT, APPLICATION])?;
    let id = first_id(&parsed)?;
    let application = given(&parsed, APPLICATION);
    if let Some(application) = application.filter(|it| !names::is_application(it)) {
        let text = format!("application {} not valid", quoted(application));
        return Err(Refusal::Usage(text));
    }
    let unit = unit(&parsed)?;
    let usage = |text: &str| Refusal::Usage(text.to_owned());
    if application.is_some() && unit.is_some() {
        return Err(usage("specify only one of application or unit"));
    }
    // In a relation hook its relation is as good as named.
    let relation = call.relation(&parsed).ok();
    if relation.is_some() && application.is_some() {
        return Err(usage("do not specify both relation and app"));
    }
    let remote = relation.map(|relation| remote(call, relation));
    let subject = unit.or(application).map(str::to_owned).or(remote);
    let subject = subject.ok_or_else(|| usage("missing relation or application or unit"))?;
    parsed.at_most(1)?;
    refuse_minion_of_owner(call, &id)?;
    call.context.secrets.revoke(&id, &subject);
    Ok(String::new())
}

fn unit(parsed: &Parsed) -> Result<Option<&str>, Refusal> {
    let unit = given(parsed, UNIT);
    match unit.filter(|unit| !names::is_unit(unit)) {
        Some(unit) => Err(Refusal::Usage(format!("unit {} not valid", quoted(unit)))),
        None => Ok(unit),
    }
}

fn remote(call: &Call<'_>, relation: u32) -> String {
    let own = &call.context.application;
    let record = call.world.model.relation(relation);
    record.map_or(own.as_str(), |record| record.remote_of(own)).to_owned()
}

const APPLICATION: Flag = Flag { names: &["app", "application"], takes: Takes::Text };
