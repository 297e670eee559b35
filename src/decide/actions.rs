//! What each action answers, in the Python charm's words.

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::event::Event;
use crate::names;
use crate::world::password::Password;

/// The action's answer.
pub fn answer(at: &Situation<'_>, plan: &mut Plan) {
    let Event::Action { name } = at.event else { return };
    let juju = &at.world.juju;
    let application = &juju.application;
    match name.as_str() {
        names::CHECK_SERVICE => {
            let answers = at.cluster().is_some_and(|it| it.redis(juju.unit.number).is_some());
            let text = if answers { "Service is running" } else { "Service is not running" };
            let value = Password::new(text);
            plan.push(Effect::AnswerAction { key: "result", value }, "Redis was asked");
        }
        names::GET_REDIS_PASSWORD => {
            show(plan, "redis-password", application.redis_password.clone());
        }
        names::GET_SENTINEL_PASSWORD => {
            show(plan, "sentinel-password", application.sentinel_password.clone());
        }
        name => {
            let message = format!("action `{name}` is not available in this revision of the charm");
            plan.push(Effect::FailAction { message }, "no rule answers it");
        }
    }
}

fn show(plan: &mut Plan, key: &'static str, password: Option<Password>) {
    if let Some(value) = password {
        plan.push(Effect::AnswerAction { key, value }, "it is asked for");
    } else {
        let message = "there is no password yet: the leader has not created it".to_owned();
        plan.push(Effect::FailAction { message }, "the databag has none");
    }
}
