//! `action-fail`: marks the running action as failed.

use super::Call;
use super::Refusal;
use crate::juju::hook::Kind;

/// Marks the action as failed; neither stops it nor drops its changes.
pub(super) fn fail(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[])?;
    parsed.at_most(1)?;
    if !matches!(call.context.kind, Kind::Action { .. }) {
        return Err(Refusal::Failed("not running an action".to_owned()));
    }
    let message = parsed.positional(0).unwrap_or(WITHOUT_REASON).to_owned();
    call.world.transcript.push(format!("action-fail: {message}"));
    call.context.failure = Some(message);
    Ok(String::new())
}

const WITHOUT_REASON: &str = "action failed without reason given, check action for errors";
