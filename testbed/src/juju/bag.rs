//! A hook's own copy of a databag: what it wrote is seen by itself at once, by others at commit.

use super::model::Bag;

/// A databag as it was when the hook first used it, and as the hook made it since.
#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    loaded: Bag,
    current: Bag,
    written: bool,
}

impl Overlay {
    pub(crate) fn of(bag: Bag) -> Self {
        Self { loaded: bag.clone(), current: bag, written: false }
    }

    /// The bag as this hook sees it.
    pub(crate) fn seen(&self) -> &Bag {
        &self.current
    }

    /// Sets a key; the empty value deletes it, as no databag holds one.
    pub(crate) fn write(&mut self, key: &str, value: &str) {
        self.written = true;
        if value.is_empty() {
            self.current.remove(key);
        } else {
            self.current.insert(key.to_owned(), value.to_owned());
        }
    }

    /// Whether anything was written, the same value again included.
    pub(crate) fn is_written(&self) -> bool {
        self.written
    }

    /// Carries into `bag` what differs from the copy as it was loaded.
    pub(crate) fn carry_into(&self, bag: &mut Bag) {
        bag.retain(|key, _| self.current.contains_key(key) || !self.loaded.contains_key(key));
        for (key, value) in &self.current {
            if self.loaded.get(key) != Some(value) {
                bag.insert(key.clone(), value.clone());
            }
        }
    }
}
