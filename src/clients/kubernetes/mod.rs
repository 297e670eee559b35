//! The API of Kubernetes, as far as a roll needs it: one StatefulSet and its pods. The account is that of
//! the pod, which Kubernetes mounts into the charm's container.

pub mod error;
pub mod objects;

mod tls;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;
use ureq::Agent;
use ureq::Body;
use ureq::RequestBuilder;
use ureq::http::HeaderValue;
use ureq::http::Response;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::Connector;
use ureq::unversioned::transport::TcpConnector;

use crate::clients::files;
use crate::clients::kubernetes::error::KubernetesError;
use crate::clients::kubernetes::error::refusal;
use crate::clients::kubernetes::objects::Pod;
use crate::clients::kubernetes::objects::StatefulSet;
use crate::clients::kubernetes::tls::Tls;
use crate::clock::Budget;

/// The API server, asked as the pod's own account. Its token is shown by nothing here.
pub struct Kubernetes {
    agent: Agent,
    server: String,
    namespace: String,
    token: String,
    authorization: HeaderValue,
    budget: Budget,
}

impl Kubernetes {
    /// Makes ready to ask the server at this address (`KUBERNETES_SERVICE_HOST` and `_PORT`) as the
    /// account in this folder. Only a server with a certificate of the cluster's own authority is told the
    /// token.
    pub fn new(
        account: &Path,
        host: &str,
        port: &str,
        budget: &Budget,
    ) -> Result<Self, KubernetesError> {
        let file = |name| account.join(name).display().to_string();
        let read = |name| read_file(file(name));
        let token = read("token")?.trim().to_owned();
        let namespace = read("namespace")?.trim().to_owned();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| KubernetesError::Account { file: file("token"), why: NO_TEXT.into() })?;
        authorization.set_sensitive(true);
        let why = "there is no certificate in it, or it makes no sense for this server".to_owned();
        let tls = Tls::new(host, &read("ca.crt")?)
            .ok_or(KubernetesError::Account { file: file("ca.crt"), why })?;
        let config = Agent::config_builder()
            .https_only(true)
            // Juju can set proxy variables in a hook; they are not for the cluster.
            .proxy(None)
            .http_status_as_error(false)
            // The token is for nobody else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .build();
        // An address of version 6 stands in brackets.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Ok(Self {
            agent: Agent::with_parts(
                config,
                TcpConnector::default().chain(tls),
                DefaultResolver::default(),
            ),
            server: format!("https://{host}:{port}"),
            namespace,
            token,
            authorization,
            budget: budget.clone(),
        })
    }

    /// A StatefulSet.
    pub fn stateful_set(&self, name: &str) -> Result<StatefulSet, KubernetesError> {
        let request = self.agent.get(self.stateful_set_url(name));
        self.read(self.limited(request)?.call())
    }

    /// A pod; `None` where there is none of that name.
    pub fn pod(&self, name: &str) -> Result<Option<Pod>, KubernetesError> {
        let url = format!("{}/api/v1/namespaces/{}/pods/{name}", self.server, self.namespace);
        match self.read(self.limited(self.agent.get(url))?.call()) {
            Err(KubernetesError::NotFound) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Sets the partition of a StatefulSet, if it is still of this version: otherwise `Conflict`.
    pub fn set_partition(
        &self,
        name: &str,
        partition: u32,
        version: &str,
    ) -> Result<(), KubernetesError> {
        let patch = json!({
            "metadata": { "resourceVersion": version },
            "spec": { "updateStrategy": { "rollingUpdate": { "partition": partition } } },
        });
        let request = self.agent.patch(self.stateful_set_url(name)).content_type(MERGE_PATCH);
        self.read::<Value>(self.limited(request)?.send(patch.to_string())).map(drop)
    }

    fn stateful_set_url(&self, name: &str) -> String {
        let Self { server, namespace, .. } = self;
        format!("{server}/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}")
    }

    fn limited<B>(&self, request: RequestBuilder<B>) -> Result<RequestBuilder<B>, KubernetesError> {
        let left = self.budget.left().ok_or(KubernetesError::TimedOut)?;
        let request = request.header("Authorization", self.authorization.clone());
        Ok(request.config().timeout_global(Some(left)).build())
    }

    /// What was answered, if it is what was asked for.
    fn read<T: DeserializeOwned>(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<T, KubernetesError> {
        let mut answer = answer?;
        let mut text = Vec::new();
        // One byte more tells a long answer from a too long one.
        let mut bounded = answer.body_mut().as_reader().take(LONGEST_ANSWER + 1);
        let read = bounded.read_to_end(&mut text);
        read.map_err(|error| KubernetesError::from(ureq::Error::from(error)))?;
        if text.len() as u64 > LONGEST_ANSWER {
            return Err(KubernetesError::TooLong);
        }
        if !answer.status().is_success() {
            return Err(refusal(answer.status().as_u16(), &text, &self.token));
        }
        serde_json::from_slice(&text).map_err(|_| KubernetesError::Garbage)
    }
}

fn read_file(file: String) -> Result<String, KubernetesError> {
    files::read(&file).map_err(|error| KubernetesError::Account { file, why: error.to_string() })
}

/// Where Kubernetes mounts the account of a pod.
pub const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

const NO_TEXT: &str = "it is not one line of text";

const MERGE_PATCH: &str = "application/merge-patch+json";

/// How long the API is waited for in one run: it answers within milliseconds, and a network policy may
/// drop what is sent to it.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// In bytes; a StatefulSet or a pod has some ten thousand.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// In bytes; `ureq`'s own 128 KiB would be filled with zeros at each connection.
const BUFFER: usize = 16 * 1024;
