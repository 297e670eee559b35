//! The Python charm's state: the databag, volumes, Redis and Sentinel that it leaves, made by a charm that
//! plays it (`dispatch` beside this file), and clients in a pod that no refresh touches.

#![expect(clippy::disallowed_methods, reason = "charms for a test are made by the test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use testbed::lab::Options;
use testbed::trace::entry::What;

use crate::stage::APPLICATION;
use crate::stage::LIMIT;
use crate::stage::Story;
use crate::stage::host;
use crate::stage::name;
use crate::writers::Writers;

/// What a story changes of the played charm: a line of shell.
pub(crate) struct Play(pub(crate) &'static str);

impl Play {
    /// As it mostly is.
    pub(crate) const USUAL: Self = Self("");
    /// After a legacy relation.
    pub(crate) const WITHOUT_PASSWORD: Self = Self("password=off");
    /// Neither Redis nor Sentinel announces its name.
    pub(crate) const ADDRESSES: Self = Self("announce=address");

    /// The played charm's folder.
    pub(crate) fn charm(&self) -> TempDir {
        let has_curl = Command::new("curl").arg("--version").output().is_ok();
        assert!(has_curl, "the played charm talks to Pebble with curl: apt-get install curl");
        let folder = TempDir::new().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/python_state");
        for file in ["metadata.yaml", "config.yaml", "actions.yaml", "dispatch"] {
            fs::copy(source.join(file), folder.path().join(file)).unwrap();
        }
        fs::write(folder.path().join("play"), self.0).unwrap();
        folder
    }

    /// So many units of it, which run, with clients beside them.
    pub(crate) fn deploy(&self, units: u32) -> Story {
        let story =
            Story::begin_with(self.charm(), units, Options { seed: 7, ..Options::default() });
        // In command lines, plans and logs.
        story.shows_passwords();
        let clients = clients();
        story.lab.deploy(clients.path(), "clients", 1).unwrap();
        story.active();
        if let Err(error) = story.lab.wait_for_active("clients", LIMIT) {
            story.fail(&error.to_string());
        }
        story.until("the played charm's Redis and Sentinel agree", || {
            let master = story.master_by_sentinels(units)?;
            (story.replicas(master)? + 1 == units).then_some(())
        });
        story
    }
}

impl Story {
    /// Writers to so many units, in a pod that stays.
    pub(crate) fn clients(&self, units: u32) -> Writers {
        let sentinels: Vec<u32> = (0..units).collect();
        Writers::start_in(self, "clients/0", &sentinels, u32::from(units > 1))
    }

    /// Writes so many keys by the master.
    pub(crate) fn write_keys(&self, master: u32, keys: u32) {
        let script = "for i = 1, ARGV[1] do redis.call('SET', 'key:' .. i, i) end";
        let said = self.redis(master, &format!("EVAL \"{script}\" 0 {keys}")).unwrap();
        assert_eq!((said.as_str(), self.kept(master)), ("", keys));
    }

    /// How many of them a unit's Redis has.
    pub(crate) fn kept(&self, unit: u32) -> u32 {
        let script = "return #redis.call('KEYS', 'key:*')";
        let answer = self.redis(unit, &format!("EVAL \"{script}\" 0"));
        answer.unwrap().parse().unwrap()
    }

    /// The master that every Sentinel names, where they name one.
    pub(crate) fn master_by_sentinels(&self, units: u32) -> Option<u32> {
        let vote = |unit| {
            let command = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {APPLICATION}");
            let said = self.sentinel(unit, &command).ok()?;
            let named = said.lines().next()?.to_owned();
            (0..units).find(|unit| {
                let pod = self.lab.pod(&name(*unit));
                host(*unit) == named || pod.is_ok_and(|pod| pod.address().to_string() == named)
            })
        };
        let first = vote(0)?;
        (1..units).all(|unit| vote(unit) == Some(first)).then_some(first)
    }

    /// How many replicas a master has.
    pub(crate) fn replicas(&self, master: u32) -> Option<u32> {
        let info = self.redis(master, "INFO replication").ok()?;
        let online = info.lines().filter(|line| line.contains("state=online")).count();
        info.contains("role:master").then(|| u32::try_from(online).ok()).flatten()
    }

    /// Refreshes one unit after the other, the highest first, each when the last one is well: as an
    /// operator does who holds the roll.
    pub(crate) fn roll(&self, charm: &TempDir, units: u32) {
        self.lab.set_partition(APPLICATION, units - 1).unwrap();
        let versions = || -> Vec<(String, u32)> {
            let pods = self.lab.pods().into_iter();
            pods.map(|pod| (pod.unit, pod.version)).collect()
        };
        let before = versions();
        self.lab.refresh(APPLICATION, charm.path()).unwrap();
        for unit in (0..units).rev() {
            self.lab.set_partition(APPLICATION, unit).unwrap();
            self.until(&format!("unit {unit} is refreshed and well"), || {
                let now = versions();
                let is_new = now.iter().any(|it| it.0 == name(unit) && !before.contains(it));
                let about = self.sentinel(unit, &format!("SENTINEL MASTER {APPLICATION}")).ok()?;
                let others = format!("num-other-sentinels\n{}\n", units - 1);
                let is_well = about.contains(&others) && about.contains("flags\nmaster\n");
                (is_new && is_well && self.is_in_sync(unit)).then_some(())
            });
        }
    }

    /// Whether a unit's Redis is master, or a replica with its link up.
    fn is_in_sync(&self, unit: u32) -> bool {
        let role = self.redis(unit, "ROLE").unwrap_or_default();
        role.starts_with("master") || role.contains("connected")
    }

    /// Lets another unit be master, as an operator would.
    pub(crate) fn move_master(&self, to: u32, units: u32) {
        if self.master_by_sentinels(units) == Some(to) {
            return;
        }
        for unit in (0..units).filter(|unit| *unit != to) {
            self.redis(unit, "CONFIG SET replica-priority 0").unwrap();
        }
        let known = format!("SENTINEL REPLICAS {APPLICATION}");
        self.until("Sentinel knows the priorities", || {
            let said = self.sentinel(0, &known).ok()?;
            let passed_over = said.lines().collect::<Vec<_>>();
            let zeros = passed_over.windows(2).filter(|it| *it == ["slave-priority", "0"]).count();
            (zeros + 2 == units as usize).then_some(())
        });
        self.until("it is master with all replicas", || {
            let named = self
                .sentinel(0, &format!("SENTINEL GET-MASTER-ADDR-BY-NAME {APPLICATION}"))
                .ok()?;
            if !named.contains(&host(to)) {
                // The played charm resets Sentinels, which cancels a failover.
                let _ = self.sentinel(0, &format!("SENTINEL FAILOVER {APPLICATION}"));
            }
            let is_named = self.master_by_sentinels(units) == Some(to);
            (is_named && self.replicas(to)? + 1 == units).then_some(())
        });
        for unit in 0..units {
            self.redis(unit, "CONFIG SET replica-priority 100").unwrap();
        }
    }

    /// Waits until the databag names a unit as master, of which the played charm hears at an update-status
    /// or when its leader changes.
    pub(crate) fn recorded(&self, master: u32) {
        let leader = self
            .lab
            .status()
            .applications
            .iter()
            .find(|it| it.name == APPLICATION)
            .and_then(|it| it.units.iter().position(|unit| unit.is_leader));
        let next = leader.map_or(0, |leader| (leader + 1) % 2);
        self.lab.make_leader(&name(u32::try_from(next).unwrap())).unwrap();
        self.until("the databag names the master", || {
            (self.databag()["leader-host"] == host(master)).then_some(())
        });
        self.active();
        self.until("Sentinels know all again", || {
            let listed = |unit| {
                let about = self.sentinel(unit, &format!("SENTINEL MASTER {APPLICATION}")).ok()?;
                about.contains("num-slaves\n2\nnum-other-sentinels\n2\n").then_some(())
            };
            (0..3).all(|unit| listed(unit).is_some()).then_some(())
        });
    }

    /// The passwords in the databag.
    pub(crate) fn passwords(&self) -> BTreeMap<String, String> {
        let mut bag = self.databag();
        bag.retain(|key, _| key.ends_with("-password") && key != "enable-password");
        bag
    }

    /// What was ever written under a key of the application's peer databag.
    pub(crate) fn ever_written(&self, wanted: &str) -> Vec<Option<String>> {
        let entries = self.lab.trace().entries().into_iter();
        let of_key = entries.filter_map(|entry| {
            let What::Databag { of, key, value, .. } = entry.what else { return None };
            (of == APPLICATION && key == wanted).then_some(value)
        });
        of_key.collect()
    }
}

/// A charm that only has a pod.
fn clients() -> TempDir {
    let folder = TempDir::new().unwrap();
    let metadata = "name: clients\nsummary: A pod.\ndescription: A pod.\n\
                    containers: {redis: {resource: image}}\n\
                    resources: {image: {type: oci-image, description: Any.}}\n";
    fs::write(folder.path().join("metadata.yaml"), metadata).unwrap();
    let dispatch = folder.path().join("dispatch");
    fs::write(&dispatch, "#!/bin/sh\nstatus-set active\n").unwrap();
    fs::set_permissions(&dispatch, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
