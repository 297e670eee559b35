//! What a directory holds, and what a file is.

use serde_json::Value;
use serde_json::json;
use std::fs;
use std::fs::FileType;
use std::fs::Metadata;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::pebble::accounts::group_name;
use crate::pebble::accounts::user_name;
use crate::pebble::clock;
use crate::pebble::files::FileError;
use crate::pebble::files::absolute;
use crate::pebble::files::pattern::matches;
use crate::pebble::quote::quoted;

/// The entries of a directory that fit the pattern; the path itself if it is no directory.
pub(crate) fn list(path: &str, pattern: &str, itself: bool) -> Result<Vec<Value>, FileError> {
    let bad_pattern = |_| FileError::generic("syntax error in pattern");
    let path = cleaned(path);
    let facts = fs::metadata(&path).map_err(|error| FileError::system("stat", &path, &error))?;
    let fits = |name: &str| {
        if pattern.is_empty() { Ok(true) } else { matches(pattern, name).map_err(bad_pattern) }
    };
    if itself || !facts.is_dir() {
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/");
        let shown = fits(name)?.then(|| entry(&path, name, &facts));
        return Ok(shown.into_iter().collect());
    }
    let listing = fs::read_dir(&path).map_err(|error| FileError::system("open", &path, &error))?;
    let mut names: Vec<String> =
        listing.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    fits("")?;
    let mut shown = Vec::new();
    for name in names {
        let full = if path == "/" { format!("/{name}") } else { format!("{path}/{name}") };
        if let Some(facts) =
            fs::symlink_metadata(&full).ok().filter(|_| matches!(fits(&name), Ok(true)))
        {
            shown.push(entry(&full, &name, &facts));
        }
    }
    Ok(shown)
}

/// The content of a regular file.
pub(crate) fn read(path: &str) -> Result<Vec<u8>, FileError> {
    absolute(path)?;
    let facts = fs::metadata(path).map_err(|error| FileError::system("stat", path, &error))?;
    if !facts.is_file() {
        let path = quoted(path);
        return Err(FileError::generic(format!("can only read a regular file: {path}")));
    }
    fs::read(path).map_err(|error| FileError::system("open", path, &error))
}

fn entry(path: &str, name: &str, facts: &Metadata) -> Value {
    let kind = kind(facts.file_type());
    let mut shown = json!({
        "path": path,
        "name": name,
        "type": kind,
        "permissions": format!("{:03o}", facts.mode() & 0o777),
        "last-modified": clock::whole_seconds(facts.mtime()),
        "user-id": facts.uid(),
        "user": user_name(facts.uid()),
        "group-id": facts.gid(),
        "group": group_name(facts.gid()),
    });
    if let Value::Object(fields) = &mut shown
        && kind == "file"
    {
        fields.insert("size".to_owned(), facts.len().into());
    }
    shown
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_file() {
        "file"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symlink"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_fifo() {
        "named-pipe"
    } else if kind.is_block_device() || kind.is_char_device() {
        "device"
    } else {
        "unknown"
    }
}

/// Without doubled slashes, dots, and a slash at the end.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Path::new("/").join(parts.join("/")).to_string_lossy().into_owned()
}
