//! Reads small histories of each tool, written by hand, with both readers: they must agree, and say what `docs/answer.md` says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod changes;
mod codex;
mod database;
mod gemini;
mod tree;
mod zstandard;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use highwater_engine::formats::Hold;
use highwater_engine::formats::source::Reader;
use highwater_engine::session::{Request, Session};
use highwater_engine::sync::discover::workspaces;
use highwater_engine::sync::parse::{Parser, Sink};
use highwater_engine::sync::prefetch::Prefetcher;
use highwater_engine::sync::protocol::{Item, Skipped, Work};
use serde_json::Value;

/// What one reader makes of a home directory.
#[derive(Default)]
struct Reading {
    sessions: Vec<Session>,
    skipped: Skipped,
}

impl Sink for Reading {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Session(mut session) => {
                session.strip();
                self.sessions.push(session);
            }
            Item::Edits(edits) => panic!("{edits:?}"),
        }
        Ok(())
    }
}

fn read_with(home: &Path, reader: Reader, hold: Hold) -> Reading {
    let mut reading = Reading::default();
    let workspaces = workspaces(home, &mut reading.skipped);
    let mut parser = Parser {
        home,
        reader,
        hold,
        prefetched: Prefetcher::default(),
        avoid: &[],
        probe_missing: false,
        skipped: std::mem::take(&mut reading.skipped),
        work: Work::default(),
    };
    for workspace in &workspaces {
        parser.workspace(workspace, &mut reading).unwrap();
    }
    reading.skipped = parser.skipped;
    reading
}

/// Reads with both readers, which must agree.
fn read(home: &Path) -> Reading {
    let whole = read_with(home, Reader::whole(), Hold::REPORTED);
    let streamed = read_with(home, Reader::streaming(), Hold::STRIPPED);
    assert_eq!(whole.sessions, streamed.sessions, "{:?}", streamed.skipped);
    let counts = |skipped: &Skipped| (skipped.files, skipped.lines);
    assert_eq!(
        counts(&whole.skipped),
        counts(&streamed.skipped),
        "{:?} {:?}",
        whole.skipped,
        streamed.skipped
    );
    streamed
}

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Home {
        self.put(path, content);
        self
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self) -> Reading {
        read(self.0.path())
    }
}

/// Checks the fields of requests that are named; the others may be anything.
fn check(what: &str, requests: &[Request], expected: &Value) {
    let requests = serde_json::to_value(requests).unwrap();
    let (requests, expected) = (requests.as_array().unwrap(), expected.as_array().unwrap());
    assert_eq!(requests.len(), expected.len(), "{what}: {requests:#?}");
    for (request, expected) in requests.iter().zip(expected) {
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(request.get(field), Some(value), "{what}: {field} of {request:#}");
        }
    }
}
