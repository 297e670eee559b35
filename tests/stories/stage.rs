//! What the stories have in common: a model with the charm in it, and the witness, who asks with
//! redis-cli and knows nothing of the charm but the passwords in its databag.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::trace::timeline;
use testbed::wait;

/// The application of every story.
pub(crate) const APPLICATION: &str = "redis-k8s";

/// Longer than anything takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(3);

/// A model, and the charm's folder, which it needs for as long as it lasts.
pub(crate) struct Story {
    pub(crate) lab: Lab,
    _charm: TempDir,
}

impl Story {
    /// So many units, deployed and whole.
    pub(crate) fn of(units: u32) -> Self {
        let story = Self::begin(units, Options { seed: 7, ..Options::default() });
        story.whole(units);
        story
    }

    /// So many units, deployed a moment ago.
    pub(crate) fn begin(units: u32, options: Options) -> Self {
        Self::begin_with(charm(), units, options)
    }

    /// The same of another charm.
    pub(crate) fn begin_with(charm: TempDir, units: u32, options: Options) -> Self {
        let lab = Lab::start_with(options).unwrap();
        lab.deploy(charm.path(), APPLICATION, units).unwrap();
        Self { lab, _charm: charm }
    }

    /// Waits until these units are active and the witness finds nothing amiss; gives the master.
    pub(crate) fn whole(&self, units: u32) -> u32 {
        self.active();
        let mut complaint = String::new();
        wait::until("the witness finds nothing amiss", LIMIT, || match self.witness(units) {
            Ok(master) => Some(master),
            Err(why) => {
                complaint = why;
                None
            }
        })
        .unwrap_or_else(|error| self.fail(&format!("{error}: {complaint}")))
    }

    /// Waits until the application is active.
    pub(crate) fn active(&self) {
        if let Err(error) = self.lab.wait_for_active(APPLICATION, LIMIT) {
            self.fail(&error.to_string());
        }
    }

    /// What the witness says of these units: who is master, or what is amiss.
    pub(crate) fn witness(&self, units: u32) -> Result<u32, String> {
        let mut masters = Vec::new();
        for unit in 0..units {
            let role = self.redis(unit, "ROLE")?;
            let lines: Vec<&str> = role.lines().collect();
            match lines.as_slice() {
                ["master", ..] => masters.push(unit),
                ["slave", _, _, "connected", ..] => {}
                _ => return Err(format!("unit {unit}: {lines:?}")),
            }
        }
        let [master] = masters.as_slice() else { return Err(format!("masters: {masters:?}")) };
        let is_replica = |unit: &u32| unit != master;
        let hosts = |but: &dyn Fn(&u32) -> bool| -> Vec<String> {
            (0..units).filter(|unit| but(unit)).map(host).collect()
        };
        for unit in 0..units {
            self.exact("REPLICAS", unit, hosts(&is_replica))?;
            self.exact("SENTINELS", unit, hosts(&|other| *other != unit))?;
            let about = self.sentinel(unit, &format!("SENTINEL MASTER {APPLICATION}"))?;
            let fields = pairs(&about);
            let quorum = (units / 2 + 1).to_string();
            let wanted = [("ip", host(*master)), ("flags", "master".into()), ("quorum", quorum)];
            for (field, value) in wanted {
                if fields.get(field) != Some(&value) {
                    return Err(format!("Sentinel {unit}: {field} is {:?}", fields.get(field)));
                }
            }
        }
        Ok(*master)
    }

    fn exact(&self, list: &str, unit: u32, mut wanted: Vec<String>) -> Result<(), String> {
        let told = self.sentinel(unit, &format!("SENTINEL {list} {APPLICATION}"))?;
        let mut hosts = Vec::new();
        let mut lines = told.lines();
        while let Some(line) = lines.next() {
            if line == "ip" {
                hosts.extend(lines.next().map(str::to_owned));
            }
            if line == "flags" && lines.next().is_some_and(|flags| flags.contains("down")) {
                return Err(format!("Sentinel {unit} holds one of {list} for down"));
            }
        }
        hosts.sort();
        wanted.sort();
        if hosts == wanted { Ok(()) } else { Err(format!("Sentinel {unit} {list}: {hosts:?}")) }
    }

    /// What a unit's Redis answers redis-cli.
    pub(crate) fn redis(&self, unit: u32, command: &str) -> Result<String, String> {
        self.ask(unit, "redis", "6379", "redis-password", command)
    }

    /// What a unit's Sentinel answers redis-cli.
    pub(crate) fn sentinel(&self, unit: u32, command: &str) -> Result<String, String> {
        self.ask(unit, "sentinel", "26379", "sentinel-password", command)
    }

    fn ask(
        &self,
        unit: u32,
        container: &str,
        port: &str,
        key: &str,
        command: &str,
    ) -> Result<String, String> {
        let mut bag = self.databag();
        let without = key == "redis-password" && is_without_password(&bag);
        let login = match bag.remove(key).filter(|_| !without) {
            Some(password) => format!("AUTH {password}"),
            None => "ECHO OK".to_owned(),
        };
        let pod = self.lab.pod(&name(unit)).map_err(|error| error.to_string())?;
        let mut client: Command = pod.command(container, "timeout");
        client.args(["5", "redis-cli", "-p", port]);
        let input = format!("{login}\n{command}\n");
        let output = pod.run(&mut client, &input).map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        match said.strip_prefix("OK").map(str::trim_start) {
            Some(answer) if !answer.starts_with("ERR") => Ok(answer.to_owned()),
            Some(_) | None => Err(format!("unit {unit} {container}: {said}")),
        }
    }

    /// The application's peer databag.
    pub(crate) fn databag(&self) -> BTreeMap<String, String> {
        self.lab.controller().read(|model| {
            let relation = model.relation_of(APPLICATION, "redis-peers");
            relation
                .and_then(|relation| relation.application_data.get(APPLICATION))
                .map(|bag| bag.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
                .unwrap_or_default()
        })
    }

    /// The processes of a container whose program's name ends so, by their numbers inside.
    pub(crate) fn processes(&self, unit: u32, container: &str, program: &str) -> Vec<u32> {
        let script = format!(
            r#"for p in /proc/[0-9]*; do w=$(tr '\0' ' ' <$p/cmdline 2>/dev/null); case "${{w%% *}}" in *{program}) echo ${{p#/proc/}};; esac; done"#
        );
        let output = self.lab.shell(&name(unit), container, &script).unwrap();
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|it| it.parse().ok()).collect()
    }

    /// The same, where there is one at all.
    pub(crate) fn processes_or_none(
        &self,
        unit: u32,
        container: &str,
        program: &str,
    ) -> Option<()> {
        let pod = self.lab.pod(&name(unit)).ok()?;
        pod.is_running(container).then_some(())?;
        (!self.processes(unit, container, program).is_empty()).then_some(())
    }

    /// Waits for something.
    pub(crate) fn until<T>(&self, what: &str, check: impl FnMut() -> Option<T>) -> T {
        wait::until(what, LIMIT, check).unwrap_or_else(|error| self.fail(&error.to_string()))
    }

    /// Fails with all that there is to be read.
    pub(crate) fn fail(&self, what: &str) -> ! {
        let mut text = format!("{what}\n");
        for pod in self.lab.pods() {
            for container in ["redis", "sentinel"] {
                let log = self.lab.container_log(&pod.unit, container).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default();
                let _ = writeln!(text, "--- {} {container}\n{}", pod.unit, tail.join("\n"));
            }
        }
        panic!("{}\n{text}", timeline::render(&self.lab.trace().entries()));
    }
}

/// Whether Redis runs without a password.
pub(crate) fn is_without_password(bag: &BTreeMap<String, String>) -> bool {
    bag.get("enable-password").is_some_and(|value| value == "false")
}

/// A unit's name.
pub(crate) fn name(unit: u32) -> String {
    format!("{APPLICATION}/{unit}")
}

/// A unit's host.
pub(crate) fn host(unit: u32) -> String {
    format!("{APPLICATION}-{unit}.{APPLICATION}-endpoints.lab.svc.cluster.local")
}

fn pairs(lines: &str) -> BTreeMap<String, String> {
    let mut lines = lines.lines();
    let mut pairs = BTreeMap::new();
    while let (Some(field), Some(value)) = (lines.next(), lines.next()) {
        pairs.insert(field.to_owned(), value.to_owned());
    }
    pairs
}

/// The charm's folder, as its file unpacks.
pub(crate) fn charm() -> TempDir {
    let folder = TempDir::new().unwrap();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["metadata.yaml", "config.yaml", "actions.yaml"] {
        fs::copy(checkout.join(file), folder.path().join(file)).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_dispatch"), folder.path().join("dispatch")).unwrap();
    folder
}
