//! What the stories have in common: a model with the charm in it, and what has to be so at the end of each
//! of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::lab::operator::Deployment;
use testbed::lab::target::Target;
use testbed::own_charm;
use testbed::trace::entry::Exit;
use testbed::trace::entry::What;
use testbed::trace::timeline;
use testbed::wait;

use crate::room::Room;
use crate::secrets;

/// The application of every story.
pub(crate) const APPLICATION: &str = "redis-k8s";

/// Longer than anything takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(3);

/// A model, and the charm's folder, which it needs for as long as it lasts. At its end the application is
/// active and the witness content, no hook has failed, and no password was shown.
pub(crate) struct Story {
    pub(crate) lab: Lab,
    pub(crate) charm: TempDir,
    _room: Room,
    hooks_may_fail: Cell<bool>,
    shows_passwords: Cell<bool>,
}

impl Story {
    /// So many units, deployed and whole.
    pub(crate) fn of(units: u32) -> Self {
        Self::up_to(units, units)
    }

    /// The same, and no other story runs meanwhile: what it measures is its own.
    pub(crate) fn alone(units: u32) -> Self {
        Self::up_to(u32::try_from(Room::most()).unwrap(), units)
    }

    /// So many units, deployed and whole, of which there will be more.
    pub(crate) fn up_to(most: u32, units: u32) -> Self {
        let story = Self::begin_up_to(most, units, Options { seed: 7, ..Options::default() });
        story.whole(units);
        story
    }

    /// So many units, deployed a moment ago.
    pub(crate) fn begin(units: u32, options: Options) -> Self {
        Self::begin_up_to(units, units, options)
    }

    /// So many units, deployed a moment ago, of which there will be more.
    pub(crate) fn begin_up_to(most: u32, units: u32, options: Options) -> Self {
        let deployment = Deployment { units, ..Deployment::default() };
        Self::deployed(most, options, deployment)
    }

    /// Units deployed a moment ago whose containers may use so many bytes.
    pub(crate) fn with_memory(units: u32, options: Options, memory: BTreeMap<String, u64>) -> Self {
        Self::deployed(units, options, Deployment { units, memory, ..Deployment::default() })
    }

    /// So many units of another charm, deployed a moment ago.
    pub(crate) fn begin_with(folder: TempDir, units: u32, options: Options) -> Self {
        Self::of_charm(folder, units, options, Deployment { units, ..Deployment::default() })
    }

    fn deployed(most: u32, options: Options, deployment: Deployment) -> Self {
        Self::of_charm(charm(), most, options, deployment)
    }

    fn of_charm(folder: TempDir, most: u32, options: Options, deployment: Deployment) -> Self {
        let room = Room::take(most.max(deployment.units) as usize);
        let lab = Lab::start_with(options).unwrap();
        let charm = folder.path().to_owned();
        let application = APPLICATION.to_owned();
        lab.deploy_with(&Deployment { charm, application, ..deployment }).unwrap();
        Self {
            lab,
            charm: folder,
            _room: room,
            hooks_may_fail: Cell::new(false),
            shows_passwords: Cell::new(false),
        }
    }

    /// Says that another charm takes part in this story, which shows passwords.
    pub(crate) fn shows_passwords(&self) {
        self.shows_passwords.set(true);
    }

    /// Says that hooks are made to fail in this story.
    pub(crate) fn lets_hooks_fail(&self) {
        self.hooks_may_fail.set(true);
    }

    /// What has to be so at the end of each story.
    fn end(&self) {
        let status = self.lab.status();
        let planned = status.applications.iter().find(|it| it.name == APPLICATION);
        self.whole(planned.map_or(0, |it| it.scale));
        let leaks = if self.shows_passwords.get() { Vec::new() } else { secrets::leaks(self) };
        assert!(leaks.is_empty(), "a password was shown:\n{}", leaks.join("\n"));
        let failed = self.failed_hooks();
        if !self.hooks_may_fail.get() && !failed.is_empty() {
            self.fail(&format!("hooks have failed: {failed:?}"));
        }
    }

    /// The hooks that ended with an error of their own.
    pub(crate) fn failed_hooks(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for entry in self.lab.trace().entries() {
            if let What::EventEnded { unit, event, exit: Exit::Code(code), .. } = entry.what
                && code != 0
            {
                failed.push(format!("{unit} {event} ({code})"));
            }
        }
        failed
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

    /// The same, and every replica may be promoted for all that Sentinels know: they ask every ten
    /// seconds. Gives the master.
    pub(crate) fn may_lose_any(&self, units: u32) -> u32 {
        for unit in 0..units {
            self.until("every replica may be promoted", || {
                let told = self.sentinel(unit, &format!("SENTINEL REPLICAS {APPLICATION}")).ok()?;
                (!told.contains("slave-priority\n0")).then_some(())
            });
        }
        self.whole(units)
    }

    /// Makes a unit master, of so many: the other replicas are frozen until Sentinel has nobody else.
    pub(crate) fn make_master(&self, units: u32, wanted: u32) {
        let master = self.may_lose_any(units);
        if master == wanted {
            return;
        }
        let others: Vec<u32> = (0..units).filter(|it| *it != master && *it != wanted).collect();
        let redis = Target::process("redis", "redis-server");
        for unit in &others {
            self.lab.freeze(&name(*unit), &redis).unwrap();
        }
        self.until("Sentinel holds the others for down", || {
            let told = self.sentinel(wanted, &format!("SENTINEL REPLICAS {APPLICATION}")).ok()?;
            (told.matches("flags\ns_down").count() == others.len()).then_some(())
        });
        let asked = self.sentinel(wanted, &format!("SENTINEL FAILOVER {APPLICATION}"));
        assert_eq!(asked, Ok("OK".to_owned()));
        self.until("it is master", || self.is_master(wanted).then_some(()));
        for unit in &others {
            self.lab.thaw(&name(*unit), &redis).unwrap();
        }
        assert_eq!(self.may_lose_any(units), wanted);
    }

    /// Waits until no pod is on its way out or yet to come.
    pub(crate) fn rolled_out(&self) {
        let is_there = || self.lab.pods().iter().all(|pod| pod.phase == "Running" && pod.is_ready);
        self.until("all pods run, and are the newest", || {
            (is_there() && self.lab.cluster().is_rolled_out(APPLICATION)).then_some(())
        });
    }

    /// Waits until the application is active.
    pub(crate) fn active(&self) {
        if let Err(error) = self.lab.wait_for_active(APPLICATION, LIMIT) {
            self.fail(&error.to_string());
        }
    }

    /// Whether a unit's Redis answers as master.
    pub(crate) fn is_master(&self, unit: u32) -> bool {
        self.redis(unit, "ROLE").is_ok_and(|role| role.starts_with("master"))
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
        self.lab.databag(APPLICATION)
    }

    /// The processes of a container whose program's name ends so, by their numbers inside.
    pub(crate) fn processes(&self, unit: u32, container: &str, program: &str) -> Vec<u32> {
        let all = self.shell(&name(unit), container, PROCESSES, "");
        let found = all.lines().filter_map(|line| line.split_once(' '));
        let named = found.filter(|(_, words)| {
            words.split(' ').next().is_some_and(|first| first.ends_with(program))
        });
        named.filter_map(|(number, _)| number.parse().ok()).collect()
    }

    /// The processes of all keepers, exporters, Redis servers and Sentinels of so many units.
    pub(crate) fn servers(&self, units: u32) -> Vec<(String, Vec<u32>)> {
        let programs = [
            ("redis", "redis-keeper"),
            ("redis", "redis-server"),
            ("redis", self.exporter()),
            ("sentinel", "redis-server"),
        ];
        (0..units)
            .flat_map(|unit| programs.map(|it| (unit, it)))
            .map(|(unit, (container, program))| {
                let all = self.processes(unit, container, program);
                assert_eq!(all.len(), 1, "{program} in {container} of unit {unit}");
                (format!("{program} in {container} of unit {unit}"), all)
            })
            .collect()
    }

    /// The name of the exporter's process: the image may have only a stand-in, which says so.
    pub(crate) fn exporter(&self) -> &'static str {
        let head = self.shell(&name(0), "redis", "head -c 2 /bin/redis_exporter", "");
        if head == "#!" { "sleep" } else { "redis_exporter" }
    }

    /// The processes of a program, where there is one at all.
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

    /// Runs a shell script in a container, whatever its exit code; gives what it printed.
    pub(crate) fn shell(&self, unit: &str, container: &str, script: &str, input: &str) -> String {
        let pod = self.lab.pod(unit).unwrap();
        let mut command = pod.command(container, "sh");
        let output = pod.run(command.args(["-c", script]), input).unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Writes so many keys through a unit's Redis, which has to be master.
    pub(crate) fn fill(&self, unit: u32, keys: u32) {
        let script = "for i = 1, ARGV[1] do redis.call('SET', 'key:' .. i, i) end return 'done'";
        let done = self.redis(unit, &format!("EVAL \"{script}\" 0 {keys}"));
        assert_eq!(done, Ok("done".to_owned()));
    }

    /// Waits until each of so many units has exactly so many of those keys.
    pub(crate) fn all_have(&self, units: u32, keys: u32) {
        for unit in 0..units {
            self.until(&format!("unit {unit} has {keys} keys"), || {
                let script = "return #redis.call('KEYS', 'key:*')";
                let told = self.redis(unit, &format!("EVAL \"{script}\" 0")).ok();
                told.filter(|told| *told == keys.to_string())
            });
        }
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
                let servers = self.lab.shell(&pod.unit, container, SERVER_LOG);
                let servers = servers.map(|output| output.stdout).unwrap_or_default();
                for (title, log) in
                    [("", log), (" redis", String::from_utf8_lossy(&servers).into())]
                {
                    let lines: Vec<&str> = log.lines().collect();
                    let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
                    let text_of =
                        format!("--- {} {container}{title}\n{}", pod.unit, tail.join("\n"));
                    let _ = writeln!(text, "{text_of}");
                }
            }
        }
        panic!("{}\n{text}", timeline::render(&self.lab.trace().entries()));
    }
}

/// Whether Redis runs without a password.
pub(crate) fn is_without_password(bag: &BTreeMap<String, String>) -> bool {
    bag.get("enable-password").is_some_and(|value| value == "false")
}

impl Drop for Story {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end();
        }
    }
}

/// A unit's name.
pub(crate) fn name(unit: u32) -> String {
    format!("{APPLICATION}/{unit}")
}

/// A unit's host.
pub(crate) fn host(unit: u32) -> String {
    format!("{APPLICATION}-{unit}.{APPLICATION}-endpoints.lab.svc.cluster.local")
}

/// The charm's folder, as its file unpacks.
pub(crate) fn charm() -> TempDir {
    own_charm::unpack(Path::new(env!("CARGO_BIN_EXE_dispatch")), &env::temp_dir()).unwrap()
}

/// How many lines of each log a story that fails shows.
const TAIL: usize = 200;

/// What Redis logs.
pub(crate) const SERVER_LOG: &str = "cat /var/log/redis/* 2>/dev/null";

/// Numbers and command lines.
const PROCESSES: &str = r"for it in /proc/[0-9]*; do
    words=$(tr '\0' ' ' <$it/cmdline 2>/dev/null) && echo ${it#/proc/} $words
done";
