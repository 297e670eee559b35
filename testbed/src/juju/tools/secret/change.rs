//! `secret-add`, `secret-set`, `secret-remove`: all of it takes effect at the commit.

use std::fs::File;
use std::io;
use std::io::Read;

use super::ID_LENGTH;
use super::LABEL;
use super::content;
use super::content::FILE;
use super::expiry;
use super::first_id;
use super::given;
use crate::juju::flags::Flag;
use crate::juju::flags::Parsed;
use crate::juju::flags::Takes;
use crate::juju::model::secret::Content;
use crate::juju::model::secret::Rotation;
use crate::juju::model::secret::change::SecretChange;
use crate::juju::names::quoted;
use crate::juju::secrets::Creation;
use crate::juju::tools::Call;
use crate::juju::tools::Refusal;

/// Adds a secret of the application, or of the unit; prints its URI, which is valid already.
pub(in crate::juju::tools) fn add(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&FLAGS)?;
    if parsed.positionals.is_empty() && given(&parsed, FILE).is_none() {
        return Err(Refusal::Usage("missing secret value or filename".to_owned()));
    }
    let values = values(call, &parsed, &parsed.positionals)?;
    let is_of_unit = parsed.value(OWNER) == Some("unit");
    if !is_of_unit {
        refuse_minion(call)?;
    }
    if values.content.is_none() {
        return Err(Refusal::Failed("empty secret content not valid".to_owned()));
    }
    let context = &mut *call.context;
    let owner = if is_of_unit { &context.unit } else { &context.application };
    let id = new_id().map_err(|error| Refusal::Failed(format!("cannot make an id: {error}")))?;
    let creation = Creation { id: id.clone(), owner: owner.clone(), values };
    context.secrets.create(creation).map_err(|label| {
        Refusal::Failed(format!("secret with label {} already exists", quoted(&label)))
    })?;
    Ok(format!("secret:{id}\n"))
}

/// Changes metadata, content, or both of a secret; whether the unit may shows at the commit.
pub(in crate::juju::tools) fn set(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&FLAGS)?;
    let id = first_id(&parsed)?;
    let values = values(call, &parsed, parsed.positionals.get(1..).unwrap_or_default())?;
    refuse_minion_of_owner(call, &id)?;
    call.context.secrets.update(&id, values);
    Ok(String::new())
}

/// Removes a secret or a revision of it; whether the unit may shows at the commit.
pub(in crate::juju::tools) fn remove(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[REVISION])?;
    let id = first_id(&parsed)?;
    parsed.at_most(1)?;
    let revision = parsed.value(REVISION).and_then(|number| number.parse().ok());
    refuse_minion_of_owner(call, &id)?;
    call.context.secrets.remove(&id, revision.filter(|number| *number > 0));
    Ok(String::new())
}

/// A unit that led when the hook began, and no longer does, is told so at once.
pub(super) fn refuse_minion_of_owner(call: &mut Call<'_>, id: &str) -> Result<(), Refusal> {
    let owner = call.context.secrets.known(id).map(|secret| &secret.owner);
    if owner == Some(&call.context.application) {
        refuse_minion(call)?;
    }
    Ok(())
}

fn refuse_minion(call: &mut Call<'_>) -> Result<(), Refusal> {
    if call.context.is_leader(call.world) {
        return Ok(());
    }
    Err(Refusal::Failed("this unit is not the leader".to_owned()))
}

fn values(call: &Call<'_>, parsed: &Parsed, arguments: &[String]) -> Result<SecretChange, Refusal> {
    let expire = given(parsed, EXPIRE)
        .map(|text| expiry::time(text, call.world.model.instant()))
        .transpose()?;
    let rotate = given(parsed, ROTATE).map(rotation).transpose()?;
    let owner = parsed.value(OWNER).unwrap_or("application");
    if !["application", "unit"].contains(&owner) {
        return Err(Refusal::Usage(format!("secret owner {} not valid", quoted(owner))));
    }
    let content = content::content(&call.context.files, parsed, arguments)?;
    Ok(SecretChange {
        label: given(parsed, LABEL).map(str::to_owned),
        description: given(parsed, DESCRIPTION).map(str::to_owned),
        rotate,
        expire,
        content: Some(content).filter(|content: &Content| !content.is_empty()),
    })
}

fn rotation(word: &str) -> Result<Rotation, Refusal> {
    let found = Rotation::WORDS.into_iter().find(|(known, _)| *known == word);
    found
        .map(|(_, rotation)| rotation)
        .ok_or_else(|| Refusal::Usage(format!("rotate policy {} not valid", quoted(word))))
}

/// Twenty characters, random, as the controller draws them.
fn new_id() -> io::Result<String> {
    let mut bytes = [0; ID_LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let character = |byte: u8| char::from_digit(u32::from(byte % 32), 32).unwrap_or('0');
    Ok(bytes.into_iter().map(character).collect())
}

const OWNER: Flag = Flag { names: &["owner"], takes: Takes::Text };
const DESCRIPTION: Flag = Flag { names: &["description"], takes: Takes::Text };
const EXPIRE: Flag = Flag { names: &["expire"], takes: Takes::Text };
const ROTATE: Flag = Flag { names: &["rotate"], takes: Takes::Text };
const REVISION: Flag = Flag { names: &["revision"], takes: Takes::Number };
const FLAGS: [Flag; 6] = [OWNER, LABEL, DESCRIPTION, EXPIRE, ROTATE, FILE];
