//! Notices: what users and changes want to be known, counted by user, type and key.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

use crate::pebble::clock;
use crate::pebble::clock::Span;

/// The types that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NoticeKind {
    Custom,
    ChangeUpdate,
    Warning,
}

impl NoticeKind {
    /// The type of that name.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "custom" => Some(Self::Custom),
            "change-update" => Some(Self::ChangeUpdate),
            "warning" => Some(Self::Warning),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::ChangeUpdate => "change-update",
            Self::Warning => "warning",
        }
    }
}

/// One notice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Whose it is; everybody's if none.
    pub(crate) user: Option<u32>,
    kind: NoticeKind,
    key: String,
    first_occurred: Timestamp,
    last_occurred: Timestamp,
    pub(crate) last_repeated: Timestamp,
    occurrences: u64,
    data: BTreeMap<String, String>,
    repeat_after: i64,
}

/// Something that occurred.
pub(crate) struct Occurrence {
    pub(crate) user: Option<u32>,
    pub(crate) kind: NoticeKind,
    pub(crate) key: String,
    pub(crate) data: BTreeMap<String, String>,
    /// Within this time of the last repeat, it is only counted.
    pub(crate) repeat_after: Span,
}

/// Which notices a client wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// This user's and everybody's; all users' if none.
    pub(crate) user: Option<u32>,
    /// Any if empty.
    pub(crate) kinds: Vec<NoticeKind>,
    /// Any if empty.
    pub(crate) keys: Vec<String>,
    pub(crate) after: Option<Timestamp>,
}

/// All notices.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Notices {
    last_id: u64,
    last_time: Option<Timestamp>,
    all: BTreeMap<u64, Notice>,
}

impl Notices {
    /// Counts an occurrence; answers the notice's number.
    pub(crate) fn record(&mut self, new: Occurrence) -> u64 {
        let now = self.unique_time();
        self.all.retain(|_, notice| !is_expired(notice, now));
        let known = self.all.iter_mut().find(|(_, notice)| {
            notice.user == new.user && notice.kind == new.kind && notice.key == new.key
        });
        if let Some((id, notice)) = known {
            notice.occurrences += 1;
            notice.last_occurred = now;
            let due =
                notice.last_repeated.checked_add(SignedDuration::from_nanos(new.repeat_after.0));
            if due.is_ok_and(|due| now > due) {
                notice.last_repeated = now;
            }
            notice.data = new.data;
            notice.repeat_after = new.repeat_after.0;
            return *id;
        }
        self.last_id += 1;
        self.all.insert(
            self.last_id,
            Notice {
                user: new.user,
                kind: new.kind,
                key: new.key,
                first_occurred: now,
                last_occurred: now,
                last_repeated: now,
                occurrences: 1,
                data: new.data,
                repeat_after: new.repeat_after.0,
            },
        );
        self.last_id
    }

    /// A change got another status: everybody may know.
    pub(crate) fn record_change(&mut self, change: u64, kind: &str, check: Option<&str>) {
        let mut data = BTreeMap::from([("kind".to_owned(), kind.to_owned())]);
        data.extend(check.map(|name| ("check-name".to_owned(), name.to_owned())));
        self.record(Occurrence {
            user: None,
            kind: NoticeKind::ChangeUpdate,
            key: change.to_string(),
            data,
            repeat_after: Span(0),
        });
    }

    /// The notice of that number.
    pub(crate) fn with_id(&self, id: u64) -> Option<&Notice> {
        self.all.get(&id).filter(|notice| !is_expired(notice, clock::now()))
    }

    /// What a filter lets through, the latest repeat last.
    pub(crate) fn matching(&self, filter: &Filter) -> Vec<Value> {
        let now = clock::now();
        let mut found: Vec<(&u64, &Notice)> = self
            .all
            .iter()
            .filter(|(_, notice)| {
                !is_expired(notice, now)
                    && (filter.user.is_none()
                        || notice.user.is_none()
                        || notice.user == filter.user)
                    && (filter.kinds.is_empty() || filter.kinds.contains(&notice.kind))
                    && (filter.keys.is_empty() || filter.keys.contains(&notice.key))
                    && filter.after.is_none_or(|after| notice.last_repeated > after)
            })
            .collect();
        found.sort_by_key(|(_, notice)| notice.last_repeated);
        found.into_iter().map(|(&id, notice)| notice.shown(id)).collect()
    }

    /// Two occurrences never have the same time, or `after` would lose one.
    fn unique_time(&mut self) -> Timestamp {
        let mut now = clock::now();
        if let Some(last) = self.last_time.filter(|&last| now <= last) {
            now = last.checked_add(SignedDuration::from_nanos(1)).unwrap_or(now);
        }
        self.last_time = Some(now);
        now
    }
}

impl Notice {
    /// A notice as the API shows it.
    pub(crate) fn shown(&self, id: u64) -> Value {
        let mut shown = json!({
            "id": id.to_string(),
            "user-id": self.user,
            "type": self.kind.word(),
            "key": self.key,
            "first-occurred": clock::utc(self.first_occurred),
            "last-occurred": clock::utc(self.last_occurred),
            "last-repeated": clock::utc(self.last_repeated),
            "occurrences": self.occurrences,
            "expire-after": Span::millis(KEPT_FOR_HOURS * 3_600_000).to_string(),
        });
        if let Value::Object(fields) = &mut shown {
            if !self.data.is_empty() {
                fields.insert("last-data".to_owned(), json!(self.data));
            }
            if self.repeat_after != 0 {
                fields
                    .insert("repeat-after".to_owned(), Span(self.repeat_after).to_string().into());
            }
        }
        shown
    }
}

fn is_expired(notice: &Notice, now: Timestamp) -> bool {
    notice
        .last_occurred
        .checked_add(SignedDuration::from_hours(KEPT_FOR_HOURS))
        .is_ok_and(|end| end < now)
}

const KEPT_FOR_HOURS: i64 = 7 * 24;

/// `example.com/path`: a dotted domain, then segments; lower-case letters, digits, single inner dashes.
pub(crate) fn is_key(key: &str) -> bool {
    let word = |part: &str| {
        part.split('-').all(|piece| {
            !piece.is_empty() && piece.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
    };
    let Some((domain, path)) = key.split_once('/') else { return false };
    domain.contains('.') && domain.split('.').all(word) && path.split('/').all(word)
}
