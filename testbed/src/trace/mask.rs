//! Takes secrets out of what is shown.
//!
//! A value counts as secret by where it was seen: in a databag or an option under a key that speaks of
//! a password, a token or a private key, in a secret's content, in the result of an action. In its own place it is always masked; long
//! enough to be no common word, it is masked wherever it turns up, also in what was written before.

use std::collections::BTreeSet;

use super::entry::What;

/// What is shown in place of a secret.
pub const MASK: &str = "***";

/// The secrets that a run has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: BTreeSet<String>,
}

impl Secrets {
    /// Remembers a value, if it is long enough to be no common word.
    pub fn learn(&mut self, value: &str) {
        if value.len() >= SHORTEST {
            self.values.insert(value.to_owned());
        }
    }

    /// Learns what an entry gives away: the passwords of a databag, the content of a secret.
    pub fn learn_from(&mut self, what: &What) {
        match what {
            What::Databag { key, value: Some(value), .. } if is_confidential(key) => {
                self.learn(value);
            }
            What::Tool { argv, .. } => {
                let pairs = argv.iter().skip(1).filter_map(|word| word.split_once('='));
                let holds_secrets = Keeping::of(argv) == Keeping::Secret;
                for (key, value) in pairs.filter(|(key, _)| holds_secrets || is_confidential(key)) {
                    if !is_reference(key) {
                        self.learn(value);
                    }
                }
            }
            What::Operator { command } => {
                let pairs = command.split_whitespace().filter_map(|word| word.split_once('='));
                pairs.filter(|(key, _)| is_confidential(key)).for_each(|(_, value)| {
                    self.learn(value);
                });
            }
            What::Databag { .. }
            | What::EventBegan { .. }
            | What::EventEnded { .. }
            | What::Log { .. }
            | What::Status { .. }
            | What::Leader { .. }
            | What::Action { .. }
            | What::Life { .. }
            | What::Pod { .. }
            | What::Container { .. }
            | What::Service { .. }
            | What::Sentinel { .. }
            | What::Api { .. }
            | What::Fault { .. } => {}
        }
    }

    /// A text without the secrets known so far.
    pub fn mask(&self, text: &str) -> String {
        // Longest first: a secret may be part of another one.
        let mut values: Vec<&String> = self.values.iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.into_iter().fold(text.to_owned(), |text, value| text.replace(value, MASK))
    }

    /// An entry without secrets.
    pub fn masked(&self, what: &What) -> What {
        let mut what = what.clone();
        match &mut what {
            What::Databag { key, value: Some(value), .. } => {
                *value = if is_confidential(key) { MASK.to_owned() } else { self.mask(value) };
            }
            What::Tool { argv, .. } => {
                let keeping = Keeping::of(argv);
                for word in argv.iter_mut().skip(1) {
                    *word = self.masked_argument(word, keeping);
                }
            }
            What::EventEnded { commit: super::entry::Commit::Refused(text), .. }
            | What::EventBegan { about: Some(text), .. }
            | What::Log { message: text, .. }
            | What::Status { message: text, .. }
            | What::Action { message: text, .. }
            | What::Container { change: text, .. }
            | What::Sentinel { message: text, .. }
            | What::Api { asked: text, .. }
            | What::Fault { what: text } => *text = self.mask(text),
            What::Operator { command } => {
                let words = command.split(' ').map(|it| self.masked_argument(it, Keeping::Open));
                *command = words.collect::<Vec<_>>().join(" ");
            }
            What::Databag { value: None, .. }
            | What::EventBegan { about: None, .. }
            | What::EventEnded { .. }
            | What::Leader { .. }
            | What::Life { .. }
            | What::Pod { .. }
            | What::Service { .. } => {}
        }
        what
    }

    fn masked_argument(&self, word: &str, keeping: Keeping) -> String {
        let Some((key, _)) = word.split_once('=') else { return self.mask(word) };
        // An option such as `--description=..` tells of the secret but is none.
        let is_kept = keeping != Keeping::Open && !key.starts_with('-');
        if is_kept || is_confidential(key) { format!("{key}={MASK}") } else { self.mask(word) }
    }
}

/// What a tool does with the `key=value` words of its command line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    /// They may be seen.
    Open,
    /// They go into a secret.
    Secret,
    /// They go to the caller of an action alone.
    Result,
}

impl Keeping {
    fn of(argv: &[String]) -> Self {
        match argv.first().map(String::as_str) {
            Some("secret-add" | "secret-set") => Self::Secret,
            Some("action-set") => Self::Result,
            _ => Self::Open,
        }
    }
}

/// Whether a key says that its value is for nobody else.
pub(crate) fn is_confidential(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "token", "private-key"].iter().any(|word| key.contains(word))
}

/// Whether a secret's key points at its value instead of holding it.
fn is_reference(key: &str) -> bool {
    key.ends_with("#file") || key.starts_with('-')
}

/// A shorter value is a number or a word that stands in many places with no secret meaning.
const SHORTEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::Secrets;
    use super::What;

    fn tool(words: &[&str]) -> What {
        What::Tool {
            unit: "app/0".to_owned(),
            argv: words.iter().map(|&word| word.to_owned()).collect(),
            exit: Some(0),
            took: std::time::Duration::ZERO,
        }
    }

    fn databag(key: &str, value: &str) -> What {
        What::Databag {
            relation: 0,
            endpoint: "peers".to_owned(),
            of: "app".to_owned(),
            key: key.to_owned(),
            value: Some(value.to_owned()),
        }
    }

    /// What is shown of the last entry when all of them have happened.
    fn last_shown(entries: &[What]) -> What {
        let mut secrets = Secrets::default();
        for entry in entries {
            secrets.learn_from(entry);
        }
        secrets.masked(entries.last().unwrap())
    }

    #[test]
    fn what_is_secret_by_its_place_is_masked_there() {
        let table = [
            (databag("redis-password", "hunter2"), databag("redis-password", "***")),
            (databag("leader-host", "redis-0"), databag("leader-host", "redis-0")),
            (
                tool(&["relation-set", "admin-Password=x", "host=redis-0"]),
                tool(&["relation-set", "admin-Password=***", "host=redis-0"]),
            ),
            (
                tool(&["secret-add", "--label=db", "a=1", "b#base64=Mg=="]),
                tool(&["secret-add", "--label=db", "a=***", "b#base64=***"]),
            ),
            (
                tool(&["state-set", "api-token=x", "ca-Private-Key=y", "passwd=z"]),
                tool(&["state-set", "api-token=***", "ca-Private-Key=***", "passwd=***"]),
            ),
            (tool(&["action-set", "result=3"]), tool(&["action-set", "result=***"])),
            (tool(&["status-set", "active", "a=1"]), tool(&["status-set", "active", "a=1"])),
        ];
        for (happened, shown) in table {
            assert_eq!(last_shown(&[happened]), shown);
        }
    }

    #[test]
    fn a_secret_is_masked_wherever_it_turns_up() {
        let log = |message: &str| What::Log {
            unit: "app/0".to_owned(),
            level: "INFO".to_owned(),
            message: message.to_owned(),
        };
        let table = [
            databag("redis-password", "correct-horse"),
            tool(&["relation-set", "x-password=correct-horse"]),
            tool(&["secret-set", "secret:1", "value=correct-horse"]),
            What::Operator { command: "config app admin-password=correct-horse".to_owned() },
        ];
        for origin in table {
            let shown = last_shown(&[origin, log("AUTH correct-horse!")]);
            assert_eq!(shown, log("AUTH ***!"));
        }
    }

    #[test]
    fn a_common_word_stays_although_a_password_key_holds_it() {
        let entries = [databag("enable-password", "true"), tool(&["state-set", "seen=true"])];
        assert_eq!(last_shown(&entries), entries[1]);
    }

    #[test]
    fn a_secret_within_another_one_leaves_no_rest() {
        let mut secrets = Secrets::default();
        secrets.learn("long-secret");
        secrets.learn("long-secret-with-more");
        assert_eq!(secrets.mask("say long-secret-with-more"), "say ***");
    }
}
