//! A secret: whose it is, what it held in each revision, who may read it and who does.

pub mod change;
pub mod error;
pub mod events;
pub(crate) mod label;
pub mod read;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::Serialize;

use super::Bag;
use crate::juju::base64;

/// A secret of an application or a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The application or unit that it belongs to.
    pub owner: String,
    /// Its owner's name for it; empty for none.
    #[serde(default)]
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// How often the owner is told to change it.
    #[serde(default)]
    pub rotate: Rotation,
    /// When it is told so next.
    #[serde(default)]
    pub next_rotate: Option<Timestamp>,
    /// When its latest revision is no longer to be used.
    #[serde(default)]
    pub expire: Option<Timestamp>,
    /// What is left of its revisions.
    pub revisions: BTreeMap<u32, Content>,
    /// The latest revision where that was removed; no later one takes its number.
    #[serde(default)]
    pub removed_latest: u32,
    /// Who else may read it.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The units that have read it.
    #[serde(default)]
    pub consumers: BTreeMap<String, Consumer>,
}

/// How often the owner of a secret is told to change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// It is not.
    #[default]
    Never,
    /// Each hour.
    Hourly,
    /// Each day.
    Daily,
    /// Each seven days.
    Weekly,
    /// Each month.
    Monthly,
    /// Each three months.
    Quarterly,
    /// Each year.
    Yearly,
}

/// Somebody's right to read a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The application or unit that may read it.
    pub subject: String,
    /// The relation in whose course it may.
    pub relation: u32,
}

/// A unit that has read a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The revision that it is given until it asks for a later one.
    pub revision: u32,
    /// Its own name for the secret; empty for none.
    #[serde(default)]
    pub label: String,
}

/// Keys and values of a secret's revision. Values are bytes, kept as the Base64 that charms hand
/// over, as nothing looks whether it is valid until it is read.
///
/// In JSON a value is plain text where it is text; otherwise its key ends in `#base64`, as on the
/// command line of `secret-add`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Bag", into = "Bag")]
pub struct Content {
    encoded: Bag,
}

impl Secret {
    /// The number of the latest revision.
    pub fn latest(&self) -> u32 {
        self.revisions.keys().copied().max().unwrap_or_default().max(self.removed_latest)
    }

    /// The revisions that neither are the latest nor are read by any unit.
    pub fn obsolete(&self) -> impl Iterator<Item = u32> {
        let latest = self.latest();
        self.revisions.keys().copied().filter(move |revision| {
            let mut read = self.consumers.values().map(|consumer| consumer.revision);
            *revision != latest && read.all(|tracked| tracked != *revision)
        })
    }
}

impl Rotation {
    /// All of them, with their words on the command line.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("never", Self::Never),
        ("hourly", Self::Hourly),
        ("daily", Self::Daily),
        ("weekly", Self::Weekly),
        ("monthly", Self::Monthly),
        ("quarterly", Self::Quarterly),
        ("yearly", Self::Yearly),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.into_iter().find(|(_, rotation)| *rotation == self);
        found.map_or("never", |(word, _)| word)
    }

    /// The time after one at which the secret is to be changed.
    pub fn next(self, after: Timestamp) -> Option<Timestamp> {
        let period = match self {
            Self::Never => return None,
            Self::Hourly => 1.hour(),
            Self::Daily => 1.day(),
            Self::Weekly => 1.week(),
            Self::Monthly => 1.month(),
            Self::Quarterly => 3.months(),
            Self::Yearly => 1.year(),
        };
        let next = after.to_zoned_datetime(TimeZone::UTC).checked_add(period).ok()?;
        Some(next.timestamp())
    }
}

impl Content {
    /// The content of plain texts.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let encoded = |(key, text): (&str, &str)| (key.to_owned(), base64::encode(text.as_bytes()));
        Self { encoded: pairs.into_iter().map(encoded).collect() }
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// The keys with their values in Base64.
    pub fn encoded(&self) -> &Bag {
        &self.encoded
    }

    /// The value of a key, if it is one and is valid Base64.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        base64::decode(self.encoded.get(key)?)
    }

    /// Sets a value that is in Base64 already.
    pub(crate) fn set_encoded(&mut self, key: &str, value: String) {
        self.encoded.insert(key.to_owned(), value);
    }
}

impl From<Bag> for Content {
    fn from(bag: Bag) -> Self {
        let encoded = bag.into_iter().map(|(key, value)| match key.strip_suffix(ENCODED) {
            Some(key) => (key.to_owned(), value),
            None => (key, base64::encode(value.as_bytes())),
        });
        Self { encoded: encoded.collect() }
    }
}

impl From<Content> for Bag {
    fn from(content: Content) -> Self {
        let shown = content.encoded.into_iter().map(|(key, value)| {
            let text = base64::decode(&value).and_then(|bytes| String::from_utf8(bytes).ok());
            match text.filter(|text| base64::encode(text.as_bytes()) == value) {
                Some(text) => (key, text),
                None => (key + ENCODED, value),
            }
        });
        shown.collect()
    }
}

/// The end of a key whose value is in Base64.
pub(crate) const ENCODED: &str = "#base64";

#[cfg(test)]
mod tests {
    use super::Content;
    use super::Rotation;
    use crate::juju::model::Bag;

    #[test]
    fn what_is_no_text_is_shown_in_base_64() {
        let bag = |pairs: &[(&str, &str)]| -> Bag {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let cases = [
            (bag(&[("key", "text")]), bag(&[("key", "text")])),
            (bag(&[("key#base64", "dGV4dA==")]), bag(&[("key", "text")])),
            (bag(&[("key#base64", "/////w==")]), bag(&[("key#base64", "/////w==")])),
            (bag(&[("key#base64", "!!!")]), bag(&[("key#base64", "!!!")])),
        ];
        for (given, shown) in cases {
            assert_eq!(Bag::from(Content::from(given.clone())), shown, "{given:?}");
        }
    }

    #[test]
    fn a_rotation_is_due_a_period_later() {
        let cases = [
            (Rotation::Never, None),
            (Rotation::Hourly, Some("2026-01-31T04:04:05Z")),
            (Rotation::Daily, Some("2026-02-01T03:04:05Z")),
            (Rotation::Weekly, Some("2026-02-07T03:04:05Z")),
            (Rotation::Monthly, Some("2026-02-28T03:04:05Z")),
            (Rotation::Quarterly, Some("2026-04-30T03:04:05Z")),
            (Rotation::Yearly, Some("2027-01-31T03:04:05Z")),
        ];
        let after = "2026-01-31T03:04:05Z".parse().unwrap();
        for (rotation, due) in cases {
            let next = rotation.next(after).map(|next| next.to_string());
            assert_eq!(next.as_deref(), due, "{}", rotation.word());
        }
    }
}
