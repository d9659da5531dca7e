//! The growth profile: small sessions as they are after each of a series of steps.

use std::sync::Arc;

use crate::adversarial::hand::{Hand, Turn};
use crate::adversarial::{claude, cli, codex, gemini, vscode};
use crate::claude::Claude;
use crate::growth::Step;
use crate::opencode::Database;
use crate::plan::{CODEX, Draft, Item, KILO, Uri, Workspace};

/// The workspace of Claude Code's sessions.
const PROJECT: &str = "-home-dev-adversarial";
/// The day of Codex's session.
const DAY: &str = "sessions/2026/01/01";

/// A session that changes.
#[derive(Clone)]
struct Grown {
    hand: &'static Hand,
    /// Name and directory of its workspace.
    name: Arc<str>,
    directory: Arc<str>,
    stem: &'static str,
    turns: u64,
    /// Whether a further turn stands there in part.
    is_torn: bool,
    /// Turns that stand in the first line, of a log that was written anew.
    compacted: usize,
    /// How its first answer begins.
    word: &'static str,
    /// Whether its file is compressed.
    is_pressed: bool,
}

/// Everything that changes.
struct State {
    sessions: Vec<Grown>,
    /// A session with more than one file.
    large: Claude,
    places: [Workspace; 3],
    has_third: bool,
    /// Whether a message of OpenCode's tree has its last part.
    has_part: bool,
    /// Sessions that the database does not have from the beginning.
    further_sessions: usize,
}

impl State {
    fn of(&mut self, stem: &str) -> &mut Grown {
        let at = self.sessions.iter().position(|session| session.stem == stem).unwrap_or_default();
        &mut self.sessions[at]
    }

    fn chat(&self, hand: &'static Hand, place: usize, stem: &'static str, turns: u64) -> Grown {
        let Workspace { name, directory, .. } = self.places[place].clone();
        Grown {
            hand,
            name,
            directory,
            stem,
            turns,
            is_torn: false,
            compacted: 0,
            word: "Answer",
            is_pressed: false,
        }
    }

    fn begin(&mut self, gemini_project: &str) {
        let of = |hand, name: &str, directory: &str, stem| Grown {
            name: name.into(),
            directory: directory.into(),
            ..self.chat(hand, 0, stem, 2)
        };
        self.sessions = vec![
            self.chat(&vscode::LOG, 0, "grown-log", 2),
            self.chat(&vscode::DOCUMENT, 0, "grown-document", 2),
            self.chat(&vscode::LOG, 1, "grown-moved", 3),
            self.chat(&vscode::LOG, 1, "grown-copied", 2),
            self.chat(&vscode::DOCUMENT, 1, "grown-deleted", 1),
            of(&claude::HAND, "adversarial", PROJECT, "grown-claude"),
            of(&cli::HAND, "unknown", "grown-cli", "grown-cli"),
            of(&codex::HAND, "adversarial", DAY, "grown-codex"),
            of(&gemini::HAND, gemini_project, gemini_project, "grown-gemini"),
        ];
    }

    fn take(&mut self, step: Step) {
        const OF_LINES: [&str; 4] = ["grown-log", "grown-claude", "grown-cli", "grown-codex"];
        match step {
            Step::Append => OF_LINES.iter().for_each(|stem| self.of(stem).turns += 1),
            Step::Torn => OF_LINES.iter().for_each(|stem| self.of(stem).is_torn = true),
            Step::Completed => OF_LINES.iter().for_each(|stem| {
                let session = self.of(stem);
                (session.turns, session.is_torn) = (session.turns + 1, false);
            }),
            Step::Compacted => self.of("grown-log").compacted = 4,
            Step::AppendAgain | Step::Replaced => self.of("grown-log").turns += 1,
            Step::ToLog => self.of("grown-document").hand = &vscode::LOG,
            Step::Moved => self.of("grown-moved").directory = self.places[0].directory.clone(),
            Step::Copied => {
                let copy = self.chat(&vscode::LOG, 0, "grown-copied", 2);
                self.sessions.push(copy);
            }
            Step::Deleted => self.sessions.retain(|session| session.stem != "grown-deleted"),
            Step::NewSession => self.sessions.push(self.chat(&vscode::LOG, 1, "grown-new", 1)),
            Step::NewWorkspace => {
                self.has_third = true;
                self.sessions.push(self.chat(&vscode::DOCUMENT, 2, "grown-elsewhere", 2));
            }
            Step::Touched => {}
            Step::Truncated => self.of("grown-claude").turns = 1,
            Step::Subagent => self.large.subagents = vec!["agent-0123456789abcdef0.jsonl".to_owned()],
            Step::TimeBack => self.of("grown-claude").turns += 1,
            Step::SameSize => self.of("grown-claude").word = "Riddle",
            Step::Pressed => self.of("grown-codex").is_pressed = true,
            Step::Rewritten => self.of("grown-gemini").turns += 1,
            Step::NewPart => self.has_part = true,
            Step::NewRows => self.further_sessions += 1,
        }
        if matches!(step, Step::Moved) {
            let name = self.places[0].name.clone();
            self.of("grown-moved").name = name;
        }
    }
}

impl Draft {
    /// Plans the smoke corpus and, behind it, what changes, as it is after so many steps; returns how many items do not.
    pub(crate) fn growing(&mut self, steps: usize) -> usize {
        self.smoke();
        let is_database = |item: &Item| matches!(item, Item::Database(database) if database.root == KILO);
        let database = self.items.iter().position(is_database).map(|at| self.items.remove(at));
        let fixed = self.items.len();
        let further = self.grown(steps);
        if let Some(Item::Database(database)) = database {
            self.grown_database(*database, further);
        }
        fixed
    }

    /// The database, whose last session is there when it has come.
    fn grown_database(&mut self, mut database: Database, further: usize) {
        let project = self.project("/home/dev/grown");
        let session = self.opencode_session(KILO, &project, 2);
        database.sessions.extend(std::iter::repeat_n(session, further));
        self.items.push(Item::Database(database.into()));
    }

    /// Adds what changes but the database, and tells how many further sessions that has.
    fn grown(&mut self, steps: usize) -> usize {
        let mut places = [Uri::Folder, Uri::Folder, Uri::Folder].map(|uri| {
            let before = self.items.len();
            (self.workspace(vscode::LOG.root, uri), self.items.split_off(before))
        });
        let large = self.claude("/home/dev/grown", 2);
        let third = std::mem::take(&mut places[2].1);
        self.items.extend(places.iter_mut().flat_map(|place| std::mem::take(&mut place.1)));
        let mut state = State {
            sessions: Vec::new(),
            large,
            places: places.map(|place| place.0),
            has_third: false,
            has_part: false,
            further_sessions: 0,
        };
        let id = crate::dice::Dice::new(&self.spec, "grown-gemini project").id().hex();
        state.begin(&id.repeat(2));
        for directory in ["sessions", DAY] {
            self.workspaces.insert((CODEX, directory.to_owned()));
        }
        Step::ALL.iter().take(steps).for_each(|step| state.take(*step));
        if state.has_third {
            self.items.extend(third);
        } else {
            self.workspaces.remove(&(vscode::LOG.root, state.places[2].directory.to_string()));
        }
        self.items.push(Item::Claude(state.large.clone().into()));
        for session in &state.sessions {
            self.workspaces.insert((session.hand.root, session.directory.to_string()));
            self.grown_session(session);
        }
        self.grown_tree(state.has_part);
        state.further_sessions
    }

    fn grown_session(&mut self, session: &Grown) {
        let Grown { hand, stem, .. } = *session;
        let mut sketch = hand.sketch(&self.spec, &session.name, stem);
        // Two formats of one session have the same id and times.
        let id = crate::dice::Dice::new(&self.spec, stem).id();
        sketch.told.id = id.to_string();
        sketch.turns = (1..=session.turns).map(|number| self.grown_turn(session, number)).collect();
        if session.is_torn {
            let next = (hand.turn)(&sketch.told, &self.grown_turn(session, session.turns + 1));
            // Half of its first line.
            let line = next.lines().next().unwrap_or_default();
            sketch.bad_end(&line[..line.len() / 2]);
        }
        sketch.compacted = session.compacted;
        let hostile = hand.finish(&sketch, stem, &session.directory, Vec::new());
        let hostile = if session.is_pressed { codex::pressed(hostile, codex::frame) } else { hostile };
        self.items.push(Item::Hostile(hostile.into()));
    }

    fn grown_turn(&self, session: &Grown, number: u64) -> Turn {
        let id = crate::dice::Dice::new(&self.spec, &format!("{} {number}", session.stem)).id();
        let mut turn = Turn::ordinary(number, id);
        let answer = format!("{} {number} {}", session.word, "and more ".repeat(number as usize * 20));
        turn.answer = crate::adversarial::hand::Words::plain(&answer);
        turn
    }
}
