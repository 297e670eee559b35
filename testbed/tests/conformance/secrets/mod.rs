//! Secrets: who may do what with which, which revision a unit is given, and what a hook that does
//! not end well leaves behind.

mod rights;
mod stories;

use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::secret::Content;
use testbed::juju::model::secret::Grant;
use testbed::juju::model::secret::Rotation;
use testbed::juju::model::secret::Secret;
use testbed::juju::run::Commit;
use testbed::juju::run::HookRun;

use crate::stage::TO_WEB;
use crate::stage::controller as without_secrets;
use crate::stage::outcome;
use crate::stage::run;

/// A secret to start with: its name in scripts, its owner, which is its label as well, and who
/// has a grant. Its id is the name in lower case with zeros, its content `value=NAME-1`.
const SECRETS: &[(&str, &str, Option<&str>)] = &[
    ("APP", "cache", None),
    ("OWN", "cache/0", None),
    ("MINION", "cache/1", None),
    ("SHARED", "cache", Some("web")),
    ("UNITS", "cache/0", Some("web")),
    ("ONE", "cache", Some("web/1")),
];

/// The usual model with the secrets in it. The label of each is its name in lower case.
fn controller() -> Controller {
    let controller = without_secrets();
    controller.edit(|model| {
        for (name, owner, subject) in SECRETS {
            let grants = subject
                .iter()
                .map(|subject| Grant { subject: (*subject).to_owned(), relation: TO_WEB });
            let value = format!("{name}-1");
            let secret = Secret {
                owner: (*owner).to_owned(),
                label: name.to_lowercase(),
                description: String::new(),
                rotate: Rotation::Never,
                next_rotate: None,
                expire: None,
                revisions: [(1, Content::of([("value", value.as_str())]))].into(),
                removed_latest: 0,
                grants: grants.collect(),
                consumers: [].into(),
            };
            model.secrets.insert(id(name), secret);
        }
    });
    controller
}

/// The id of a secret that is there from the start.
fn id(name: &str) -> String {
    format!("{:0<20}", name.to_lowercase())
}

/// Runs a script, in which `$NAME` is a secret's URI, as a hook of the unit.
fn hook(controller: &Controller, unit: &str, script: &str) -> HookRun {
    run(controller, Hook::new(unit, "update-status"), &with_names(script))
}

/// The script after the names of all secrets. What its last call comes to does not end the hook.
fn with_names(script: &str) -> String {
    let name = |(name, ..): &(&str, &str, Option<&str>)| format!("{name}=secret:{}; ", id(name));
    let names: String = SECRETS.iter().map(name).collect();
    format!("{names}{script}; true")
}

/// What the calls of a hook came to. The URI of a new secret is `URI`, ids are names again, and of
/// a content without other keys the value stands for all.
fn outcomes(run: &HookRun) -> Vec<String> {
    let named = |text: String| {
        let named = SECRETS.iter().fold(text, |text, (name, ..)| {
            text.replace(&format!("secret:{}", id(name)), name).replace(&id(name), name)
        });
        match named.strip_prefix("value: ") {
            Some(value) => value.to_owned(),
            None if named.starts_with("secret:") => "URI".to_owned(),
            None => named,
        }
    };
    run.calls.iter().map(|call| named(outcome(call))).collect()
}

/// What became of a hook's changes: nothing where they were kept, `dropped`, or the text of the
/// controller that refused them.
fn ending(run: &HookRun) -> String {
    match &run.commit {
        Commit::Committed => String::new(),
        Commit::Discarded => "dropped".to_owned(),
        Commit::Failed(text) => SECRETS.iter().fold(text.clone(), |text, (name, ..)| {
            text.replace(&format!("secret:{}", id(name)), name)
        }),
    }
}
