//! First deployments.

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use testbed::lab::Lab;
use testbed::own_charm;
use testbed::trace::entry::Exit;
use testbed::trace::entry::What;

type Result = std::result::Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_mins(2);

#[test]
fn three_units_record_a_master_and_passwords_and_no_hook_fails() -> Result {
    let dispatch = Path::new(env!("CARGO_BIN_EXE_dispatch"));
    let charm = own_charm::unpack(dispatch, &env::temp_dir())?;
    let lab = Lab::start(1)?;
    lab.deploy(charm.path(), "redis-k8s", 3)?;
    lab.wait_until("the leader has recorded itself as master", LIMIT, |lab| {
        let bag = lab.databag("redis-k8s");
        let leader =
            lab.controller().read(|model| Some(model.leader("redis-k8s")?.replace('/', "-")))?;
        let passwords = ["redis-password", "sentinel-password"];
        let is_complete =
            passwords.iter().all(|key| bag.get(*key).is_some_and(|it| it.len() == 32));
        let host = format!("{leader}.redis-k8s-endpoints.lab.svc.cluster.local");
        (is_complete && bag.get("leader-host") == Some(&host)).then_some(())
    })?;
    lab.wait_until("all units have started", LIMIT, |lab| {
        let entries = lab.trace().entries();
        let ended = entries.iter().filter(
            |entry| matches!(&entry.what, What::EventEnded { event, .. } if event == "start"),
        );
        (ended.count() == 3).then_some(())
    })?;
    lab.wait_for_idle(LIMIT)?;
    for entry in lab.trace().entries() {
        if let What::EventEnded { unit, event, exit, .. } = entry.what {
            assert_eq!(exit, Exit::Code(0), "{unit} {event}");
        }
    }
    Ok(())
}
