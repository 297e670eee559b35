//! A file as it is to be in a container. Its text may hold passwords: `Debug` shows none of it.

use crate::render::places;
use crate::world::password::Password;

/// A file to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: &'static str,
    /// What is in it.
    pub content: Content,
    /// As in `0o640`.
    pub mode: u32,
    /// User and group.
    pub owner: &'static str,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The charm's own program.
    Program,
    /// A text.
    Text(Password),
}

impl File {
    /// The charm's program under another name.
    pub fn program(path: &'static str) -> Self {
        Self { path, content: Content::Program, mode: 0o755, owner: ROOT }
    }

    /// A text that only root can read.
    pub fn of_root(path: &'static str, text: String) -> Self {
        Self { path, content: Content::Text(Password::new(text)), mode: 0o600, owner: ROOT }
    }

    /// A text that only Redis' user can read, and root.
    pub fn of_redis(path: &'static str, text: String) -> Self {
        Self { owner: places::USER, ..Self::of_root(path, text) }
    }

    /// Its text; none of a program.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Program => None,
            Content::Text(text) => Some(text.reveal()),
        }
    }
}

const ROOT: &str = "root";
