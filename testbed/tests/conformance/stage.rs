//! The model that the rows start from, and how they run hooks in it.

use std::process::Command;
use std::time::Duration;

use testbed::juju::controller::Controller;
use testbed::juju::hook::FaultKind;
use testbed::juju::hook::Hook;
use testbed::juju::model::Bag;
use testbed::juju::model::Model;
use testbed::juju::run::HookRun;
use testbed::juju::run::ToolCall;

/// Number of the peer relation of `cache`.
pub(crate) const PEERS: u32 = 0;

/// Number of the relation of `cache` and `web`.
pub(crate) const TO_WEB: u32 = 1;

const LIMIT: Duration = Duration::from_mins(1);

/// A controller with the applications `cache` and `web`, which are related, and `idle`, which is
/// not; of each the unit 0 leads. A databag's key `of` tells whose it is: `1 web/0`.
pub(crate) fn controller() -> Controller {
    let mut model = Model::application("cache", 3);
    assert_eq!(model.relate(("cache", "redis"), ("web", "db")), TO_WEB);
    model.relate(("nobody", "redis"), ("idle", "db"));
    for (application, count) in [("web", 2), ("idle", 1)] {
        for number in 0..count {
            model.add_unit(application, number);
        }
    }
    model.relations.retain(|relation| relation.id <= TO_WEB);
    for relation in &mut model.relations {
        let id = relation.id;
        let of = |owner: &str| Bag::from([("of".to_owned(), format!("{id} {owner}"))]);
        for (unit, member) in &mut relation.units {
            member.data.extend(of(unit));
        }
        for (application, bag) in &mut relation.application_data {
            bag.extend(of(application));
        }
    }
    let controller = Controller::new(model).unwrap();
    for leader in ["cache/0", "web/0", "idle/0"] {
        controller.set_leader(leader);
    }
    controller
}

/// Runs the script as that hook.
pub(crate) fn run(controller: &Controller, hook: Hook, script: &str) -> HookRun {
    controller.start(hook, shell(script)).unwrap().finish(LIMIT).unwrap()
}

/// Runs the script as that hook; what happens before its call of that number, happens then.
pub(crate) fn run_with(
    controller: &Controller,
    hook: Hook,
    script: &str,
    before_call: usize,
    happening: impl FnOnce(),
) -> HookRun {
    let hook = hook.fault(before_call, FaultKind::Hold);
    let running = controller.start(hook, shell(script)).unwrap();
    running.wait_for_call(before_call, LIMIT).unwrap();
    happening();
    running.release();
    running.finish(LIMIT).unwrap()
}

/// What a call came to: what it printed, or why it was refused.
pub(crate) fn outcome(call: &ToolCall) -> String {
    let text = if call.exit == Some(0) { &call.stdout } else { &call.stderr };
    text.trim_end().trim_start_matches("ERROR ").to_owned()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}
