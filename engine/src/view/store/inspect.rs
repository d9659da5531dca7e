//! What the store holds, as seen by whoever measures or checks it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::held::{self, Page};
use super::wide::Wide;
use super::{SLIDING, Store, Switch};
use crate::view::drafts::IMAGES_AT_MOST;
use crate::view::ledger::Ledger;
use crate::view::strategy;

/// What a model of a browser's memory depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextStats {
    /// Bytes of JSON of the messages and parts that are held, appended text included.
    pub text_bytes: u64,
    /// Parts that are held.
    pub parts: u64,
    /// Those of them that were ever mounted: all their fields have been read.
    pub hydrated_parts: u64,
    /// Bytes of those.
    pub hydrated_bytes: u64,
    /// Bytes of the parts' strings that have a character above U+00FF.
    pub wide_bytes: u64,
    /// UTF-16 units of these strings: each takes a byte more than it would without that character.
    pub wide_units: u64,
    /// Bytes that were appended to parts that did not come whole since.
    pub delta_bytes: u64,
    /// In how many pieces.
    pub deltas: u64,
}

impl Store {
    /// The texts that are held: records, messages, parts, drafts, and the ids they are kept under.
    pub fn ledger(&self) -> &Ledger {
        &self.maps.ledger
    }

    /// The number of entries of every map, by its name.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.maps.counts()
    }

    /// Every session that anything that is held is about, drafts included.
    pub fn keys(&self) -> BTreeSet<String> {
        self.maps.keys()
    }

    /// The ids of a session's messages that are held, in their order.
    pub fn messages(&self, session: &str) -> impl Iterator<Item = &str> {
        self.maps.messages.of(session).map(|(id, _)| id)
    }

    /// The prompts that were made here, and that the server has not told yet.
    pub fn unsent(&self, session: &str) -> impl Iterator<Item = &str> {
        self.maps.optimistic.of(session).map(|(id, ())| id)
    }

    /// Those of them that wait until the session has done with the one before.
    pub fn queued(&self, session: &str) -> impl Iterator<Item = &str> {
        self.maps.queued.of(session).map(|(id, ())| id)
    }

    /// The requests for permission that are not answered.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.maps.permissions.keys()
    }

    /// The questions that are not answered.
    pub fn questions(&self) -> impl Iterator<Item = &str> {
        self.maps.questions.keys()
    }

    /// How many parts are held of messages that are not: nothing that is shown leads to them.
    pub fn orphan_parts(&self) -> usize {
        let known: BTreeSet<&str> = self.maps.messages.lists().flat_map(|(_, infos)| infos.keys()).collect();
        let orphans = self.maps.parts.lists().filter(|(message, _)| !known.contains(message));
        orphans.map(|(_, parts)| parts.len()).sum()
    }

    /// Whether a session has older messages than those that are held.
    pub fn has_older(&self, session: &str) -> bool {
        self.maps.pages.get(session).is_some_and(|page| page.has_more)
    }

    /// How many of a session's newest messages are not held because older ones are shown.
    pub fn missed(&self, session: &str) -> u64 {
        self.maps.pages.get(session).map_or(0, |page: &Page| page.missed)
    }

    /// A digest of what is held of a session's transcript, with text that was appended as if it had come whole. None where nothing is held.
    pub fn transcript(&self, session: &str) -> Option<blake3::Hash> {
        let messages = self.maps.messages.list(session)?;
        let mut hash = blake3::Hasher::new();
        for (id, info) in messages.iter() {
            let canonical = |value: Value| held::sorted(value).to_string();
            let text = serde_json::from_str(&info.text).map_or_else(|_| info.text.to_string(), canonical);
            hash.update(text.as_bytes()).update(b"\n");
            for (_, part) in self.maps.parts.of(id) {
                hash.update(b"\t").update(part.canonical().as_bytes()).update(b"\n");
            }
        }
        Some(hash.finalize())
    }

    /// What a model of a browser's memory depends on. It looks at every part.
    pub fn text_stats(&self) -> TextStats {
        let messages = self.maps.messages.lists().flat_map(|(_, infos)| infos.iter());
        let text_bytes = messages.map(|(_, info)| info.text.len() as u64).sum();
        let mut stats = TextStats { text_bytes, ..TextStats::default() };
        let mut wide = Wide::default();
        for (_, part) in self.maps.parts.lists().flat_map(|(_, parts)| parts.iter()) {
            let (text, tail) = (part.text().len() as u64, part.tail().len() as u64);
            stats.text_bytes += text + tail;
            stats.parts += 1;
            if part.is_hydrated {
                stats.hydrated_parts += 1;
                stats.hydrated_bytes += text + tail;
            }
            wide.add(part.wide);
            wide.add(Wide::of_string(part.tail()));
            stats.delta_bytes += tail;
            stats.deltas += part.deltas;
        }
        (stats.wide_bytes, stats.wide_units) = (wide.bytes, wide.units);
        stats
    }

    /// Counts everything anew, and checks what must always be so.
    ///
    /// # Errors
    /// Says what is wrong: a ledger that differs from what is held, a part of no message, an end that is not kept.
    pub fn audit(&self) -> Result<(), String> {
        let (walked, told) = (self.maps.walk(), (self.ledger().live(), self.ledger().entries()));
        if walked != told {
            return Err(format!("{walked:?} bytes and entries are held, the ledger says {told:?}"));
        }
        self.window.audit(&self.maps, self.current())?;
        if self.maps.drafts.choice() == strategy::Drafts::Capped {
            let images = self.maps.drafts.image_bytes();
            if images > IMAGES_AT_MOST {
                return Err(format!("images of drafts take {images} bytes, {IMAGES_AT_MOST} at most"));
            }
        }
        if self.switch == Switch::Evict { self.audit_held() } else { Ok(()) }
    }

    /// Where transcripts go with a switch: only that of the session that is shown is held, and beside it what was not sent.
    fn audit_held(&self) -> Result<(), String> {
        let mut known = BTreeSet::new();
        for (session, messages) in self.maps.messages.lists() {
            let unsent = messages.keys().filter(|id| self.maps.is_optimistic(session, id)).count();
            if !self.is_shown(session) && unsent < messages.len() {
                return Err(format!("{} messages of {session} are held, which is not shown", messages.len()));
            }
            let slides = self.paging == super::Paging::Sliding;
            if slides && messages.len() > SLIDING + unsent {
                return Err(format!("{} messages of {session} are held", messages.len()));
            }
            known.extend(messages.keys());
        }
        match self.maps.parts.lists().find(|(message, _)| !known.contains(message)) {
            Some((message, _)) => Err(format!("parts of {message} are held, which is not")),
            None => Ok(()),
        }
    }
}
