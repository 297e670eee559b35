//! `secret-ids` and `secret-info-get`: what the unit owns.

use super::LABEL;
use super::STRUCTURE;
use super::given;
use super::id;
use super::not_found;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::model::secret::Grant;
use crate::juju::model::secret::change::SecretChange;
use crate::juju::model::secret::label::tag;
use crate::juju::output::Value;
use crate::juju::secrets::Creation;
use crate::juju::tools::Call;
use crate::juju::tools::Refusal;

/// Prints the ids of the unit's secrets, for a leader with those of the application.
pub(in crate::juju::tools) fn ids(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    parsed.at_most(0)?;
    let ids: Vec<String> = call.context.secrets.ids().into_iter().collect();
    let is_json = parsed.value(FORMAT) == Some("json");
    // Of no ids Juju makes no list, which is what JSON shows.
    let value = if ids.is_empty() && is_json { Value::Nil } else { Value::List(ids) };
    call.print(&parsed, "smart", &value)
}

/// Prints the metadata of a secret that the unit may change.
pub(in crate::juju::tools) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[LABEL, STRUCTURE, OUTPUT])?;
    let label = given(&parsed, LABEL);
    let uri = parsed.positional(0);
    let found = match (uri, label) {
        (None, None) => {
            return Err(Refusal::Usage("require either a secret URI or label".to_owned()));
        }
        (Some(_), Some(_)) => {
            let text = "specify either a secret URI or label but not both";
            return Err(Refusal::Usage(text.to_owned()));
        }
        (Some(uri), None) => {
            let id = id(uri)?;
            parsed.at_most(1)?;
            described(call, &id).map(|value| (id.clone(), value)).ok_or_else(|| not_found(&id))?
        }
        (None, Some(label)) => labelled(call, label).ok_or_else(|| not_found(label))?,
    };
    call.print(&parsed, "yaml", &Value::Map(vec![found]))
}

fn labelled(call: &Call<'_>, label: &str) -> Option<(String, Value)> {
    let secrets = &call.context.secrets;
    let mut ids = secrets.ids().into_iter();
    let id = ids.find(|id| match secrets.created(id) {
        Some(creation) => creation.values.label.as_deref() == Some(label),
        None => secrets.described(id).is_some_and(|secret| secret.label == label),
    })?;
    let value = described(call, &id)?;
    Some((id, value))
}

fn described(call: &Call<'_>, id: &str) -> Option<Value> {
    if let Some(Creation { owner, values, .. }) = call.context.secrets.created(id) {
        return Some(metadata(1, owner, values, None, &[]));
    }
    let secret = call.context.secrets.described(id)?;
    let access: Vec<Value> = secret.grants.iter().map(|grant| access(call, grant)).collect();
    let values = SecretChange {
        label: Some(secret.label.clone()),
        description: Some(secret.description.clone()),
        rotate: Some(secret.rotate),
        expire: secret.expire,
        content: None,
    };
    let rotates = secret.next_rotate.map(|time| time.to_string());
    Some(metadata(secret.latest(), &secret.owner, &values, rotates, &access))
}

fn metadata(
    revision: u32,
    owner: &str,
    values: &SecretChange,
    rotates: Option<String>,
    access: &[Value],
) -> Value {
    let text = |key: &str, text: &str| (key.to_owned(), Value::Text(text.to_owned()));
    let owner = if owner.contains('/') { "unit" } else { "application" };
    let mut pairs = vec![
        ("revision".to_owned(), Value::Number(revision.into())),
        text("label", values.label.as_deref().unwrap_or_default()),
        text("owner", owner),
    ];
    if let Some(description) = values.description.as_deref().filter(|it| !it.is_empty()) {
        pairs.push(text("description", description));
    }
    if let Some(rotate) = values.rotate {
        pairs.push(text("rotation", rotate.word()));
    }
    let expiry = values.expire.map(|time| time.to_string());
    let times = [("expiry", expiry), ("rotates", rotates)];
    let times = times.into_iter().filter_map(|(key, time)| Some((key.to_owned(), time?)));
    pairs.extend(times.map(|(key, time)| (key, Value::Time(time))));
    if !access.is_empty() {
        pairs.push(("access".to_owned(), Value::Items(access.to_vec())));
    }
    Value::Map(pairs)
}

fn access(call: &Call<'_>, grant: &Grant) -> Value {
    let scope = call.world.model.relation_tag(grant.relation);
    let pairs = [("target", tag(&grant.subject)), ("scope", scope), ("role", "view".to_owned())];
    Value::Map(pairs.map(|(key, text)| (key.to_owned(), Value::Text(text))).into())
}
