//! A `.charm` file: a zip of the files at the charm's root, with their Unix modes.

use std::fs;
use std::io;
use std::io::Cursor;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;
use zip::CompressionMethod;
use zip::DateTime;
use zip::System;
use zip::ZipArchive;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

/// A charm file in memory.
#[derive(Debug)]
pub struct Charm {
    /// What the file is called, for messages.
    pub name: String,
    /// The size of the packed file, in bytes.
    pub size: u64,
    /// What is in it, in the order of the archive.
    pub members: Vec<Member>,
}

/// One entry of the archive.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its path in the archive.
    pub name: String,
    /// Its Unix mode with the type of file; none when the archive has none.
    pub mode: Option<u32>,
    /// What it holds, unpacked.
    pub content: Vec<u8>,
}

impl Charm {
    /// Reads and unpacks a charm file.
    pub fn read(path: &Path) -> Result<Self, CharmError> {
        let at = |source| CharmError::File { path: path.to_owned(), source };
        let packed = fs::read(path).map_err(at)?;
        let size = packed.len().try_into().unwrap_or(u64::MAX);
        let mut archive = ZipArchive::new(Cursor::new(packed))?;
        let mut members = Vec::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(at)?;
            members.push(Member {
                name: entry.name()?.into_owned(),
                mode: entry.unix_mode(),
                content,
            });
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, size, members })
    }

    /// The entry of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// Writes a charm file. The same members make the same file, byte for byte.
pub fn write(path: &Path, members: &[Member]) -> Result<(), CharmError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .system(System::Unix);
    for member in members {
        let options = options.unix_permissions(member.mode.unwrap_or(PLAIN_FILE));
        zip.start_file(&member.name, options)?;
        zip.write_all(&member.content)
            .map_err(|source| CharmError::File { path: path.to_owned(), source })?;
    }
    let packed = zip.finish()?.into_inner();
    fs::write(path, packed).map_err(|source| CharmError::File { path: path.to_owned(), source })
}

/// The mode of a file that everyone may read.
pub const PLAIN_FILE: u32 = 0o644;

/// The mode of a program that everyone may run.
pub const PROGRAM: u32 = 0o755;

/// Why a charm file cannot be read or written.
#[derive(Debug, Error)]
pub enum CharmError {
    /// A file on this machine.
    #[error("cannot read or write {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The archive inside it.
    #[error("cannot read or write the archive")]
    Archive(#[from] ZipError),
}
