//! What the streaming reader takes of memory where a file has very many small parts: no more than for a few of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::formats::Hold;
use engine::formats::source::Reader;
use engine::sync::discover::workspaces;
use engine::sync::fingerprint::fingerprint;
use engine::sync::parse::{Parser, Sink};
use engine::sync::prefetch::Prefetcher;
use engine::sync::protocol::{Item, Skipped, Work};
use engine::sync::strategy::FingerprintKind;

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

/// Lets one test allocate at a time: all threads of the process are counted, and another's files would be too while it writes them.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const PARTS: usize = 1_000_000;
const KIB: u64 = 1024;

#[derive(Default)]
struct Seen(Vec<Item>);

impl Sink for Seen {
    fn file(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        self.0.push(item);
        Ok(())
    }
}

/// Reads the only item of a home, and says how many bytes that took at most.
fn read(home: &Path) -> (Item, u64) {
    let found = workspaces(home, &mut Skipped::default());
    let measured = harness::heap::measure(|| {
        let mut parser = Parser {
            home,
            reader: Reader::streaming(),
            hold: Hold::STRIPPED,
            prefetched: Prefetcher::default(),
            avoid: &[],
            probe_missing: false,
            skipped: Skipped::default(),
            work: Work::default(),
        };
        let mut seen = Seen::default();
        for workspace in &found {
            parser.workspace(workspace, &mut seen).unwrap();
        }
        assert_eq!((parser.skipped.files, parser.skipped.lines), (0, 0), "{:?}", parser.skipped);
        seen.0.pop().unwrap()
    })
    .unwrap();
    (measured.result, measured.peak_bytes)
}

/// A document whose middle is repeated.
fn document(before: &str, part: &str, after: &str) -> String {
    let mut text = String::with_capacity(before.len() + (part.len() + 1) * PARTS + after.len());
    text.push_str(before);
    (0..PARTS).for_each(|at| write!(text, "{}{part}", if at == 0 { "" } else { "," }).unwrap());
    text + after
}

fn put(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_million_parts_of_geminis_messages_take_as_much_as_a_few() {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let parts = document(r#"{"messages":[{"type":"user","content":["#, r#"{"text":"a"}"#, "]},");
    let answer = document(r#"{"type":"gemini","content":["#, r#"{"text":"b"}"#, r#"],"toolCalls":[]}]}"#);
    put(home.path(), ".gemini/tmp/a/chats/session-a.json", &(parts + &answer));
    let (item, peak) = read(home.path());
    let Item::Session(session) = item else { panic!("{item:?}") };
    let units = 2 * PARTS as u64 - 1;
    assert_eq!((session.requests[0].message_units, session.requests[0].response_units), (units, units));
    assert!(peak < 512 * KIB, "{peak} bytes");
}

#[test]
fn a_million_edits_of_one_operation_take_as_much_as_a_few() {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let before =
        r#"{"timeline":{"operations":[{"type":"textEdit","requestId":"r","uri":{"external":"u"},"edits":["#;
    let path = ".config/Code/User/workspaceStorage/w/chatEditingSessions/e/state.json";
    put(home.path(), path, &document(before, r#"{"text":"a\n"}"#, "]}]}}"));
    let (item, peak) = read(home.path());
    let Item::Edits(edits) = item else { panic!("{item:?}") };
    assert_eq!(edits.lines, [("r".into(), "u".into(), PARTS as u64)]);
    assert!(peak < 512 * KIB, "{peak} bytes");
}

/// A log may still change each of its parts, so that something of each is held: not a tree of nodes, though.
#[test]
fn a_million_parts_of_a_response_take_less_than_their_file() {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let part = r#"{"kind":"textEditGroup","edits":[[{"text":"x"}]]}"#;
    let text = document(r#"{"kind":0,"v":{"requests":[{"requestId":"r","response":["#, part, "]}]}}\n");
    let path = ".config/Code/User/workspaceStorage/w/chatSessions/s.jsonl";
    put(home.path(), path, &text);
    let (item, peak) = read(home.path());
    let Item::Session(session) = item else { panic!("{item:?}") };
    assert_eq!(&*session.requests[0].id, "r");
    assert!(peak < 64 * PARTS as u64, "{peak} bytes");
}

#[test]
fn a_fingerprint_takes_as_much_for_many_parts_as_for_a_few() {
    let _alone = alone();
    const STORAGE: &str = ".local/share/opencode/storage";
    let taken = |parts: usize| {
        let home = tempfile::tempdir().unwrap();
        put(home.path(), &format!("{STORAGE}/session/p/s.json"), "{}");
        put(home.path(), &format!("{STORAGE}/message/s/m.json"), "{}");
        (0..parts).for_each(|at| put(home.path(), &format!("{STORAGE}/part/m/prt_{at:08}.json"), "{}"));
        let found = workspaces(home.path(), &mut Skipped::default());
        let print = || fingerprint(FingerprintKind::Files, home.path(), &found[0]).unwrap();
        harness::heap::measure(print).unwrap().peak_bytes
    };
    let (few, many) = (taken(10), taken(10_000));
    assert!(many <= few + KIB, "{few} and {many} bytes");
}
