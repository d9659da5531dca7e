//! Files made by hand around one defect each, with what a correct reader makes of them (`docs/answer.md`, section 2.1).
//!
//! A format takes part with a [`hand::Hand`]: how its valid sessions are written. What is wrong with them stands in
//! [`rows`](rows::ROWS) for all formats, and beside each format what only it can have.

pub(crate) mod claude;
pub(crate) mod cli;
pub(crate) mod codex;
pub(crate) mod gemini;
pub(crate) mod hand;
pub(crate) mod kilo;
pub(crate) mod opencode;
pub(crate) mod rows;
pub(crate) mod sketch;
pub(crate) mod vscode;

use std::io;

use crate::answer::Session;
use crate::special::Special;
use crate::write::{Desk, Facts};

/// In a text: two bytes that are no UTF-8. The marks are characters that no text of ours has.
pub(crate) const NOT_UTF8: char = '\u{e000}';
/// In a text: the letter x, as often as the file's size says.
pub(crate) const LONG: char = '\u{e001}';
/// In a text: keys with values, as many as the size says.
pub(crate) const KEYS: char = '\u{e002}';
/// In a text: line feeds, as many as the size says.
pub(crate) const LINES: char = '\u{e003}';

/// A file made around a defect.
#[derive(Clone, Debug)]
pub(crate) struct Hostile {
    /// Index into [`ROOTS`](crate::plan::ROOTS).
    pub(crate) root: usize,
    /// Its path below the home directory.
    pub(crate) path: String,
    /// The name by which its session is sorted within its workspace.
    pub(crate) name: String,
    pub(crate) body: Body,
    /// What is wrong with it.
    pub(crate) quirks: Vec<&'static str>,
    pub(crate) skipped_lines: u64,
    /// Whether a reader names it and takes nothing from it.
    pub(crate) is_refused: bool,
    /// What a reader finds.
    pub(crate) session: Option<Session>,
}

/// Makes a file's bytes of a text.
pub(crate) type Make = fn(&[u8]) -> io::Result<Vec<u8>>;

/// What there is at the path.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A text, and how large what its marks stand for is.
    Text(String, u64),
    /// What is made of a text.
    Made(String, Make),
    Special(Special),
}

impl Hostile {
    /// Bytes, estimated.
    pub(crate) fn bytes(&self) -> u64 {
        let (text, size) = match &self.body {
            Body::Text(text, size) => (text, size),
            Body::Made(text, _) => return text.len() as u64,
            Body::Special(_) => return 0,
        };
        let of_mark = |mark| match mark {
            LONG | LINES => *size,
            KEYS => size * 12,
            _ => 0,
        };
        text.len() as u64 + text.chars().map(of_mark).sum::<u64>()
    }

    /// Writes the file and tells what a reader finds in it.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let requests = self.session.iter().flat_map(|session| &session.requests);
        let facts = Facts {
            sessions: self.session.is_some().into(),
            requests: requests.clone().count() as u64,
            prompt: requests.clone().fold(0, |sum: u64, request| sum.saturating_add(request.prompt)),
            completion: requests.fold(0, |sum: u64, request| sum.saturating_add(request.completion)),
            skipped_lines: self.skipped_lines,
            is_refused: self.is_refused,
            quirks: self.quirks.iter().copied().collect(),
            ..Facts::default()
        };
        match &self.body {
            Body::Special(special) => desk.special(self.path.clone(), special, facts)?,
            Body::Made(text, make) => {
                let mut page = desk.open(&self.path)?;
                page.buf.extend(make(text.as_bytes())?);
                desk.close(page, self.path.clone(), facts)?;
            }
            Body::Text(text, size) => write_text(desk, &self.path, text, *size, facts)?,
        }
        if let Some(session) = &self.session {
            desk.deliver(self.root, &self.name, self.path.clone(), session);
        }
        Ok(())
    }
}

fn write_text(desk: &mut Desk<'_>, path: &str, text: &str, size: u64, facts: Facts) -> io::Result<()> {
    let mut page = desk.open(path)?;
    for piece in text.split_inclusive([NOT_UTF8, LONG, KEYS, LINES]) {
        let mark = piece.chars().next_back().filter(|mark| (NOT_UTF8..=LINES).contains(mark));
        let plain = &piece.as_bytes()[..piece.len() - mark.map_or(0, char::len_utf8)];
        page.buf.extend_from_slice(plain);
        page.lines_ended(plain.iter().filter(|byte| **byte == b'\n').count() as u64)?;
        match mark {
            Some(NOT_UTF8) => page.buf.extend_from_slice(b"\xff\xfe"),
            Some(LONG) => page.fill(b'x', size)?,
            Some(LINES) => {
                page.fill(b'\n', size)?;
                page.lines_ended(size)?;
            }
            Some(KEYS) => {
                for number in 0..size {
                    let comma = if number == 0 { "" } else { "," };
                    page.buf.extend_from_slice(format!("{comma}\"k{number}\":0").as_bytes());
                    page.spill()?;
                }
            }
            _ => {}
        }
    }
    if !text.is_empty() && !text.ends_with(['\n', LINES]) {
        page.end_torn();
    }
    desk.close(page, path.to_owned(), facts)
}
