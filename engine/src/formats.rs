//! The files of each tool, turned into sessions.
//!
//! What is kept and how it is derived is `docs/answer.md`, section 3. The same code serves the reader that holds a whole
//! document in memory and the one that streams it: both give [`Node`]s.

pub mod claude;
pub mod codex;
pub mod copilot_cli;
pub mod database;
pub mod gemini;
pub mod opencode;
pub mod source;
pub mod vscode;
mod zstandard;

use crate::json::text::{Measure, preview};
use crate::session::{NAME_UNITS, Request};
use crate::tree::{Node, Text};

/// How much text of a request is held until it is stripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// UTF-16 units of a message.
    pub message_units: usize,
    /// UTF-16 units of a response.
    pub response_units: usize,
}

impl Hold {
    /// What the reported engine holds until its one strip at the end: 16,000 and 24,000 characters
    /// (its parser-shared limits; facts measured on the real engine).
    pub const REPORTED: Hold = Hold { message_units: 16_000, response_units: 24_000 };
    /// What is kept for good.
    pub const STRIPPED: Hold = Hold { message_units: crate::session::PREVIEW_UNITS, response_units: 0 };

    /// UTF-16 units of a text of which it is not known yet whose it is.
    fn most_units(self) -> usize {
        self.message_units.max(self.response_units)
    }
}

/// Adds a request to those of its session. Their room grows by a quarter, since the largest session is what is held at the peak.
fn keep(requests: &mut Vec<Request>, request: Request) {
    if requests.len() == requests.capacity() {
        requests.reserve_exact((requests.len() / 4).max(4));
    }
    requests.push(request);
}

/// A name or id as it is kept.
fn name(text: Option<Text<'_>>) -> Box<str> {
    text.map_or_else(Box::default, |text| preview(text.text, NAME_UNITS).into())
}

/// UTF-16 units of a directory's path that are read: long paths end in the name that is wanted.
const PATH_UNITS: u32 = 4096;

/// The name of the workspace that has a directory.
fn directory_name(path: Text<'_>) -> Box<str> {
    preview(last_component(preview(path.text, PATH_UNITS as usize)), NAME_UNITS).into()
}

/// The last component of a path of either kind of separator.
fn last_component(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A time as ms since 1970: a number of ms, or an ISO 8601 text.
fn time(node: Option<&Node>) -> i64 {
    match node {
        Some(node) => match node.text() {
            Some(text) => text.text.parse::<jiff::Timestamp>().map_or(0, |time| time.as_millisecond()),
            None => node.integer().unwrap_or(0),
        },
        None => 0,
    }
}

/// A sum of tokens, which ends at 2^63 - 1: a count beyond that is a defect of the file, and must not be one of its reader.
fn plus(tokens: u64, more: u64) -> u64 {
    tokens.saturating_add(more).min(i64::MAX.cast_unsigned())
}

/// Several texts as one response: its measures, and as much of it as is held.
#[derive(Debug, Default)]
struct Joined {
    texts: u64,
    measure: Measure,
    held: String,
}

impl Joined {
    /// Adds a text, unless it is empty. Code is counted in each text on its own.
    fn add(&mut self, text: Text<'_>, hold_units: usize) {
        if text.is_empty() {
            return;
        }
        let measure = text.measure();
        let room = hold_units.saturating_sub(self.units() as usize);
        if room > 0 {
            if self.texts > 0 {
                self.held.push('\n');
            }
            self.held.push_str(preview(text.text, room));
        }
        self.texts += 1;
        self.measure.units += measure.units;
        self.measure.code.add(&measure.code);
    }

    /// Adds texts that have been joined, of which as much is held as there is room for.
    fn append(&mut self, other: &Joined, hold_units: usize) {
        if other.texts == 0 {
            return;
        }
        let room = hold_units.saturating_sub(self.units() as usize);
        if room > 0 {
            if self.texts > 0 {
                self.held.push('\n');
            }
            self.held.push_str(preview(&other.held, room));
        }
        self.texts += other.texts;
        self.measure.units += other.measure.units;
        self.measure.code.add(&other.measure.code);
    }

    /// UTF-16 units of the texts joined by newlines.
    fn units(&self) -> u64 {
        self.measure.units + self.texts.saturating_sub(1)
    }
}
