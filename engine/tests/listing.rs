//! Lists that are answered from memory say what the files say now, whoever wrote them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use highwater_engine::listing::catalog::Catalog;
use highwater_engine::listing::files::{Root, Stamp};
use highwater_engine::listing::row::{Page, Query};
use highwater_engine::listing::strategy::{AS_REPORTED, BOUNDED};
use highwater_engine::listing::{Now, write};
use proptest::prelude::*;
use tempfile::TempDir;

const TIME: &str = "2026-01-05T12:00:00.000Z";

fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Now { monotonic_ms: 0, wall_ns: i64::try_from(wall.as_nanos()).unwrap() }
}

/// A home with a catalog that remembers, and what an uncached list says.
struct Bench {
    home: TempDir,
    catalog: Catalog,
}

impl Bench {
    fn new() -> Bench {
        let home = TempDir::new().unwrap();
        let catalog = Catalog::new(home.path(), &BOUNDED, Some(&home.path().join("index.sqlite"))).unwrap();
        Bench { home, catalog }
    }

    fn root(&self) -> Root {
        Root::new(self.home.path())
    }

    fn create(&self, id: &str, work_dir: &str) -> PathBuf {
        write::create(&self.root(), id, work_dir, TIME).unwrap();
        write::find(&self.root(), id).unwrap()
    }

    fn list(&mut self) -> Page {
        self.catalog.list(&Query::newest(1_000), now())
    }

    fn uncached(&self) -> Page {
        Catalog::new(self.home.path(), &AS_REPORTED, None).unwrap().list(&Query::newest(1_000), now())
    }

    /// Lists, and checks it.
    fn check(&mut self, after: &str) -> Page {
        let wanted = self.uncached();
        let text = self.catalog.json(&Query::newest(1_000), now()).unwrap();
        assert_eq!(text, wanted.to_json().unwrap(), "as text, after {after}");
        let page = self.list();
        assert_eq!(page, wanted, "after {after}");
        page
    }

    /// Waits until no file counts as just written.
    fn rest(&self) {
        std::thread::sleep(Duration::from_millis(120));
    }
}

fn said(text: &str) -> String {
    let line = serde_json::json!({"type": "user", "timestamp": TIME, "cwd": "/w", "message": {"role": "user", "content": text}});
    format!("{line}\n")
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn set_modified(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_second_list_opens_no_file() {
    let mut bench = Bench::new();
    for number in 0..30 {
        append(&bench.create(&format!("s{number}"), "/w/one"), &said("hello"));
    }
    bench.rest();
    assert_eq!(bench.check("thirty sessions").rows.len(), 30);
    let bodies = bench.catalog.stats().bodies;
    assert_eq!(bodies, 30);
    bench.check("nothing");
    assert_eq!(bench.catalog.stats().bodies, bodies);
}

/// A second change within one tick of the file system's clock leaves no trace: only time tells that there was none.
#[test]
fn a_file_that_was_just_written_is_not_trusted() {
    let mut bench = Bench::new();
    let path = bench.create("one", "/w/one");
    let changed_ns = Stamp::now(&path).unwrap().changed_ns;
    for (after_ms, bodies) in [(0, 1), (50, 2), (99, 3), (101, 4), (101, 4), (10_000, 4)] {
        let now = Now { monotonic_ms: 0, wall_ns: changed_ns + after_ms * 1_000_000 };
        bench.catalog.json(&Query::newest(10), now).unwrap();
        assert_eq!(bench.catalog.stats().bodies, bodies, "after {after_ms} ms");
    }
}

#[test]
fn an_append_of_another_program_opens_one_file() {
    let mut bench = Bench::new();
    let paths: Vec<PathBuf> = (0..5).map(|number| bench.create(&format!("s{number}"), "/w/one")).collect();
    bench.rest();
    bench.check("five sessions");
    let bodies = bench.catalog.stats().bodies;
    append(&paths[3], &said("more"));
    bench.rest();
    let page = bench.check("an append");
    assert_eq!(bench.catalog.stats().bodies, bodies + 1);
    assert_eq!((&*page.rows[0].id, page.rows[0].summary.messages), ("s3", 1));
}

#[test]
fn every_way_to_write_is_seen_by_the_next_list() {
    let mut bench = Bench::new();
    let path = bench.create("one", "/w/one");
    append(&path, &said("aaaa"));
    bench.create("two", "/w/two");
    bench.rest();
    bench.check("two sessions");
    let time = fs::metadata(&path).unwrap().modified().unwrap();

    write::rename(&bench.root(), "one", "A title").unwrap();
    assert_eq!(&*bench.check("a new title").rows[0].summary.title, "A title");
    bench.rest();
    bench.check("rest");

    // Of the same size, with its old time.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("A title", "B title")).unwrap();
    set_modified(&path, time);
    let page = bench.check("the same size and the old time");
    assert!(page.rows.iter().any(|row| &*row.summary.title == "B title"));

    // Twice at once, the second time of the same size as the first.
    fs::write(&path, text.replace("A title", "C title")).unwrap();
    bench.check("the first of two");
    fs::write(&path, text.replace("A title", "D title")).unwrap();
    bench.check("the second of two");

    // Another file in its place.
    let other = path.with_extension("new");
    fs::write(&other, text.replace("A title", "E title")).unwrap();
    set_modified(&other, time);
    fs::rename(&other, &path).unwrap();
    bench.check("another file renamed over it");

    // Another file with, most likely, the number of the one that has gone.
    fs::remove_file(&path).unwrap();
    fs::write(&path, text.replace("A title", "F title")).unwrap();
    set_modified(&path, time);
    bench.check("an inode that is used again");

    write::clear(&bench.root(), "one").unwrap();
    assert_eq!(bench.check("a cleared session").rows.iter().map(|row| row.summary.messages).max(), Some(0));
    fs::rename(&path, path.with_file_name("moved.jsonl")).unwrap();
    bench.check("a renamed file");
    write::delete(&bench.root(), "moved").unwrap();
    assert_eq!(bench.check("a deleted session").total, 1);
    assert_eq!(bench.catalog.stats().entries, 1);
    fs::remove_dir_all(bench.root().path()).unwrap();
    assert_eq!(bench.check("no directory").total, 0);
}

#[test]
fn a_torn_line_is_counted_when_it_is_whole() {
    let mut bench = Bench::new();
    let path = bench.create("one", "/w/one");
    let line = said("hello");
    append(&path, &line[..20]);
    assert_eq!(bench.check("half a line").rows[0].summary.messages, 0);
    append(&path, &line[20..]);
    let page = bench.check("the other half");
    assert_eq!((page.rows[0].summary.messages, page.rows[0].summary.skipped_lines), (1, 0));
}

#[test]
fn directories_are_looked_at_for_every_list() {
    let mut bench = Bench::new();
    let work = bench.home.path().join("work/inner");
    bench.create("one", work.to_str().unwrap());
    bench.rest();
    assert!(!bench.check("a directory that is not there").rows[0].work_dir_exists);
    fs::create_dir_all(&work).unwrap();
    fs::create_dir(bench.home.path().join("work/.git")).unwrap();
    let page = bench.check("a directory that is there, in a repository");
    assert!(page.rows[0].work_dir_exists);
    assert_eq!(Path::new(&*page.rows[0].project_root), bench.home.path().join("work"));
}

#[test]
fn a_service_that_starts_again_opens_no_file_that_it_knew() {
    let mut bench = Bench::new();
    for number in 0..10 {
        bench.create(&format!("s{number}"), "/w/one");
    }
    bench.rest();
    let before = bench.check("ten sessions");
    let index = bench.home.path().join("index.sqlite");
    let open = || Catalog::new(bench.home.path(), &BOUNDED, Some(&index)).unwrap();
    let mut again = open();
    assert_eq!(again.list(&Query::newest(100), now()), before);
    assert_eq!(again.stats().bodies, 0);
    // What has gone meanwhile is forgotten, and a damaged index costs time only.
    fs::remove_file(write::find(&bench.root(), "s3").unwrap()).unwrap();
    drop(again);
    assert_eq!(open().list(&Query::newest(100), now()).total, 9);
    drop(std::mem::replace(&mut bench.catalog, Catalog::new(bench.home.path(), &BOUNDED, None).unwrap()));
    let mut text = fs::read(&index).unwrap();
    text[100..].fill(0x5a);
    fs::write(&index, text).unwrap();
    let mut anew = open();
    assert_eq!((anew.list(&Query::newest(100), now()).total, anew.stats().bodies), (9, 9));
    // Nothing of another home is shown.
    let other = TempDir::new().unwrap();
    let mut elsewhere = Catalog::new(other.path(), &BOUNDED, Some(&index)).unwrap();
    assert_eq!(elsewhere.list(&Query::newest(100), now()).total, 0);
}

#[test]
fn a_file_that_is_no_index_is_left_as_it_is() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("notes");
    let foreign = b"SQLite format 3\0 and then something else that is somebody's own, and more than a head has room for, by far";
    for text in [&b"a text of mine"[..], foreign] {
        fs::write(&file, text).unwrap();
        let refused = Catalog::new(home.path(), &BOUNDED, Some(&file)).map(drop).unwrap_err();
        assert!(refused.to_string().contains("is left as it is"), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), text);
    }
    let directory = Catalog::new(home.path(), &BOUNDED, Some(home.path())).map(drop).unwrap_err();
    assert!(directory.to_string().contains("name another file"), "{directory}");
}

#[test]
fn a_session_that_was_copied_by_hand_is_not_written_by_chance() {
    let bench = Bench::new();
    let path = bench.create("one", "/w/one");
    let other = bench.root().path().join("-w-two");
    fs::create_dir(&other).unwrap();
    fs::copy(&path, other.join("one.jsonl")).unwrap();
    let refused = write::delete(&bench.root(), "one").unwrap_err();
    assert!(matches!(refused, write::WriteError::Ambiguous(_)), "{refused}");
    assert!(path.exists());
}

#[test]
fn a_cleared_session_keeps_its_title_its_place_and_its_permissions() {
    let mut bench = Bench::new();
    let path = bench.root().path().join("-w-one/one.jsonl");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, said("hello") + "{\"type\":\"ai-title\",\"aiTitle\":\"Greeting\"}\n").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(&path, permissions).unwrap();
    write::clear(&bench.root(), "one").unwrap();
    let row = bench.check("a clear").rows.remove(0);
    assert_eq!((&*row.summary.title, &*row.work_dir, row.summary.messages), ("Greeting", "/w", 0));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
        0o600
    );
}

#[test]
fn pages_and_searches_are_parts_of_one_order() {
    let mut bench = Bench::new();
    for number in 0..25u64 {
        let path = bench.create(&format!("s{number:02}"), &format!("/w/{}", number % 2));
        write::rename(&bench.root(), &format!("s{number:02}"), &format!("Title {number:02}")).unwrap();
        set_modified(&path, UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number));
    }
    let all = bench.check("25 sessions");
    let ids = |page: &Page| page.rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&all)[..2], ["s24", "s23"]);
    let mut query = Query { limit: 10, offset: 20, ..Query::default() };
    let last = bench.catalog.list(&query, now());
    assert_eq!((ids(&last), last.total), (ids(&all)[20..].to_vec(), 25));
    query = Query { limit: 3, offset: 1, text: Some("TITLE 1".to_owned()), ..Query::default() };
    let found = bench.catalog.list(&query, now());
    assert_eq!((ids(&found), found.total), (["s18", "s17", "s16"].map(str::to_owned).to_vec(), 10));
    query = Query { limit: 100, project: Some("-w-1".to_owned()), ..Query::default() };
    assert_eq!(bench.catalog.list(&query, now()).total, 12);
}

#[test]
fn what_cannot_be_read_is_counted_and_named() {
    let mut bench = Bench::new();
    bench.create("one", "/w/one");
    let broken = bench.root().path().join("-w-one/two.jsonl");
    fs::write(&broken, "no json\n[1]\n\n{\"type\":\"user\"}\n").unwrap();
    let page = bench.check("a file of other things");
    let row = page.rows.iter().find(|row| &*row.id == "two").unwrap();
    assert_eq!(
        (&*row.summary.title, row.summary.messages, row.summary.skipped_lines),
        ("Untitled Session", 0, 2)
    );
    let json: serde_json::Value = serde_json::from_slice(&page.to_json().unwrap()).unwrap();
    assert_eq!((&json["total"], &json["unreadable"]), (&2.into(), &0.into()));
}

/// Something that happens to one of four sessions.
#[derive(Debug, Clone)]
enum Step {
    Create,
    Say(String),
    Tear(usize),
    Title(String),
    Clear,
    Delete,
    Rewrite(String),
    Replace(String),
    Anew(String),
    OldTime(u64),
    List,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let text = "[a-z]{3,5}";
    let step = prop_oneof![
        3 => Just(Step::Create),
        4 => text.prop_map(Step::Say),
        1 => (1usize..30).prop_map(Step::Tear),
        2 => text.prop_map(Step::Title),
        1 => Just(Step::Clear),
        1 => Just(Step::Delete),
        2 => text.prop_map(Step::Rewrite),
        2 => text.prop_map(Step::Replace),
        2 => text.prop_map(Step::Anew),
        2 => (0u64..3).prop_map(Step::OldTime),
        6 => Just(Step::List),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec((0usize..4, step), 1..60)
}

fn take(bench: &mut Bench, id: &str, step: &Step) {
    let root = bench.root();
    let path = write::find(&root, id).ok();
    match (step, path) {
        (Step::List, _) => drop(bench.check("a list")),
        (Step::Restart, _) => {
            let index = bench.home.path().join("index.sqlite");
            bench.catalog = Catalog::new(bench.home.path(), &BOUNDED, Some(&index)).unwrap();
        }
        (Step::Create, None) => write::create(&root, id, "/w/one", TIME).unwrap(),
        (Step::Say(text), Some(path)) => append(&path, &said(text)),
        (Step::Tear(bytes), Some(path)) => append(&path, &said("torn")[..*bytes]),
        (Step::Title(title), Some(_)) => write::rename(&root, id, title).unwrap(),
        (Step::Clear, Some(_)) => write::clear(&root, id).unwrap(),
        (Step::Delete, Some(_)) => write::delete(&root, id).unwrap(),
        (Step::Rewrite(text), Some(path)) => fs::write(path, said(text)).unwrap(),
        (Step::Replace(text), Some(path)) => {
            let beside = path.with_extension("beside");
            fs::write(&beside, said(text)).unwrap();
            fs::rename(beside, path).unwrap();
        }
        (Step::Anew(text), Some(path)) => {
            fs::remove_file(&path).unwrap();
            fs::write(&path, said(text)).unwrap();
        }
        (Step::OldTime(number), Some(path)) => {
            set_modified(&path, UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Nothing is at rest here, so that nothing may be trusted; in the next one everything is.
    #[test]
    fn any_writes_and_lists_in_a_row_give_what_an_uncached_list_gives(steps in steps()) {
        let mut bench = Bench::new();
        for (at, step) in &steps {
            take(&mut bench, &format!("s{at}"), step);
        }
        bench.check("everything");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn the_same_with_files_at_rest_in_between(steps in steps()) {
        let mut bench = Bench::new();
        for (number, (at, step)) in steps.iter().enumerate() {
            take(&mut bench, &format!("s{at}"), step);
            if number % 10 == 9 {
                bench.rest();
                bench.check("rest");
            }
        }
        bench.rest();
        bench.check("everything");
    }
}
