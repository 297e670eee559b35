//! The variables of one run, as given. An empty variable means the same as an absent one.

use std::ffi::OsString;

/// What Juju says about a run in its environment (Juju 3.6: unit agent, hook context).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookEnv {
    /// `JUJU_DISPATCH_PATH`: `hooks/<name>` or `actions/<name>`.
    pub dispatch_path: Option<String>,
    /// `JUJU_UNIT_NAME`: `<application>/<number>`.
    pub unit_name: Option<String>,
    /// `JUJU_MODEL_NAME`: the bare name, which is the Kubernetes namespace.
    pub model_name: Option<String>,
    /// `KUBERNETES_SERVICE_HOST`: the address of the cluster's API.
    pub kubernetes_host: Option<String>,
    /// `KUBERNETES_SERVICE_PORT`: its port.
    pub kubernetes_port: Option<String>,
}

impl HookEnv {
    /// Picks the variables out of an environment; others, and text that is not Unicode, are passed over.
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut env = Self::default();
        for (name, value) in variables {
            let field = match name.to_str() {
                Some("JUJU_DISPATCH_PATH") => &mut env.dispatch_path,
                Some("JUJU_UNIT_NAME") => &mut env.unit_name,
                Some("JUJU_MODEL_NAME") => &mut env.model_name,
                Some("KUBERNETES_SERVICE_HOST") => &mut env.kubernetes_host,
                Some("KUBERNETES_SERVICE_PORT") => &mut env.kubernetes_port,
                _ => continue,
            };
            *field = value.into_string().ok().filter(|text| !text.is_empty());
        }
        env
    }
}
