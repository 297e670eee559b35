//! What the Sentinels of a model say, written into its trace.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::Weak;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lab;
use super::redis::Server;
use crate::pod::Pod;
use crate::processes;
use crate::trace::entry::What;
use crate::trace::sink::Sink;
use crate::transcript::lock;

/// Follows every Sentinel that runs in a lab's pods, by a subscription to all its channels; dropped, it
/// stops.
#[derive(Debug)]
pub struct SentinelEvents {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl SentinelEvents {
    /// Follows the Sentinels of a lab for as long as both last.
    pub fn follow(lab: &Arc<Lab>) -> Self {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = thread::spawn({
            let (lab, stop) = (Arc::downgrade(lab), Arc::clone(&stop));
            move || watch(&lab, &stop)
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for SentinelEvents {
    fn drop(&mut self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that is not in the trace.
            let _ = thread.join();
        }
    }
}

/// One subscription: the client that holds it, and who reads it.
#[derive(Debug)]
struct Subscription {
    client: Child,
    reader: JoinHandle<()>,
}

fn watch(lab: &Weak<Lab>, stop: &(Mutex<bool>, Condvar)) {
    let mut subscriptions: BTreeMap<u32, Subscription> = BTreeMap::new();
    loop {
        let Some(lab) = lab.upgrade() else { break };
        let is_over = |it: &Subscription| it.reader.is_finished();
        let over: Vec<u32> = subscriptions.extract_if(.., |_, it| is_over(it)).map(ended).collect();
        for status in lab.pods() {
            let Ok(pod) = lab.pod(&status.unit) else { continue };
            let Some(process) = sentinel_of(&pod) else { continue };
            // One that has just ended its subscription is likely about to end itself.
            if subscriptions.contains_key(&process) || over.contains(&process) {
                continue;
            }
            if let Some(subscription) = subscribe(&lab, &status.unit) {
                subscriptions.insert(process, subscription);
            }
        }
        drop(lab);
        let stopped = stop.1.wait_timeout_while(lock(&stop.0), LOOK, |stopped| !*stopped);
        // A lock whose holder panicked still holds a plain flag.
        if stopped.is_ok_and(|(stopped, _)| *stopped) {
            break;
        }
    }
    for entry in subscriptions {
        ended(entry);
    }
}

/// Ends a subscription, if it has not ended itself.
fn ended((process, mut subscription): (u32, Subscription)) -> u32 {
    let _ = subscription.client.kill();
    let _ = subscription.client.wait();
    let _ = subscription.reader.join();
    process
}

/// The Sentinel's process in a pod.
fn sentinel_of(pod: &Pod) -> Option<u32> {
    let mut processes = pod.containers().flat_map(|container| pod.processes(container));
    processes.find(|process| processes::argv_of(*process).contains("[sentinel]"))
}

fn subscribe(lab: &Lab, unit: &str) -> Option<Subscription> {
    let mut client = lab.redis_client(unit, Server::Sentinel, None, "PSUBSCRIBE *\n").ok()?;
    let lines = BufReader::new(client.stdout.take()?);
    let (unit, trace) = (unit.to_owned(), lab.trace().clone());
    Some(Subscription { client, reader: thread::spawn(move || read(&unit, lines, &trace)) })
}

/// A message is four lines: `pmessage`, the pattern, the channel, the text.
fn read(unit: &str, lines: impl BufRead, trace: &Sink) {
    let mut lines = lines.lines().map_while(Result::ok);
    while let Some(line) = lines.next() {
        if line != "pmessage" {
            continue;
        }
        let (Some(_), Some(event), Some(message)) = (lines.next(), lines.next(), lines.next())
        else {
            return;
        };
        // Sentinels greet one another on this channel once in two seconds.
        if event != "__sentinel__:hello" {
            trace.push(What::Sentinel { unit: unit.to_owned(), event, message });
        }
    }
}

/// How long a Sentinel may run before it is followed.
const LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::Sink;
    use super::What;
    use super::read;

    #[test]
    fn a_subscription_is_read_message_by_message() {
        let lines = "OK\npsubscribe\n*\n1\npmessage\n*\n+sdown\nmaster redis-k8s 10.1.0.10 6379\n\
                     pmessage\n*\n+new-epoch\n1\npmessage\n*\n";
        let trace = Sink::new();
        read("redis-k8s/0", lines.as_bytes(), &trace);
        let said: Vec<What> = trace.entries().into_iter().map(|entry| entry.what).collect();
        let sentinel = |event: &str, message: &str| What::Sentinel {
            unit: "redis-k8s/0".to_owned(),
            event: event.to_owned(),
            message: message.to_owned(),
        };
        let expected =
            [sentinel("+sdown", "master redis-k8s 10.1.0.10 6379"), sentinel("+new-epoch", "1")];
        assert_eq!(said, expected);
    }
}
