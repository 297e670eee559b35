//! The HTTP API: which path takes which method from whom, and who answers it.

pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod notices;
pub(crate) mod query;
pub(crate) mod reply;
pub(crate) mod services;
pub(crate) mod websocket;

use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use std::rc::Rc;

use crate::pebble::api::query::Query;
use crate::pebble::api::reply::Body;
use crate::pebble::api::reply::Refusal;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;
use crate::pebble::state::identities::Access;

/// One request and who asks.
pub(crate) struct Asked {
    pub(crate) request: Request<Incoming>,
    pub(crate) query: Query,
    /// None over TCP.
    pub(crate) uid: Option<u32>,
    pub(crate) access: Access,
}

/// What an endpoint answers.
pub(crate) type Answer = Result<Response<Body>, Refusal>;

/// Answers a request.
pub(crate) async fn answer(
    shared: &Rc<Shared>,
    request: Request<Incoming>,
    uid: Option<u32>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let answered = match route(&path) {
        None => {
            body::discard(request.into_body());
            Err(Refusal::not_found("invalid API endpoint requested"))
        }
        Some(endpoint) => admit(shared, endpoint, request, uid).await,
    };
    answered.unwrap_or_else(Refusal::response)
}

/// Everything that can be asked for; the texts are parts of the path.
enum Endpoint {
    SystemInfo,
    Health,
    Services,
    Service,
    Plan,
    Layers,
    Changes,
    Change(String),
    ChangeWait(String),
    Files,
    Logs,
    Exec,
    Websocket { task: String, channel: String },
    Signals,
    Checks,
    Refresh,
    Notices,
    Notice(String),
    Metrics,
    Identities,
}

fn route(path: &str) -> Option<Endpoint> {
    let path = query::decoded(path);
    let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    Some(match *parts.as_slice() {
        ["system-info"] => Endpoint::SystemInfo,
        ["health"] => Endpoint::Health,
        ["services"] => Endpoint::Services,
        ["services", _] => Endpoint::Service,
        ["plan"] => Endpoint::Plan,
        ["layers"] => Endpoint::Layers,
        ["changes"] => Endpoint::Changes,
        ["changes", id] => Endpoint::Change(id.to_owned()),
        ["changes", id, "wait"] => Endpoint::ChangeWait(id.to_owned()),
        ["files"] => Endpoint::Files,
        ["logs"] => Endpoint::Logs,
        ["exec"] => Endpoint::Exec,
        ["tasks", task, "websocket", channel] => {
            Endpoint::Websocket { task: task.to_owned(), channel: channel.to_owned() }
        }
        ["signals"] => Endpoint::Signals,
        ["checks"] => Endpoint::Checks,
        ["checks", "refresh"] => Endpoint::Refresh,
        ["notices"] => Endpoint::Notices,
        ["notices", id] => Endpoint::Notice(id.to_owned()),
        ["metrics"] => Endpoint::Metrics,
        ["identities"] => Endpoint::Identities,
        _ => return None,
    })
}

/// The access that reading and writing need; none where the method is not taken.
fn needs(endpoint: &Endpoint) -> (Option<Access>, Option<Access>) {
    let (open, read, admin) = (Some(Access::Untrusted), Some(Access::Read), Some(Access::Admin));
    match endpoint {
        Endpoint::SystemInfo | Endpoint::Health => (open, None),
        Endpoint::Plan | Endpoint::ChangeWait(_) | Endpoint::Logs | Endpoint::Notice(_) => {
            (read, None)
        }
        Endpoint::Metrics => (Some(Access::Metrics), None),
        Endpoint::Services
        | Endpoint::Service
        | Endpoint::Changes
        | Endpoint::Checks
        | Endpoint::Identities => {
            let writable = !matches!(endpoint, Endpoint::Changes);
            (read, admin.filter(|_| writable))
        }
        Endpoint::Change(_) => (read, admin),
        Endpoint::Notices => (read, read),
        Endpoint::Files => (admin, admin),
        Endpoint::Websocket { .. } => (admin, None),
        Endpoint::Layers | Endpoint::Exec | Endpoint::Signals | Endpoint::Refresh => (None, admin),
    }
}

async fn admit(
    shared: &Rc<Shared>,
    endpoint: Endpoint,
    request: Request<Incoming>,
    uid: Option<u32>,
) -> Answer {
    let (reading, writing) = needs(&endpoint);
    let writes = request.method() == Method::POST;
    let needed = if writes { writing } else { reading.filter(|_| request.method() == Method::GET) };
    let Some(needed) = needed else {
        let method = quoted(request.method().as_str());
        body::discard(request.into_body());
        return Err(Refusal::method(format!("method {method} not allowed")));
    };
    let access = shared.access_of(uid);
    if access < needed {
        body::discard(request.into_body());
        return Err(Refusal::denied());
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let asked = Asked { request, query, uid, access };
    dispatch(shared, endpoint, asked, writes).await
}

async fn dispatch(shared: &Rc<Shared>, endpoint: Endpoint, asked: Asked, writes: bool) -> Answer {
    match endpoint {
        Endpoint::SystemInfo => Ok(health::system_info(shared)),
        Endpoint::Health => health::health(shared, &asked.query),
        Endpoint::Services if writes => services::act(shared, asked).await,
        Endpoint::Services => Ok(services::list(shared, &asked.query)),
        Endpoint::Service => {
            body::discard(asked.request.into_body());
            Err(Refusal::bad("not implemented"))
        }
        Endpoint::Plan => services::plan(shared, &asked.query),
        Endpoint::Layers => services::add_layer(shared, asked).await,
        Endpoint::Signals => services::signal(shared, asked).await,
        Endpoint::Changes => change::list(shared, &asked.query),
        Endpoint::Change(id) if writes => change::act(shared, &id, asked).await,
        Endpoint::Change(id) => change::one(shared, &id),
        Endpoint::ChangeWait(id) => change::wait(shared, &id, &asked.query).await,
        Endpoint::Files if writes => files::write(asked).await,
        Endpoint::Files => files::read(&asked),
        Endpoint::Logs => logs::logs(shared, &asked.query),
        Endpoint::Exec => change::exec(shared, asked).await,
        Endpoint::Websocket { task, channel } => websocket::open(shared, &task, &channel, asked),
        Endpoint::Checks if writes => health::act(shared, asked).await,
        Endpoint::Checks => health::checks(shared, &asked.query),
        Endpoint::Refresh => health::refresh(shared, asked).await,
        Endpoint::Notices if writes => notices::add(shared, asked).await,
        Endpoint::Notices => notices::list(shared, &asked).await,
        Endpoint::Notice(id) => notices::one(shared, &id, &asked),
        Endpoint::Metrics => Ok(metrics::metrics(shared)),
        Endpoint::Identities if writes => notices::change_identities(shared, asked).await,
        Endpoint::Identities => Ok(reply::sync(shared.state(|state| state.identities.shown()))),
    }
}
