//! `resource-get`: fetches a resource and says where it lies.

use super::Call;
use super::Refusal;
use super::unopened;
use crate::juju::model::application::Resource;
use crate::juju::names::quoted;
use crate::juju::output;
use crate::juju::output::Value;

/// Writes the resource anew beside the charm. All images share one file there, and so do files
/// of one name, as in Juju.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    let missing = || Refusal::Usage("missing required resource name".to_owned());
    let name = parsed.positional(0).ok_or_else(missing)?;
    parsed.at_most(1)?;
    let record = call.world.model.applications.get(&call.context.application);
    let resource = record.and_then(|application| application.resources.get(name));
    let (file, content) = match resource {
        Some(Resource::File { filename, content }) => (filename.as_str(), content.clone()),
        Some(Resource::OciImage { image }) => {
            let details = [
                ("registrypath", &image.registrypath),
                ("username", &image.username),
                ("password", &image.password),
            ];
            let details = details.map(|(key, text)| (key.to_owned(), Value::Text(text.clone())));
            let text = output::text(&Value::Map(details.into()), "yaml")
                .map_err(|error| Refusal::Failed(format!("yaml: {error}")))?;
            ("content.yaml", text.into_bytes())
        }
        None => {
            let uuid = &call.world.model.identity.uuid;
            let unit = call.context.unit.replace('/', "-");
            return Err(Refusal::Failed(format!(
                "could not download resource: HTTP request failed: \
                 Get https://10.152.183.1:17070/model/{uuid}/units/{unit}/resources/{name}: \
                 resource {} not found",
                quoted(name)
            )));
        }
    };
    let path = call.context.files.resources.join(file);
    call.context.files.write(&path, &content).map_err(|error| unopened(&path, &error))?;
    Ok(path.display().to_string())
}
