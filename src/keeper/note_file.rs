//! The note of where the data come from, in its file beside them. It is written by a thread of its
//! own: a disk that is slow must not make the keeper blind.

use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use std::time::SystemTime;

use tracing::warn;

use crate::clients::dump;
use crate::clients::files;
use crate::clients::volume;
use crate::clock::Watch;
use crate::render::places;
use crate::world::lineage::Lineage;
use crate::world::lineage::Rank;

/// The note, and whoever writes it.
pub(crate) struct NoteFile {
    note: Option<Lineage>,
    writer: Sender<Page>,
    /// The replication id at which the master's keeper has told its rank.
    confirmed: String,
}

struct Page {
    text: String,
    /// Told when it is on the disk.
    written: Option<Sender<()>>,
}

impl NoteFile {
    /// Reads what the last keeper left.
    pub(crate) fn open() -> Self {
        let note = files::read(places::LINEAGE).ok().and_then(|text| {
            let note = Lineage::parse(&text);
            if note.is_none() {
                warn!("cannot read {}: this unit's data count as the oldest", places::LINEAGE);
            }
            note
        });
        let note = after_another_charm(note).unwrap_or_else(|error| {
            warn!("cannot read what the last Redis left: {error}");
            None
        });
        Self { note, writer: start_writer(), confirmed: String::new() }
    }

    /// What is noted.
    pub(crate) fn note(&self) -> Option<&Lineage> {
        self.note.as_ref()
    }

    /// Notes what was seen; it is on the disk a moment later.
    pub(crate) fn change(&mut self, note: Lineage) {
        if self.note.as_ref() != Some(&note) {
            self.write(&note, None);
            self.note = Some(note);
        }
    }

    /// Notes it, and waits until it is on the disk; false where that cannot be told.
    pub(crate) fn settle(&mut self, note: Lineage, watch: &Watch) -> bool {
        let (written, news) = mpsc::channel();
        self.write(&note, Some(written));
        self.note = Some(note);
        watch.budget(LONGEST_WRITE).receive(&news).is_some()
    }

    /// Redis has ended well with the data that were noted last, and with a dump of
    /// this length or without.
    pub(crate) fn stopped_cleanly(&mut self, dump: Option<u64>, watch: &Watch) {
        if let Some(note) = &self.note {
            let note = Lineage { stopped_cleanly: true, dump, ..note.clone() };
            if !self.settle(note, watch) {
                warn!("it is not on the disk yet that Redis has ended well");
            }
        }
    }

    /// Redis is about to start: takes the note away that it has ended well, and gives the length of the
    /// dump that it ended with. Whatever happens from now on, neither holds any more.
    pub(crate) fn take_clean(&mut self, watch: &Watch) -> Option<u64> {
        let note = self.note.as_ref().filter(|note| note.stopped_cleanly)?;
        let dump = note.dump;
        let note = Lineage { stopped_cleanly: false, dump: None, ..note.clone() };
        let is_taken = self.settle(note, watch);
        dump.filter(|_| is_taken)
    }

    /// Whether the master's keeper has told the rank of this stream.
    pub(crate) fn is_confirmed(&self, replication_id: &str) -> bool {
        self.confirmed == replication_id
    }

    /// What the master's keeper has noted of its own data. If this unit follows the same stream, the
    /// rank is the same.
    pub(crate) fn confirm(&mut self, masters: &Lineage) {
        let Some(note) = &self.note else { return };
        if !masters.replication_id.is_empty() && masters.replication_id == note.replication_id {
            self.confirmed.clone_from(&masters.replication_id);
            self.change_rank(masters.rank);
        }
    }

    /// Notes a rank that is higher.
    pub(crate) fn change_rank(&mut self, rank: Rank) {
        if let Some(note) = self.note.clone().filter(|note| rank > note.rank) {
            self.change(Lineage { rank, ..note });
        }
    }

    fn write(&self, note: &Lineage, written: Option<Sender<()>>) {
        if let Err(unsent) = self.writer.send(Page { text: note.render(), written }) {
            // There is no thread: then at once.
            unsent.0.write();
        }
    }
}

/// A Redis that no keeper watched has run on this volume, such as the Python charm's: what it has written
/// is younger than the note, and if it ended well its dump tells where its data come from.
fn after_another_charm(note: Option<Lineage>) -> io::Result<Option<Lineage>> {
    let folder = Path::new(places::DATA);
    let noted = files::modified(places::LINEAGE)?;
    if volume::last_written(folder)? <= noted {
        return Ok(note);
    }
    // The dump may be older than the append-only file now.
    let note = note.map(|note| Lineage { stopped_cleanly: false, ..note });
    Ok(match dump::last_words(folder)?.filter(|dump| Some(dump.written) > noted) {
        Some(dump) => {
            let since = dump.written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Some(Lineage::of_dump(note, dump.replication_id, dump.offset, since.as_secs()))
        }
        None => note,
    })
}

fn start_writer() -> Sender<Page> {
    let (writer, pages) = mpsc::channel();
    let thread = thread::Builder::new().stack_size(STACK).spawn(move || write_all(&pages));
    if let Err(error) = thread {
        warn!("cannot start the thread that writes {}: {error}", places::LINEAGE);
    }
    writer
}

fn write_all(pages: &Receiver<Page>) {
    while let Ok(mut page) = pages.recv() {
        // Only the last is worth the time of the disk, and whoever waits for one waits for it.
        let mut waiting = Vec::new();
        for newer in pages.try_iter() {
            waiting.extend(page.written.take());
            page = newer;
        }
        if page.write() {
            for written in waiting {
                let _ = written.send(());
            }
        }
    }
}

impl Page {
    fn write(self) -> bool {
        let path = Path::new(places::LINEAGE);
        if let Err(error) = files::replace(path, &self.text, 0o600, None)
            .and_then(|()| files::settle_folder(places::DATA))
        {
            warn!("cannot write {}: {error}", places::LINEAGE);
            return false;
        }
        if let Some(written) = self.written {
            // Nobody may wait any more.
            let _ = written.send(());
        }
        true
    }
}

/// A disk on which one takes longer holds nothing else up.
const LONGEST_WRITE: Duration = Duration::from_secs(3);

/// In bytes.
const STACK: usize = 128 * 1024;
