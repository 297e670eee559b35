//! `/v1/files`: the files of a container.
//!
//! Reading, writing, making folders and removing answer HTTP 200 with a result for each path; here an
//! error of a path is an error.

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::envelope::Refusal;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::http::Answer;
use crate::clients::pebble::multipart::Form;
use crate::clients::pebble::multipart::parts;

/// Whose a file is, by the names that the container knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The user.
    pub user: &'a str,
    /// The group.
    pub group: &'a str,
}

/// A file to be written. Who owns it must be said: a new file is root's, also when it takes the place
/// of another user's.
#[derive(Clone, Copy)]
pub struct NewFile<'a> {
    /// Absolute.
    pub path: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
    /// As in `0o640`; set exactly.
    pub mode: u32,
    /// Whose it is, and the folders that are made for it.
    pub owner: Owner<'a>,
}

/// A file as `ls` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileInfo {
    /// Absolute.
    pub path: String,
    /// Without its folder.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// In bytes; files only.
    pub size: Option<u64>,
    /// Three octal digits.
    pub permissions: String,
    /// To the second; RFC 3339.
    pub last_modified: String,
    /// The owner's number.
    pub user_id: Option<u32>,
    /// The owner's name; empty where the container knows none.
    #[serde(default)]
    pub user: String,
    /// The group's number.
    pub group_id: Option<u32>,
    /// The group's name; empty where the container knows none.
    #[serde(default)]
    pub group: String,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link; only an entry of a folder is told as one.
    Symlink,
    /// A socket.
    Socket,
    /// A FIFO.
    NamedPipe,
    /// A device.
    Device,
    /// Something else.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct PathResult {
    path: String,
    error: Option<Refusal>,
}

impl Pebble {
    /// `GET /v1/files?action=read`: a regular file's bytes, 1 MiB at most.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, PebbleError> {
        let call = self.call(format!("read {path}"));
        let query = [("action", "read"), ("path", path)];
        let answer = self.get_as(&call, "/v1/files", &query, "multipart/form-data")?;
        if !answer.content_type.starts_with("multipart/") {
            self.result::<()>(&call, &answer)?;
        }
        let parts = parts(&answer.content_type, &answer.body)
            .ok_or_else(|| PebbleError::garbage(call.clone(), "no whole form"))?;
        // The file comes first, if it could be read, and last the word on each path.
        let told = parts.iter().find(|part| !part.is_file).map(|part| part.content);
        let told = Answer {
            status: answer.status,
            content_type: String::new(),
            body: told.unwrap_or_default().to_vec(),
        };
        self.each_path(&call, "read", &[path], &told)?;
        let content = parts.iter().find(|part| part.is_file).map(|part| part.content.to_vec());
        content.ok_or_else(|| PebbleError::garbage(call, "no file"))
    }

    /// `POST /v1/files` `write`: writes the files one by one, each as a whole (a new file takes the old
    /// one's place, so a symbolic link becomes a file, and a file that is a mount of its own cannot be
    /// written). Folders that are missing are made, with mode 755.
    ///
    /// The first file that fails is the error; those before it, and perhaps others, are written.
    pub fn write_files(&self, files: &[NewFile<'_>]) -> Result<(), PebbleError> {
        let entries: Vec<Value> = files
            .iter()
            .map(|file| {
                let mut entry = entry(file.path, file.mode, file.owner);
                entry.insert("make-dirs".to_owned(), true.into());
                entry.into()
            })
            .collect();
        let mut form = Form::new(&json!({"action": "write", "files": entries}));
        for file in files {
            form.add(file.path, file.content);
        }
        let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
        let call = self.call(format!("write {}", paths.join(", ")));
        let answer = self.post_form(&call, "/v1/files", &form)?;
        self.each_path(&call, "write", &paths, &answer)
    }

    /// `POST /v1/files` `make-dirs`: makes the folders, and those that they lie in. One that exists is
    /// left as it is, mode and owner too.
    pub fn make_folders(
        &self,
        paths: &[&str],
        mode: u32,
        owner: Owner<'_>,
    ) -> Result<(), PebbleError> {
        let entries: Vec<Value> = paths
            .iter()
            .map(|path| {
                let mut entry = entry(path, mode, owner);
                entry.insert("make-parents".to_owned(), true.into());
                entry.into()
            })
            .collect();
        let call = self.call(format!("make {}", paths.join(", ")));
        let body = json!({"action": "make-dirs", "dirs": entries});
        let answer = self.post_at_leisure(&call, "/v1/files", &body)?;
        self.each_path(&call, "make", paths, &answer)
    }

    /// `POST /v1/files` `remove`: removes the files, and folders with all that is in them; one that is
    /// not there is gone already.
    pub fn remove_files(&self, paths: &[&str]) -> Result<(), PebbleError> {
        let entries: Vec<Value> =
            paths.iter().map(|path| json!({"path": path, "recursive": true})).collect();
        let call = self.call(format!("remove {}", paths.join(", ")));
        let body = json!({"action": "remove", "paths": entries});
        let answer = self.post_at_leisure(&call, "/v1/files", &body)?;
        self.each_path(&call, "remove", paths, &answer)
    }

    /// `GET /v1/files?action=list`: what is in a folder, sorted by name.
    pub fn list_files(&self, folder: &str) -> Result<Vec<FileInfo>, PebbleError> {
        let call = self.call(format!("list {folder}"));
        let query = [("action", "list"), ("path", folder)];
        let answer = self.get(&call, "/v1/files", &query)?;
        Ok(self.result(&call, &answer)?.unwrap_or_default())
    }

    /// The same of the file or folder itself; `None` when it is not there. A symbolic link is followed.
    pub fn file_info(&self, path: &str) -> Result<Option<FileInfo>, PebbleError> {
        let call = self.call(format!("look at {path}"));
        let query = [("action", "list"), ("path", path), ("itself", "true")];
        let answer = self.get(&call, "/v1/files", &query)?;
        match self.result::<Vec<FileInfo>>(&call, &answer) {
            Ok(found) => Ok(found.and_then(|found| found.into_iter().next())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first path that Pebble could not do, or says nothing about, is the error.
    fn each_path(
        &self,
        call: &Call,
        verb: &str,
        paths: &[&str],
        answer: &Answer,
    ) -> Result<(), PebbleError> {
        let mut results: Vec<PathResult> = self.result(call, answer)?.unwrap_or_default();
        for path in paths {
            let call = self.call(format!("{verb} {path}"));
            let told = results.iter().position(|result| result.path == *path);
            let Some(at) = told else {
                return Err(PebbleError::garbage(call, "it says nothing about it"));
            };
            if let Some(error) = results.swap_remove(at).error {
                return Err(self.refused(&call, answer.status, error));
            }
        }
        Ok(())
    }
}

fn entry(path: &str, mode: u32, owner: Owner<'_>) -> Map<String, Value> {
    // Exactly three digits: a fourth is refused.
    let permissions = format!("{:03o}", mode & 0o777);
    [("path", path), ("permissions", &permissions), ("user", owner.user), ("group", owner.group)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
