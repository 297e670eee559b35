//! `/v1/plan` and `/v1/layers`: what services and checks there are to be.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;

/// The entries of a plan: the path of keys to each plain value, as `services/redis/startup`, and the
/// value without its quotes. Lists are left out.
///
/// It reads what Pebble writes, block style alone; of another text less is found than is there.
pub fn entries(yaml: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut above: Vec<(usize, &str)> = Vec::new();
    for line in yaml.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let Some((key, value)) = text.split_once(':') else { continue };
        if text.starts_with("- ") {
            continue;
        }
        above.retain(|(depth, _)| *depth < indent);
        let value = value.trim();
        if value.is_empty() {
            above.push((indent, key));
            continue;
        }
        let path: String = above.iter().flat_map(|(_, key)| [*key, "/"]).chain([key]).collect();
        entries.insert(path, unquoted(value));
    }
    entries
}

fn unquoted(value: &str) -> String {
    let within = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    match (within('\''), within('"')) {
        (Some(text), _) => text.replace("''", "'"),
        (None, Some(text)) => text.replace("\\\"", "\""),
        (None, None) => value.to_owned(),
    }
}

impl Pebble {
    /// `GET /v1/plan?format=yaml`: all layers combined, as YAML text; `{}\n` when there are none.
    ///
    /// Layers added here live in Pebble's memory: after its start the plan is the image's own.
    /// Every local user can read it before 1.28: no secret belongs into a layer.
    pub fn plan(&self) -> Result<String, PebbleError> {
        let call = self.call("read the plan");
        let answer = self.get(&call, "/v1/plan", &[("format", "yaml")])?;
        Ok(self.result(&call, &answer)?.unwrap_or_default())
    }

    /// `POST /v1/layers`: adds the layer, or combines it into the one that has this label.
    ///
    /// Each entry is written with `override: replace`, whatever it says: combined with `merge` its
    /// lists would grow at every call, and nothing could be taken out of it. So an entry must be
    /// complete. An entry that is left out stays; there is no call to remove one. Checks change at
    /// once (but one that becomes `startup: disabled` runs on until it is stopped); services
    /// change at the next replan. Pebble takes a layer whole or not at all.
    ///
    /// The label is `[a-z][a-z0-9-]{2,}` and does not begin with `pebble-`.
    pub fn add_layer(&self, label: &str, layer: &Value) -> Result<(), PebbleError> {
        let call = self.call(format!("add layer {label}"));
        let mut layer = layer.clone();
        for section in ["services", "checks", "log-targets"] {
            let entries = layer.get_mut(section).and_then(Value::as_object_mut);
            for entry in
                entries.into_iter().flatten().filter_map(|(_, entry)| entry.as_object_mut())
            {
                entry.insert("override".to_owned(), "replace".into());
            }
        }
        let body = json!({
            "action": "add", "combine": true, "label": label, "format": "yaml",
            // JSON is YAML.
            "layer": layer.to_string(),
        });
        let answer = self.post(&call, "/v1/layers", &body)?;
        self.result::<bool>(&call, &answer).map(drop)
    }
}
