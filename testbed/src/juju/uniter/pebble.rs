//! Watches one container's Pebble, as the real agent does: asks every 5 seconds whether it has
//! started anew, and waits for notices, which it hands to the charm one at a time.

use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::juju::clock::PEBBLE_ABSENT;
use crate::juju::clock::PEBBLE_POLL;
use crate::juju::core::Core;
use crate::juju::faults::NoticeFault;
use crate::lock::lock;
use crate::pebble::client::http::Client;

use super::Me;
use super::event::Signal;

/// Until the agent ends.
pub(super) fn watch(core: &Core, me: &Me, container: &str) {
    let watcher = Watcher { core, me, container };
    thread::scope(|scope| {
        scope.spawn(|| watcher.watch_starts());
        watcher.watch_notices();
    });
}

struct Watcher<'a> {
    core: &'a Core,
    me: &'a Me,
    container: &'a str,
}

/// One notice, as Pebble tells of it.
struct Notice {
    id: String,
    kind: String,
    key: String,
    /// As Pebble wrote it, to ask for what comes after.
    last_repeated: String,
    /// Of a change, what it does and to which check.
    change: String,
    check: String,
}

impl Watcher<'_> {
    fn client(&self) -> Client {
        Client::new(&self.me.place.pebble_socket(self.container))
    }

    fn watch_starts(&self) {
        let (mut life, mut known) = (None, String::new());
        while let Some(now_in) = self.pause(PEBBLE_POLL) {
            if life.replace(now_in) != Some(now_in) {
                known.clear();
            }
            let Ok(reply) = self.client().get("/v1/system-info") else { continue };
            let id = text_at(&reply.json(), "/result/boot-id");
            if id.is_empty() || id == known {
                continue;
            }
            // One whose hook fails is not acknowledged, and so raised again at the next look.
            if self.tell(now_in, Signal::Ready) == Some(true) {
                known = id;
            }
        }
    }

    fn watch_notices(&self) {
        let (mut life, mut after) = (None, String::new());
        while let Some(now_in) = self.life() {
            if life.replace(now_in) != Some(now_in) {
                after.clear();
            }
            let Some(notices) = self.notices_after(&after) else {
                if self.pause(PEBBLE_ABSENT).is_none() {
                    return;
                }
                continue;
            };
            for notice in notices {
                let Some(signal) = self.signal_of(&notice) else {
                    after = notice.last_repeated;
                    continue;
                };
                if self.deliver(now_in, signal) != Some(true) {
                    break;
                }
                after = notice.last_repeated;
            }
        }
    }

    /// Notices that are new since then, oldest first; waits a while for one.
    fn notices_after(&self, after: &str) -> Option<Vec<Notice>> {
        let mut path = format!("/v1/notices?users=all&timeout={WAIT}");
        if !after.is_empty() {
            path.push_str("&after=");
            path.push_str(after);
        }
        let reply = self.client().get(&path).ok().filter(|reply| reply.status == 200)?;
        let reply = reply.json();
        let notices = reply.get("result").and_then(Value::as_array).into_iter().flatten();
        Some(notices.map(Notice::read).collect())
    }

    /// What the charm is told of a notice; nothing for those that Juju passes over. Of a check the
    /// change's end counts, whatever it was when the notice was recorded.
    fn signal_of(&self, notice: &Notice) -> Option<Signal> {
        if notice.kind == "custom" {
            return Some(Signal::Notice { id: notice.id.clone(), key: notice.key.clone() });
        }
        let is_check = matches!(notice.change.as_str(), "perform-check" | "recover-check");
        if notice.kind != "change-update" || !is_check {
            return None;
        }
        let reply = self.client().get(&format!("/v1/changes/{}", notice.key)).ok()?;
        let status = text_at(&reply.json(), "/result/status");
        // One that Pebble has dropped from its list is over.
        let ended = |word| reply.status == 404 || status == word;
        let check = notice.check.clone();
        if notice.change == "perform-check" && ended("Error") {
            Some(Signal::CheckFailed { check })
        } else if notice.change == "recover-check" && ended("Done") {
            Some(Signal::CheckRecovered { check })
        } else {
            None
        }
    }

    /// Hands a notice to the charm, unless something befalls it on the way.
    fn deliver(&self, life: u64, signal: Signal) -> Option<bool> {
        let fault = {
            let mut world = lock(&self.core.world);
            world.deployment.faults.next_notice(&self.me.unit, self.container)
        };
        match fault {
            Some(NoticeFault::Drop) => return Some(true),
            Some(NoticeFault::Repeat) => {
                self.tell(life, signal.clone()).filter(|is_fine| *is_fine)?;
            }
            Some(NoticeFault::Delay(time)) => {
                self.wait_until(Instant::now().checked_add(time)?)?;
            }
            None => {}
        }
        self.tell(life, signal)
    }

    /// Tells the agent, and waits until the charm was told: whether its hook was fine. Nothing when
    /// the agent has begun anew or ended.
    fn tell(&self, life: u64, signal: Signal) -> Option<bool> {
        let mut world = lock(&self.core.world);
        if !world.is_current(self.me) {
            return None;
        }
        let memory = &mut world.agent(&self.me.unit).running.as_mut()?.memory;
        if memory.lives != life {
            return None;
        }
        let ticket = memory.hear(self.container, signal);
        world.note_change();
        loop {
            if !world.is_current(self.me) {
                return None;
            }
            let memory = &mut world.agent(&self.me.unit).running.as_mut()?.memory;
            if let Some(is_fine) = memory.heard.remove(&ticket) {
                return Some(is_fine);
            }
            if memory.lives != life {
                return None;
            }
            world = Core::wait(world, None);
        }
    }

    /// Which life of the agent it is now; waits while the agent cannot do anything.
    fn life(&self) -> Option<u64> {
        let mut world = lock(&self.core.world);
        loop {
            if !world.is_current(self.me) {
                return None;
            }
            let is_away = world.deployment.is_away;
            let running = world.agent(&self.me.unit).running.as_ref()?;
            let is_out = running.is_to_restart || running.restarts_at.is_some();
            if !is_away && !is_out && !running.is_frozen {
                return Some(running.memory.lives);
            }
            world = Core::wait(world, None);
        }
    }

    /// Waits for that period of the model's clock, counted anew when the agent begins anew.
    fn pause(&self, period: std::time::Duration) -> Option<u64> {
        loop {
            let life = self.life()?;
            let period = lock(&self.core.world).deployment.clock.period(period);
            self.wait_until(Instant::now().checked_add(period)?)?;
            if self.life()? == life {
                return Some(life);
            }
        }
    }

    fn wait_until(&self, time: Instant) -> Option<()> {
        let mut world = lock(&self.core.world);
        while Instant::now() < time {
            if !world.is_current(self.me) {
                return None;
            }
            world = Core::wait(world, Some(time));
        }
        Some(())
    }
}

impl Notice {
    fn read(value: &Value) -> Self {
        Self {
            id: text_at(value, "/id"),
            kind: text_at(value, "/type"),
            key: text_at(value, "/key"),
            last_repeated: text_at(value, "/last-repeated"),
            change: text_at(value, "/last-data/kind"),
            check: text_at(value, "/last-data/check-name"),
        }
    }
}

/// The text at that place; empty when there is none.
fn text_at(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How long one request waits for notices: short enough that a watcher soon sees that its agent has
/// ended.
const WAIT: &str = "2s";
