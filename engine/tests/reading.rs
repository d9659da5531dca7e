//! Reads files as real tools wrote them, and files that are broken in every way we know of, with both readers: they must
//! agree, lose nothing that can be read, and count what cannot.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says so, and one that is skipped says why"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use highwater_engine::formats::Hold;
use highwater_engine::formats::source::Reader;
use highwater_engine::session::{Tally, hex};
use highwater_engine::sync::discover::workspaces;
use highwater_engine::sync::parse::{Parser, Sink};
use highwater_engine::sync::prefetch::Prefetcher;
use highwater_engine::sync::protocol::{Item, Skipped, Work};

const VSCODE: &str = ".config/Code/User/workspaceStorage/0a/chatSessions";
const CLAUDE: &str = ".claude/projects/-p";
const REQUEST: &str =
    r#"{"requestId":"r","timestamp":1,"message":{"text":"hi"},"response":[{"value":"ok"}],"result":{"a":1}}"#;

/// What one reader makes of a home directory.
#[derive(Debug, PartialEq)]
struct Reading {
    digest: String,
    sessions: u64,
    requests: u64,
    skipped_files: u64,
    skipped_lines: u64,
}

#[derive(Default)]
struct Everything(Tally);

impl Sink for Everything {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        item.tally(&mut self.0);
        Ok(())
    }
}

fn read_with(home: &Path, reader: Reader, hold: Hold) -> (Reading, Skipped) {
    let mut skipped = Skipped::default();
    let workspaces = workspaces(home, &mut skipped);
    let mut parser = Parser {
        home,
        reader,
        hold,
        prefetched: Prefetcher::default(),
        avoid: &[],
        probe_missing: false,
        skipped,
        work: Work::default(),
    };
    let mut all = Everything::default();
    for workspace in &workspaces {
        parser.workspace(workspace, &mut all).unwrap();
    }
    let reading = Reading {
        digest: hex(&all.0.digest()),
        sessions: all.0.sessions,
        requests: all.0.requests,
        skipped_files: parser.skipped.files,
        skipped_lines: parser.skipped.lines,
    };
    (reading, parser.skipped)
}

/// Reads with both readers, which must agree, and gives what they say.
fn read(home: &Path) -> (Reading, Skipped) {
    let (whole, _) = read_with(home, Reader::whole(), Hold::REPORTED);
    let (streamed, skipped) = read_with(home, Reader::streaming(), Hold::STRIPPED);
    assert_eq!(whole, streamed, "{skipped:?}");
    (streamed, skipped)
}

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Home {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self) -> (Reading, Skipped) {
        read(self.0.path())
    }
}

fn document() -> String {
    format!(r#"{{"sessionId":"s","requests":[{REQUEST}]}}"#)
}

fn claude_line(text: &str) -> String {
    format!(
        r#"{{"type":"user","uuid":"{text}","sessionId":"c","message":{{"role":"user","content":"{text}"}}}}"#
    )
}

#[test]
fn every_record_of_real_files_is_read_except_those_that_are_broken_there() {
    let Some(real) = std::env::var_os("HIGHWATER_REAL_RECORDS") else {
        println!("skipped: HIGHWATER_REAL_RECORDS is not set, so there are no real records to read");
        return;
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(Path::new(&real).join("claude")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "the folder of real records holds {} files", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let home = Home::new().with(&format!("{CLAUDE}/{name}"), fs::read(&file).unwrap());
        let (reading, skipped) = home.read();
        // edge_cases.jsonl has a string, an object without a type, a number and an array among its lines.
        let broken = if name == "edge_cases.jsonl" { 4 } else { 0 };
        assert_eq!((reading.skipped_lines, reading.skipped_files), (broken, 0), "{name}: {skipped:?}");
        // These are collections of records without a person's prompt: there is no request that they could belong to.
        let has_prompts =
            !matches!(&*name, "records-assistant.jsonl" | "records-system.jsonl" | "records-tools.jsonl");
        if has_prompts {
            assert_eq!(reading.sessions, 1, "{name}");
            assert!(reading.requests > 0, "{name}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_obstacle() {
    let lines = format!("\u{feff}{}\r\n{}\r\n", claude_line("one"), claude_line("two"));
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), lines);
    let home = home.with(&format!("{VSCODE}/s.json"), format!("\u{feff}{}\r\n", document()));
    let (reading, _) = home.read();
    assert_eq!((reading.sessions, reading.requests, reading.skipped_lines), (2, 3, 0));
}

#[test]
fn broken_lines_are_skipped_counted_and_named() {
    let deep = format!(r#"{{"type":"user","x":{}{}}}"#, "[".repeat(300), "]".repeat(300));
    let lines: [&[u8]; 9] = [
        claude_line("one").as_bytes().to_owned().leak(),
        b"{\"type\":\"user\",\"message\":",
        b"{\"type\":\"user\",\"x\":\"\xff\xfe\"}",
        deep.into_bytes().leak(),
        b"17",
        b"{\"no\":\"type\"}",
        b"",
        claude_line("two").as_bytes().to_owned().leak(),
        b"\0\0\0\0\0\0",
    ];
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), lines.join(&b'\n'));
    let (reading, skipped) = home.read();
    assert_eq!((reading.requests, reading.skipped_lines), (2, 6));
    let (path, why) = &skipped.named[0];
    assert_eq!(&**path, ".claude/projects/-p/a.jsonl");
    assert!(why.starts_with("line 2: "), "{why}");
}

#[test]
fn a_lone_surrogate_loses_nothing() {
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), claude_line(r"cut in half \ud83d"));
    let home = home.with(&format!("{VSCODE}/s.json"), document().replace("ok", r"\udc00 ok \\ud83d"));
    let (reading, _) = home.read();
    assert_eq!((reading.sessions, reading.skipped_lines, reading.skipped_files), (2, 0, 0));
}

#[test]
fn broken_documents_are_skipped_counted_and_named() {
    let mut home = Home::new();
    let broken: [(&str, Vec<u8>); 5] = [
        ("empty", vec![]),
        ("torn", document().into_bytes()[..60].to_vec()),
        ("nul", [document().as_bytes(), b"\0\0\0"].concat()),
        ("twice", [document(), document()].concat().into_bytes()),
        ("bytes", document().replace("hi", "\u{1}").into_bytes()),
    ];
    for (name, content) in &broken {
        home = home.with(&format!("{VSCODE}/{name}.json"), content);
    }
    let home = home.with(&format!("{VSCODE}/whole.json"), document());
    let (reading, skipped) = home.read();
    assert_eq!((reading.sessions, reading.skipped_files), (1, 5), "{skipped:?}");
    assert!(skipped.named.iter().any(|(path, _)| path.ends_with("torn.json")));
}

#[test]
fn a_directory_with_the_name_of_a_session_is_skipped_and_counted() {
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), claude_line("one"));
    fs::create_dir_all(home.path(&format!("{CLAUDE}/x.jsonl"))).unwrap();
    fs::create_dir_all(home.path(&format!("{VSCODE}/x.json"))).unwrap();
    let (reading, _) = home.read();
    assert_eq!((reading.sessions, reading.skipped_files), (1, 2));
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_end() {
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), claude_line("one"));
    std::os::unix::fs::symlink(home.path(CLAUDE), home.path(&format!("{CLAUDE}/loop"))).unwrap();
    let below = home.path(&format!("{CLAUDE}/a/subagents"));
    fs::create_dir_all(&below).unwrap();
    std::os::unix::fs::symlink(&below, below.join("again")).unwrap();
    std::os::unix::fs::symlink("self", home.path(&format!("{CLAUDE}/self"))).unwrap();
    let (reading, _) = home.read();
    assert_eq!(reading.requests, 1);
}

#[test]
fn one_line_of_any_length_is_read() {
    let long = claude_line("one")
        .replace("\"role\"", &format!("\"x\":\"{}\",\"role\"", "0123456789\\n".repeat(1 << 19)));
    let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), format!("{long}\n{}", claude_line("two")));
    let (reading, _) = home.read();
    assert_eq!((reading.requests, reading.skipped_lines), (2, 0));
}

#[test]
fn an_append_log_means_what_vs_code_means() {
    let entries = [
        r#"{"kind":0,"v":{"sessionId":"s","creationDate":5,"requests":[]}}"#.to_owned(),
        format!(r#"{{"kind":2,"k":["requests"],"v":[{REQUEST},{REQUEST},{REQUEST}]}}"#),
        r#"{"kind":2,"k":["requests",0,"response"],"v":[{"value":"bbbb"}],"i":0}"#.to_owned(),
        r#"{"kind":2,"k":["requests"],"i":2}"#.to_owned(),
        r#"{"kind":3,"k":["requests",1]}"#.to_owned(),
        r#"{"v":"m","k":["requests",0,"modelId"],"kind":1}"#.to_owned(),
        r#"{"kind":1,"k":["requests",2000000000],"v":{}}"#.to_owned(),
        r#"{"kind":1,"k":["__proto__","x"],"v":{}}"#.to_owned(),
        r#"{"kind":9,"k":["x"]}"#.to_owned(),
    ];
    let log = Home::new().with(&format!("{VSCODE}/s.jsonl"), entries.join("\n"));
    let (from_log, _) = log.read();
    assert_eq!((from_log.sessions, from_log.requests, from_log.skipped_lines), (1, 1, 3));
    let state = format!(
        r#"{{"sessionId":"s","creationDate":5,"requests":[{}]}}"#,
        REQUEST.replace("\"ok\"", "\"bbbb\"").replace("\"timestamp\"", "\"modelId\":\"m\",\"timestamp\"")
    );
    let flat = Home::new().with(&format!("{VSCODE}/s.json"), state);
    assert_eq!(flat.read().0.digest, from_log.digest);
}

#[test]
fn a_log_stands_before_a_document_of_the_same_name() {
    let log = format!(r#"{{"kind":0,"v":{}}}"#, document());
    let home =
        Home::new().with(&format!("{VSCODE}/s.jsonl"), log).with(&format!("{VSCODE}/s.json"), document());
    assert_eq!(home.read().0.sessions, 1);
}

#[test]
fn a_name_that_is_not_utf8_is_skipped_and_counted() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let home = Home::new().with(&format!("{CLAUDE}/a.jsonl"), claude_line("one"));
        let name = std::ffi::OsStr::from_bytes(b"\xff.jsonl");
        fs::write(home.path(CLAUDE).join(name), claude_line("two")).unwrap();
        let (reading, _) = home.read();
        assert_eq!((reading.sessions, reading.skipped_files), (1, 1));
    }
}
