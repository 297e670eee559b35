//! The environment of a hook: nothing of it is inherited.

use std::collections::BTreeMap;

use super::context::HookRelation;
use super::hook::Happening;
use super::hook::Hook;
use super::hook::Kind;
use super::launch::Ground;
use super::model::Model;
use super::switches::Juju;

/// All variables of the hook.
pub(crate) fn environment(
    hook: &Hook,
    relation: Option<&HookRelation>,
    ground: &Ground,
    context_id: &str,
    model: &Model,
    juju: Juju,
) -> BTreeMap<String, String> {
    let charm = ground.charm.display().to_string();
    let mut environment = vec![
        ("JUJU_UNIT_NAME", hook.unit.clone()),
        ("JUJU_MODEL_NAME", model.identity.name.clone()),
        ("JUJU_MODEL_UUID", model.identity.uuid.clone()),
        ("JUJU_CHARM_DIR", charm.clone()),
        ("CHARM_DIR", charm),
        ("JUJU_CONTEXT_ID", context_id.to_owned()),
        ("JUJU_AGENT_SOCKET_ADDRESS", ground.socket_inside.display().to_string()),
        ("PATH", format!("{}:{}", ground.tools.display(), ground.path)),
    ];
    let of_version = match juju {
        Juju::Three => OF_JUJU_3,
        Juju::Four => OF_JUJU_4,
    };
    environment
        .extend(CONSTANT.iter().chain(of_version).map(|&(name, value)| (name, value.to_owned())));
    environment.extend(of_kind(&hook.kind));
    environment.extend(relation.into_iter().flat_map(of_relation));
    if let Some((_, Happening::Departed { departing, .. })) = &hook.relation {
        environment.push(("JUJU_DEPARTING_UNIT", departing.clone()));
    }
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
    environment.chain(hook.variables.iter().cloned()).collect()
}

fn of_kind(kind: &Kind) -> Vec<(&'static str, String)> {
    match kind {
        Kind::Hook(name) => {
            vec![("JUJU_DISPATCH_PATH", format!("hooks/{name}")), ("JUJU_HOOK_NAME", name.clone())]
        }
        Kind::Action { name, id } => vec![
            ("JUJU_DISPATCH_PATH", format!("actions/{name}")),
            ("JUJU_HOOK_NAME", String::new()),
            ("JUJU_ACTION_NAME", name.clone()),
            ("JUJU_ACTION_UUID", id.clone()),
            ("JUJU_ACTION_TAG", format!("action-{id}")),
        ],
        Kind::Exec => vec![("JUJU_HOOK_NAME", String::new())],
    }
}

fn of_relation(relation: &HookRelation) -> [(&'static str, String); 4] {
    [
        ("JUJU_RELATION", relation.endpoint.clone()),
        ("JUJU_RELATION_ID", format!("{}:{}", relation.endpoint, relation.id)),
        ("JUJU_REMOTE_APP", relation.remote_application.clone()),
        ("JUJU_REMOTE_UNIT", relation.remote_unit.clone()),
    ]
}

const CONSTANT: &[(&str, &str)] = &[
    ("JUJU_AGENT_SOCKET_NETWORK", "unix"),
    ("JUJU_API_ADDRESSES", "10.152.183.1:17070"),
    ("JUJU_MACHINE_ID", ""),
    ("JUJU_PRINCIPAL_UNIT", ""),
    ("JUJU_AVAILABILITY_ZONE", ""),
    ("CLOUD_API_VERSION", ""),
    ("JUJU_CHARM_HTTP_PROXY", ""),
    ("JUJU_CHARM_HTTPS_PROXY", ""),
    ("JUJU_CHARM_FTP_PROXY", ""),
    ("JUJU_CHARM_NO_PROXY", ""),
    ("LANG", "C.UTF-8"),
    ("TERM", "tmux-256color"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("KUBERNETES_SERVICE_HOST", "10.152.183.1"),
    ("KUBERNETES_SERVICE_PORT", "443"),
];

const OF_JUJU_3: &[(&str, &str)] = &[("JUJU_VERSION", "3.6.28"), ("JUJU_SLA", "")];

const OF_JUJU_4: &[(&str, &str)] = &[
    ("JUJU_VERSION", "4.0.15"),
    ("JUJU_CHARM_TRACE_CONFIG_HTTP", ""),
    ("JUJU_CHARM_TRACE_CONFIG_GRPC", ""),
    ("JUJU_CHARM_TRACE_CONFIG_CA_CERT", ""),
];
