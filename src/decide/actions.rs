//! What each action answers.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::event::Event;

/// An action that is not built yet fails with a message, and does nothing else.
pub fn answer(at: &Situation<'_>, plan: &mut Plan) {
    if let Event::Action { name } = at.event {
        let message = format!("action `{name}` is not available in this revision of the charm");
        plan.push(Effect::FailAction { message }, "no rule answers it");
    }
}
