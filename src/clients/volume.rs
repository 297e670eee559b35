//! What is on a volume of Redis, by its files alone: whether there are data, and in which form.

use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::clients::dump::LONGEST_PREAMBLE;
use crate::clients::dump::empty_length;

/// What a Redis would find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// An append-only file, be it empty.
    pub has_append_only: bool,
    /// The length of the dump in bytes, where there is one.
    pub dump: Option<u64>,
    /// A key at least, in what Redis would read.
    pub has_data: bool,
}

/// Looks. A folder that is not there is empty.
pub fn contents(folder: &Path) -> io::Result<Contents> {
    let files = append_only_files(folder)?;
    let dump = dump_length(folder);
    let mut has_data = false;
    for file in &files {
        has_data = has_data || holds_data(file)?;
    }
    if files.is_empty() && dump.is_some() {
        has_data = holds_data(&folder.join(DUMP))?;
    }
    Ok(Contents { has_append_only: !files.is_empty(), dump, has_data })
}

/// When Redis last wrote to a volume; `None` where there are no data.
pub fn last_written(folder: &Path) -> io::Result<Option<SystemTime>> {
    let mut files = append_only_files(folder)?;
    files.extend(Some(folder.join(DUMP)).filter(|dump| dump.is_file()));
    let mut last = None;
    for file in files {
        last = last.max(Some(file.metadata()?.modified()?));
    }
    Ok(last)
}

/// The length of the dump in bytes, where there is one.
pub fn dump_length(folder: &Path) -> Option<u64> {
    let metadata = folder.join(DUMP).metadata().ok();
    metadata.filter(Metadata::is_file).map(|metadata| metadata.len())
}

/// The files of the append-only folder (Redis 7) or the one file (before), whose form Redis changes.
pub(crate) fn append_only_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    match folder.join("appendonlydir").read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                let is = |end: &str| path.extension().is_some_and(|extension| extension == end);
                // What a child was writing when it was killed has another name.
                if (is("aof") || is("rdb")) && is_named(&path, "appendonly.aof.") {
                    files.push(path);
                }
            }
        }
    }
    let old = folder.join("appendonly.aof");
    if files.is_empty() && old.is_file() {
        files.push(old);
    }
    Ok(files)
}

fn is_named(path: &Path, start: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
}

fn holds_data(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = Vec::new();
    file.by_ref().take(LONGEST_PREAMBLE).read_to_end(&mut start)?;
    Ok(match empty_length(&start) {
        Some(end) => length > end,
        // Not a dump, or one with more than its preamble.
        None => length > 0,
    })
}

/// Redis' own default.
const DUMP: &str = "dump.rdb";

#[cfg(test)]
mod tests {
    use super::*;

    /// As Redis 7.0.15 writes an empty base.
    fn empty() -> Vec<u8> {
        let mut bytes = b"REDIS0010".to_vec();
        bytes.extend(b"\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40");
        bytes.extend(b"\xfa\x05ctime\xc2\x01\x02\x03\x04\xfa\x08used-mem\xc2\x01\x02\x03\x04");
        bytes.extend(b"\xfa\x08aof-base\xc0\x01\xff12345678");
        bytes
    }

    #[test]
    fn a_dump_without_a_key_is_told_from_one_with_keys() {
        let whole = empty();
        assert_eq!(empty_length(&whole), Some(whole.len() as u64));
        let commands = [whole.clone(), b"*2\r\n".to_vec()].concat();
        assert_eq!(empty_length(&commands), Some(whole.len() as u64));
        let mut keys = whole.clone();
        keys.truncate(whole.len() - 9);
        keys.extend(b"\xfe\x00\xfb\x01\x00\x00\x01k\x01v\xff12345678");
        let mut comment = whole[..whole.len() - 9].to_vec();
        comment.extend(
            [b"\xfa\x07comment\x41\x02".as_slice(), &[b'.'; 0x102], b"\xff12345678"].concat(),
        );
        assert_eq!(empty_length(&comment), Some(comment.len() as u64));
        for other in [keys, b"*2\r\n$6\r\nSELECT\r\n".to_vec(), Vec::new(), whole[..20].to_vec()] {
            assert_eq!(empty_length(&other), None);
        }
    }

    #[test]
    fn a_volume_without_files_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(contents(folder.path()).unwrap(), Contents::default());
        assert_eq!(contents(&folder.path().join("none")).unwrap(), Contents::default());
    }
}
