//! The readers of `sync`: whole, as the reported engine reads, and streaming.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use engine::formats::Hold;
use engine::formats::claude::Conversation;
use engine::formats::opencode::{self, Record};
use engine::formats::source::{Input, ReadError, Reader, Skips};
use engine::formats::{codex, copilot_cli, gemini, vscode};
use engine::session::{Tally, hex};
use engine::sync::discover::workspaces;
use engine::sync::parse::{Parser, Sink};
use engine::sync::prefetch::Prefetcher;
use engine::sync::protocol::{Item, Skipped, Work};
use engine::sync::strategy::{AS_REPORTED, BOUNDED, ReaderKind, Strategy};
use generators::FileEntry;

use super::corpus::{corpus, in_time};

/// What was given, and which sessions have how many requests.
#[derive(Default)]
struct Given {
    tally: Tally,
    sessions: Vec<(String, u64)>,
}

impl Sink for Given {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, mut item: Item) -> io::Result<()> {
        if let Item::Session(session) = &mut item {
            session.strip();
            self.sessions.push((session.head.id.to_string(), session.requests.len() as u64));
        }
        item.tally(&mut self.tally);
        Ok(())
    }
}

fn reader(kind: ReaderKind) -> (Reader, Hold) {
    match kind {
        ReaderKind::Whole => (Reader::whole(), Hold::REPORTED),
        ReaderKind::Streaming => (Reader::streaming(), Hold::STRIPPED),
    }
}

/// Reads a home as a worker of this strategy does; what was skipped in each workspace, by its key.
fn read(strategy: Strategy) -> (Given, BTreeMap<String, Skipped>) {
    let home = corpus().home();
    let mut skipped = Skipped::default();
    let workspaces = workspaces(&home, &mut skipped);
    assert_eq!(skipped, Skipped::default());
    let (reader, hold) = reader(strategy.reader);
    let mut parser = Parser {
        home: &home,
        reader,
        hold,
        prefetched: Prefetcher::default(),
        avoid: &[],
        probe_missing: false,
        skipped,
        work: Work::default(),
    };
    let (mut given, mut by_workspace) = (Given::default(), BTreeMap::new());
    for (at, workspace) in workspaces.iter().enumerate() {
        parser.prefetched.advance(strategy.prefetch, &home, &workspaces, at);
        parser.workspace(workspace, &mut given).unwrap();
        by_workspace.insert(workspace.key(), std::mem::take(&mut parser.skipped));
    }
    (given, by_workspace)
}

/// Whether a file belongs to a workspace: of Codex, those in other directories below do not; of OpenCode's tree, of which there is one
/// project here, also those in other directories do; and a database is its own workspace.
fn is_of(path: &str, workspace: &str) -> bool {
    const STORAGE: &str = ".local/share/opencode/storage/";
    if workspace.starts_with(STORAGE) {
        return path.starts_with(STORAGE);
    }
    let rest = path.strip_prefix(workspace);
    match rest.and_then(|rest| rest.strip_prefix('/')) {
        Some(below) => !workspace.starts_with(".codex/") || !below.contains('/'),
        None => rest == Some(""),
    }
}

fn check(strategy: Strategy) {
    let (given, skipped) = in_time(move || read(strategy));
    let manifest = &corpus().manifest;
    let told: Vec<(String, u64)> =
        manifest.answer.sessions_index.iter().map(|session| (session.id.clone(), session.requests)).collect();
    assert_eq!(given.sessions, told);
    assert_eq!(hex(&given.tally.digest()), manifest.answer.digest);
    assert_eq!(skipped.len() as u64, manifest.answer.workspaces);
    for (workspace, skipped) in skipped {
        let files: Vec<&FileEntry> =
            manifest.files.iter().filter(|file| is_of(&file.path, &workspace)).collect();
        let refused = files.iter().filter(|file| file.is_refused).count() as u64;
        let lines: u64 = files.iter().map(|file| file.skipped_lines).sum();
        assert_eq!((skipped.files, skipped.lines), (refused, lines), "{workspace}: {skipped:?}");
        // Only the first few are named.
        for (path, why) in &skipped.named {
            let file = files.iter().find(|file| *file.path == **path).unwrap();
            assert!(file.is_refused || file.skipped_lines > 0, "{path}: {why}");
            // A file or row of OpenCode that is skipped is a record itself.
            if !path.starts_with(".local/") {
                let is_part = ["line ", "message "].iter().any(|part| why.starts_with(part));
                assert_eq!(file.is_refused, !is_part, "{path}: {why}");
            }
        }
    }
}

#[test]
fn the_reader_of_the_reported_engine_gives_what_the_manifest_says() {
    check(AS_REPORTED);
}

#[test]
fn the_streaming_reader_gives_what_the_manifest_says() {
    check(BOUNDED);
}

/// Lines that were skipped in a file, and whether the file as a whole is refused.
fn read_file(kind: ReaderKind, entry: &FileEntry) -> (u64, bool) {
    let (mut reader, hold) = reader(kind);
    let path = corpus().home().join(&entry.path);
    let is_pressed = entry.path.ends_with(".zst");
    let input = if is_pressed { Input::Compressed(path) } else { Input::Path(path) };
    let mut skips = Skips::default();
    let read: Result<(), ReadError> = match &*entry.format {
        "claude" => Conversation::new(hold).read(&mut reader, input, true, &mut skips),
        "copilot-cli" => copilot_cli::events(&mut reader, input, "", hold, &mut skips).map(drop),
        "codex" => codex::rollout(&mut reader, input, "", hold, &mut skips).map(drop),
        "gemini" => gemini::document(&mut reader, input, "", hold, &mut skips).map(drop),
        "opencode" => return read_record(&mut reader, input, &entry.path),
        _ if entry.path.ends_with("state.json") => vscode::edit_lines(&mut reader, input).map(drop),
        _ if entry.path.ends_with(".jsonl") => {
            vscode::log(&mut reader, input, "", hold, &mut skips).map(drop)
        }
        _ => vscode::document(&mut reader, input, "", hold).map(drop),
    };
    (skips.lines, read.is_err())
}

/// The same of a file of OpenCode's tree: a session is refused as a whole, and a message or part is skipped.
fn read_record(reader: &mut Reader, input: Input<'_>, path: &str) -> (u64, bool) {
    let (record, is_session) = match path.split('/').nth(4) {
        Some("session") => (Record::Session, true),
        Some("message") => (Record::Message, false),
        _ => (Record::Part, false),
    };
    match opencode::record(reader, input, record) {
        Ok(Some(_)) => (0, false),
        _ if is_session => (0, true),
        _ => (1, false),
    }
}

#[test]
fn in_each_file_as_many_lines_are_skipped_as_its_manifest_says() {
    let described = |path: &PathBuf| path.ends_with("workspace.json") || path.ends_with("workspace.yaml");
    let files = corpus().manifest.files.iter().filter(|file| file.kind.is_none());
    let mut seen = 0;
    // What a database holds is not one text; nobody reads a compressed file that is there uncompressed too, or parts of a skipped message.
    const OTHERS: [&str; 3] = [".db", "/rollout-zst-beside-plain.jsonl.zst", "/unread.json"];
    let is_alone = |file: &&FileEntry| !OTHERS.iter().any(|ending| file.path.ends_with(ending));
    for file in files.filter(is_alone).filter(|file| !described(&PathBuf::from(&file.path))) {
        for kind in [ReaderKind::Whole, ReaderKind::Streaming] {
            let found = in_time(move || read_file(kind, file));
            assert_eq!(found, (file.skipped_lines, file.is_refused), "{} by {kind:?}", file.path);
        }
        seen += 1;
    }
    assert!(seen > 150, "{seen} files");
}
