//! What the Sentinels of a model say, written into its trace.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lab;
use super::watcher::Watcher;
use crate::pod::Pod;
use crate::processes;
use crate::redis::server::Server;
use crate::trace::entry::What;
use crate::trace::sink::Sink;

/// Follows every Sentinel that runs in a lab's pods, by a subscription to all its channels; dropped, it
/// stops.
#[derive(Debug)]
pub struct SentinelEvents {
    _watcher: Watcher,
}

impl SentinelEvents {
    /// Follows the Sentinels of a lab for as long as both last.
    pub fn follow(lab: &Arc<Lab>) -> Self {
        let mut subscriptions = BTreeMap::new();
        Self { _watcher: Watcher::start(lab, PAUSE, move |lab| look(lab, &mut subscriptions)) }
    }
}

/// One subscription: the client that holds it, and who reads it.
#[derive(Debug)]
struct Subscription {
    client: Child,
    reader: Option<JoinHandle<()>>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Neither is an error of one that has ended by itself.
        let _ = self.client.kill();
        let _ = self.client.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

/// Subscribes to what has come, by its process; forgets what has gone.
fn look(lab: &Lab, subscriptions: &mut BTreeMap<u32, Subscription>) {
    subscriptions.retain(|_, it| it.reader.as_ref().is_some_and(|it| !it.is_finished()));
    for status in lab.pods() {
        let Ok(pod) = lab.pod(&status.unit) else { continue };
        let Some(process) = sentinel_of(&pod) else { continue };
        if !subscriptions.contains_key(&process)
            && let Some(subscription) = subscribe(lab, &status.unit)
        {
            subscriptions.insert(process, subscription);
        }
    }
}

/// The Sentinel's process in a pod.
fn sentinel_of(pod: &Pod) -> Option<u32> {
    let mut processes = pod.containers().flat_map(|container| pod.processes(container));
    processes.find(|process| processes::argv_of(*process).contains("[sentinel]"))
}

fn subscribe(lab: &Lab, unit: &str) -> Option<Subscription> {
    let mut client = lab.listen(unit, Server::Sentinel).ok()?;
    let lines = BufReader::new(client.stdout.take()?);
    let (unit, trace) = (unit.to_owned(), lab.trace().clone());
    let reader = Some(thread::spawn(move || read(&unit, lines, &trace)));
    Some(Subscription { client, reader })
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
const PAUSE: Duration = Duration::from_millis(500);

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
