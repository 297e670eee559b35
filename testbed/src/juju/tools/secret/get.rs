//! `secret-get`: what a secret holds.

use super::LABEL;
use super::STRUCTURE;
use super::given;
use super::id;
use crate::juju::flags::Flag;
use crate::juju::flags::OUTPUT;
use crate::juju::flags::Takes;
use crate::juju::model::secret::Content;
use crate::juju::model::secret::ENCODED;
use crate::juju::model::secret::read::Wanted;
use crate::juju::names::quoted;
use crate::juju::output::Value;
use crate::juju::tools::Call;
use crate::juju::tools::Refusal;

/// Prints the content of a secret, or a value of it.
pub(in crate::juju::tools) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[LABEL, PEEK, REFRESH, STRUCTURE, OUTPUT])?;
    let wanted = match (parsed.is_set(PEEK), parsed.is_set(REFRESH)) {
        (true, true) => {
            let text = "specify one of --peek or --refresh but not both";
            return Err(Refusal::Usage(text.to_owned()));
        }
        (true, false) => Wanted::Peek,
        (false, true) => Wanted::Refresh,
        (false, false) => Wanted::Tracked,
    };
    let id = parsed.positional(0).map(id).transpose()?;
    let label = given(&parsed, LABEL).unwrap_or_default();
    if id.is_none() && label.is_empty() {
        return Err(Refusal::Usage("require either a secret URI or label".to_owned()));
    }
    parsed.at_most(2)?;
    let content = content(call, id, label, wanted)?;
    let value = match parsed.positional(1).filter(|key| !key.is_empty()) {
        Some(key) => Value::Text(value(&content, key)?),
        None => Value::Map(decoded(&content)?),
    };
    call.print(&parsed, "yaml", &value)
}

/// What this hook has written comes before what the controller holds.
fn content(
    call: &mut Call<'_>,
    id: Option<String>,
    label: &str,
    wanted: Wanted,
) -> Result<Content, Refusal> {
    let context = &mut *call.context;
    if let Some(content) = context.secrets.read(id.as_deref(), label, wanted) {
        return Ok(content);
    }
    let model = &mut call.world.model;
    if id.is_none()
        && let Some(own) = context.secrets.labelled(&context.unit, label)
    {
        return Ok(model.read_secret(&context.unit, Some(&own), "", wanted)?);
    }
    Ok(model.read_secret(&context.unit, id.as_deref(), label, wanted)?)
}

fn value(content: &Content, key: &str) -> Result<String, Refusal> {
    let (key, is_encoded) = match key.strip_suffix(ENCODED) {
        Some(key) => (key, true),
        None => (key, false),
    };
    let missing = || Refusal::Failed(format!("secret key value {} not found", quoted(key)));
    let encoded = content.encoded().get(key).ok_or_else(missing)?;
    if is_encoded { Ok(encoded.clone()) } else { text(content, key) }
}

fn decoded(content: &Content) -> Result<Vec<(String, Value)>, Refusal> {
    let keys = content.encoded().keys();
    keys.map(|key| Ok((key.clone(), Value::Text(text(content, key)?)))).collect()
}

fn text(content: &Content, key: &str) -> Result<String, Refusal> {
    let invalid = || Refusal::Failed(format!("illegal base64 data in key {}", quoted(key)));
    Ok(String::from_utf8_lossy(&content.bytes(key).ok_or_else(invalid)?).into_owned())
}

const PEEK: Flag = Flag { names: &["peek"], takes: Takes::Nothing };
const REFRESH: Flag = Flag { names: &["refresh"], takes: Takes::Nothing };
