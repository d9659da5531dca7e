//! Who listens, to what, and what waits for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::queue::Queue;
use crate::view::event::{self, Event};
use crate::view::ledger::Ledger;
use crate::view::strategy::{Filter, Strategy};

/// The number of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(u64);

/// Which sessions a client shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Interest {
    /// It has not said: all of them.
    #[default]
    All,
    /// These.
    Of(BTreeSet<String>),
}

impl Interest {
    fn has(&self, event: &Event) -> bool {
        match (self, &event.session) {
            (Interest::Of(sessions), Some(session)) => {
                sessions.contains(session) || event::is_state(event.kind)
            }
            _ => true,
        }
    }
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    strategy: Strategy,
    resync: Arc<str>,
    clients: BTreeMap<ClientId, Client>,
    next: u64,
    ledger: Ledger,
    /// Frames that clients that have gone had missed.
    dropped: u64,
}

#[derive(Debug)]
struct Client {
    interest: Interest,
    queue: Queue,
}

impl Clients {
    pub(super) fn new(strategy: &Strategy, resync: Arc<str>) -> Clients {
        Clients {
            strategy: *strategy,
            resync,
            clients: BTreeMap::new(),
            next: 0,
            ledger: Ledger::default(),
            dropped: 0,
        }
    }

    pub(super) fn add(&mut self, interest: Interest) -> ClientId {
        let id = ClientId(self.next);
        self.next += 1;
        let queue = Queue::new(self.strategy.queue, &self.resync);
        self.clients.insert(id, Client { interest, queue });
        id
    }

    pub(super) fn set_interest(&mut self, client: ClientId, interest: Interest) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.interest = interest;
        }
    }

    pub(super) fn remove(&mut self, client: ClientId) {
        if let Some(mut client) = self.clients.remove(&client) {
            client.queue.clear(&mut self.ledger);
            self.dropped += client.queue.dropped();
        }
    }

    /// Gives an event to everyone whom it interests. It is written once; who has a queue of copies copies it.
    pub(super) fn publish(&mut self, event: &Event, directory: &str) {
        let mut frame: Option<Arc<str>> = None;
        let filters = self.strategy.filter == Filter::PerClient;
        for client in self.clients.values_mut() {
            if !filters || client.interest.has(event) {
                let frame = frame.get_or_insert_with(|| Arc::from(event.to_frame(directory)));
                client.queue.push(frame, &mut self.ledger);
            }
        }
    }

    pub(super) fn push_to(&mut self, client: ClientId, frame: &Arc<str>) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.queue.push(frame, &mut self.ledger);
        }
    }

    pub(super) fn pop(&mut self, client: ClientId) -> Option<Arc<str>> {
        self.clients.get_mut(&client)?.queue.pop(&mut self.ledger)
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped + self.clients.values().map(|client| client.queue.dropped()).sum::<u64>()
    }
}
