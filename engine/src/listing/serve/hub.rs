//! The open WebSockets, and what is sent to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use crate::listing::live::{Client, Sid};

/// Messages that wait for one connection at most, and bytes of them: one that takes them more slowly is closed. One message of a process has
/// room.
const QUEUE: usize = 256;
const QUEUE_BYTES: usize = 20 << 20;
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
    open: BTreeMap<(Sid, Role, Client), Connection>,
    last: Client,
}

/// A connection as the hub has it. Dropping it closes the connection.
struct Connection {
    texts: Sender<Utf8Bytes>,
    waiting: Arc<AtomicUsize>,
    _open: oneshot::Sender<()>,
}

/// A connection's own end.
pub(super) struct End {
    pub(super) number: Client,
    pub(super) queue: Queue,
    /// Ends when the hub has dropped the connection.
    pub(super) dropped: oneshot::Receiver<()>,
}

/// What is sent to a connection.
pub(super) struct Queue {
    texts: Receiver<Utf8Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// The next text that is sent.
    pub(super) async fn next(&mut self) -> Option<Utf8Bytes> {
        let text = self.texts.recv().await?;
        self.waiting.fetch_sub(text.len(), Ordering::Relaxed);
        Some(text)
    }
}

impl Hub {
    /// Takes a connection in; none where there are too many.
    pub(super) fn open(&mut self, sid: &Sid, role: Role) -> Option<End> {
        if self.is_full() {
            return None;
        }
        let (texts, received) = channel(QUEUE);
        let (open, dropped) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        self.last += 1;
        let connection = Connection { texts, waiting: Arc::clone(&waiting), _open: open };
        self.open.insert((Sid::clone(sid), role, self.last), connection);
        Some(End { number: self.last, queue: Queue { texts: received, waiting }, dropped })
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
        for (key, connection) in self.open.range(range) {
            let waiting = connection.waiting.fetch_add(text.len(), Ordering::Relaxed) + text.len();
            if waiting <= QUEUE_BYTES && connection.texts.try_send(text.clone()).is_ok() {
                taken += 1;
            } else {
                slow.push(key.clone());
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
