//! `juju-log`.

use crate::clients::hook_tools::Invocation;
use crate::clients::hook_tools::ToolError;
use crate::clock::Budget;

/// Logs a message at once; `level` is one of `DEBUG`, `INFO`, `WARNING`, `ERROR`. One that is longer
/// than the kernel lets an argument be is cut into several calls between characters.
pub fn juju_log(level: &str, message: &str, budget: &Budget) -> Result<(), ToolError> {
    for part in parts(message) {
        Invocation::new("juju-log", &["-l", level]).with_text(part).run(budget)?;
    }
    Ok(())
}

fn parts(message: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(message);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let (part, more) = text.split_at(text.floor_char_boundary(LONGEST_ARGUMENT));
        rest = Some(more).filter(|more| !more.is_empty());
        Some(part)
    })
}

/// In bytes: Linux refuses an argument of 128 KiB with its closing zero.
const LONGEST_ARGUMENT: usize = 131_071;
