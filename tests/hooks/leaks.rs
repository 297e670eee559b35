//! The search for leaked passwords bites: a hook that leaks on purpose is found out in every channel.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;

use testbed::bed::Bed;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;
use testbed::juju::model::Model;
use testbed::juju::run::HookRun;
use testbed::layout::Layout;

use crate::scene::APPLICATION;
use crate::scene::HOOK_LIMIT;
use crate::scene::Scene;
use crate::scene::unit;
use crate::secrets::leaks;
use crate::secrets::said;
use crate::secrets::secrets_of;

#[test]
fn a_hook_that_leaks_is_found_out_in_every_channel() {
    let leaky = Leaky::with(Layout { units: 1, servers: false, ..Layout::default() });
    let hook = || Hook::new(&unit(0), "update-status");
    leaky.run(hook(), "echo a hook may read $#, and say nothing of it");
    assert_eq!(leaky.leaks(), [""; 0]);
    for (script, found) in [
        ("is-leader --format=$p", "is-leader --format=***"),
        ("relation-set -r 0 note=$p", "unit bag note: ***"),
        ("juju-log -l ERROR -- oops $p", "log redis-k8s/0 ERROR oops ***"),
        ("juju-log -l DEBUG -- hm $p", "log redis-k8s/0 DEBUG hm ***"),
        ("status-set waiting -- \"on $p\"", "status redis-k8s/0 waiting: on ***"),
        ("echo out $p", "out ***"),
        ("echo err $p >&2", "err ***"),
        ("echo \"fatal: $p\" >&2; exit 1", "fatal: ***"),
        ("echo \"why: because $p\" | state-set --file -", "state why: because ***"),
        (
            "sh -c 'sleep 60; exit' leaking $p </dev/null >/dev/null 2>&1 &",
            "sleep 60; exit leaking ***",
        ),
    ] {
        assert!(!leaky.leaks_in(found), "{found} is there before");
        leaky.run(hook(), script);
        assert!(leaky.leaks_in(found), "{script}: not found among {:#?}", leaky.leaks());
    }

    let action = || Hook::action(&unit(0), "check", "12");
    for (script, found) in [
        ("action-fail -- \"no $p\"", "action-fail: no ***"),
        ("echo result $p", "result ***"),
        ("echo complaint $p >&2; exit 1", "complaint ***"),
    ] {
        let result = leaky.run(action(), script).action_result.unwrap();
        let told = [&result.message, result.stdout(), result.stderr()].concat();
        assert!(told.contains(PLANTED), "{script}: {told}");
        assert!(leaky.leaks_in(found), "{script}: not found among {:#?}", leaky.leaks());
    }
}

#[test]
fn a_password_that_was_never_committed_is_searched_for_as_well() {
    let leaky = Leaky::with(Layout { units: 1, servers: false, ..Layout::default() });
    let script = r#"echo '{"sentinel-password": "ANewPassword"}' | relation-set -r 0 --app --file -
        echo new ANewPassword; exit 1"#;
    leaky.run(Hook::new(&unit(0), "update-status"), script);
    assert_eq!(leaky.leaks(), ["new ***"]);
}

#[test]
fn a_password_in_a_command_line_of_the_bed_or_in_a_servers_log_is_found() {
    let leaky = Leaky::with(Layout { units: 1, ..Layout::default() });
    assert_eq!(leaky.leaks(), [""; 0]);
    let pod = leaky.bed.pod(0).unwrap();
    let mut command = pod.command("true").unwrap();
    pod.pod().unwrap().run(command.args(["-a", PLANTED]), "").unwrap();
    assert!(leaky.leaks_in("true -a ***"), "{:#?}", leaky.leaks());
    pod.sentinel(&format!("SENTINEL MONITOR {PLANTED} 127.0.0.1 6379 1")).unwrap();
    let logged = |line: &String| line.contains("+monitor master ***");
    assert!(leaky.leaks().iter().any(logged), "{:#?}", leaky.leaks());
}

#[test]
fn a_scene_with_a_leak_fails_at_its_end() {
    let scene = Scene::before_the_first_election(1);
    scene.run(0, "leader-elected");
    let password = scene.databag()["redis-password"].clone();
    let mut command = scene.controller.command(&unit(0), Path::new("sh")).unwrap();
    command.args(["-c", "echo \"$1\"", "sh", &password]);
    let hook = Hook::new(&unit(0), "update-status");
    scene.controller.start(hook, command).unwrap().finish(HOOK_LIMIT).unwrap();
    let failure = catch_unwind(AssertUnwindSafe(move || drop(scene))).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    assert!(text.contains("a password was shown") && !text.contains(&password), "{text}");
}

/// A bed beside a model, without the search at the end that a scene has.
struct Leaky {
    bed: Bed,
    controller: Controller,
}

impl Leaky {
    fn with(layout: Layout) -> Self {
        let controller = Controller::new(Model::application(APPLICATION, layout.units)).unwrap();
        controller.set_leader(&unit(0));
        controller.edit(|model| {
            let bag = model.relations[0].application_data.get_mut(APPLICATION).unwrap();
            bag.insert("redis-password".to_owned(), PLANTED.to_owned());
        });
        let bed = Bed::start(layout).unwrap();
        controller.set_place(&unit(0), bed.pod(0).unwrap().pod().unwrap());
        Self { bed, controller }
    }

    /// Runs a shell script as the charm, which finds the password in `$p`.
    fn run(&self, hook: Hook, script: &str) -> HookRun {
        let mut command = self.controller.command(&unit(0), Path::new("sh")).unwrap();
        command.arg("-c");
        command.arg(format!("p=$(relation-get -r 0 --app redis-password {APPLICATION})\n{script}"));
        self.controller.start(hook, command).unwrap().finish(HOOK_LIMIT).unwrap()
    }

    fn leaks(&self) -> Vec<String> {
        let bed = Some(&self.bed);
        leaks(&secrets_of(&self.controller, bed), &said(&self.controller, bed))
    }

    /// True when a line that leaks ends so, with the password masked.
    fn leaks_in(&self, end: &str) -> bool {
        self.leaks().iter().any(|line| line.ends_with(end))
    }
}

const PLANTED: &str = "APlantedPassword";
