//! Where the story is played: a model with the charm in it, clients that write, and who looks on.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use testbed::lab::Lab;
use testbed::lab::Options;
use testbed::lab::sentinel_events::SentinelEvents;
use testbed::names::Names;
use testbed::own_charm;
use testbed::redis::answers::Answer;
use testbed::redis::server::Server;
use testbed::trace::entry::Entry;
use testbed::trace::entry::What;
use testbed::transcript::lines_that_leak;
use testbed::wait;
use testbed::writer::Writer;
use testbed::writer::plan::Habit;
use testbed::writer::plan::Plan;

use crate::Outcome;
use crate::news::News;
use crate::screen::Screen;
use crate::show;

/// The application databag of the peer relation.
pub(crate) type Databag = BTreeMap<String, String>;

/// A model, and what has been told of it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) lab: Arc<Lab>,
    pub(crate) names: Names,
    news: News,
    _sentinels: SentinelEvents,
    _charm: TempDir,
}

impl Stage {
    /// A model with the charm, deployed a moment ago.
    pub(crate) fn deploy(dispatch: &Path, units: u32) -> Outcome<Self> {
        let charm = own_charm::unpack(dispatch, &env::temp_dir())?;
        let lab = Arc::new(Lab::start_with(Options { seed: SEED, ..Options::default() })?);
        let sentinels = SentinelEvents::follow(&lab);
        let names = lab.names(own_charm::NAME);
        let news = News::new(names.clone());
        lab.deploy(charm.path(), own_charm::NAME, units)?;
        Ok(Self { lab, names, news, _sentinels: sentinels, _charm: charm })
    }

    /// From now on times are told from here.
    pub(crate) fn begin(&mut self) {
        self.news.begin(&self.lab);
    }

    /// Tells the news until something is so.
    pub(crate) fn until<T>(
        &mut self,
        screen: &mut Screen,
        what: &str,
        mut check: impl FnMut(&Lab) -> Option<T>,
    ) -> Outcome<T> {
        let mut refused = None;
        let found = wait::until(what, LIMIT, || {
            self.news.tell(screen, &self.lab).map_err(|error| refused = Some(error)).ok()?;
            check(&self.lab)
        });
        self.news.tell(screen, &self.lab)?;
        if let Some(error) = refused {
            return Err(error);
        }
        found.map_err(|error| error.with("status", &self.lab.status().to_string()).into())
    }

    /// Tells the news until the units are a whole and active and nobody has anything to do; gives the
    /// master.
    pub(crate) fn until_whole(&mut self, screen: &mut Screen, units: &[u32]) -> Outcome<u32> {
        let names = self.names.clone();
        let quorum = (units.len() / 2 + 1).to_string();
        let what = format!("units {units:?} are active, and every Sentinel knows exactly them");
        let mut amiss = String::new();
        let found = self.until(screen, &what, |lab| {
            lab.wait_for_active(&names.application, Duration::ZERO).ok()?;
            match lab.whole(&names.application, units) {
                Ok(master) => {
                    let view = lab.sentinel_view(&names.unit(master)).ok()?;
                    (view.master.text("quorum") == quorum).then_some(master)
                }
                Err(why) => {
                    amiss = why;
                    None
                }
            }
        });
        found.map_err(|error| format!("{error}\n{amiss}").into())
    }

    /// All that has happened since the step began.
    pub(crate) fn since(&self) -> Vec<Entry> {
        self.news.since(&self.lab)
    }

    /// What a unit's Redis answers.
    pub(crate) fn redis(&self, unit: u32, command: &str) -> Outcome<String> {
        let answer = self.lab.ask(&self.names.unit(unit), Server::Redis, &[command])?.pop();
        match answer {
            Some(Answer::Error(error)) => Err(format!("{command}: {error}").into()),
            Some(answer) => Ok(answer.text()),
            None => Err(format!("{command}: no answer").into()),
        }
    }

    /// The application databag, as committed.
    pub(crate) fn databag(&self) -> Databag {
        self.lab.databag(&self.names.application)
    }

    /// Starts clients that write all the time: one asks Sentinel for each write, one keeps its
    /// connection. A write counts when a replica has it too.
    pub(crate) fn writers(&self, at: u32, sentinels: &[u32]) -> Outcome<Writers> {
        let habits = [("asks", Habit::AsksEachTime), ("keeps", Habit::KeepsConnection)];
        let pod = self.lab.pod(&self.names.unit(at))?;
        let mut writers = Vec::new();
        for (name, habit) in habits {
            let name = format!("{name}-{}", self.lab.trace().len());
            let plan = self.lab.write_plan(&self.names.application, sentinels, &name, habit);
            let plan = Plan { period: Duration::from_millis(20), ..plan.with_replicas(1) };
            writers.push(Writer::start(&pod, plan)?);
        }
        Ok(Writers { at, writers })
    }

    /// Stops them, and looks for every write that was acknowledged.
    pub(crate) fn stop(&self, screen: &mut Screen, writers: Writers) -> Outcome<Written> {
        let pod = self.lab.pod(&self.names.unit(writers.at))?;
        let mut all = Written::default();
        for writer in writers.writers {
            let written = writer.stop()?;
            all.acknowledged += written.acknowledged();
            all.lost += written.missing(&pod)?.len();
            all.gap = all.gap.max(written.worst_gap());
        }
        show::written(screen, &all);
        Ok(all)
    }

    /// Shows what the Sentinel of each of these units knows.
    pub(crate) fn show_sentinels(&self, screen: &mut Screen, units: &[u32]) {
        show::sentinels_heading(screen);
        for unit in units {
            let view = self.lab.sentinel_view(&self.names.unit(*unit)).ok();
            show::sentinel(screen, &self.names, *unit, view.as_ref());
        }
    }

    /// How often a Sentinel was reset.
    pub(crate) fn resets(&self) -> usize {
        let is_reset = |entry: &&Entry| matches!(&entry.what, What::Sentinel { event, .. } if event == "+reset-master");
        self.lab.trace().entries().iter().filter(is_reset).count()
    }

    /// Everything that was said where others may read it.
    pub(crate) fn said(&self) -> String {
        let mut said = vec![
            self.lab.controller().transcript(),
            self.lab.cluster().network().argv_transcript(),
        ];
        for pod in self.lab.pods() {
            let logs = pod.containers.iter();
            said.extend(logs.filter_map(|it| self.lab.container_log(&pod.unit, &it.name).ok()));
        }
        said.join("\n")
    }

    /// The lines of a text that hold a password of the databag. The search is first shown to find one.
    pub(crate) fn leaks(&self, text: &str) -> Outcome<Vec<String>> {
        let bag = self.databag();
        let secrets: Vec<&str> =
            PASSWORDS.iter().filter_map(|key| bag.get(*key)).map(String::as_str).collect();
        ensure(secrets.len() == PASSWORDS.len(), "a password is missing in the databag")?;
        for secret in &secrets {
            if lines_that_leak(&format!("AUTH {secret}"), &secrets).is_empty() {
                return Err("the search for passwords finds nothing".into());
            }
        }
        Ok(lines_that_leak(text, &secrets))
    }
}

/// Clients that write all the time, in the pod of a unit.
#[derive(Debug)]
pub(crate) struct Writers {
    at: u32,
    writers: Vec<Writer>,
}

/// What became of their writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
    /// The longest time without an acknowledged write.
    pub(crate) gap: Duration,
}

/// An error in words unless the condition holds.
pub(crate) fn ensure(holds: bool, otherwise: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// The keys of the databag that nobody may see.
pub(crate) const PASSWORDS: [&str; 2] = ["redis-password", "sentinel-password"];

/// The same leader at each run; what is left to chance in a model comes from it.
const SEED: u64 = 1;

/// Twice what the longest step takes on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);
