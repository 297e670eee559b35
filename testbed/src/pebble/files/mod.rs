//! Files of the container, on a client's behalf. Blocking calls: a test bed's files are small.

pub(crate) mod list;
pub(crate) mod pattern;
pub(crate) mod write;

use serde_json::Value;
use serde_json::json;
use std::io;

use crate::pebble::accounts::Ids;
use crate::pebble::accounts::Owner;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::reply::Refusal;
use crate::pebble::process::reason;
use crate::pebble::quote::quoted;

/// Why a path could not be served; it stands beside the path, in an answer that is 200.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) message: String,
    pub(crate) kind: &'static str,
}

/// The kind of errors that have no other.
pub(crate) const GENERIC: &str = "generic-file-error";

impl FileError {
    /// An error without a cause in the system.
    pub(crate) fn generic(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: GENERIC }
    }

    /// What the system said about doing something to a path.
    pub(crate) fn system(deed: &str, path: &str, error: &io::Error) -> Self {
        Self { message: format!("{deed} {path}: {}", reason(error)), kind: kind_of(error) }
    }

    /// The same, for what has two paths.
    pub(crate) fn with_prefix(self, prefix: &str) -> Self {
        Self { message: format!("{prefix}: {}", self.message), kind: self.kind }
    }
}

fn kind_of(error: &io::Error) -> &'static str {
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        "not-found"
    } else if kind == io::ErrorKind::PermissionDenied {
        "permission-denied"
    } else {
        GENERIC
    }
}

/// One path's part of an answer.
pub(crate) fn outcome(path: &str, done: Result<(), FileError>) -> Value {
    match done {
        Ok(()) => json!({"path": path}),
        Err(error) => {
            json!({"path": path, "error": {"message": error.message, "kind": error.kind}})
        }
    }
}

/// Paths must be absolute.
pub(crate) fn absolute(path: &str) -> Result<(), FileError> {
    if path.starts_with('/') {
        return Ok(());
    }
    Err(FileError::generic(format!("paths must be absolute, got {}", quoted(path))))
}

/// Three octal digits, or nothing.
pub(crate) fn permissions(text: &str, default: u32) -> Result<u32, FileError> {
    if text.is_empty() {
        return Ok(default);
    }
    let octal = text.len() == 3 && text.chars().all(|c| c.is_digit(8));
    u32::from_str_radix(text, 8).ok().filter(|_| octal).ok_or_else(|| {
        let got = quoted(text);
        FileError::generic(format!("permissions must be a 3-digit octal string, got {got}"))
    })
}

/// Whom a request names.
pub(crate) fn owner(fields: &Fields) -> Result<Owner, Refusal> {
    Ok(Owner {
        user: fields.text("user")?,
        user_id: fields.integer("user-id")?,
        group: fields.text("group")?,
        group_id: fields.integer("group-id")?,
    })
}

/// The numbers of an owner.
pub(crate) fn ids(owner: &Owner) -> Result<Option<Ids>, FileError> {
    owner.ids().map_err(|why| FileError::generic(format!("cannot look up user and group: {why}")))
}
