//! `juju-reboot`: of no use in a pod.

use super::Call;
use super::Refusal;
use crate::juju::flags::Flag;
use crate::juju::flags::Takes;

/// Asks for a reboot after the hook. As a pod is no machine, the hook fails in the end, though its
/// changes are kept. `--now` does not end the hook early here.
pub(super) fn reboot(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[NOW])?;
    parsed.at_most(0)?;
    if call.context.action.is_some() {
        let text = "juju-reboot is not supported when running an action.";
        return Err(Refusal::Failed(text.to_owned()));
    }
    call.context.wants_reboot = true;
    Ok(String::new())
}

const NOW: Flag = Flag { names: &["now"], takes: Takes::Nothing };
