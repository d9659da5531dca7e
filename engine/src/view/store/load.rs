//! Pages of a transcript: how they are asked for, how they come in, and which stay.

use std::collections::BTreeSet;

use super::held::{Info, Page, Stored};
use super::post::{Loaded, MessagesLoaded, Mode};
use super::request::Request;
use super::{LIMIT, PAGE, Paging, SLIDING, Store, Switch, cursor};
use crate::view::message::Role;

/// What an answer brought.
#[derive(Default)]
struct Brought {
    ids: BTreeSet<String>,
    /// The oldest message, and when it was made.
    first: Option<(String, i64)>,
    /// Whether any of them was held before.
    is_known: bool,
}

impl Brought {
    fn last(&self) -> Option<&str> {
        self.ids.last().map(String::as_str)
    }
}

impl Store {
    fn number(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// Asks for the newest messages of a session, to take the place of those that are held.
    pub(super) fn ask_newest(&mut self, session: &str) {
        let first = if self.paging == Paging::Limit { LIMIT } else { PAGE };
        let limit = self.maps.pages.get(session).map_or(first, |page| page.limit);
        self.ask(session, Mode::Replace, None, limit);
    }

    /// Asks for what has changed of a session that was shown before and is held.
    pub(super) fn ask_again(&mut self, session: &str) {
        if self.paging == Paging::Limit || self.is_detached(session) {
            return self.ask_newest(session);
        }
        let request = self.number();
        self.change_page(session, |page| page.awaited = Some((request, Mode::Focus)));
        self.outbox.push(Request::Focus { session: session.to_owned(), request });
    }

    /// Asks for older messages, if there are any and none are waited for.
    pub(super) fn ask_older(&mut self, session: &str) {
        let Some(page) = self.maps.pages.get(session) else { return };
        if page.awaited.is_some() || !page.has_more {
            return;
        }
        let before = page.before.as_ref().map(|before| before.to_string());
        match self.paging {
            Paging::Limit => self.ask(session, Mode::Replace, None, page.limit + LIMIT),
            Paging::Cursor | Paging::Sliding => self.ask(session, Mode::Prepend, before, PAGE),
        }
    }

    fn ask(&mut self, session: &str, mode: Mode, before: Option<String>, limit: usize) {
        let request = self.number();
        if !self.maps.pages.contains(session) {
            self.maps.pages.put(&mut self.maps.ledger, session, Page::default());
        }
        self.change_page(session, |page| {
            page.limit = limit;
            page.awaited = Some((request, mode));
        });
        let session = session.to_owned();
        self.outbox.push(Request::LoadMessages { session, mode, before, limit, request });
    }

    /// Whether an answer is still wanted. As reported every answer is, also one for a session that is gone.
    fn wants(&self, answer: &MessagesLoaded<'_>) -> bool {
        if self.switch != Switch::Evict {
            return true;
        }
        let awaited = self.maps.pages.get(&answer.session).and_then(|page| page.awaited);
        let Some((request, mode)) = awaited.filter(|_| self.is_shown(&answer.session)) else { return false };
        mode == answer.mode && answer.request.is_none_or(|number| number == request)
    }

    /// A page came.
    pub(super) fn messages_loaded(&mut self, answer: &MessagesLoaded<'_>) {
        if !self.wants(answer) {
            self.skipped.answers += 1;
            return;
        }
        let session = &*answer.session;
        let mut brought = Brought::default();
        let newest = answer.messages.len().saturating_sub(1);
        for (at, loaded) in answer.messages.iter().enumerate() {
            self.take_loaded(session, loaded, at == newest && answer.mode != Mode::Prepend, &mut brought);
        }
        // Between what is held and a page that has none of it, messages are missing.
        let is_apart = answer.mode == Mode::Focus && !brought.is_known;
        let mode = if is_apart { Mode::Replace } else { answer.mode };
        self.drop_unlisted(session, mode, &brought);
        self.turn_page(session, answer, &brought);
        if self.maps.loaded.get(session).is_none() {
            self.maps.loaded.put(&mut self.maps.ledger, session, ());
            if self.is_shown(session) {
                self.window.reset();
            }
        }
        self.laid_out(session);
        if answer.mode == Mode::Prepend {
            self.make_room_below(session)
        } else {
            self.make_room(session)
        }
        self.fill_turn(session, answer.mode, &brought);
    }

    fn take_loaded(&mut self, session: &str, loaded: &Loaded<'_>, is_newest: bool, brought: &mut Brought) {
        let Some((id, of, info)) = self.readable(Info::read(loaded.info)) else { return };
        if of != session {
            self.skipped.malformed += 1;
            return;
        }
        if brought.first.as_ref().is_none_or(|(first, _)| id < *first) {
            brought.first = Some((id.clone(), info.created));
        }
        brought.is_known |= self.maps.messages.contains(session, &id);
        self.maps.messages.put(&mut self.maps.ledger, session, &id, info);
        self.changed(session, &id, "");
        if self.maps.is_optimistic(session, &id) {
            self.confirm(session, &id);
        }
        let parts = loaded.parts.iter().filter_map(|raw| self.readable(Stored::read(raw)));
        let parts: Vec<(String, Stored)> = parts.collect();
        if !parts.is_empty() {
            self.set_parts(session, &id, parts, is_newest);
        }
        brought.ids.insert(id);
    }

    /// These are the parts of a message. Ours keeps those of the newest one that came while the answer was on its way.
    fn set_parts(&mut self, session: &str, message: &str, parts: Vec<(String, Stored)>, is_newest: bool) {
        let mut ids = BTreeSet::new();
        for (id, part) in parts {
            self.maps.put_part(message, &id, part);
            self.changed(session, message, &id);
            ids.insert(id);
        }
        let keeps_newer = is_newest && self.switch == Switch::Evict;
        let is_newer = |id: &str| keeps_newer && ids.last().is_some_and(|last| *id > **last);
        self.maps.parts.take_if(&mut self.maps.ledger, message, |id, part| {
            !ids.contains(id) && (part.is_optimistic || !is_newer(id))
        });
    }

    /// What an answer does not list is gone, but for what was not sent, and what came while the answer was on its way.
    /// As reported the parts of what is gone stay behind.
    fn drop_unlisted(&mut self, session: &str, mode: Mode, brought: &Brought) {
        let leaves_parts = self.switch != Switch::Evict && mode == Mode::Replace;
        let is_newer = |id: &str| {
            (self.switch == Switch::Evict || mode == Mode::Focus)
                && brought.last().is_none_or(|last| id > last)
        };
        let first = brought.first.as_ref().map(|(first, _)| first.as_str());
        let is_gone = |id: &str| match mode {
            Mode::Prepend => false,
            Mode::Focus => first.is_some_and(|first| id >= first) && !is_newer(id),
            Mode::Replace => !is_newer(id),
        };
        let held = self.maps.messages.of(session).map(|(id, _)| id);
        let gone = held
            .filter(|id| !brought.ids.contains(*id) && !self.maps.is_optimistic(session, id) && is_gone(id));
        for id in gone.map(str::to_owned).collect::<Vec<String>>() {
            if leaves_parts {
                self.maps.messages.take(&mut self.maps.ledger, session, &id);
            } else {
                self.maps.drop_message(session, &id);
            }
        }
    }

    /// Where the page before begins. A server that does not say has one if this page is full.
    fn turn_page(&mut self, session: &str, answer: &MessagesLoaded<'_>, brought: &Brought) {
        if !self.maps.pages.contains(session) {
            self.maps.pages.put(&mut self.maps.ledger, session, Page { limit: PAGE, ..Page::default() });
        }
        let is_merged = answer.mode == Mode::Focus && self.maps.messages.len_of(session) > brought.ids.len();
        self.change_page(session, |page| {
            page.awaited = None;
            if is_merged {
                return;
            }
            let is_full = !brought.ids.is_empty() && answer.messages.len() >= page.limit;
            page.has_more = answer.has_more.unwrap_or(answer.before.is_some() || is_full);
            let built = || brought.first.as_ref().map(|(id, created)| cursor::before(id, *created));
            let before = answer.before.clone().or_else(built);
            page.before = before.filter(|_| page.has_more).map(String::into_boxed_str);
            if answer.mode == Mode::Replace {
                (page.is_detached, page.missed) = (false, 0);
            }
        });
    }

    /// Asks for older messages until the turn in which the newest page begins is there from its beginning, as long as they fit. Older pages may
    /// begin within a turn: what is above them comes when it is looked for.
    fn fill_turn(&mut self, session: &str, mode: Mode, brought: &Brought) {
        let is_within = {
            let came = self.maps.messages.of(session).filter(|(id, _)| brought.ids.contains(*id));
            let mut is_answer = came.map(|(_, info)| info.role == Role::Assistant);
            match mode {
                Mode::Prepend => is_answer.all(|is_answer| is_answer),
                Mode::Replace | Mode::Focus => is_answer.next().unwrap_or_default(),
            }
        };
        let fits = match self.paging {
            Paging::Limit => false,
            Paging::Cursor => true,
            Paging::Sliding => self.maps.messages.len_of(session) + PAGE <= SLIDING,
        };
        if is_within && fits && self.is_shown(session) {
            self.ask_older(session);
        }
    }

    /// After older messages came: where pages slide, the newest ones go.
    fn make_room_below(&mut self, session: &str) {
        self.drop_surplus(session, true);
    }

    /// After newer messages came: where pages slide, the oldest ones go, unless they are looked at.
    pub(super) fn make_room(&mut self, session: &str) {
        let is_read = self.is_shown(session) && !self.window.is_at_end();
        self.drop_surplus(session, is_read);
    }

    fn drop_surplus(&mut self, session: &str, is_from_end: bool) {
        let held = self.maps.messages.len_of(session);
        if self.paging != Paging::Sliding || held <= SLIDING {
            return;
        }
        // What was not sent is nowhere else.
        let messages = self.maps.messages.of(session).map(|(id, _)| id);
        let mut sent: Vec<&str> = messages.filter(|id| !self.maps.is_optimistic(session, id)).collect();
        if is_from_end {
            sent.reverse();
        }
        let surplus: Vec<String> = sent.into_iter().take(held - SLIDING).map(str::to_owned).collect();
        surplus.iter().for_each(|id| self.maps.drop_message(session, id));
        if is_from_end {
            let missed = surplus.len() as u64;
            self.change_page(session, |page| {
                page.is_detached |= missed > 0;
                page.missed += missed;
            });
        } else {
            let oldest = self.maps.messages.of(session).next();
            let before = oldest.map(|(id, info)| cursor::before(id, info.created).into_boxed_str());
            self.change_page(session, |page| {
                page.has_more = before.is_some();
                page.before = before;
            });
        }
        self.laid_out(session);
    }
}
