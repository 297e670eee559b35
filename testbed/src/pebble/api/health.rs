//! How the daemon and its checks are.

use hyper::Response;
use hyper::StatusCode;
use serde_json::Value;
use serde_json::json;
use std::rc::Rc;

use crate::pebble::VERSION;
use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::fields::REQUEST;
use crate::pebble::api::query::Query;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Body;
use crate::pebble::api::reply::Refusal;
use crate::pebble::checks;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;

/// `GET /v1/system-info`
pub(crate) fn system_info(shared: &Shared) -> Response<Body> {
    let mut shown = json!({"boot-id": *shared.boot_id.borrow(), "version": VERSION});
    if let (Some(address), Value::Object(fields)) = (&shared.setup.http, &mut shown) {
        fields.insert("http-address".to_owned(), address.clone().into());
    }
    reply::sync(shown)
}

/// `GET /v1/health`
pub(crate) fn health(shared: &Shared, query: &Query) -> Answer {
    let level = level(query)?;
    let names = query.list("names");
    let healthy = shared.checks.borrow().iter().all(|(name, run)| {
        let own = run.config.level.as_str();
        let counts = match level {
            "alive" => own == "alive",
            "ready" => own == "ready" || own == "alive",
            _ => true,
        };
        !counts || !(names.is_empty() || names.contains(name)) || !run.is_down()
    });
    let status = if healthy { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
    Ok(reply::sync_with(status, json!({"healthy": healthy})))
}

/// `GET /v1/checks`
pub(crate) fn checks(shared: &Shared, query: &Query) -> Answer {
    let level = level(query)?;
    let names = query.list("names");
    let runs = shared.checks.borrow();
    let shown: Vec<Value> = runs
        .iter()
        .filter(|(name, run)| {
            (level.is_empty() || run.config.level == level)
                && (names.is_empty() || names.contains(name))
        })
        .map(|(name, run)| run.shown(name))
        .collect();
    Ok(reply::sync(shown))
}

fn level(query: &Query) -> Result<&str, Refusal> {
    match query.first("level") {
        level @ ("" | "alive" | "ready") => Ok(level),
        _ => Err(Refusal::bad("level must be \"alive\" or \"ready\"")),
    }
}

/// `POST /v1/checks`
pub(crate) async fn act(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let (action, names) = (fields.text("action")?, fields.strings("checks")?);
    if names.is_empty() {
        return Err(Refusal::bad(format!("must specify checks for {action} action")));
    }
    let changed = match action.as_str() {
        "start" => checks::start(shared, &names),
        "stop" => checks::stop(shared, &names),
        _ => return Err(Refusal::bad(format!("invalid action {}", quoted(&action)))),
    };
    let changed = changed.map_err(|unknown| {
        Refusal::bad(format!("cannot {action} checks: cannot find checks in plan: {unknown}"))
    })?;
    // None at all is null: so does this version of Pebble.
    let changed = Some(changed).filter(|names| !names.is_empty());
    Ok(reply::sync(json!({"changed": changed})))
}

/// `POST /v1/checks/refresh`
pub(crate) async fn refresh(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let name = fields.text("name")?;
    if name.is_empty() {
        return Err(Refusal::bad("must specify check name"));
    }
    match checks::refresh(shared, &name).await {
        None => Err(Refusal::not_found(format!("cannot find check with name {}", quoted(&name)))),
        Some((info, None)) => Ok(reply::sync(json!({"info": info}))),
        Some((info, Some(error))) => Ok(reply::sync(json!({"info": info, "error": error}))),
    }
}
