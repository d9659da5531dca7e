//! Which sessions the host passes on, and to which of them a message belongs.

use std::collections::{BTreeMap, BTreeSet};

use crate::view::ledger::Ledger;
use crate::view::strategy::{Maps, Strategy, Tracked};

/// The sessions whose events are passed on.
#[derive(Debug)]
pub(super) struct Tracking {
    choice: Tracked,
    sessions: BTreeSet<String>,
    /// The session that is shown.
    shown: Option<String>,
}

impl Tracking {
    pub(super) fn new(strategy: &Strategy) -> Tracking {
        Tracking { choice: strategy.tracked, sessions: BTreeSet::new(), shown: None }
    }

    /// A session is shown. Gives those that are no longer tracked.
    pub(super) fn show(&mut self, session: &str, ledger: &mut Ledger) -> Vec<String> {
        self.shown = Some(session.to_owned());
        let gone = match self.choice {
            Tracked::Ever | Tracked::UntilDeleted => Vec::new(),
            Tracked::ShownAlone | Tracked::Shown => {
                self.sessions.iter().filter(|other| *other != session).cloned().collect()
            }
        };
        gone.iter().for_each(|other| self.remove(other, ledger));
        self.add(session, ledger);
        gone
    }

    /// A child of a tracked session is seen: whoever sees the session may look into it.
    pub(super) fn adopt(&mut self, child: &str, parent: &str, ledger: &mut Ledger) -> bool {
        self.sessions.contains(parent) && self.add(child, ledger)
    }

    fn add(&mut self, session: &str, ledger: &mut Ledger) -> bool {
        let is_new = self.sessions.insert(session.to_owned());
        if is_new {
            ledger.add(session.len() as u64);
        }
        is_new
    }

    fn remove(&mut self, session: &str, ledger: &mut Ledger) {
        if self.sessions.remove(session) {
            ledger.remove(session.len() as u64);
        }
    }

    /// A session is deleted.
    pub(super) fn delete(&mut self, session: &str, ledger: &mut Ledger) {
        if self.choice != Tracked::Ever {
            self.remove(session, ledger);
            self.shown.take_if(|shown| shown == session);
        }
    }

    pub(super) fn has(&self, session: &str) -> bool {
        self.sessions.contains(session)
    }

    pub(super) fn is_shown(&self, session: &str) -> bool {
        self.shown.as_deref() == Some(session)
    }

    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    pub(super) fn sessions(&self) -> &BTreeSet<String> {
        &self.sessions
    }
}

/// To which session a message belongs: events about parts need not say.
#[derive(Debug)]
pub(super) struct Messages {
    choice: Maps,
    /// All in one, where they are not apart.
    by_message: BTreeMap<String, String>,
    by_session: BTreeMap<String, BTreeSet<String>>,
    /// Entries that were looked at to remove others.
    looked_at: u64,
}

impl Messages {
    pub(super) fn new(strategy: &Strategy) -> Messages {
        Messages {
            choice: strategy.maps,
            by_message: BTreeMap::new(),
            by_session: BTreeMap::new(),
            looked_at: 0,
        }
    }

    /// A message is seen.
    pub(super) fn note(&mut self, message: &str, session: &str, is_tracked: bool, ledger: &mut Ledger) {
        match self.choice {
            Maps::Ever | Maps::Scanned => {
                let before = self.by_message.insert(message.to_owned(), session.to_owned());
                if let Some(before) = before {
                    ledger.remove((message.len() + before.len()) as u64);
                }
                ledger.add((message.len() + session.len()) as u64);
            }
            Maps::PerSession if is_tracked => {
                if !self.by_session.contains_key(session) {
                    ledger.add(session.len() as u64);
                    self.by_session.insert(session.to_owned(), BTreeSet::new());
                }
                let messages = self.by_session.get_mut(session);
                if messages.is_some_and(|messages| messages.insert(message.to_owned())) {
                    ledger.add(message.len() as u64);
                }
            }
            Maps::PerSession => {}
        }
    }

    /// The session of a message, if it was seen.
    pub(super) fn session_of(&self, message: &str) -> Option<&str> {
        match self.choice {
            Maps::Ever | Maps::Scanned => self.by_message.get(message).map(String::as_str),
            Maps::PerSession => {
                let mut sessions = self.by_session.iter();
                sessions.find(|(_, messages)| messages.contains(message)).map(|(session, _)| session.as_str())
            }
        }
    }

    /// A session is deleted.
    pub(super) fn delete(&mut self, session: &str, ledger: &mut Ledger) {
        match self.choice {
            Maps::Ever => {}
            Maps::Scanned => {
                self.looked_at += self.by_message.len() as u64;
                self.by_message.retain(|message, of| {
                    let stays = of != session;
                    if !stays {
                        ledger.remove((message.len() + of.len()) as u64);
                    }
                    stays
                });
            }
            Maps::PerSession => self.untrack(session, ledger),
        }
    }

    /// A session is not tracked any more.
    pub(super) fn untrack(&mut self, session: &str, ledger: &mut Ledger) {
        if let Some(messages) = self.by_session.remove(session) {
            self.looked_at += messages.len() as u64;
            let bytes: usize = messages.iter().map(String::len).sum();
            ledger.remove((bytes + session.len()) as u64);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_message.len() + self.by_session.values().map(BTreeSet::len).sum::<usize>()
    }

    pub(super) fn looked_at(&self) -> u64 {
        self.looked_at
    }
}
