//! How what is held goes: on a switch, by a list of sessions, by a deletion.

use std::collections::BTreeSet;

use super::held::Session;
use super::post::SessionsLoaded;
use super::{CLOUD, Store, Sweep, Switch};

impl Store {
    /// Another session is shown.
    pub(super) fn leave(&mut self, session: &str) {
        match self.switch {
            Switch::Keep => {}
            Switch::Evict => self.drop_transcript(session),
            Switch::EvictAll => {
                let maps = &mut self.maps;
                maps.optimistic.take_list(&mut maps.ledger, session);
                maps.queued.take_list(&mut maps.ledger, session);
                self.drop_transcript(session);
            }
        }
    }

    /// Drops what the server can tell again of a session.
    pub(super) fn drop_transcript(&mut self, session: &str) {
        let maps = &mut self.maps;
        maps.drop_messages(session, |maps, id| maps.is_optimistic(session, id));
        maps.loaded.take(&mut maps.ledger, session);
        maps.pages.take(&mut maps.ledger, session);
    }

    /// All sessions came: those that are not among them are gone.
    pub(super) fn sessions_loaded(&mut self, list: &SessionsLoaded<'_>) {
        let mut listed = BTreeSet::new();
        for raw in &list.sessions {
            let Some((id, session)) = self.readable(Session::read(raw)) else { continue };
            self.maps.sessions.put(&mut self.maps.ledger, &id, session);
            listed.insert(id);
        }
        let stays = |id: &str| {
            listed.contains(id) || id.starts_with(CLOUD) || list.preserve.iter().any(|kept| kept == id)
        };
        match self.sweep {
            Sweep::Names => {
                self.maps.sessions.take_if(&mut self.maps.ledger, |id, _| !stays(id));
            }
            Sweep::Orphans => {
                // A child stays with its parent.
                let is_orphan = |id: &String| {
                    !self.maps.any_above(id, |above| stays(above) || self.is_shown(above))
                        && !self.is_above_shown(id)
                };
                let gone: Vec<String> = self.maps.keys().into_iter().filter(is_orphan).collect();
                gone.iter().for_each(|id| self.forget_one(id));
            }
        }
    }

    fn is_above_shown(&self, session: &str) -> bool {
        self.current().is_some_and(|current| self.maps.any_above(current, |above| above == session))
    }

    /// A session is deleted. Ours takes its children along, told or not.
    pub(super) fn forget(&mut self, session: &str) {
        let is_child = |id: &&str| self.maps.any_above(id, |above| above == session);
        let mut gone = vec![session.to_owned()];
        if self.switch == Switch::Evict {
            let children = self.maps.sessions.keys().filter(|id| *id != session).filter(is_child);
            gone.extend(children.map(str::to_owned));
        }
        gone.iter().for_each(|id| self.forget_one(id));
    }

    /// Drops what there is of a session; as reported not everything.
    fn forget_one(&mut self, session: &str) {
        if self.is_shown(session) {
            self.current = None;
            self.window.reset();
            self.changes.is_layout = true;
        }
        let maps = &mut self.maps;
        maps.drop_messages(session, |_, _| false);
        let (of, ledger) = (session, &mut maps.ledger);
        maps.sessions.take(ledger, of);
        maps.todos.take(ledger, of);
        maps.agents.take(ledger, of);
        maps.errors.take(ledger, of);
        maps.status.take(ledger, of);
        maps.busy_since.take(ledger, of);
        maps.pages.take(ledger, of);
        maps.optimistic.take_list(ledger, of);
        maps.queued.take_list(ledger, of);
        maps.permissions.take_if(ledger, |_, ask| &*ask.session == of);
        maps.questions.take_if(ledger, |_, ask| &*ask.session == of);
        maps.drafts.forget(ledger, of);
        if self.switch == Switch::Evict {
            maps.loaded.take(ledger, of);
            maps.overrides.take(ledger, of);
        }
    }
}
