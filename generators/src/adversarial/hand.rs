//! How a valid session of a format is written by hand, and what is found in it.

use crate::answer::{Request, Session, State};
use crate::page::Id;
use crate::plan::ROOTS;
use crate::text::{Preview, escape};

/// Prompt and completion tokens of each turn.
pub(crate) const TOKENS: (u64, u64) = (10, 20);
/// When the first turn is: in 2026.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// A format.
pub(crate) struct Hand {
    /// Its name in the names of its workspaces.
    pub(crate) format: &'static str,
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The file of a session: its path below the workspace and the name by which it is sorted, from its stem.
    pub(crate) file: fn(&str) -> (String, String),
    /// Whether each session has a workspace of its own, of its name.
    pub(crate) is_workspace: bool,
    /// Whether a file is one JSON document; else it has a record a line.
    pub(crate) is_document: bool,
    /// What stands before everything else: a line, or a document's first fields.
    pub(crate) head: fn(&Told) -> String,
    /// What stands between a document's fields and its turns.
    pub(crate) open: &'static str,
    /// One turn: lines without the last's end, or an item of a document.
    pub(crate) turn: fn(&Told, &Turn) -> String,
    /// Turns as the one line in which a log that is written anew begins, where the tool does that.
    pub(crate) compact: Option<fn(&Told, &[Turn]) -> String>,
    /// What ends the file.
    pub(crate) end: &'static str,
    /// A line or field that no reader needs, with this value in it.
    pub(crate) ignored: fn(&str) -> String,
    /// A prompt's line, or a document's turn, with this value where its text should be.
    pub(crate) kept: fn(&str) -> String,
    pub(crate) model: &'static str,
    pub(crate) tool: &'static str,
    /// Takes from a request what this format does not tell.
    pub(crate) untold: fn(&mut Request),
    /// What only this format has.
    pub(crate) own: &'static [super::rows::Row],
}

/// What a session says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: String,
    /// The name of its workspace.
    pub(crate) name: String,
    pub(crate) created: u64,
}

/// A text as it is written and as it is read.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) escaped: String,
    /// Its beginning, at least as far as a preview goes.
    pub(crate) text: String,
    /// UTF-16 code units of the whole.
    pub(crate) units: u64,
}

impl Words {
    /// A text that is escaped as usual.
    pub(crate) fn plain(text: &str) -> Words {
        Words::escaped_as(&escape(text), text)
    }

    /// A text whose escaped form is given.
    pub(crate) fn escaped_as(escaped: &str, text: &str) -> Words {
        let units = text.encode_utf16().count() as u64;
        Words { escaped: escaped.to_owned(), text: text.to_owned(), units }
    }
}

/// A prompt and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) id: String,
    /// ms since 1970.
    pub(crate) time: u64,
    pub(crate) prompt: Words,
    pub(crate) answer: Words,
}

impl Turn {
    /// A turn that is like any other.
    pub(crate) fn ordinary(number: u64, id: Id) -> Turn {
        Turn {
            id: id.to_string(),
            time: BEGIN_MS + number * 60_000,
            prompt: Words::plain(&format!("Question {number}")),
            answer: Words::plain(&format!("Answer {number}")),
        }
    }

    /// What a reader makes of it.
    pub(crate) fn request(&self, hand: &Hand) -> Request {
        let mut request = Request {
            id: Preview::of(&self.id, 128),
            timestamp: self.time,
            preview: Preview::of(&self.prompt.text, 500),
            message_units: self.prompt.units,
            response_units: self.answer.units,
            responses: 1,
            model: hand.model,
            prompt: TOKENS.0,
            completion: TOKENS.1,
            state: State::Complete,
            tools: [(hand.tool, 1)].into(),
            ..Request::default()
        };
        (hand.untold)(&mut request);
        request
    }
}

impl Told {
    /// A session without requests.
    pub(crate) fn session(&self, hand: &Hand, workspace: &str) -> Session {
        Session {
            id: Preview::of(&self.id, 128),
            harness: ROOTS[hand.root].1,
            workspace: format!("{}/{workspace}", ROOTS[hand.root].0),
            name: self.name.clone(),
            created: self.created,
            ..Session::default()
        }
    }
}
