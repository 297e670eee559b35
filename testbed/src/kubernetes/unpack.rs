//! Puts a charm's files into a pod.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::error::BedError;
use crate::error::at_file;

/// Copies a folder with all that is in it; modes and symbolic links stay what they are.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), BedError> {
    fs::create_dir_all(to).map_err(at_file(to))?;
    for entry in fs::read_dir(from).map_err(at_file(from))? {
        let entry = entry.map_err(at_file(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(at_file(&source))?;
        if kind.is_dir() {
            copy_folder(&source, &target)?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&source).map_err(at_file(&source))?;
            symlink(link, &target).map_err(at_file(&target))?;
        } else {
            copy_file(&source, &target).map_err(at_file(&target))?;
        }
    }
    Ok(())
}

/// The file is another one, with the same text and mode: a charm that writes into its own folder must
/// not write into the next pod's.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(|_| ())
}
