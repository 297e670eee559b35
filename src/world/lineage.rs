//! Where a unit's data come from, as its keeper notes it beside them: what a full restart compares,
//! when no server is left that could be asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// What is noted, each second: it tells of a second less than there is, at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The mastership that the data are of.
    pub rank: Rank,
    /// `master_replid`: data of one id differ by their offset alone.
    pub replication_id: String,
    /// `master_replid2`: the id that this one goes on from, where a replica became master.
    #[serde(default)]
    pub earlier_id: Option<String>,
    /// Bytes of the stream of writes that are in the data.
    pub offset: u64,
    /// It was master.
    #[serde(default)]
    pub was_master: bool,
    /// Redis ended well, and the note was made after that.
    #[serde(default)]
    pub stopped_cleanly: bool,
    /// Redis ended well and with a dump of these data, from which a replica may start: the dump's
    /// length in bytes.
    #[serde(default)]
    pub dump: Option<u64>,
    /// `min-replicas-to-write` was on: what was acknowledged is on another unit too.
    #[serde(default)]
    pub had_min_replicas: bool,
}

/// Which mastership comes after which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// The config-epoch that a majority of Sentinels voted it at.
    pub epoch: u64,
    /// How often that master has started since.
    pub starts: u64,
}

impl Lineage {
    /// Reads a note.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of a note.
    pub fn render(&self) -> String {
        // A struct of texts and numbers is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A master that is about to start: from then on its data are ahead of all that was noted, and
    /// the id of its stream is not known yet.
    #[must_use]
    pub fn of_starting_master(before: Option<&Self>, latest: Rank) -> Self {
        let rank = Rank { starts: latest.starts + 1, ..latest };
        let had_min_replicas = before.is_some_and(|lineage| lineage.had_min_replicas);
        Self { rank, was_master: true, had_min_replicas, ..Self::default() }
    }

    /// What a Redis left that no keeper watched, by its dump. `written` is in seconds since 1970: of two
    /// streams whose ranks nobody noted, the one that was written to later is the later.
    #[must_use]
    pub fn of_dump(
        before: Option<Self>,
        replication_id: String,
        offset: u64,
        written: u64,
    ) -> Self {
        if let Some(note) = before.as_ref().filter(|it| it.replication_id == replication_id) {
            return Self { offset: offset.max(note.offset), ..note.clone() };
        }
        let epoch = before.map(|note| note.rank.epoch).unwrap_or_default();
        let rank = Rank { epoch, starts: written };
        Self { rank, replication_id, offset, ..Self::default() }
    }

    fn descends_from(&self, other: &Self) -> bool {
        !other.replication_id.is_empty() && self.earlier_id.as_ref() == Some(&other.replication_id)
    }

    fn is_of_the_id_of(&self, other: &Self) -> bool {
        !self.replication_id.is_empty() && self.replication_id == other.replication_id
    }

    /// Whether these data hold writes that the other's do not, by notes whose ranks are `settled`.
    fn is_ahead_of(&self, other: &Self) -> bool {
        if self.is_of_the_id_of(other) {
            return self.offset > other.offset;
        }
        if self.descends_from(other) || other.descends_from(self) {
            return self.descends_from(other);
        }
        self.rank > other.rank
    }
}

/// The units whose data nobody's are ahead of. Where there are several, they are the same, as far as
/// notes tell.
pub fn freshest(notes: &BTreeMap<u32, Lineage>) -> Vec<u32> {
    let notes = settled(notes);
    let is_behind = |note: &Lineage| notes.values().any(|other| other.is_ahead_of(note));
    notes.iter().filter(|(_, note)| !is_behind(note)).map(|(unit, _)| *unit).collect()
}

/// A replica hears a little late at which rank its master is. So data of one id have the highest that
/// any of them was noted with, and data that go on from others no lower one.
fn settled(notes: &BTreeMap<u32, Lineage>) -> BTreeMap<u32, Lineage> {
    let mut settled = notes.clone();
    let highest = |notes: &BTreeMap<u32, Lineage>, note: &Lineage| {
        let earlier =
            notes.values().filter(|other| note.is_of_the_id_of(other) || note.descends_from(other));
        earlier.map(|other| other.rank).max().unwrap_or_default().max(note.rank)
    };
    // Each round carries a rank one descent further.
    for _ in notes {
        let before = settled.clone();
        for note in settled.values_mut() {
            note.rank = highest(&before, note);
        }
        if before == settled {
            break;
        }
    }
    settled
}

/// What a keeper tells the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperView {
    /// What it has noted; none on a volume that no keeper has looked after.
    pub lineage: Option<Lineage>,
    /// Whether there is a key on its volume.
    pub has_data: bool,
    /// Whether its Redis runs: then that can be asked.
    pub redis_runs: bool,
    /// Whose data it holds for the freshest, while its Redis does not run.
    pub prefers: Option<u32>,
}

impl KeeperView {
    /// Reads an answer.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of an answer.
    pub fn render(&self) -> String {
        // A struct of texts, numbers and truths is always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}
