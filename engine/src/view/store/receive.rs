//! What becomes of each post.

use serde_json::value::RawValue;

use super::held::{Ask, Headless, Info, Session, Status, Stored};
use super::post::{Asked, ErrorOf, PartUpdate, Post, StatusOf, Todos};
use super::request::Request;
use super::{Store, Switch};

/// Which of the two maps of requests.
#[derive(Clone, Copy)]
enum Asks {
    Permissions,
    Questions,
}

impl Store {
    pub(super) fn take_post(&mut self, post: Post<'_>, now_ms: i64) {
        match post {
            Post::MessagesLoaded(answer) => self.messages_loaded(&answer),
            Post::SessionsLoaded(list) => self.sessions_loaded(&list),
            Post::SessionCreated(one) => self.session_told(one.session, true),
            Post::SessionUpdated(one) => self.session_told(one.session, false),
            Post::SessionDeleted(gone) => self.forget(&gone.session),
            Post::MessageCreated(one) => self.message_told(one.info),
            Post::MessageRemoved(gone) => self.message_removed(&gone.session, &gone.message),
            Post::PartUpdated(update) => self.part_told(&update),
            Post::PartsUpdated(all) => all.updates.iter().for_each(|update| self.part_told(update)),
            Post::PartRemoved(gone) => {
                self.maps.parts.take(&mut self.maps.ledger, &gone.message, &gone.id);
                self.laid_out(&gone.session);
            }
            Post::TodoUpdated(todos) => self.todos_told(&todos),
            Post::PermissionRequest(asked) => self.asked(&asked, Asks::Permissions),
            Post::QuestionRequest(asked) => self.asked(&asked, Asks::Questions),
            Post::PermissionResolved(answered) => {
                self.maps.permissions.take(&mut self.maps.ledger, &answered.id);
            }
            Post::QuestionResolved(answered) => {
                self.maps.questions.take(&mut self.maps.ledger, &answered.id);
            }
            Post::SessionStatus(status) => self.status_told(&status, now_ms),
            Post::SessionError(error) => self.error_told(&error),
            Post::Resync => self.resync(),
        }
    }

    /// What could be read; what could not is counted.
    pub(super) fn readable<T>(&mut self, read: Result<T, Headless>) -> Option<T> {
        self.skipped.malformed += u64::from(read.is_err());
        read.ok()
    }

    /// A session's record. Where nothing may come back, one that is changed must be known: it may be told after it was deleted.
    fn session_told(&mut self, raw: &RawValue, is_new: bool) {
        let Some((id, session)) = self.readable(Session::read(raw)) else { return };
        if is_new || self.keeps(&id) {
            self.maps.sessions.put(&mut self.maps.ledger, &id, session);
        }
    }

    fn message_told(&mut self, raw: &RawValue) {
        let Some((id, session, info)) = self.readable(Info::read(raw)) else { return };
        let is_known = self.maps.messages.contains(&session, &id);
        let is_confirmed = self.maps.is_optimistic(&session, &id);
        if self.switch == Switch::Evict && !self.is_shown(&session) {
            if is_confirmed {
                // The server has it now, and tells it when the session is shown.
                self.confirm(&session, &id);
                self.maps.drop_message(&session, &id);
            } else {
                self.skipped.messages += 1;
            }
            return;
        }
        // It comes with its page, when that is looked for.
        let first = self.maps.messages.of(&session).next().map(|(first, _)| first);
        let is_older = self.has_older(&session) && first.is_some_and(|first| *id < *first);
        if self.switch == Switch::Evict && !is_known && is_older {
            self.skipped.messages += 1;
            return;
        }
        if !is_known && self.is_detached(&session) {
            self.skipped.messages += 1;
            self.change_page(&session, |page| page.missed += 1);
            return;
        }
        self.maps.messages.put(&mut self.maps.ledger, &session, &id, info);
        if is_confirmed {
            self.confirm(&session, &id);
        }
        self.changed(&session, &id, "");
        self.laid_out(&session);
        self.make_room(&session);
    }

    fn message_removed(&mut self, session: &str, message: &str) {
        self.maps.drop_message(session, message);
        self.maps.optimistic.take(&mut self.maps.ledger, session, message);
        self.maps.queued.take(&mut self.maps.ledger, session, message);
        self.laid_out(session);
    }

    /// Whether a part of a message may come in. As reported all may, also of messages that are gone.
    fn takes_part(&self, session: &str, message: &str) -> bool {
        let is_known = || self.maps.messages.contains(session, message);
        match self.switch {
            Switch::Evict => self.is_shown(session) && is_known(),
            Switch::Keep | Switch::EvictAll => !self.is_detached(session) || is_known(),
        }
    }

    fn part_told(&mut self, update: &PartUpdate<'_>) {
        let (session, message) = (&*update.session, &*update.message);
        if !self.takes_part(session, message) {
            self.skipped.parts += 1;
            return;
        }
        if let Some(raw) = update.part {
            let Some((id, part)) = self.readable(Stored::read(raw)) else { return };
            self.put_part(session, message, &id, part);
        }
        let Some(delta) = &update.delta else { return };
        let Some(part) = self.maps.parts.get(message, &update.id) else {
            self.skipped.parts += 1;
            return;
        };
        if delta.field != "text" || !part.can_grow() {
            self.skipped.fields += 1;
            return;
        }
        let append = |part: &mut Stored| part.append(&delta.text);
        self.maps.parts.change(&mut self.maps.ledger, message, &update.id, append);
        if self.is_shown(session) && self.changes.of.is_empty() && !self.changes.is_layout {
            self.window.append((message, &update.id), &delta.text);
        } else {
            self.changed(session, message, &update.id);
        }
    }

    fn put_part(&mut self, session: &str, message: &str, id: &str, part: Stored) {
        let kind = part.kind;
        let is_new = !self.maps.parts.contains(message, id);
        self.maps.put_part(message, id, part);
        // What was made here gives way to what the server made of it.
        let mut is_left = false;
        self.maps.parts.take_if(&mut self.maps.ledger, message, |other, part| {
            let is_taken = part.is_optimistic && part.kind == kind && other != id;
            is_left |= is_taken;
            is_taken
        });
        if is_new || is_left {
            self.laid_out(session);
        }
        self.changed(session, message, id);
    }

    fn todos_told(&mut self, todos: &Todos<'_>) {
        if self.keeps(&todos.session) {
            self.maps.todos.put(&mut self.maps.ledger, &todos.session, todos.todos.get().into());
        }
    }

    fn asked(&mut self, asked: &Asked<'_>, asks: Asks) {
        let Some((id, ask)) = self.readable(Ask::read(asked.request)) else { return };
        if !self.keeps(&ask.session) {
            return;
        }
        let map = match asks {
            Asks::Permissions => &mut self.maps.permissions,
            Asks::Questions => &mut self.maps.questions,
        };
        map.put(&mut self.maps.ledger, &id, ask);
    }

    fn status_told(&mut self, told: &StatusOf<'_>, now_ms: i64) {
        let Some(status) = self.readable(Status::read(told.status)) else { return };
        let session = &*told.session;
        if !self.keeps(session) {
            return;
        }
        let (maps, is_busy) = (&mut self.maps, status.is_busy);
        maps.status.put(&mut maps.ledger, session, status);
        if !is_busy {
            maps.busy_since.take(&mut maps.ledger, session);
            self.send_queued(session);
        } else if !maps.busy_since.contains(session) {
            maps.busy_since.put(&mut maps.ledger, session, now_ms);
        }
    }

    fn error_told(&mut self, error: &ErrorOf<'_>) {
        match &error.session {
            Some(session) if self.keeps(session) => {
                self.maps.errors.put(&mut self.maps.ledger, session, error.error.get().into());
            }
            Some(_) => {}
            None => self.skipped.sessions += 1,
        }
    }

    /// Events were lost. What can be asked for again is dropped, so that nothing of it is older than it looks.
    fn resync(&mut self) {
        let maps = &mut self.maps;
        maps.permissions.clear(&mut maps.ledger);
        maps.questions.clear(&mut maps.ledger);
        maps.status.clear(&mut maps.ledger);
        maps.busy_since.clear(&mut maps.ledger);
        maps.loaded.clear(&mut maps.ledger);
        self.outbox.extend([Request::LoadSessions, Request::LoadStates]);
        if let Some(session) = self.current.take() {
            self.drop_transcript(&session);
            self.current = Some(session.clone());
            self.laid_out(&session);
            self.ask_newest(&session);
        }
    }
}
