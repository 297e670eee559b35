//! `/v1/files`: multipart out for reading, multipart in for writing, JSON for the rest.

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::header::CONTENT_DISPOSITION;
use hyper::header::CONTENT_TYPE;
use multer::Field;
use multer::Multipart;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::pebble::api::Answer;
use crate::pebble::api::Asked;
use crate::pebble::api::body;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::fields::REQUEST;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Refusal;
use crate::pebble::files;
use crate::pebble::files::FileError;
use crate::pebble::files::list;
use crate::pebble::files::write::Draft;
use crate::pebble::files::write::make_dir;
use crate::pebble::files::write::remove;
use crate::pebble::quote::quoted;

/// `GET /v1/files`
pub(crate) fn read(asked: &Asked) -> Answer {
    let query = &asked.query;
    match query.first("action") {
        "list" => listed(asked),
        "read" => {
            let paths: Vec<&str> = query.all("path").collect();
            if paths.is_empty() {
                return Err(Refusal::bad("must specify one or more paths"));
            }
            let accepted = asked.request.headers().get(ACCEPT);
            if accepted.is_none_or(|value| value.as_bytes() != MULTIPART.as_bytes()) {
                return Err(Refusal::bad("must accept multipart/form-data"));
            }
            Ok(contents(&paths))
        }
        action => Err(Refusal::bad(format!("invalid action {}", quoted(action)))),
    }
}

fn listed(asked: &Asked) -> Answer {
    let query = &asked.query;
    let path = query.first("path");
    if path.is_empty() {
        return Err(Refusal::bad("must specify path"));
    }
    if !path.starts_with('/') {
        return Err(Refusal::bad(format!("path must be absolute, got {}", quoted(path))));
    }
    let itself = match query.first("itself") {
        "" | "false" => false,
        "true" => true,
        _ => return Err(Refusal::bad("itself parameter must be \"true\" or \"false\"")),
    };
    match list::list(path, query.first("pattern"), itself) {
        Ok(entries) => Ok(reply::sync(entries)),
        Err(FileError { message, kind }) => Err(match kind {
            "not-found" => Refusal::not_found(message),
            "permission-denied" => Refusal::forbidden(message),
            _ => Refusal::bad(message),
        }
        .kind(kind)),
    }
}

/// A part for each file that can be read, then one that tells about all of them.
fn contents(paths: &[&str]) -> hyper::Response<reply::Body> {
    let mut outcomes = Vec::new();
    let mut read = Vec::new();
    for path in paths {
        let content = list::read(path);
        outcomes.push(files::outcome(path, content.as_ref().map(|_| ()).map_err(copied)));
        read.extend(content.ok().map(|content| (*path, content)));
    }
    let boundary = boundary(&read);
    let mut body = Vec::new();
    for (path, content) in &read {
        let name = path.replace('\\', "\\\\").replace('"', "\\\"");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    let envelope = reply::json(&serde_json::json!({
        "type": "sync", "status-code": 200, "status": "OK", "result": outcomes,
    }));
    let tail = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"response\"\r\n\
         Content-Type: application/json\r\n\r\n{envelope}\r\n--{boundary}--\r\n"
    );
    body.extend_from_slice(tail.as_bytes());
    let mut response = reply::with_type(StatusCode::OK, MULTIPART, body);
    if let Ok(kind) = format!("{MULTIPART}; boundary={boundary}").parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

fn copied(error: &FileError) -> FileError {
    FileError { message: error.message.clone(), kind: error.kind }
}

/// A line that is in none of the files.
fn boundary(read: &[(&str, Vec<u8>)]) -> String {
    let mut number = 0_u64;
    loop {
        let boundary = format!("{:060x}", u128::from(number) + 0x007e_bb1e_5eba_110f_u128);
        let taken = |content: &[u8]| {
            content.windows(boundary.len()).any(|window| window == boundary.as_bytes())
        };
        if !read.iter().any(|(_, content)| taken(content)) {
            return boundary;
        }
        number += 1;
    }
}

/// `POST /v1/files`
pub(crate) async fn write(asked: Asked) -> Answer {
    let header = asked.request.headers().get(CONTENT_TYPE);
    let header = header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let incoming = asked.request.into_body();
    let why = match media_type(&header) {
        None => format!("invalid Content-Type {}", quoted(&header)),
        Some((kind, boundary)) => match kind.as_str() {
            MULTIPART if boundary.len() >= SHORTEST_BOUNDARY => {
                return write_files(incoming, boundary).await;
            }
            MULTIPART => format!("invalid boundary {}", quoted(&boundary)),
            "application/json" => return manage(&Fields::read(incoming, REQUEST).await?),
            _ => format!("invalid media type {}", quoted(&kind)),
        },
    };
    body::discard(incoming);
    Err(Refusal::bad(why))
}

/// The type, in lower case, and the boundary, empty if there is none.
fn media_type(header: &str) -> Option<(String, String)> {
    let mut pieces = header.split(';');
    let kind = pieces.next()?.trim().to_lowercase();
    let token = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"[]?=".contains(c))
    };
    if !kind.split('/').all(token) {
        return None;
    }
    let mut boundary = String::new();
    for piece in pieces.map(str::trim).filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("boundary") {
            value.trim().trim_matches('"').clone_into(&mut boundary);
        }
    }
    Some((kind, boundary))
}

/// What the request part says about a file.
struct Planned {
    path: String,
    fields: Fields,
}

async fn write_files(body: Incoming, boundary: String) -> Answer {
    let mut parts = Multipart::new(body::pieces(body), boundary);
    let end = |_| Refusal::bad("cannot read request metadata: multipart: NextPart: EOF");
    let first = parts.next_field().await.map_err(end)?;
    let Some(first) = first else {
        return Err(Refusal::bad("cannot read request metadata: multipart: NextPart: EOF"));
    };
    let planned = metadata(first).await?;
    let mut done: BTreeMap<String, Result<(), FileError>> = BTreeMap::new();
    let cannot = |error: multer::Error| Refusal::bad(format!("cannot read file part: {error}"));
    while let Some(part) = parts.next_field().await.map_err(cannot)? {
        let (name, path) = names_of(&part);
        if name != "files" {
            return Err(Refusal::bad(format!(
                "field name must be \"files\", got {}",
                quoted(&name)
            )));
        }
        let Some(plan) = planned.iter().find(|plan| plan.path == path) else {
            return Err(Refusal::bad(format!("no metadata for path {}", quoted(&path))));
        };
        let written = write_one(plan, part).await?;
        done.insert(path, written);
    }
    let outcomes: Vec<Value> = planned
        .iter()
        .map(|plan| {
            let missing = || {
                let path = quoted(&plan.path);
                Err(FileError::generic(format!("no file content for path {path}")))
            };
            files::outcome(&plan.path, done.remove(&plan.path).unwrap_or_else(missing))
        })
        .collect();
    Ok(reply::sync(outcomes))
}

async fn metadata(part: Field<'_>) -> Result<Vec<Planned>, Refusal> {
    const PREFIX: &str = "cannot decode request metadata: ";
    let (name, _) = names_of(&part);
    if name != "request" {
        let name = quoted(&name);
        return Err(Refusal::bad(format!("metadata field name must be \"request\", got {name}")));
    }
    let text = part.bytes().await.map_err(|error| Refusal::bad(format!("{PREFIX}{error}")))?;
    let fields = Fields::parse(&text, PREFIX)?;
    let action = fields.text("action")?;
    if action != "write" {
        let action = quoted(&action);
        return Err(Refusal::bad(format!("multipart action must be \"write\", got {action}")));
    }
    let files = fields.objects("files")?;
    if files.is_empty() {
        return Err(Refusal::bad("must specify one or more files"));
    }
    files.into_iter().map(|fields| Ok(Planned { path: fields.text("path")?, fields })).collect()
}

/// Writes a file; an error of its own does not stop the others.
async fn write_one(plan: &Planned, mut part: Field<'_>) -> Result<Result<(), FileError>, Refusal> {
    let fields = &plan.fields;
    let (mode, owner) = (fields.text("permissions")?, files::owner(fields)?);
    let make_dirs = fields.boolean("make-dirs")?;
    let begun = files::absolute(&plan.path)
        .and_then(|()| files::permissions(&mode, 0o644))
        .and_then(|mode| files::ids(&owner).map(|ids| (mode, ids)))
        .and_then(|(mode, ids)| Draft::begin(&plan.path, mode, ids, make_dirs));
    let mut draft = begun;
    loop {
        let chunk = part.chunk().await;
        let chunk =
            chunk.map_err(|error| Refusal::bad(format!("cannot read file part: {error}")))?;
        let Some(chunk) = chunk else { break };
        draft = draft.and_then(|mut draft| draft.write(&chunk).map(|()| draft));
    }
    Ok(draft.and_then(Draft::finish))
}

/// The field's name and the file's, with their escapes resolved.
fn names_of(part: &Field<'_>) -> (String, String) {
    let header = part.headers().get(CONTENT_DISPOSITION).map(hyper::header::HeaderValue::as_bytes);
    let header = String::from_utf8_lossy(header.unwrap_or_default()).into_owned();
    (parameter(&header, "name"), parameter(&header, "filename"))
}

fn parameter(header: &str, wanted: &str) -> String {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once(';') {
        let Some((name, value)) = after.split_once('=') else { break };
        let Some(quoted) = value.trim_start().strip_prefix('"') else {
            let value = value.split(';').next().unwrap_or_default();
            if name.trim().eq_ignore_ascii_case(wanted) {
                return value.trim().to_owned();
            }
            rest = after;
            continue;
        };
        let mut found = String::new();
        let mut letters = quoted.char_indices();
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => found.extend(letters.next().map(|(_, escaped)| escaped)),
                _ => found.push(letter),
            }
        }
        if name.trim().eq_ignore_ascii_case(wanted) {
            return found;
        }
        rest = quoted.get(end..).unwrap_or_default();
    }
    String::new()
}

/// The actions that need no content.
fn manage(fields: &Fields) -> Answer {
    let action = fields.text("action")?;
    match action.as_str() {
        "write" => Err(Refusal::bad("must use multipart with \"write\" action")),
        "make-dirs" => {
            let dirs = fields.objects("dirs")?;
            let made: Result<Vec<Value>, Refusal> = dirs.iter().map(make).collect();
            Ok(reply::sync(made?))
        }
        "remove" => {
            let paths = fields.objects("paths")?;
            let removed: Result<Vec<Value>, Refusal> = paths
                .iter()
                .map(|fields| {
                    let path = fields.text("path")?;
                    let recursive = fields.boolean("recursive")?;
                    Ok(files::outcome(&path, remove(&path, recursive)))
                })
                .collect();
            Ok(reply::sync(removed?))
        }
        _ => Err(Refusal::bad(format!("invalid action {}", quoted(&action)))),
    }
}

fn make(fields: &Fields) -> Result<Value, Refusal> {
    let (path, mode) = (fields.text("path")?, fields.text("permissions")?);
    let (owner, parents) = (files::owner(fields)?, fields.boolean("make-parents")?);
    let outcome = files::absolute(&path)
        .and_then(|()| files::permissions(&mode, 0o755))
        .and_then(|mode| files::ids(&owner).map(|ids| (mode, ids)))
        .and_then(|(mode, ids)| make_dir(&path, parents, mode, ids));
    Ok(files::outcome(&path, outcome))
}

const MULTIPART: &str = "multipart/form-data";

/// Shorter ones could be in a file by chance.
const SHORTEST_BOUNDARY: usize = 32;
