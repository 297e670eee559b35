//! Commands to applications.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use crate::lab::operator::Deployment;
use crate::own_charm;
use crate::shell::command::Deploy;
use crate::shell::error::ShellError;
use crate::shell::session::Session;
use crate::shell::value::Pair;
use crate::shell::value::Setting;

pub(super) fn deploy(
    session: &mut Session,
    deploy: &Deploy,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let other = deploy.charm.as_deref().map(Path::new);
    let other = other.filter(|it| *it != Path::new(own_charm::NAME) || it.is_dir());
    let charm = match other {
        None => session.unpack_own_charm()?,
        Some(folder) => charm_folder(folder)?,
    };
    let application = match &deploy.name {
        Some(name) => name.clone(),
        None => charm_name(&charm)?,
    };
    let pairs = |pairs: &[Pair]| -> BTreeMap<String, String> {
        pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect()
    };
    let resources = pairs(&deploy.resource).into_iter();
    let memory = deploy.memory.iter().map(|pair| {
        let size: Option<u64> = pair.value.parse().ok();
        let wrong = || ShellError::Usage(format!("expected mebibytes, not `{}`", pair.value));
        Ok((pair.key.clone(), size.ok_or_else(wrong)? * 1024 * 1024))
    });
    session.lab.deploy_with(&Deployment {
        charm: charm.clone(),
        application: application.clone(),
        units: deploy.num_units,
        config: pairs(&deploy.config),
        trust: deploy.trust,
        resources: resources.map(|(name, file)| (name, PathBuf::from(file))).collect(),
        memory: memory.collect::<Result<_, ShellError>>()?,
    })?;
    writeln!(out, "Deploying \"{application}\" from charm folder {}", charm.display())?;
    Ok(())
}

pub(super) fn refresh(
    session: &mut Session,
    application: &str,
    path: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let charm = match path {
        Some(folder) => charm_folder(folder)?,
        None if session.application(application)?.charm == own_charm::NAME => {
            session.unpack_own_charm()?
        }
        None => {
            let why = "expected --path FOLDER: only this project's own charm is found without";
            return Err(ShellError::Usage(why.to_owned()));
        }
    };
    session.lab.refresh(application, &charm)?;
    writeln!(out, "Refreshing \"{application}\" from charm folder {}", charm.display())?;
    Ok(())
}

pub(super) fn attach(
    session: &Session,
    application: &str,
    resource: &Pair,
) -> Result<(), ShellError> {
    session.application(application)?;
    let model = session.lab.model();
    let known = model.applications.get(application).map(|it| &it.resources);
    if !known.is_some_and(|it| it.contains_key(&resource.key)) {
        return Err(ShellError::NoResource {
            application: application.to_owned(),
            resource: resource.key.clone(),
        });
    }
    Ok(session.lab.attach_resource(application, &resource.key, resource.value.as_ref())?)
}

fn charm_folder(folder: &Path) -> Result<PathBuf, ShellError> {
    let is_charm = METADATA.iter().any(|name| folder.join(name).is_file());
    match folder.canonicalize() {
        Ok(folder) if is_charm => Ok(folder),
        _ => Err(ShellError::NoCharm(folder.to_owned())),
    }
}

/// The name in the charm's metadata: its first line that says `name:`.
fn charm_name(folder: &Path) -> Result<String, ShellError> {
    for file in METADATA.map(|name| folder.join(name)) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let name = text.lines().find_map(|line| line.strip_prefix("name:"));
        if let Some(name) = name {
            let name = name.split('#').next().unwrap_or(name);
            return Ok(name.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    Err(ShellError::NoCharm(folder.to_owned()))
}

pub(super) fn config(
    session: &Session,
    application: &str,
    settings: &[Setting],
    reset: &[String],
    out: &mut dyn Write,
) -> Result<(), ShellError> {
    let mut set = Vec::new();
    let mut shown = Vec::new();
    for setting in settings {
        match setting {
            Setting::Set(pair) => set.push((pair.key.as_str(), pair.value.as_str())),
            Setting::Show(key) => shown.push(key),
        }
    }
    if !set.is_empty() {
        session.lab.config(application, &set)?;
    }
    if !reset.is_empty() {
        let keys: Vec<&str> = reset.iter().map(String::as_str).collect();
        session.lab.reset_config(application, &keys)?;
    }
    if !set.is_empty() || !reset.is_empty() {
        return Ok(());
    }
    let options = session.lab.config_of(application)?;
    for option in &shown {
        let value = options.get(*option).ok_or_else(|| ShellError::NoOption {
            application: application.to_owned(),
            option: (*option).clone(),
        })?;
        writeln!(out, "{}", plain(value))?;
    }
    if shown.is_empty() {
        for (option, value) in &options {
            writeln!(out, "{option}: {}", plain(value))?;
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The file that says what a charm is, packed or as a project.
const METADATA: [&str; 2] = ["metadata.yaml", "charmcraft.yaml"];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::charm_folder;
    use super::charm_name;

    #[test]
    fn a_charms_name_is_read_from_either_file() {
        let table = [
            ("metadata.yaml", "name: my-charm\n", "my-charm"),
            ("charmcraft.yaml", "type: charm\nname: \"my-charm\" # mine\n", "my-charm"),
        ];
        for (file, text, expected) in table {
            let folder = tempfile::tempdir().unwrap();
            assert!(charm_folder(folder.path()).is_err());
            fs::write(folder.path().join(file), text).unwrap();
            assert!(charm_folder(folder.path()).is_ok());
            assert_eq!(charm_name(folder.path()).unwrap(), expected);
        }
    }
}
