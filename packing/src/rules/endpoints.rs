//! `provides`, `requires` and `peers`: the charm's endpoints.

use std::collections::BTreeSet;

use crate::place::Place;
use crate::place::Problems;

/// Checks every endpoint, and that no name stands twice.
pub fn check(metadata: &Place<'_>, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for role in ["provides", "requires", "peers"] {
        let Some(all) = metadata.key(role) else { continue };
        for (name, at) in all.entries(problems) {
            if is_reserved(name) {
                at.wrong(problems, "`juju` and names that start so are Juju's own");
            }
            if !seen.insert(name) {
                at.wrong(problems, "is the name of another endpoint too");
            }
            endpoint(role, &at, problems);
        }
    }
}

fn endpoint(role: &str, at: &Place<'_>, problems: &mut Problems) {
    let interface =
        if at.value().is_mapping() { at.needed("interface", problems) } else { Some(at.clone()) };
    if let Some(interface) = interface
        && let Some(name) = interface.text(problems)
        && role != "requires"
        && is_reserved(name)
    {
        interface.wrong(problems, format!("`{name}` is an interface of Juju's own"));
    }
    if let Some(scope) = at.key("scope")
        && let Some(text) = scope.text(problems)
        && !["global", "container"].contains(&text)
    {
        scope.wrong(problems, format!("`{text}` is neither global nor container"));
    }
    if let Some(optional) = at.key("optional") {
        optional.boolean(problems);
    }
    if let Some(limit) = at.key("limit") {
        limit.integer(problems);
    }
}

fn is_reserved(name: &str) -> bool {
    name == "juju" || name.starts_with("juju-")
}
