//! Changes, and the commands that begin one.

use serde_json::Value;
use std::rc::Rc;
use tokio::time::timeout;

use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::fields::DATA;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::fields::REQUEST;
use crate::pebble::api::query::Query;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Refusal;
use crate::pebble::clock::Span;
use crate::pebble::exec::request;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;

/// `GET /v1/changes`
pub(crate) fn list(shared: &Shared, query: &Query) -> Answer {
    let (ready, open) = match query.first("select") {
        "" | "in-progress" => (false, true),
        "ready" => (true, false),
        "all" => (true, true),
        _ => return Err(Refusal::bad("select should be one of: all,in-progress,ready")),
    };
    let service = query.first("for");
    let shown: Vec<Value> = shared.state(|state| {
        let changes = &state.changes;
        changes
            .all
            .iter()
            .filter(|(_, change)| {
                let over = changes.status(change).is_ready();
                let selected = if over { ready } else { open };
                selected && (service.is_empty() || change.services.iter().any(|s| s == service))
            })
            .filter_map(|(&id, _)| changes.shown(id))
            .collect()
    });
    Ok(reply::sync(shown))
}

/// `GET /v1/changes/{id}`
pub(crate) fn one(shared: &Shared, id: &str) -> Answer {
    let shown = id.parse().ok().and_then(|id| shared.state(|state| state.changes.shown(id)));
    shown.map(reply::sync).ok_or_else(|| unknown(id))
}

/// `GET /v1/changes/{id}/wait`
pub(crate) async fn wait(shared: &Shared, id: &str, query: &Query) -> Answer {
    let limit = span(query.first("timeout"), "timeout")?;
    one(shared, id)?;
    let number = id.parse().unwrap_or_default();
    let ready = tasks::ready(shared, number);
    match limit {
        // A time of 0 is one that was not given.
        None | Some(Span(0)) => ready.await,
        Some(limit) => {
            let late = || Refusal::timeout(format!("timed out waiting for change after {limit}"));
            if limit < Span(0) {
                return Err(late());
            }
            timeout(limit.duration(), ready).await.map_err(|_| late())?;
        }
    }
    one(shared, id)
}

/// `POST /v1/changes/{id}`
pub(crate) async fn act(shared: &Rc<Shared>, id: &str, asked: Asked) -> Answer {
    one(shared, id)?;
    let fields = Fields::read(asked.request.into_body(), DATA).await?;
    let action = fields.text("action")?;
    if action != "abort" {
        return Err(Refusal::bad(format!("invalid action {}", quoted(&action))));
    }
    if !tasks::abort(shared, id.parse().unwrap_or_default()) {
        return Err(Refusal::bad(format!("cannot abort change {id} with nothing pending")));
    }
    one(shared, id)
}

/// `POST /v1/exec`
pub(crate) async fn exec(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let (change, result) = request::begin(shared, &fields)?;
    Ok(reply::begun(change, result))
}

/// A duration among the parameters, if it was given.
pub(crate) fn span(text: &str, name: &str) -> Result<Option<Span>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |why| Refusal::bad(format!("invalid {name}: {why}"));
    Span::parse(text).map(Some).map_err(bad)
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("cannot find change with id {}", quoted(id)))
}
