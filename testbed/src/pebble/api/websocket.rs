//! The handshake of a command's websockets.

use http_body_util::Either;
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::CONNECTION;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::header::SEC_WEBSOCKET_ACCEPT;
use hyper::header::SEC_WEBSOCKET_KEY;
use hyper::header::SEC_WEBSOCKET_VERSION;
use hyper::header::UPGRADE;
use std::rc::Rc;
use tokio::task::spawn_local;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Refusal;
use crate::pebble::exec::socket;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;
use crate::pebble::state::changes::Status;

/// `GET /v1/tasks/{task}/websocket/{channel}`
pub(crate) fn open(shared: &Rc<Shared>, task: &str, channel: &str, asked: Asked) -> Answer {
    let unknown = || Refusal::not_found(format!("cannot find task {}", quoted(task)));
    let number: u64 = task.parse().map_err(|_| unknown())?;
    let known = shared.state(|state| {
        let changes = &state.changes;
        let task = changes.tasks.get(&number)?;
        let error = changes.all.get(&task.change).and_then(|change| changes.error(change));
        Some((task.kind.clone(), task.status, error))
    });
    let (kind, status, error) = known.ok_or_else(unknown)?;
    if kind != "exec" {
        return Err(Refusal::bad(format!("{} tasks do not have websockets", quoted(&kind))));
    }
    let session = shared.execs.borrow().get(&number).cloned();
    let Some(session) = session.filter(|_| !status.is_ready()) else {
        // The command is over. One that went well answers nothing at all, as the real one does.
        return match error.filter(|_| status == Status::Error) {
            Some(why) => Err(Refusal::internal(why)),
            None => Ok(reply::with_type(StatusCode::OK, "application/json", "")),
        };
    };
    let seat = session.channel(channel).ok_or_else(|| {
        Refusal::not_found(format!("cannot find {channel} websocket for task {}", quoted(task)))
    })?;
    let Some(key) = upgrade_key(asked.request.headers()) else {
        let kind = "text/plain; charset=utf-8";
        return Ok(reply::with_type(StatusCode::BAD_REQUEST, kind, "Bad Request\n"));
    };
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| Refusal::internal("cannot accept websocket"))?;
    if !session.reserve(seat) {
        return Err(Refusal::internal(format!("{} websocket already connected", seat.word())));
    }
    spawn_local(async move {
        // A client that leaves in mid-handshake never connected.
        if let Ok(upgraded) = hyper::upgrade::on(asked.request).await {
            session.connect(seat, socket::over(upgraded).await);
        }
    });
    let mut response = Response::new(Either::Left(Full::new(Bytes::new())));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// The key of a request that has all of a websocket handshake.
fn upgrade_key(headers: &HeaderMap) -> Option<String> {
    let has = |name: HeaderName, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    let fits =
        has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    (fits && !key.is_empty()).then(|| key.to_owned())
}
