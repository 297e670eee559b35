//! What each action answers, in the Python charm's words.

use std::collections::BTreeSet;

use crate::decide::Situation;
use crate::decide::plan::Effect;
use crate::decide::plan::Plan;
use crate::decide::workload;
use crate::event::Event;
use crate::names;
use crate::names::UnitName;
use crate::world::juju::Leadership;
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
        names::ACCEPT_DATA_LOSS => accept_data_loss(at, plan),
        name => {
            let message = format!("action `{name}` is not available in this revision of the charm");
            plan.push(Effect::FailAction { message }, "no rule answers it");
        }
    }
}

/// The loss that is accepted has to be named, so that nobody accepts another one than he means.
fn accept_data_loss(at: &Situation<'_>, plan: &mut Plan) {
    let juju = &at.world.juju;
    let missing = workload::report(at.world).missing;
    let texts: Vec<String> =
        missing.iter().map(|unit| juju.naming.unit(*unit).to_string()).collect();
    let missing_now = texts.join(",");
    let named = at.world.named_units.as_deref().unwrap_or_default();
    let units: Result<BTreeSet<UnitName>, _> =
        named.split(',').map(|it| it.trim().parse()).collect();
    let is_right = units.is_ok_and(|units| {
        let is_ours = |unit: &UnitName| unit.application == juju.unit.application;
        units.iter().all(is_ours)
            && units.iter().map(|unit| unit.number).collect::<BTreeSet<u32>>() == missing
    });
    let refusal = if juju.leadership != Leadership::Leader {
        Some("run it on the leader: its status names the missing units too".to_owned())
    } else if missing.is_empty() {
        Some("nothing is accepted: Redis of this unit waits for no unit's data".to_owned())
    } else if !is_right {
        Some(format!("nothing is accepted: missing now is units={missing_now}, and not `{named}`"))
    } else {
        None
    };
    if let Some(message) = refusal {
        plan.push(Effect::FailAction { message }, "the loss is not what is missing");
        return;
    }
    let numbers: Vec<String> = missing.iter().map(u32::to_string).collect();
    plan.write(format!("accept the loss of {missing_now}"), "an operator does", |application| {
        application.accepted_loss = Some(numbers.join(","));
    });
    let value = Password::new(missing_now);
    plan.push(Effect::AnswerAction { key: "accepted", value }, "an operator accepts it");
}

fn show(plan: &mut Plan, key: &'static str, password: Option<Password>) {
    if let Some(value) = password {
        plan.push(Effect::AnswerAction { key, value }, "it is asked for");
    } else {
        let message = "there is no password yet: the leader has not created it".to_owned();
        plan.push(Effect::FailAction { message }, "the databag has none");
    }
}
