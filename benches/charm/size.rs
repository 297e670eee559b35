//! The size of the charm file.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::Outcome;
use crate::bar::Bar;
use crate::bar::Measured;
use crate::programs::Programs;

/// Of the charm file that `make pack` left, if there is one.
pub(crate) fn measure(programs: &Programs) -> Outcome<Measured> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut charms = Vec::new();
    for entry in root.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "charm") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            charms.push((name, fs::metadata(&path)?.len()));
        }
    }
    let largest = charms.iter().map(|(_, size)| *size).max();
    let floor = fs::metadata(&programs.bare_hook)?.len();
    let bars = vec![Bar {
        what: "charm file".into(),
        promise: "≤ 2 MB",
        measured: largest.map_or_else(|| "none here: `make pack` makes one".to_owned(), megabytes),
        floor: format!("{} (the program alone, unpacked)", megabytes(floor)),
        python: "2.6 MB without its interpreter",
        holds: largest.map(|size| size <= 2_000_000),
    }];
    let details = charms.iter().map(|(name, size)| format!("- {name}: {size} bytes")).collect();
    let dispatch = fs::metadata(&programs.dispatch)?.len();
    let samples =
        json!({ "charm_bytes": largest, "dispatch_bytes": dispatch, "bare_hook_bytes": floor });
    Ok(Measured { bars, details, samples })
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
