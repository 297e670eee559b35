//! `config.yaml`: the options that users may set.

use serde_yaml::Value;

use crate::place::Place;
use crate::place::Problems;
use crate::place::shown;

/// Checks every option.
pub fn check(config: &Place<'_>, problems: &mut Problems) {
    let Some(options) = config.needed("options", problems) else { return };
    for (_, at) in options.entries(problems) {
        at.text_at("description", problems);
        let Some(kind) = at.needed("type", problems).and_then(|it| it.text(problems)) else {
            continue;
        };
        if !TYPES.contains(&kind) {
            at.wrong(problems, format!("`{kind}` is none of the types {}", TYPES.join(", ")));
            continue;
        }
        let Some(default) = at.key("default") else { continue };
        if !fits(kind, default.value()) {
            default.wrong(problems, format!("is {}, no {kind}", shown(default.value())));
        }
        if kind == "string" && default.value().is_string() {
            default.text(problems);
        }
    }
}

fn fits(kind: &str, default: &Value) -> bool {
    if default.is_null() {
        return true;
    }
    match kind {
        "string" => default.is_string(),
        "int" => default.is_i64(),
        "float" => default.is_number(),
        "boolean" => default.is_bool(),
        "secret" => default.as_str().is_some_and(|text| text.starts_with("secret:")),
        _ => false,
    }
}

const TYPES: &[&str] = &["string", "int", "float", "boolean", "secret"];
