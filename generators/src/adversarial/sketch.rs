//! A session before it is written: two ordinary turns, and what a row of the table changes of them.

use crate::answer::Session;
use crate::dice::Dice;
use crate::plan::ROOTS;
use crate::profile::Spec;

use super::hand::{Hand, Told, Turn};
use super::rows::Row;
use super::{Body, Hostile};

/// A session in the making.
pub(crate) struct Sketch {
    pub(crate) hand: &'static Hand,
    pub(crate) told: Told,
    pub(crate) turns: Vec<Turn>,
    /// What stands before the turns: lines, or fields of a document.
    pub(crate) fields: Vec<String>,
    /// What stands before the last turn: lines, or items of a document.
    pub(crate) items: Vec<String>,
    /// What stands before and after all that.
    pub(crate) around: (String, String),
    /// The whole text, where nothing of the session is left in it.
    pub(crate) instead: Option<String>,
    /// Turns that stand in the first line, of a log that was written anew.
    pub(crate) compacted: usize,
    /// Whether lines end as on Windows.
    pub(crate) is_crlf: bool,
    /// How large what marks stand for is.
    pub(crate) size: u64,
    pub(crate) skipped: u64,
    pub(crate) is_refused: bool,
    /// What a reader finds otherwise than in an ordinary session, set when that is known.
    pub(crate) change: Option<fn(&mut Session)>,
}

impl Sketch {
    /// A line, or a field of a document, that is refused: the line is skipped, the document as a whole.
    pub(crate) fn bad_field(&mut self, text: String) {
        self.fields.push(text);
        self.refuse();
    }

    /// A line, or an item of a document, that is refused.
    pub(crate) fn bad_item(&mut self, text: String) {
        self.items.push(text);
        self.refuse();
    }

    /// What stands behind everything is refused: a line of it is skipped, a document as a whole.
    pub(crate) fn bad_end(&mut self, text: &str) {
        self.around.1.push_str(text);
        self.refuse();
    }

    fn refuse(&mut self) {
        if self.hand.is_document {
            self.is_refused = true;
        } else {
            self.skipped += 1;
        }
    }

    /// A file that holds nothing: no document, but no line that would be wrong.
    pub(crate) fn nothing(&mut self, text: &str) {
        self.instead = Some(text.to_owned());
        self.is_refused = self.hand.is_document;
    }

    /// The last turn.
    pub(crate) fn last(&mut self) -> &mut Turn {
        let last = self.turns.len() - 1;
        &mut self.turns[last]
    }

    fn text(&self) -> String {
        if let Some(text) = &self.instead {
            return text.clone();
        }
        let hand = self.hand;
        let separator = if hand.is_document { "," } else { "\n" };
        let mut fields = vec![(hand.head)(&self.told)];
        fields.extend(self.fields.iter().cloned());
        let mut items: Vec<String> = self.turns.iter().map(|turn| (hand.turn)(&self.told, turn)).collect();
        if let (Some(compact), 1..) = (hand.compact, self.compacted) {
            fields = vec![compact(&self.told, &self.turns[..self.compacted])];
            items.drain(..self.compacted);
        }
        let last = items.len().saturating_sub(1);
        items.splice(last..last, self.items.iter().cloned());
        let mut text =
            [&fields.join(separator), separator, hand.open, &items.join(separator), hand.end].concat();
        if items.is_empty() && !hand.is_document {
            // No line stands between the first and the end.
            text.pop();
        }
        let text = if self.is_crlf { text.replace('\n', "\r\n") } else { text };
        [self.around.0.as_str(), &text, &self.around.1].concat()
    }

    fn session(&self, workspace: &str) -> Option<Session> {
        if self.is_refused || self.instead.is_some() {
            return None;
        }
        let mut session = self.told.session(self.hand, workspace);
        session.requests = self.turns.iter().map(|turn| turn.request(self.hand)).collect();
        if !self.hand.root_tells_times() {
            session.created = session.requests.first().map_or(0, |request| request.timestamp);
        }
        session.last = session.requests.last().map_or(0, |request| request.timestamp);
        if let Some(change) = self.change {
            change(&mut session);
        }
        (!session.requests.is_empty()).then_some(session)
    }
}

impl Hand {
    /// Whether a session says when it was made; else that is when its first request was.
    fn root_tells_times(&self) -> bool {
        self.format.starts_with("vscode") || matches!(self.format, "gemini" | "opencode")
    }

    /// An ordinary session of this format, with two turns.
    pub(crate) fn sketch(&'static self, spec: &Spec, name: &str, stem: &str) -> Sketch {
        let mut dice = Dice::new(spec, &format!("{} {stem}", self.format));
        let turns: Vec<Turn> = (1..3).map(|number| Turn::ordinary(number, dice.id())).collect();
        let told = Told { id: dice.id().to_string(), name: name.to_owned(), created: turns[0].time };
        Sketch {
            hand: self,
            told,
            turns,
            fields: Vec::new(),
            items: Vec::new(),
            around: (String::new(), String::new()),
            instead: None,
            compacted: 0,
            is_crlf: false,
            size: 0,
            skipped: 0,
            is_refused: false,
            change: None,
        }
    }

    /// The file that a row of the table makes; `name` is the workspace's own, and `directory` where it is in the root.
    pub(crate) fn hostile(&'static self, spec: &Spec, row: &Row, name: &str, directory: &str) -> Hostile {
        let mut sketch = self.sketch(spec, name, row.quirk);
        sketch.size = row.size.of(spec);
        (row.make)(&mut sketch);
        self.finish(&sketch, row.quirk, directory, vec![row.quirk])
    }

    /// The file of a sketch.
    pub(crate) fn finish(
        &'static self,
        sketch: &Sketch,
        stem: &str,
        directory: &str,
        quirks: Vec<&'static str>,
    ) -> Hostile {
        let (file, sorted_by) = (self.file)(stem);
        Hostile {
            root: self.root,
            path: format!("{}/{directory}/{file}", ROOTS[self.root].0),
            name: sorted_by,
            body: Body::Text(sketch.text(), sketch.size),
            quirks,
            skipped_lines: sketch.skipped,
            is_refused: sketch.is_refused,
            session: sketch.session(directory),
        }
    }
}
