//! The charm deployed in a whole model: hooks come in Juju's order, Redis runs as the charm runs it.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::names::Names;
use testbed::own_charm;
use testbed::programs;
use testbed::redis::answers::Answer;
use testbed::redis::server::Server;
use testbed::trace::entry::What;
use testbed::wait;
use testbed::writer::Writer;
use testbed::writer::plan::Habit;

use crate::Outcome;
use crate::programs::Programs;

/// A model with the charm in it.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) lab: Lab,
    pub(crate) names: Names,
    pub(crate) charm: TempDir,
}

impl Deployment {
    /// Units that were deployed and are a whole.
    pub(crate) fn of(programs: &Programs, units: u32) -> Outcome<Self> {
        let deployment =
            Self::begin(own_charm::unpack(&programs.dispatch, &env::temp_dir())?, units)?;
        deployment.whole(units)?;
        Ok(deployment)
    }

    /// Units that are deployed now, whose hooks are measured: each leaves what it took in the folder
    /// `measured` of its unit's `/var/lib/juju`.
    pub(crate) fn begin_measured(programs: &Programs, units: u32) -> Outcome<Self> {
        let charm = own_charm::unpack(&programs.dispatch, &env::temp_dir())?;
        let folder = charm.path();
        fs::create_dir(folder.join("program"))?;
        fs::rename(folder.join("dispatch"), folder.join("program/dispatch"))?;
        fs::copy(&programs.measure_run, folder.join("measure-run"))?;
        fs::copy(programs::own("count-requests")?, folder.join("count-requests"))?;
        fs::write(folder.join("dispatch"), MEASURED)?;
        fs::set_permissions(folder.join("dispatch"), fs::Permissions::from_mode(0o755))?;
        Self::begin(charm, units)
    }

    fn begin(charm: TempDir, units: u32) -> Outcome<Self> {
        let lab = Lab::start_with(Options { seed: 1, ..Options::default() })?;
        let names = lab.names(own_charm::NAME);
        lab.deploy(charm.path(), &names.application, units)?;
        Ok(Self { lab, names, charm })
    }

    /// Waits until so many units are a whole, with the quorum of their number; gives the master.
    pub(crate) fn whole(&self, units: u32) -> Outcome<u32> {
        let numbers: Vec<u32> = (0..units).collect();
        let quorum = (units / 2 + 1).to_string();
        let mut amiss = String::new();
        let found = wait::until("the units are a whole", LIMIT, || {
            let found = self.lab.whole(&self.names.application, &numbers);
            let found = found.map_err(|why| amiss = why).ok()?;
            let view = self.lab.sentinel_view(&self.names.unit(found)).ok()?;
            (view.master.text("quorum") == quorum).then_some(found)
        });
        found.map_err(|error| format!("{error}: {amiss}").into())
    }

    /// Waits until the application is active and nobody has anything to do.
    pub(crate) fn active(&self) -> Outcome<()> {
        Ok(self.lab.wait_for_active(&self.names.application, LIMIT)?)
    }

    /// Waits until both containers of a unit's new pod have been answered for, after so many entries of
    /// the trace.
    pub(crate) fn answered(&self, unit: u32, after: usize) -> Outcome<()> {
        let name = self.names.unit(unit);
        for wanted in ["redis-pebble-ready", "sentinel-pebble-ready"] {
            wait::until(wanted, LIMIT, || {
                let mut entries = self.lab.trace().entries_from(after).into_iter();
                let has_ended = entries.any(|entry| {
                    matches!(entry.what, What::EventEnded { unit, event, .. }
                        if unit == name && event == wanted)
                });
                has_ended.then_some(())
            })?;
        }
        Ok(())
    }

    /// What a unit's Redis answers.
    pub(crate) fn redis(&self, unit: u32, command: &str) -> Outcome<String> {
        match self.lab.ask(&self.names.unit(unit), Server::Redis, &[command])?.pop() {
            Some(Answer::Error(error)) => Err(format!("{command}: {error}").into()),
            Some(answer) => Ok(answer.text()),
            None => Err(format!("{command}: no answer").into()),
        }
    }

    /// A number of `INFO`.
    pub(crate) fn info(&self, unit: u32, field: &str) -> Outcome<u64> {
        let text = self.redis(unit, "INFO everything")?;
        let mut lines = text.lines().map(str::trim);
        let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(value.ok_or_else(|| format!("INFO has no {field}"))?.parse()?)
    }

    /// What befalls the master while clients write in another unit's pod. Until these units are a whole
    /// again.
    pub(crate) fn strike(
        &self,
        units: u32,
        blow: impl FnOnce(&Self, u32) -> Outcome<()>,
    ) -> Outcome<Struck> {
        let old = self.whole(units)?;
        let other = (0..units).find(|unit| *unit != old).ok_or("there is no other unit")?;
        self.strike_seen_from(&self.names.unit(other), units, blow)
    }

    /// The same, with the clients in the pod of a unit that has to live through it. One asks Sentinel each
    /// time and one only after an error; a write counts when a replica has it too.
    pub(crate) fn strike_seen_from(
        &self,
        place: &str,
        units: u32,
        blow: impl FnOnce(&Self, u32) -> Outcome<()>,
    ) -> Outcome<Struck> {
        let old = self.whole(units)?;
        let others: Vec<u32> = (0..units).filter(|unit| *unit != old).chain([old]).collect();
        let pod = self.lab.pod(place)?;
        let mut writers = Vec::new();
        for (name, habit) in [("asks", Habit::AsksEachTime), ("keeps", Habit::KeepsConnection)] {
            let name = format!("{name}-{}", self.lab.trace().len());
            let plan = self.lab.write_plan(&self.names.application, &others, &name, habit);
            writers.push(Writer::start(&pod, plan.with_replicas(1))?);
        }
        let begun = Instant::now();
        blow(self, old)?;
        let new = self.whole(units)?;
        let mut struck = Struck { old, new, gap: Duration::ZERO, lost: 0, whole: begun.elapsed() };
        for writer in writers {
            let written = writer.stop()?;
            struck.gap = struck.gap.max(written.worst_gap());
            struck.lost += written.missing(&pod)?.len();
        }
        Ok(struck)
    }
}

/// What became of clients and units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Struck {
    pub(crate) old: u32,
    pub(crate) new: u32,
    /// The longest time in which no write was acknowledged.
    pub(crate) gap: Duration,
    /// Acknowledged writes that are not there.
    pub(crate) lost: usize,
    /// Until the units were a whole again.
    pub(crate) whole: Duration,
}

/// `dispatch` of a charm whose hooks are measured.
const MEASURED: &str = r#"#!/bin/sh
to=/var/lib/juju/measured
mkdir -p "$to"
name=$to/$(basename "$JUJU_DISPATCH_PATH").$$
exec "$JUJU_CHARM_DIR/count-requests" "$name.requests" \
    "$JUJU_CHARM_DIR/measure-run" "$name.took" "$JUJU_CHARM_DIR/program/dispatch"
"#;

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_mins(1);
