//! `metadata.yaml`: names and texts at its top; what stands below has files of its own.

use crate::place::Place;
use crate::place::Problems;
use crate::rules::assumes;
use crate::rules::endpoints;
use crate::rules::workload;

/// Checks the whole file.
pub fn check(metadata: &Place<'_>, problems: &mut Problems) {
    for (key, at) in metadata.entries(problems) {
        if OLD_FORMAT.contains(&key) {
            at.wrong(problems, "belongs to the old format, which has no containers and no assumes");
        } else if !KNOWN.contains(&key) {
            at.wrong(problems, "is no key that is known here; Juju would not notice a slip in it");
        }
    }
    texts(metadata, problems);
    if let Some(at) = metadata.key("charm-user")
        && let Some(user) = at.text(problems)
        && !["root", "sudoer", "non-root"].contains(&user)
    {
        at.wrong(problems, format!("`{user}` is none of root, sudoer and non-root"));
    }
    if let Some(at) = metadata.key("assumes") {
        assumes::check(&at, problems);
    }
    endpoints::check(metadata, problems);
    workload::check(metadata, problems);
}

fn texts(metadata: &Place<'_>, problems: &mut Problems) {
    for key in ["name", "summary", "description"] {
        let Some(at) = metadata.needed(key, problems) else { continue };
        let Some(text) = at.text(problems) else { continue };
        if key == "name" && !is_application_name(text) {
            at.wrong(
                problems,
                format!(
                    "`{text}` is no name: lower-case words with a letter each, joined by hyphens"
                ),
            );
        }
        if key == "summary" && text.chars().count() > SUMMARY_LIMIT {
            at.wrong(problems, format!("is longer than {SUMMARY_LIMIT} characters"));
        }
    }
    metadata.text_at("display-name", problems);
    for key in ["tags", "maintainers"] {
        if let Some(at) = metadata.key(key) {
            for item in at.items(problems) {
                item.text(problems);
            }
        }
    }
    for key in ["docs", "issues", "source", "website"] {
        let Some(at) = metadata.key(key) else { continue };
        let links = if at.value().is_sequence() { at.items(problems) } else { vec![at] };
        for link in links {
            if link.text(problems).is_some_and(|text| !text.starts_with("https://")) {
                link.wrong(problems, "is no https:// link");
            }
        }
    }
}

/// Juju's rule for the names of charms and applications: each part between hyphens has a letter.
fn is_application_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|part| {
            part.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
                && part.contains(|it: char| it.is_ascii_lowercase())
        })
}

/// charmcraft's limit.
const SUMMARY_LIMIT: usize = 200;

/// Keys that Juju refuses beside `containers` or `assumes`.
const OLD_FORMAT: &[&str] = &["series", "min-juju-version", "deployment"];

/// The keys that there are rules for.
const KNOWN: &[&str] = &[
    "assumes",
    "charm-user",
    "containers",
    "description",
    "display-name",
    "docs",
    "issues",
    "maintainers",
    "name",
    "peers",
    "provides",
    "requires",
    "resources",
    "source",
    "storage",
    "summary",
    "tags",
    "website",
];
