//! Notices, and the identities that decide who may read them.

use serde_json::Value;
use std::rc::Rc;
use tokio::time::Instant;
use tokio::time::timeout_at;

use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::change::span;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::fields::REQUEST;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Refusal;
use crate::pebble::clock;
use crate::pebble::clock::Span;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;
use crate::pebble::state::identities::Access;
use crate::pebble::state::identities::Identity;
use crate::pebble::state::identities::Wanted;
use crate::pebble::state::notices::Filter;
use crate::pebble::state::notices::NoticeKind;
use crate::pebble::state::notices::Occurrence;
use crate::pebble::state::notices::is_key;

/// `POST /v1/notices`
pub(crate) async fn add(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let uid = asked.uid;
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let (action, kind, key) = (fields.text("action")?, fields.text("type")?, fields.text("key")?);
    if action != "add" {
        return Err(Refusal::bad(format!("invalid action {}", quoted(&action))));
    }
    if kind != "custom" {
        let kind = quoted(&kind);
        return Err(Refusal::bad(format!("invalid type {kind} (can only add \"custom\" notices)")));
    }
    if key.len() > LONGEST_KEY {
        return Err(Refusal::bad("key must be 256 bytes or less"));
    }
    if !is_key(&key) {
        let key = quoted(&key);
        return Err(Refusal::bad(format!(
            "invalid key {key} (must be in \"example.com/path\" format)"
        )));
    }
    let repeat_after = span(&fields.text("repeat-after")?, "repeat-after")?.unwrap_or(Span(0));
    let data = match fields.value("data") {
        None => Fields::of(Value::Null, DATA)?,
        Some(data) => {
            if data.to_string().len() > LARGEST_DATA {
                return Err(Refusal::bad("total size of data must be 4096 bytes or less"));
            }
            let wrapped = [("data".to_owned(), data.clone())].into_iter().collect();
            Fields::of(Value::Object(wrapped), DATA)?
        }
    };
    let data = data.string_map("data")?;
    let kind = NoticeKind::Custom;
    let id = shared.change_state(|state| {
        state.notices.record(Occurrence { user: uid, kind, key, data, repeat_after })
    });
    Ok(reply::sync(serde_json::json!({"id": id.to_string()})))
}

/// `GET /v1/notices`
pub(crate) async fn list(shared: &Shared, asked: &Asked) -> Answer {
    let query = &asked.query;
    let admin = asked.access == Access::Admin;
    let only = |filter: &str| {
        Refusal::forbidden(format!("only admins may use the {} filter", quoted(filter)))
    };
    let (users, user) = (query.first("users"), query.first("user-id"));
    let user = match (users, user) {
        ("", "") => asked.uid,
        (_, "") => {
            if !admin {
                return Err(only("users"));
            }
            if users != "all" {
                return Err(Refusal::bad("invalid \"users\" filter: must be \"all\""));
            }
            None
        }
        ("", text) => {
            if !admin {
                return Err(only("user-id"));
            }
            Some(user_id(text)?)
        }
        (_, _) => return Err(Refusal::bad("cannot use both \"users\" and \"user-id\" parameters")),
    };
    let names = query.list("types");
    let kinds: Vec<NoticeKind> = names.iter().filter_map(|name| NoticeKind::named(name)).collect();
    let after = match query.first("after") {
        "" => None,
        text => Some(clock::parsed(text).ok_or_else(|| {
            let told = format!("cannot parse {} as RFC 3339", quoted(text));
            Refusal::bad(format!("invalid \"after\" timestamp: {told}"))
        })?),
    };
    let limit = span(query.first("timeout"), "timeout")?.unwrap_or(Span(0));
    if kinds.is_empty() && !names.is_empty() {
        return Ok(reply::sync(Value::Array(vec![])));
    }
    let filter = Filter { user, kinds, keys: query.list("keys"), after };
    let mut pulse = shared.pulse();
    let deadline = Instant::now() + limit.duration();
    loop {
        let found = shared.state(|state| state.notices.matching(&filter));
        let wait = found.is_empty() && limit > Span(0);
        if !wait || !matches!(timeout_at(deadline, pulse.changed()).await, Ok(Ok(()))) {
            return Ok(reply::sync(found));
        }
    }
}

fn user_id(text: &str) -> Result<u32, Refusal> {
    let bad = |why: String| Refusal::bad(format!("invalid \"user-id\" filter: {why}"));
    let number: i64 = text
        .parse()
        .map_err(|_| bad(format!("strconv.ParseInt: parsing {}: invalid syntax", quoted(text))))?;
    u32::try_from(number).map_err(|_| bad(format!("user ID is not a valid uint32: {number}")))
}

/// `GET /v1/notices/{id}`
pub(crate) fn one(shared: &Shared, id: &str, asked: &Asked) -> Answer {
    let unknown = || Refusal::not_found(format!("cannot find notice with ID {}", quoted(id)));
    let number: u64 = id.parse().map_err(|_| unknown())?;
    shared.state(|state| {
        let notice = state.notices.with_id(number).ok_or_else(unknown)?;
        let allowed =
            asked.access == Access::Admin || notice.user.is_none() || notice.user == asked.uid;
        if !allowed {
            return Err(Refusal::forbidden(format!(
                "not allowed to access notice with id {}",
                quoted(id)
            )));
        }
        Ok(reply::sync(notice.shown(number)))
    })
}

/// `POST /v1/identities`
pub(crate) async fn change_identities(shared: &Rc<Shared>, asked: Asked) -> Answer {
    let fields = Fields::read(asked.request.into_body(), REQUEST).await?;
    let action = fields.text("action")?;
    let mut wanted = Wanted::new();
    for (name, value) in fields.value("identities").and_then(Value::as_object).into_iter().flatten()
    {
        let identity =
            Identity::decode(name, value).map_err(|why| Refusal::bad(format!("{REQUEST}{why}")))?;
        wanted.insert(name.clone(), identity);
    }
    let changed = shared.change_state(|state| match action.as_str() {
        "add" => Some(state.identities.add(wanted)),
        "update" => Some(state.identities.update(wanted)),
        "replace" => Some(state.identities.replace(wanted)),
        "remove" => Some(state.identities.remove(wanted)),
        _ => None,
    });
    match changed {
        None => Err(Refusal::bad(format!(
            "invalid action {}, must be \"add\", \"update\", \"replace\", or \"remove\"",
            quoted(&action)
        ))),
        Some(Err(why)) => Err(Refusal::bad(why.to_string())),
        Some(Ok(())) => Ok(reply::nothing()),
    }
}

const DATA: &str = "cannot decode notice data: ";
const LONGEST_KEY: usize = 256;
const LARGEST_DATA: usize = 4096;
