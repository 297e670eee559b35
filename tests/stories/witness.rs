//! The witness: it asks with redis-cli, and knows nothing of the charm but the passwords in its databag.

use std::collections::BTreeMap;

use crate::stage::APPLICATION;
use crate::stage::Story;
use crate::stage::host;

impl Story {
    /// What the witness says of these units: who is master, or what is amiss.
    pub(crate) fn witness(&self, units: u32) -> Result<u32, String> {
        let (mut masters, mut followed) = (Vec::new(), Vec::new());
        for unit in 0..units {
            let role = self.redis(unit, "ROLE")?;
            let lines: Vec<&str> = role.lines().collect();
            match lines.as_slice() {
                ["master", ..] => masters.push(unit),
                ["slave", host, _, "connected", ..] => followed.push((unit, (*host).to_owned())),
                _ => return Err(format!("unit {unit}: {lines:?}")),
            }
        }
        let [master] = masters.as_slice() else { return Err(format!("masters: {masters:?}")) };
        if let Some((unit, other)) =
            followed.iter().find(|(_, followed)| *followed != host(*master))
        {
            return Err(format!("unit {unit} follows {other}, and unit {master} is master"));
        }
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

    /// The host that a unit's Sentinel names as master.
    pub(crate) fn named(&self, unit: u32) -> Option<String> {
        let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {APPLICATION}");
        self.sentinel(unit, &question).ok()?.lines().next().map(str::to_owned)
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
}

fn pairs(lines: &str) -> BTreeMap<String, String> {
    let mut lines = lines.lines();
    let mut pairs = BTreeMap::new();
    while let (Some(field), Some(value)) = (lines.next(), lines.next()) {
        pairs.insert(field.to_owned(), value.to_owned());
    }
    pairs
}
