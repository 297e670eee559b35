//! Pods in which the test plays the charm: it pushes the files and layers that the charm renders, and
//! changes what the keepers are told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use redis_k8s::names::Naming;
use redis_k8s::render::inputs::Inputs;
use redis_k8s::render::layer;
use redis_k8s::render::places;
use redis_k8s::render::sentinel_conf;
use redis_k8s::render::sentinel_conf::SentinelConf;
use redis_k8s::world::lineage::Lineage;
use redis_k8s::world::password::Password;
use serde_json::Value;
use serde_json::json;
use testbed::bed::Bed;
use testbed::layout::Layout;
use testbed::redis::answers::Answer;
use testbed::redis::answers::Role;
use testbed::wait::until;

/// Longer than anything takes that is not a failover.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Longer than a failover takes on a busy machine.
pub(crate) const FAILOVER: Duration = Duration::from_mins(1);

/// Pods, and what their keepers are told.
pub(crate) struct Stage {
    pub(crate) bed: Bed,
    inputs: Mutex<BTreeMap<u32, Inputs>>,
}

impl Stage {
    /// Empty pods; each unit's keeper is to be told of all of them, and nothing of a master.
    pub(crate) fn new(units: u32) -> Self {
        Self::with(Layout { units, ..Layout::default() })
    }

    /// The same with another layout.
    pub(crate) fn with(layout: Layout) -> Self {
        let dispatch = Path::new(env!("CARGO_BIN_EXE_dispatch"));
        let shown = vec![dispatch.parent().unwrap().to_owned()];
        let bed = Bed::start(Layout { servers: false, shown, ..layout }).unwrap();
        let units = bed.layout().units;
        let told = (0..units).map(|unit| (unit, inputs(&bed, unit, units))).collect();
        Self { bed, inputs: Mutex::new(told) }
    }

    /// Units that have started for the first time, with unit 0 as master.
    pub(crate) fn running(units: u32) -> Self {
        let stage = Self::new(units);
        stage.bootstrap();
        stage
    }

    /// Starts all units for the first time, and waits until they are a whole.
    pub(crate) fn bootstrap(&self) {
        let units = self.units();
        let first = self.bed.host(0);
        for unit in &units {
            self.tell(*unit, |inputs| {
                inputs.bootstrap = Some(first.clone());
                inputs.recorded_master = Some(first.clone());
                inputs.recorded_epoch = Some(0);
            });
            self.start_redis(*unit);
            self.start_sentinel(*unit, 0);
        }
        self.settle(&units);
        for unit in &units {
            self.tell(*unit, |inputs| inputs.bootstrap = None);
        }
    }

    /// The units that there were at first.
    pub(crate) fn units(&self) -> Vec<u32> {
        self.inputs.lock().unwrap().keys().copied().collect()
    }

    /// Waits until these units are a whole, and their replicas may be promoted; gives the master.
    pub(crate) fn settle(&self, units: &[u32]) -> u32 {
        let master = self.bed.settle(units, FAILOVER).unwrap_or_else(|error| {
            panic!("{error}\n{}", self.logs());
        });
        for unit in units {
            self.wait(&format!("unit {unit} may be promoted"), SOON, || {
                (self.setting(*unit, "replica-priority") == "100").then_some(())
            });
        }
        master
    }

    /// Changes what a unit's keeper is told.
    pub(crate) fn tell(&self, unit: u32, change: impl FnOnce(&mut Inputs)) {
        let text = {
            let mut told = self.inputs.lock().unwrap();
            let inputs = told.get_mut(&unit).unwrap();
            change(inputs);
            inputs.render()
        };
        let script = format!(
            "umask 077 && mkdir -p {0} && chmod 755 {0} && cat >{1}.new && mv {1}.new {1}",
            places::FOLDER,
            places::KEEPER_INPUTS
        );
        self.script(unit, "redis", &script, &text);
    }

    /// Tells all keepers who is recorded as master.
    pub(crate) fn tell_all(&self, master: u32) {
        for unit in self.units() {
            self.tell(unit, |inputs| inputs.recorded_master = Some(self.bed.host(master)));
        }
    }

    /// Pushes the keeper and its layer, as the charm does when the container is ready; it does not
    /// wait for anything.
    pub(crate) fn start_redis(&self, unit: u32) {
        self.tell(unit, |_| {});
        self.push_binary(unit, "redis", places::KEEPER);
        self.replan(unit, "redis", &layer::redis());
    }

    /// Starts a unit's keeper, and gives the seconds from the replan to Redis' answer, as a program
    /// beside it sees them.
    pub(crate) fn time_to_answer(&self, unit: u32) -> f64 {
        self.push_binary(unit, "redis", places::KEEPER);
        self.add_layer(unit, "redis", &layer::redis());
        let password = self.bed.layout().redis_password.clone().unwrap_or_default();
        let taken = self.script(unit, "redis", TIMED_START, &format!("{password}\n"));
        taken.parse().unwrap_or_else(|_| panic!("{taken}\n{}", self.logs()))
    }

    /// Pushes Sentinel's file, its starter and its layer.
    pub(crate) fn start_sentinel(&self, unit: u32, master: u32) {
        let Inputs { planned, redis_password, sentinel_password, .. } =
            self.inputs.lock().unwrap()[&unit].clone();
        let conf = SentinelConf {
            naming: self.naming(),
            unit,
            planned: planned.clone(),
            master: self.bed.host(master),
            epoch: 0,
            redis_password,
            sentinel_password,
        };
        let script = format!(
            "mkdir -p {0} && chmod 700 {0} && cat >{1}",
            places::SENTINEL_FOLDER,
            places::SENTINEL_CONF
        );
        self.script(unit, "sentinel", &script, &conf.render());
        self.members(unit, &planned.iter().copied().collect::<Vec<_>>());
        self.push_binary(unit, "sentinel", places::SENTINEL_STARTER);
        self.replan(unit, "sentinel", &layer::sentinel());
    }

    /// Writes the list of those who may stay in a unit's Sentinel.
    pub(crate) fn members(&self, unit: u32, members: &[u32]) {
        let hosts = members.iter().map(|unit| self.bed.host(*unit)).collect();
        let script = format!(
            "cat >{} && chown -R redis:redis {}",
            places::SENTINEL_MEMBERS,
            places::SENTINEL_FOLDER
        );
        self.script(unit, "sentinel", &script, &sentinel_conf::members(&hosts));
    }

    fn naming(&self) -> Naming {
        self.inputs.lock().unwrap().values().next().unwrap().naming()
    }

    fn push_binary(&self, unit: u32, container: &str, place: &str) {
        let script = format!(
            "mkdir -p {} && ln -sf {} {place}",
            places::FOLDER,
            env!("CARGO_BIN_EXE_dispatch")
        );
        self.script(unit, container, &script, "");
    }

    fn replan(&self, unit: u32, container: &str, layer: &Value) {
        self.add_layer(unit, container, layer);
        self.pebble(unit, container, "/v1/services", &json!({"action": "replan", "services": []}));
    }

    fn add_layer(&self, unit: u32, container: &str, layer: &Value) {
        let layer = json!({
            "action": "add", "combine": true, "label": layer::LABEL, "format": "yaml",
            "layer": layer.to_string(),
        });
        self.pebble(unit, container, "/v1/layers", &layer);
    }

    /// Stops a service, and waits until it has ended.
    pub(crate) fn stop(&self, unit: u32, service: &str) {
        let stop = json!({"action": "stop", "services": [service]});
        let answer = self.pebble(unit, service, "/v1/services", &stop);
        let path = format!("/v1/changes/{}/wait?timeout=60s", answer["change"].as_str().unwrap());
        let pod = self.bed.pod(unit).unwrap().pod().unwrap();
        let client = pod.wait_for_pebble(service, SOON).unwrap();
        let done = client.get(&path).unwrap().json();
        assert_eq!(done["result"]["status"], "Done", "{done}");
    }

    /// A POST to a container's Pebble.
    pub(crate) fn pebble(&self, unit: u32, container: &str, path: &str, body: &Value) -> Value {
        let pod = self.bed.pod(unit).unwrap().pod().unwrap();
        let reply = pod.wait_for_pebble(container, SOON).unwrap().post(path, body).unwrap();
        assert!(reply.status < 400, "{path}: {}", reply.json());
        reply.json()
    }

    /// How often the keeper of a unit has rung with a key.
    pub(crate) fn rings(&self, unit: u32, key: &str) -> u64 {
        let pod = self.bed.pod(unit).unwrap().pod().unwrap();
        let pebble = pod.wait_for_pebble("redis", SOON).unwrap();
        let notices = pebble.get(&format!("/v1/notices?types=custom&keys={key}")).unwrap().json();
        notices["result"][0]["occurrences"].as_u64().unwrap_or_default()
    }

    /// Runs a shell script in a container.
    pub(crate) fn script(&self, unit: u32, container: &str, script: &str, input: &str) -> String {
        let pod = self.bed.pod(unit).unwrap().pod().unwrap();
        let mut command = pod.command(container, "sh");
        command.args(["-c", script]);
        let output = pod.run(&mut command, input).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The processes of a container whose first word ends so, by their numbers inside.
    pub(crate) fn processes(&self, unit: u32, container: &str, program: &str) -> Vec<u32> {
        let script = format!(
            r#"for p in /proc/[0-9]*; do w=$(tr '\0' ' ' <$p/cmdline 2>/dev/null); case "${{w%% *}}" in *{program}) echo ${{p#/proc/}};; esac; done"#
        );
        let found = self.script(unit, container, &script, "");
        found.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Kills a program of a container, which has to run.
    pub(crate) fn kill(&self, unit: u32, container: &str, program: &str) {
        let processes = self.processes(unit, container, program);
        assert_eq!(processes.len(), 1, "{program} of unit {unit}: {processes:?}");
        self.script(unit, container, &format!("kill -9 {}", processes[0]), "");
    }

    /// A setting of a unit's Redis; empty while it does not answer.
    pub(crate) fn setting(&self, unit: u32, name: &str) -> String {
        let pod = self.bed.pod(unit).unwrap();
        match pod.redis(&format!("CONFIG GET {name}")) {
            Ok(Answer::Said(values)) => values[name].as_str().unwrap_or_default().to_owned(),
            Ok(Answer::Error(_)) | Err(_) => String::new(),
        }
    }

    /// How many keys a unit's Redis has, if it answers.
    pub(crate) fn keys(&self, unit: u32) -> Option<u64> {
        self.bed.pod(unit).unwrap().redis("DBSIZE").ok()?.text().parse().ok()
    }

    /// Writes keys through a unit's Redis, which has to be master.
    pub(crate) fn write_keys(&self, unit: u32, count: u32) {
        self.bed.pod(unit).unwrap().redis(&format!("EVAL \"{POPULATE}\" 0 {count}")).unwrap();
    }

    /// Whether a unit's Redis answers as master.
    pub(crate) fn is_master(&self, unit: u32) -> bool {
        matches!(self.bed.pod(unit).unwrap().redis_role(), Ok(Role::Master { .. }))
    }

    /// What a unit's keeper has said.
    pub(crate) fn said(&self, unit: u32) -> String {
        self.bed.pod(unit).unwrap().pod().unwrap().log("redis")
    }

    /// What a unit's keeper has noted of its data.
    pub(crate) fn note(&self, unit: u32) -> Option<Lineage> {
        let text = format!("cat {} 2>/dev/null || true", places::LINEAGE);
        Lineage::parse(&self.script(unit, "redis", &text, ""))
    }

    /// Waits until a unit's keeper has said this.
    pub(crate) fn says(&self, unit: u32, text: &str) {
        self.wait(&format!("the keeper of unit {unit} says {text:?}"), SOON, || {
            self.said(unit).contains(text).then_some(())
        });
    }

    /// Waits for something; fails with the logs of all keepers.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        check: impl FnMut() -> Option<T>,
    ) -> T {
        until(what, limit, check).unwrap_or_else(|error| panic!("{error}\n{}", self.logs()))
    }

    /// What all keepers have said.
    pub(crate) fn logs(&self) -> String {
        let logs = self.bed.pods();
        let logs =
            logs.iter().map(|pod| format!("--- {}\n{}\n", pod.host(), self.said(pod.unit())));
        logs.collect()
    }
}

/// The password comes by standard input.
const TIMED_START: &str = r#"exec bash -c '
read -r REDISCLI_AUTH
export REDISCLI_AUTH PEBBLE_SOCKET=/charm/container/pebble.socket
start=$EPOCHREALTIME
/charm/bin/pebble replan >/dev/null &
for look in {1..2000}; do
    case $(redis-cli PING 2>/dev/null) in PONG) break ;; esac
    sleep 0.01
done
end=$EPOCHREALTIME
wait
elapsed=$(( ${end/./} - ${start/./} ))
printf "%d.%06d" $((elapsed / 1000000)) $((elapsed % 1000000))
'"#;

const POPULATE: &str = "for i = 1, ARGV[1] do redis.call('SET', 'key:' .. i, i) end";

fn inputs(bed: &Bed, unit: u32, units: u32) -> Inputs {
    let Layout { names, redis_password, sentinel_password, .. } = bed.layout();
    Inputs {
        application: names.application.clone(),
        model: names.model.clone(),
        cluster_domain: "cluster.local".to_owned(),
        unit,
        planned: (0..units).collect(),
        leaving: [].into(),
        redis_password: redis_password.clone().map(Password::new),
        sentinel_password: sentinel_password.clone().map(Password::new),
        bootstrap: None,
        recorded_master: None,
        recorded_epoch: None,
        deferred: false,
        accepted_loss: [].into(),
        unwell: false,
    }
}
