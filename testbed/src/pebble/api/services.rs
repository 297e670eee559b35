//! Services, their plan and their signals.

use hyper::Response;
use serde_json::Value;
use serde_json::json;
use std::rc::Rc;

use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::fields::DATA;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::fields::REQUEST;
use crate::pebble::api::query::Query;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Body;
use crate::pebble::api::reply::Refusal;
use crate::pebble::checks;
use crate::pebble::clock;
use crate::pebble::plan::PlanError;
use crate::pebble::plan::layers::Addition;
use crate::pebble::plan::print;
use crate::pebble::quote::quoted;
use crate::pebble::services::actions;
use crate::pebble::services::machine;
use crate::pebble::shared::Shared;

/// `GET /v1/services`
pub(crate) fn list(shared: &Shared, query: &Query) -> Response<Body> {
    let names = query.list("names");
    let runs = shared.services.borrow();
    let shown: Vec<Value> = shared.plan(|plan| {
        plan.services
            .iter()
            .filter(|(name, _)| names.is_empty() || names.contains(name))
            .map(|(name, service)| {
                let startup = if service.is_enabled() { "enabled" } else { "disabled" };
                match runs.get(name) {
                    None => json!({"name": name, "startup": startup, "current": "inactive"}),
                    Some(run) => json!({
                        "name": name,
                        "startup": startup,
                        "current": run.stage.word(),
                        "current-since": clock::local(run.since),
                    }),
                }
            })
            .collect()
    });
    reply::sync(shown)
}

/// `POST /v1/services`
pub(crate) async fn act(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), DATA).await?;
    let action = fields.text("action")?;
    let names = fields.strings("services")?;
    match (action.as_str(), names.is_empty()) {
        ("replan" | "autostart", false) => {
            return Err(Refusal::bad(format!("{action} accepts no service names")));
        }
        ("replan" | "autostart", true) | (_, false) => {}
        (_, true) => {
            return Err(Refusal::bad(format!("must specify services for {action} action")));
        }
    }
    let begun = match action.as_str() {
        "start" => actions::start(shared, &names),
        "stop" => actions::stop(shared, &names),
        "restart" => actions::restart(shared, &names),
        "replan" => actions::replan(shared),
        "autostart" => match actions::autostart(shared) {
            Ok(Some(change)) => Ok(change),
            Ok(None) => {
                return Err(Refusal::bad("no default services").kind("no-default-services"));
            }
            Err(error) => Err(error),
        },
        _ => return Err(Refusal::bad(format!("invalid action {}", quoted(&action)))),
    };
    let change = begun.map_err(|why| Refusal::bad(format!("cannot {action} services: {why}")))?;
    Ok(reply::begun(change, Value::Null))
}

/// `GET /v1/plan`
pub(crate) fn plan(shared: &Shared, query: &Query) -> Answer {
    let format = query.first("format");
    if format != "yaml" {
        return Err(Refusal::bad(format!("invalid format {}", quoted(format))));
    }
    Ok(reply::sync(shared.plan(print::plan)))
}

/// `POST /v1/layers`
pub(crate) async fn add_layer(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let (action, label) = (fields.text("action")?, fields.text("label")?);
    let (format, text) = (fields.text("format")?, fields.text("layer")?);
    let (combine, inner) = (fields.boolean("combine")?, fields.boolean("inner")?);
    if action != "add" {
        return Err(Refusal::bad(format!("invalid action {}", quoted(&action))));
    }
    if label.is_empty() {
        return Err(Refusal::bad("label must be set"));
    }
    if format != "yaml" {
        return Err(Refusal::bad(format!("invalid format {}", quoted(&format))));
    }
    let addition = Addition { label: &label, text: &text, combine, inner };
    let added = shared.layers.borrow_mut().add(&addition);
    added.map_err(|why| match why {
        PlanError::Layer(_) | PlanError::Plan(_) => Refusal::bad(why.to_string()),
        PlanError::Inner => Refusal::internal(why.to_string()),
    })?;
    checks::follow_plan(shared);
    Ok(yes())
}

/// `POST /v1/signals`
pub(crate) async fn signal(shared: &Shared, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let (signal, names) = (fields.text("signal")?, fields.strings("services")?);
    if names.is_empty() {
        return Err(Refusal::bad("must specify one or more services"));
    }
    let failures: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let why = machine::signal(shared, name, &signal).err()?;
            Some(format!("cannot send signal to {}: {why}", quoted(name)))
        })
        .collect();
    if failures.is_empty() { Ok(yes()) } else { Err(Refusal::internal(failures.join("; "))) }
}

fn yes() -> Response<Body> {
    reply::sync(true)
}
