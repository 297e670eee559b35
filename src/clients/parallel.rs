//! Asking many at once, under one deadline.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use crate::clock::Budget;

/// Runs `ask` for every item at the same time and returns what came back in time.
///
/// The threads are detached: a name look-up cannot be cancelled, and one that hangs is left behind
/// at the deadline. (A scoped thread would hold the process until the resolver gives up: 20 s.)
pub fn ask_all<K, T, R>(
    items: Vec<(K, T)>,
    budget: &Budget,
    ask: fn(T, &Budget) -> R,
) -> BTreeMap<K, R>
where
    K: Ord + Send + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    let (sender, answers) = mpsc::channel();
    let mut awaited = 0;
    for (key, item) in items {
        let sender = sender.clone();
        let budget = budget.clone();
        let started = thread::Builder::new().stack_size(STACK).spawn(move || {
            let answer = ask(item, &budget);
            // Nobody listens any more once the deadline has passed.
            drop(sender.send((key, answer)));
        });
        awaited += usize::from(started.is_ok());
    }
    drop(sender);
    let mut answered = BTreeMap::new();
    while answered.len() < awaited {
        let Some((key, answer)) = budget.receive(&answers) else { break };
        answered.insert(key, answer);
    }
    answered
}

/// In bytes; the resolver of the C library wants more than the smallest stack.
const STACK: usize = 256 * 1024;
