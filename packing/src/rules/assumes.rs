//! `assumes`: what the charm demands of the model that it is deployed to.

use crate::place::Place;
use crate::place::Problems;

/// Checks the list of expressions.
pub fn check(list: &Place<'_>, problems: &mut Problems) {
    for item in list.items(problems) {
        expression(&item, problems);
    }
}

fn expression(at: &Place<'_>, problems: &mut Problems) {
    if !at.value().is_mapping() {
        if let Some(text) = at.text(problems) {
            feature(at, text.trim(), problems);
        }
        return;
    }
    match at.entries(problems).as_slice() {
        [("any-of" | "all-of", list)] => check(list, problems),
        _ => at.wrong(problems, "is a map, but not of one key, `any-of` or `all-of`"),
    }
}

fn feature(at: &Place<'_>, text: &str, problems: &mut Problems) {
    let (name, version) = match (text.split_once(">="), text.split_once('<')) {
        (Some((name, version)), _) | (None, Some((name, version))) => (name, Some(version.trim())),
        (None, None) => (text, None),
    };
    let name = name.trim_end();
    if !FEATURES.contains(&name) {
        at.wrong(
            problems,
            format!(
                "`{text}` is no feature with `>=`, `<` or neither, of these: {}",
                FEATURES.join(", ")
            ),
        );
    }
    if version.is_some_and(|version| !is_version(version)) {
        at.wrong(problems, format!("`{text}` has no version such as 3.6 or 3.6.1 after its sign"));
    }
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() <= 3
        && parts.iter().all(|part| !part.is_empty() && part.chars().all(|it| it.is_ascii_digit()))
}

/// The features that models have; Juju reads any other and then refuses to deploy.
const FEATURES: &[&str] = &["juju", "k8s-api"];
