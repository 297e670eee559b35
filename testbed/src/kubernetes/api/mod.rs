//! The API of Kubernetes as a charm's hook finds it: a model of three calls, not more. GET of the
//! application's StatefulSet and of its pods, and PATCH of the StatefulSet's partition; 403 for all,
//! unless the application is trusted.

pub mod relay;

pub(crate) mod accounts;
pub(crate) mod answer;
mod objects;
pub(crate) mod server;

use std::sync::Arc;
use std::sync::Weak;

use crate::error::BedError;
use crate::error::at_file;
use crate::lock::lock;
use crate::trace::entry::What;

use super::cluster::Shared;
use answer::Reply;
use answer::Request;
use relay::Relay;
use server::Server;

/// The API of one cluster; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Api {
    _relay: Relay,
    _server: Server,
}

impl Api {
    /// Starts it; pods reach it when this returns.
    pub(crate) fn start(cluster: &Arc<Shared>) -> Result<Self, BedError> {
        let ground = cluster.network.ground();
        let socket = ground.directory().join("api.socket");
        let answering = Arc::downgrade(cluster);
        let server = Server::start(
            &socket,
            Arc::new(move |token, request| answer_for(&answering, token, request)),
        )
        .map_err(at_file(&socket))?;
        Ok(Self { _relay: Relay::start(ground, &socket)?, _server: server })
    }
}

fn answer_for(cluster: &Weak<Shared>, token: Option<&str>, request: Request) -> Reply {
    let Some(cluster) = cluster.upgrade() else {
        return Reply { status: 503, body: serde_json::Value::Null };
    };
    let account = token.and_then(|token| cluster.accounts.application(token));
    let request = Request { account, ..request };
    let reply = answer::answer(&mut lock(cluster.state()), &cluster.setting.model, &request);
    let body = String::from_utf8_lossy(&request.body);
    let asked = format!("{} {} {body}", request.method, request.path);
    let application = request.account.unwrap_or_default();
    let asked = asked.trim_end().to_owned();
    cluster.setting.trace.push(What::Api { application, asked, status: reply.status });
    cluster.advance();
    reply
}
