//! The session files of each tool, turned into events: from any place of a file on, one record at a time.
//!
//! What is read is what the tools write for themselves: text, thoughts, calls of tools and their results, decisions. Records and fields that
//! say nothing of these are passed over in silence; a line that is no record at all is skipped, counted and named.

mod claude;
mod codex;
mod gemini;
mod lines;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::event::{Event, Provider, Source};
use crate::formats::source::{ReadError, Skips};

/// What carries reading from one place of a file to the next. The default is the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// Where reading goes on: bytes after the last line that was read; of a Gemini document, messages that were read.
    pub offset: u64,
    /// Lines before that place.
    pub lines: u64,
    /// Where the line begins that is read.
    line_start: u64,
    /// What of a Codex file matters for what comes next.
    codex: codex::State,
}

impl Resume {
    /// Bytes of its blocks on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.codex.heap_bytes()
    }
}

/// What one reading did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Whether what stands in the file could be told: a Gemini document that is being written cannot, and gives nothing until it
    /// can.
    pub is_legible: bool,
}

/// Reads what a file has from `resume` on, gives each event to `sink` in order, and moves `resume` past what was read.
///
/// A last line without its end is read when it is a whole record, else left for the next time. A document that has fewer messages than were
/// read before gives nothing: whoever sees that a file was written anew begins with a new [`Resume`].
///
/// # Errors
/// When the file cannot be read. What was given until then was read.
pub fn read(
    provider: Provider,
    file: &mut File,
    resume: &mut Resume,
    skips: &mut Skips,
    sink: &mut dyn FnMut(Event),
) -> Result<Done, ReadError> {
    match provider {
        Provider::Claude => {
            lines::read(file, resume, skips, |line, resume| claude::record(line, resume, sink))
        }
        Provider::Codex => lines::read(file, resume, skips, |line, resume| codex::record(line, resume, sink)),
        Provider::Gemini => gemini::document(file, resume, skips, sink),
    }
}

/// The id of the session in a file: of Claude the file's name, of Codex and Gemini what the file says; of a Codex file whose first line is longer
/// than 32 KiB the id in its name. None while it says nothing.
///
/// # Errors
/// When the file cannot be read.
pub fn identify(provider: Provider, path: &Path) -> Result<Option<Box<str>>, ReadError> {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return Ok(None) };
    match provider {
        Provider::Claude => Ok(Some(stem.into())),
        Provider::Codex => codex::session_id(&mut File::open(path)?, stem),
        Provider::Gemini => {
            let mut bytes = Vec::new();
            File::open(path)?.read_to_end(&mut bytes)?;
            Ok(gemini::session_id(&mut bytes))
        }
    }
}

/// Whose session file a path below a home directory is. Files of Claude's subagents belong to the session that called them and are none.
pub fn provider_of(below_home: &Path) -> Option<Provider> {
    let name = below_home.file_name()?.to_str()?;
    let is_below = |root: &str| below_home.starts_with(root);
    if is_below(".claude/projects") && name.ends_with(".jsonl") && !name.starts_with("agent-") {
        Some(Provider::Claude)
    } else if is_below(".codex/sessions") && name.ends_with(".jsonl") {
        Some(Provider::Codex)
    } else if is_below(".gemini/tmp") && name.ends_with(".json") {
        Some(Provider::Gemini)
    } else {
        None
    }
}

/// A record while its events are made: what they have in common.
struct Record<'a> {
    /// What stands before the kind in an event's id.
    name: &'a str,
    timestamp: &'a str,
    turn: Option<&'a str>,
    /// The record's type and id.
    source: (&'a str, Option<&'a str>),
    cursor: u64,
    /// Kinds of the events so far.
    made: Vec<&'static str>,
}

impl Record<'_> {
    /// The event of a record; the second of a kind has its number in its id.
    fn event(&mut self, body: super::event::Body) -> Event {
        let mut event = Event {
            id: Box::default(),
            timestamp: self.timestamp.into(),
            turn: self.turn.map(Into::into),
            source: Source {
                kind: self.source.0.into(),
                id: self.source.1.map(Into::into),
                cursor: self.cursor,
            },
            body,
        };
        let kind = event.kind();
        let before = self.made.iter().filter(|made| **made == kind).count();
        event.id = match before {
            0 => format!("{}:{kind}", self.name).into(),
            number => format!("{}:{kind}:{number}", self.name).into(),
        };
        self.made.push(kind);
        event
    }
}

#[cfg(test)]
mod tests;
