//! The open WebSockets, and what is sent to them.

use std::collections::BTreeMap;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::listing::live::{Client, Sid};

/// Messages that wait for one connection at most: one that takes them more slowly is closed.
const QUEUE: usize = 256;
/// Most connections that are open at a time.
const OPEN_MAX: usize = 512;

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A person's application.
    Client,
    /// The process that answers.
    Process,
}

/// The open WebSockets by session.
#[derive(Default)]
pub(super) struct Hub {
    open: BTreeMap<(Sid, Role, Client), Sender<Utf8Bytes>>,
    last: Client,
}

impl Hub {
    /// Takes a connection in: its number, and what is sent to it; none where there are too many.
    pub(super) fn open(&mut self, sid: &Sid, role: Role) -> Option<(Client, Receiver<Utf8Bytes>)> {
        if self.is_full() {
            return None;
        }
        let (sender, receiver) = channel(QUEUE);
        self.last += 1;
        self.open.insert((Sid::clone(sid), role, self.last), sender);
        Some((self.last, receiver))
    }

    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= OPEN_MAX
    }

    pub(super) fn close(&mut self, sid: &Sid, role: Role, number: Client) {
        self.open.remove(&(Sid::clone(sid), role, number));
    }

    /// Closes all of a session's connections of a kind.
    pub(super) fn close_all(&mut self, sid: &Sid, role: Role) {
        self.open.retain(|(of, kind, _), _| of != sid || *kind != role);
    }

    /// Sends a text to all of a session's connections of a kind; how many took it.
    pub(super) fn send(&mut self, sid: &Sid, role: Role, text: &Utf8Bytes) -> usize {
        let range = (Sid::clone(sid), role, 0)..=(Sid::clone(sid), role, Client::MAX);
        let mut slow = Vec::new();
        let mut taken = 0;
        for (key, sender) in self.open.range(range) {
            match sender.try_send(text.clone()) {
                Ok(()) => taken += 1,
                Err(_) => slow.push(key.clone()),
            }
        }
        for key in slow {
            self.open.remove(&key);
        }
        taken
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
