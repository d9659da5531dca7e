//! All that the store holds, on one ledger.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::held::{Ask, Info, Page, Session, Status, Stored};
use super::shelf::{Lists, Shelf};
use crate::view::drafts::{self, Drafts};
use crate::view::ledger::Ledger;
use crate::view::strategy;

/// The maps of a store.
#[derive(Debug)]
pub(in crate::view) struct Maps {
    /// Records of sessions.
    pub(super) sessions: Shelf<Session>,
    /// Messages by their sessions.
    pub(in crate::view) messages: Lists<Info>,
    /// Parts by their messages.
    pub(in crate::view) parts: Lists<Stored>,
    pub(super) todos: Shelf<Box<str>>,
    pub(super) errors: Shelf<Box<str>>,
    /// The agent that a person has chosen for a session.
    pub(super) agents: Shelf<Box<str>>,
    /// The model that a person has chosen for a session.
    pub(super) overrides: Shelf<Box<str>>,
    /// Sessions whose transcript came.
    pub(super) loaded: Shelf<()>,
    pub(super) status: Shelf<Status>,
    /// Since when a session works, in ms.
    pub(super) busy_since: Shelf<i64>,
    pub(super) permissions: Shelf<Ask>,
    pub(super) questions: Shelf<Ask>,
    /// Messages that the server has not told yet, by their sessions.
    pub(super) optimistic: Lists<()>,
    /// Those of them that wait until their session has done with the one before.
    pub(super) queued: Lists<()>,
    pub(super) pages: Shelf<Page>,
    pub(super) drafts: Drafts,
    pub(super) ledger: Ledger,
}

/// What has changed of the session that is shown.
#[derive(Debug, Default)]
pub(in crate::view) struct Changes {
    /// Whether messages or parts came or went.
    pub(in crate::view) is_layout: bool,
    /// Messages and their parts that say something else; a message itself has a part without id.
    pub(in crate::view) of: Vec<(Box<str>, Box<str>)>,
}

impl Maps {
    pub(super) fn new(drafts: strategy::Drafts) -> Maps {
        Maps {
            sessions: Shelf::default(),
            messages: Lists::default(),
            parts: Lists::default(),
            todos: Shelf::default(),
            errors: Shelf::default(),
            agents: Shelf::default(),
            overrides: Shelf::default(),
            loaded: Shelf::default(),
            status: Shelf::default(),
            busy_since: Shelf::default(),
            permissions: Shelf::default(),
            questions: Shelf::default(),
            optimistic: Lists::default(),
            queued: Lists::default(),
            pages: Shelf::default(),
            drafts: Drafts::new(drafts),
            ledger: Ledger::default(),
        }
    }

    /// A part is mounted: its fields have been read.
    pub(in crate::view) fn hydrate(&mut self, message: &str, part: &str) {
        self.parts.change(&mut self.ledger, message, part, |part| part.is_hydrated = true);
    }

    /// Puts a part in. One that was read before is read again by whoever shows it.
    pub(super) fn put_part(&mut self, message: &str, id: &str, mut part: Stored) {
        part.is_hydrated = self.parts.get(message, id).is_some_and(|old| old.is_hydrated);
        self.parts.put(&mut self.ledger, message, id, part);
    }

    /// Takes a message out, with its parts.
    pub(super) fn drop_message(&mut self, session: &str, message: &str) {
        self.messages.take(&mut self.ledger, session, message);
        self.parts.take_list(&mut self.ledger, message);
    }

    /// Takes a session's messages out with their parts, but for those that are to stay.
    pub(super) fn drop_messages(&mut self, session: &str, mut stays: impl FnMut(&Maps, &str) -> bool) {
        let held = self.messages.of(session).map(|(id, _)| id.to_owned());
        for id in held.collect::<Vec<String>>() {
            if !stays(self, &id) {
                self.drop_message(session, &id);
            }
        }
    }

    /// Whether the server has not told a message yet.
    pub(super) fn is_optimistic(&self, session: &str, message: &str) -> bool {
        self.optimistic.contains(session, message)
    }

    /// Whether a session, or one above it, is what a test looks for.
    pub(super) fn any_above(&self, session: &str, mut is_it: impl FnMut(&str) -> bool) -> bool {
        let mut at = session;
        // A chain that is longer than this is a ring.
        for _ in 0..64 {
            if is_it(at) {
                return true;
            }
            match self.sessions.get(at) {
                Some(row) if !row.parent.is_empty() => at = &row.parent,
                _ => return false,
            }
        }
        false
    }

    /// The number of entries of every map, by its name.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        let counts = [
            ("sessions", self.sessions.len()),
            ("messages", self.messages.len()),
            ("parts", self.parts.len()),
            ("todos", self.todos.len()),
            ("errors", self.errors.len()),
            ("agent_selections", self.agents.len()),
            ("session_overrides", self.overrides.len()),
            ("loaded", self.loaded.len()),
            ("status", self.status.len()),
            ("busy_since", self.busy_since.len()),
            ("permissions", self.permissions.len()),
            ("questions", self.questions.len()),
            ("pending_optimistic", self.optimistic.len()),
            ("queued", self.queued.len()),
            ("pages", self.pages.len()),
        ];
        counts.into_iter().chain(self.drafts.counts()).collect()
    }

    /// Bytes and entries of every map, counted anew.
    pub(super) fn walk(&self) -> (u64, u64) {
        let walks = [
            self.sessions.walk(),
            self.messages.walk(),
            self.parts.walk(),
            self.todos.walk(),
            self.errors.walk(),
            self.agents.walk(),
            self.overrides.walk(),
            self.loaded.walk(),
            self.status.walk(),
            self.busy_since.walk(),
            self.permissions.walk(),
            self.questions.walk(),
            self.optimistic.walk(),
            self.queued.walk(),
            self.pages.walk(),
            self.drafts.walk(),
        ];
        walks.into_iter().fold((0, 0), |(bytes, entries), (more, count)| (bytes + more, entries + count))
    }

    /// Every session that anything is about.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        let shelves = self.sessions.keys().chain(self.todos.keys()).chain(self.errors.keys());
        let chosen = self.agents.keys().chain(self.overrides.keys()).chain(self.loaded.keys());
        let states = self.status.keys().chain(self.busy_since.keys()).chain(self.pages.keys());
        let lists = self.messages.lists().map(|(session, _)| session);
        let sent = self.optimistic.lists().chain(self.queued.lists()).map(|(session, _)| session);
        let asks = self.permissions.iter().chain(self.questions.iter()).map(|(_, ask)| &*ask.session);
        let drafts = self.drafts.keys().filter_map(drafts::session_of);
        let named = shelves.chain(chosen).chain(states).chain(lists).chain(sent).chain(asks).chain(drafts);
        let of_parts = self.parts.lists().filter_map(|(_, parts)| {
            #[derive(Deserialize)]
            struct Head {
                #[serde(rename = "sessionID")]
                session: String,
            }
            let (_, part) = parts.iter().next()?;
            Some(serde_json::from_str::<Head>(part.text()).ok()?.session)
        });
        named.map(str::to_owned).chain(of_parts).collect()
    }
}
