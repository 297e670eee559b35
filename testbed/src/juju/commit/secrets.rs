//! Secrets at the commit: each change on its own, none undone by what fails later.

use crate::juju::context::Context;
use crate::juju::model::Model;
use crate::juju::model::secret::Grant;
use crate::juju::model::secret::error::SecretError;

/// Makes the hook's changes. One that is refused keeps none of its kind back, but all kinds that
/// come after it.
pub(super) fn write(context: &Context, model: &mut Model) -> Result<(), String> {
    let unit = context.unit.as_str();
    let pending = &context.secrets;
    each("creating secrets", &pending.created, |it| {
        model.create_secret(unit, &it.id, &it.owner, &it.values)
    })?;
    each("updating secrets", &pending.updated, |(id, change)| {
        model.update_secret(unit, id, change)
    })?;
    each("tracking latest secrets", &pending.tracked, |id| model.track_secret(unit, id))?;
    each("granting secrets access", &pending.granted, |((id, relation), subject)| {
        let grant = Grant { subject: subject.clone(), relation: *relation };
        model.grant_secret(unit, id, &grant)
    })?;
    each("revoking secrets access", &pending.revoked, |(id, subject)| {
        model.revoke_secret(unit, id, subject)
    })?;
    each("removing secrets", &pending.removed, |(id, revision)| {
        model.remove_secret(unit, id, *revision)
    })
}

fn each<T>(
    what: &str,
    changes: impl IntoIterator<Item = T>,
    mut make: impl FnMut(T) -> Result<(), SecretError>,
) -> Result<(), String> {
    let refused = changes.into_iter().filter_map(|change| make(change).err());
    let refused: Vec<String> = refused.map(|error| error.to_string()).collect();
    if refused.is_empty() { Ok(()) } else { Err(format!("{what}: {}", refused.join("\n"))) }
}
