//! Commands run for a client, who feeds and hears them over websockets.

pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod socket;

use std::cell::Cell;
use std::cell::RefCell;
use tokio::sync::Notify;
use tokio::sync::mpsc;

use crate::pebble::exec::socket::End;

/// The websockets that a command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Control,
    Stdio,
    Stderr,
}

impl Channel {
    /// Its name in URLs and messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Stdio => "stdio",
            Self::Stderr => "stderr",
        }
    }
}

/// One command and the websockets that it waits for.
pub(crate) struct Session {
    pub(crate) split_stderr: bool,
    control: Seat,
    stdio: Seat,
    stderr: Seat,
    /// Someone has connected.
    arrived: Notify,
    control_end: RefCell<Option<mpsc::UnboundedSender<End>>>,
}

/// The place of one websocket: taken once, for good.
#[derive(Default)]
struct Seat {
    taken: Cell<bool>,
    end: RefCell<Option<End>>,
}

impl Session {
    /// Nobody is connected yet.
    pub(crate) fn new(split_stderr: bool) -> Self {
        Self {
            split_stderr,
            control: Seat::default(),
            stdio: Seat::default(),
            stderr: Seat::default(),
            arrived: Notify::new(),
            control_end: RefCell::default(),
        }
    }

    /// The channel of that name, if this command has it.
    pub(crate) fn channel(&self, name: &str) -> Option<Channel> {
        match name {
            "control" => Some(Channel::Control),
            "stdio" => Some(Channel::Stdio),
            "stderr" if self.split_stderr => Some(Channel::Stderr),
            _ => None,
        }
    }

    fn seat(&self, channel: Channel) -> &Seat {
        match channel {
            Channel::Control => &self.control,
            Channel::Stdio => &self.stdio,
            Channel::Stderr => &self.stderr,
        }
    }

    /// Takes a place before the handshake. Answers whether it was free.
    pub(crate) fn reserve(&self, channel: Channel) -> bool {
        !self.seat(channel).taken.replace(true)
    }

    /// The handshake is over.
    pub(crate) fn connect(&self, channel: Channel, end: End) {
        if channel == Channel::Control
            && let Some(late) = self.control_end.borrow().as_ref()
        {
            // The command runs already: its control loop takes the socket. It may be over.
            let _ = late.send(end);
            return;
        }
        self.seat(channel).end.replace(Some(end));
        self.arrived.notify_one();
    }

    /// Whether all that the command cannot run without is there.
    fn is_complete(&self) -> bool {
        self.stdio.end.borrow().is_some()
            && (!self.split_stderr || self.stderr.end.borrow().is_some())
    }
}
