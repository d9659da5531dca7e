//! The growth profile: small sessions as they are after each of a series of steps.

use crate::adversarial::hand::{Hand, Turn};
use crate::adversarial::{claude, cli, vscode};
use crate::claude::Claude;
use crate::growth::Step;
use crate::plan::{Draft, Item, Uri, Workspace};

/// The workspace of Claude Code's sessions.
const PROJECT: &str = "-home-dev-adversarial";

/// A session that changes.
#[derive(Clone)]
struct Grown {
    hand: &'static Hand,
    /// Name and directory of its workspace.
    name: String,
    directory: String,
    stem: &'static str,
    turns: u64,
    /// Whether a further turn stands there in part.
    is_torn: bool,
    /// Turns that stand in the first line, of a log that was written anew.
    compacted: usize,
    /// How its first answer begins.
    word: &'static str,
}

/// Everything that changes.
struct State {
    sessions: Vec<Grown>,
    /// A session with more than one file.
    large: Claude,
    places: [Workspace; 3],
    has_third: bool,
}

impl State {
    fn of(&mut self, stem: &str) -> &mut Grown {
        let at = self.sessions.iter().position(|session| session.stem == stem).unwrap_or_default();
        &mut self.sessions[at]
    }

    fn chat(&self, hand: &'static Hand, place: usize, stem: &'static str, turns: u64) -> Grown {
        let Workspace { name, directory, .. } = self.places[place].clone();
        Grown { hand, name, directory, stem, turns, is_torn: false, compacted: 0, word: "Answer" }
    }

    fn begin(&mut self) {
        let of = |hand, name: &str, directory: &str, stem| Grown {
            name: name.to_owned(),
            directory: directory.to_owned(),
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
        ];
    }

    fn take(&mut self, step: Step) {
        const THREE: [&str; 3] = ["grown-log", "grown-claude", "grown-cli"];
        match step {
            Step::Append => THREE.iter().for_each(|stem| self.of(stem).turns += 1),
            Step::Torn => THREE.iter().for_each(|stem| self.of(stem).is_torn = true),
            Step::Completed => THREE.iter().for_each(|stem| {
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
        }
        if matches!(step, Step::Moved) {
            let name = self.places[0].name.clone();
            self.of("grown-moved").name = name;
        }
    }
}

impl Draft {
    /// Adds what changes, as it is after so many steps.
    pub(crate) fn grown(&mut self, steps: usize) {
        let mut places = [Uri::Folder, Uri::Folder, Uri::Folder].map(|uri| {
            let before = self.items.len();
            (self.workspace(vscode::LOG.root, uri), self.items.split_off(before))
        });
        let large = self.claude("/home/dev/grown", 2);
        let third = std::mem::take(&mut places[2].1);
        self.items.extend(places.iter_mut().flat_map(|place| std::mem::take(&mut place.1)));
        let mut state =
            State { sessions: Vec::new(), large, places: places.map(|place| place.0), has_third: false };
        state.begin();
        Step::ALL.iter().take(steps).for_each(|step| state.take(*step));
        if state.has_third {
            self.items.extend(third);
        } else {
            self.workspaces.remove(&(vscode::LOG.root, state.places[2].directory.clone()));
        }
        self.items.push(Item::Claude(state.large.clone()));
        for session in &state.sessions {
            self.workspaces.insert((session.hand.root, session.directory.clone()));
            self.grown_session(session);
        }
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
        self.items.push(Item::Hostile(hostile));
    }

    fn grown_turn(&self, session: &Grown, number: u64) -> Turn {
        let id = crate::dice::Dice::new(&self.spec, &format!("{} {number}", session.stem)).id();
        let mut turn = Turn::ordinary(number, id);
        let answer = format!("{} {number} {}", session.word, "and more ".repeat(number as usize * 20));
        turn.answer = crate::adversarial::hand::Words::plain(&answer);
        turn
    }
}
