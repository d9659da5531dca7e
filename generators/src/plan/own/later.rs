//! Codex CLI, Gemini CLI, OpenCode and Kilo in a profile of one's own.

use std::sync::Arc;

use crate::codex::{COMPRESSED, Codex};
use crate::opencode::Project;
use crate::plan::codex::Shelf;
use crate::plan::own::{Wanted, exchange, shares};
use crate::plan::{Draft, Item, OPENCODE};
use crate::recipe::History;
use crate::size::Size;

/// The first day on which rollouts are begun, since 1970: 2025-06-01.
const FIRST_DAY: u64 = 20_240;

/// Bytes that a request of a rollout needs at least, where it is not compressed. H, of this generator.
const ROLLOUT_REQUEST_BYTES: u64 = 6_000;

/// What a rollout is like, by its name in a recipe.
const ROLLOUTS: [&str; 5] = ["plain", "compressed", "archived", "archived-compressed", "forked"];

/// See [`ROLLOUTS`].
#[derive(Clone, Copy, Debug, Default)]
struct Rollout {
    is_compressed: bool,
    is_archived: bool,
    is_forked: bool,
}

impl Rollout {
    fn of(name: &str) -> Rollout {
        Rollout {
            is_compressed: name.ends_with("compressed"),
            is_archived: name.starts_with("archived"),
            is_forked: name == "forked",
        }
    }
}

impl Draft {
    /// Rollouts: a workspace is the directory of a day, and the archive is one more.
    pub(super) fn own_codex(&mut self, history: &History, sessions: &[Wanted]) {
        let mut parent: Option<(Arc<Codex>, u64)> = None;
        for (wanted, rollout, shelf) in self.own_rollouts(history, sessions) {
            let copied = parent.as_ref().filter(|(parent, day)| {
                let is_after = matches!(shelf, Shelf::Day(own) if own >= *day);
                let has_room = parent.size.estimate(0) * 2 <= wanted.bytes;
                rollout.is_forked && is_after && has_room && parent.requests < wanted.requests
            });
            let mut session = match copied {
                Some((parent, _)) => {
                    self.codex_fork(parent, shelf, parent.requests, wanted.requests - parent.requests)
                }
                None => self.codex(shelf, wanted.requests),
            };
            session.size = Size::About(wanted.bytes);
            if rollout.is_compressed {
                (session.compressed, session.pressed_bytes) = (true, wanted.bytes);
                session.size = Size::About(wanted.bytes * COMPRESSED);
            }
            if let Shelf::Day(day) = shelf
                && !rollout.is_compressed
                && !rollout.is_forked
            {
                parent = Some((Arc::new(session.clone()), day));
            }
            self.items.push(Item::Codex(session.into()));
        }
    }

    /// What each rollout is and where, short ones first: what a fork copies is shorter than it.
    fn own_rollouts(&mut self, history: &History, sessions: &[Wanted]) -> Vec<(Wanted, Rollout, Shelf)> {
        let (sessions, rollouts) = self.own_shapes(history, sessions);
        let archived = rollouts.iter().filter(|rollout| rollout.is_archived).count();
        let days = self.at_scale(history.workspaces).saturating_sub(u64::from(archived > 0)).max(1);
        let mut places = self.places_in(days, history, (sessions.len() - archived) as u64).into_iter();
        let mut planned: Vec<(Wanted, Rollout, Shelf)> = Vec::with_capacity(sessions.len());
        for (wanted, rollout) in sessions.into_iter().zip(rollouts) {
            let place = if rollout.is_archived { None } else { places.next() };
            let shelf = place.map_or(Shelf::Archive, |place| Shelf::Day(FIRST_DAY + place as u64));
            planned.push((wanted, rollout, shelf));
        }
        planned.sort_by_key(|(wanted, ..)| wanted.bytes);
        planned
    }

    /// Sessions and what each of them is. Those with the fewest bytes for a request are the compressed ones.
    fn own_shapes(&mut self, history: &History, sessions: &[Wanted]) -> (Vec<Wanted>, Vec<Rollout>) {
        let counts = ROLLOUTS.map(|name| history.shapes.get(name).copied().unwrap_or(0));
        let shapes = shares(&counts, sessions.len()).into_iter();
        let rollouts: Vec<Rollout> = shapes.map(|shape| Rollout::of(ROLLOUTS[shape])).collect();
        let (mut pressed, mut others): (Vec<Rollout>, Vec<Rollout>) =
            rollouts.into_iter().partition(|rollout| rollout.is_compressed);
        self.dice.shuffle(&mut others);
        let mut sessions = sessions.to_vec();
        sessions.sort_by_key(|wanted| wanted.bytes / wanted.requests.max(1));
        let plain = &mut sessions[pressed.len()..];
        plain.sort_by_key(|wanted| wanted.bytes);
        exchange(plain, ROLLOUT_REQUEST_BYTES);
        pressed.append(&mut others);
        (sessions, pressed)
    }

    /// Chats of Gemini: a workspace is a project.
    pub(super) fn own_gemini(&mut self, history: &History, sessions: &[Wanted]) {
        let places = self.own_places(history, sessions);
        for (wanted, place) in sessions.iter().zip(&places) {
            let mut session = self.gemini(&format!("/home/dev/project-{place}"), wanted.requests);
            session.size = Size::About(wanted.bytes);
            self.items.push(Item::Gemini(session.into()));
        }
    }

    /// Sessions of OpenCode: as files, where most of the history's are.
    pub(super) fn own_opencode(&mut self, history: &History, sessions: &[Wanted]) {
        let in_tree = history.shapes.get("tree").copied().unwrap_or(0);
        if in_tree * 2 <= history.sessions {
            return self.own_database(OPENCODE, history, sessions);
        }
        let (places, projects) = self.own_projects(history, sessions);
        for (wanted, place) in sessions.iter().zip(&places) {
            let mut session = self.opencode(&projects[*place], wanted.requests);
            session.size = Size::About(wanted.bytes);
            self.items.push(Item::OpenCode(session.into()));
        }
    }

    /// Sessions of OpenCode or Kilo in a database.
    pub(super) fn own_database(&mut self, root: usize, history: &History, sessions: &[Wanted]) {
        let (places, projects) = self.own_projects(history, sessions);
        let mut database = self.database(root);
        for (wanted, place) in sessions.iter().zip(&places) {
            let mut session = self.opencode_session(root, &projects[*place], wanted.requests);
            session.size = Size::About(wanted.bytes);
            database.sessions.push(session);
        }
        self.items.push(Item::Database(database.into()));
    }

    /// Which project each session is in, and the projects.
    fn own_projects(&mut self, history: &History, sessions: &[Wanted]) -> (Vec<usize>, Vec<Project>) {
        let places = self.own_places(history, sessions);
        let count = places.iter().max().map_or(0, |last| last + 1);
        let projects = (0..count).map(|place| self.project(&format!("/home/dev/project-{place}"))).collect();
        (places, projects)
    }
}
