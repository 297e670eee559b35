//! Makes a charm's folder what a packed charm is: with `metadata.yaml`, `config.yaml` and `actions.yaml`,
//! which a charm and its framework read, where all is declared in `charmcraft.yaml`.

use std::fs;
use std::path::Path;

use serde_json::Map;
use serde_json::Value;

use super::charm::read_yaml;
use super::error::Error;

/// Writes the files that are missing, as charmcraft does when it packs.
pub(crate) fn complete(folder: &Path) -> Result<(), Error> {
    let Some(Value::Object(declared)) = read_yaml(&folder.join("charmcraft.yaml"))? else {
        return Ok(());
    };
    for (name, content) in files_of(&declared) {
        let path = folder.join(name);
        if !path.exists() {
            // JSON is YAML.
            fs::write(&path, content.to_string()).map_err(|source| Error::File { path, source })?;
        }
    }
    Ok(())
}

/// The files with their content, each only if something is declared for it.
fn files_of(declared: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let mut files = Vec::new();
    let metadata = declared.iter().filter(|(key, _)| !NOT_METADATA.contains(&key.as_str()));
    let metadata: Map<_, _> = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
    if metadata.contains_key("name") {
        files.push(("metadata.yaml", Value::Object(metadata)));
    }
    for (name, key) in [("config.yaml", "config"), ("actions.yaml", "actions")] {
        files.extend(declared.get(key).map(|content| (name, content.clone())));
    }
    files
}

/// How it is built, and what has a file of its own.
const NOT_METADATA: [&str; 11] = [
    "actions",
    "analysis",
    "base",
    "bases",
    "build-base",
    "charm-libs",
    "charmhub",
    "config",
    "parts",
    "platforms",
    "type",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_charmcraft_declares_is_split_into_the_files_of_a_packed_charm() {
        let declared = json!({
            "name": "a", "type": "charm", "parts": {}, "containers": {"c": {}},
            "config": {"options": {}}, "actions": {"act": {}},
        });
        let files = files_of(declared.as_object().unwrap());
        let expected = [
            ("metadata.yaml", json!({"name": "a", "containers": {"c": {}}})),
            ("config.yaml", json!({"options": {}})),
            ("actions.yaml", json!({"act": {}})),
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn a_charmcraft_file_that_only_says_how_to_build_adds_nothing() {
        let declared = json!({"type": "charm", "parts": {"it": {"plugin": "dump"}}});
        assert_eq!(files_of(declared.as_object().unwrap()), []);
    }
}
