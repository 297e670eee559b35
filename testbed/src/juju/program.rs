//! Finds the program that all hook tools are, and builds it when it is missing or old.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use super::error::Error;

/// The tool program beside the running test's own programs.
pub(crate) fn hook_tool() -> Result<PathBuf, Error> {
    let test = env::current_exe()
        .map_err(|source| Error::File { path: PathBuf::from("the test's program"), source })?;
    // Tests are built into `deps`, programs beside it.
    let folder = test.ancestors().nth(2).unwrap_or(&test);
    let program = folder.join("hook-tool");
    if is_current(&program) {
        return Ok(program);
    }
    build(folder)?;
    Ok(program)
}

/// Whether the program is there and not older than what it is made of.
fn is_current(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let Some(built) = changed(program) else { return false };
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src/bin/hook-tool.rs", "src/juju/frame.rs"];
    sources.iter().all(|source| changed(&package.join(source)).is_none_or(|time| time <= built))
}

fn build(folder: &Path) -> Result<(), Error> {
    let failed = |reason: String| Error::Tools { reason };
    let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--bin", "hook-tool"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}
