//! What the view of an editor holds of the sessions that it was told of, and how that goes again.

mod act;
mod cursor;
pub(super) mod held;
mod inspect;
mod load;
pub(super) mod maps;
pub mod post;
mod receive;
mod remove;
pub mod request;
pub(super) mod shelf;
pub(super) mod wide;

use std::mem;

pub use inspect::TextStats;
pub use post::{Mode, Post, PostError};
pub use request::Request;

use self::held::Page;
use self::maps::{Changes, Maps};
use super::strategy::{Paging, Strategy, Sweep, Switch};
use super::window::Window;

/// Messages of a page that is asked for by a cursor.
pub const PAGE: usize = 80;
/// Messages by which a limit grows.
pub const LIMIT: usize = 400;
/// Messages that stay where pages slide: four pages.
pub const SLIDING: usize = 4 * PAGE;

/// The beginning of the ids of sessions that are not on this machine: no list of this machine's sessions names them.
const CLOUD: &str = "cloud:";

/// What a host posted and the store did not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Answers for a session that is not shown any more, or that nobody waits for.
    pub answers: u64,
    /// Messages of a session whose transcript is not held, or newer than the pages that are.
    pub messages: u64,
    /// Parts and pieces of them, of messages that are not known.
    pub parts: u64,
    /// Records, states and drafts of sessions that are not known.
    pub sessions: u64,
    /// Pieces of a field that does not grow.
    pub fields: u64,
    /// Records without an id, or of another session than the post is about.
    pub malformed: u64,
}

/// The store of a view, its drafts and its window.
#[derive(Debug)]
pub struct Store {
    switch: Switch,
    sweep: Sweep,
    paging: Paging,
    /// The session that is shown.
    current: Option<Box<str>>,
    maps: Maps,
    window: Window,
    changes: Changes,
    requests: u64,
    outbox: Vec<Request>,
    skipped: Skipped,
}

impl Store {
    /// A store that holds nothing.
    pub fn new(strategy: &Strategy) -> Store {
        Store {
            switch: strategy.switch,
            sweep: strategy.sweep,
            paging: strategy.paging,
            current: None,
            maps: Maps::new(strategy.drafts),
            window: Window::new(strategy.window),
            changes: Changes::default(),
            requests: 0,
            outbox: Vec::new(),
            skipped: Skipped::default(),
        }
    }

    /// The session that is shown.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// What of it is mounted.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// What was posted and not kept.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Takes what a host has posted; gives what is to be asked of it now.
    ///
    /// # Errors
    /// When the post cannot be read; nothing of it is taken then. Single records that cannot be are skipped and counted.
    pub fn receive(&mut self, text: &str, now_ms: i64) -> Result<Vec<Request>, PostError> {
        let post = Post::read(text)?;
        self.take_post(post, now_ms);
        Ok(self.settle())
    }

    /// The window follows what has changed.
    fn settle(&mut self) -> Vec<Request> {
        let changes = mem::take(&mut self.changes);
        if changes.is_layout || !changes.of.is_empty() {
            self.window.follow(&mut self.maps, self.current.as_deref(), &changes);
        }
        mem::take(&mut self.outbox)
    }

    fn is_shown(&self, session: &str) -> bool {
        self.current() == Some(session)
    }

    /// Whether a session is known to be there. Where nothing may come back after it was deleted, only those are kept anything of.
    fn is_kept(&self, session: &str) -> bool {
        self.switch != Switch::Evict || self.is_shown(session) || self.maps.sessions.contains(session)
    }

    /// The same, and counts those that are not.
    fn keeps(&mut self, session: &str) -> bool {
        let keeps = self.is_kept(session);
        self.skipped.sessions += u64::from(!keeps);
        keeps
    }

    /// Whether the newest messages of a session are not held, because older ones are shown.
    fn is_detached(&self, session: &str) -> bool {
        self.maps.pages.get(session).is_some_and(|page| page.is_detached)
    }

    fn change_page(&mut self, session: &str, change: impl FnOnce(&mut Page)) {
        self.maps.pages.change(&mut self.maps.ledger, session, change);
    }

    /// Messages or parts of a session came or went.
    fn laid_out(&mut self, session: &str) {
        self.changes.is_layout |= self.is_shown(session);
    }

    /// A part says something else, or a message, where the part has no id.
    fn changed(&mut self, session: &str, message: &str, part: &str) {
        if self.is_shown(session) {
            self.changes.of.push((message.into(), part.into()));
        }
    }
}
