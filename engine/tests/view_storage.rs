//! Sessions in both layouts: the same comes out of either, page by page, and nothing else is touched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use highwater_engine::view::message::Message;
use highwater_engine::view::part::Part;
use highwater_engine::view::storage::{Cursor, Page, Reading, Storage, StorageError};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "view_storage/damage.rs"]
mod damage;
#[path = "view_storage/moving.rs"]
mod moving;
#[path = "view_storage/stripped.rs"]
mod stripped;

const BOTH: [Reading; 2] = [Reading::Whole, Reading::Stripped];
const S: &str = "ses_1";

/// One storage of each layout, with the same in it.
struct Both {
    folder: TempDir,
    storages: [Storage; 2],
}

impl Both {
    fn new() -> Both {
        let folder = TempDir::new().unwrap();
        let storages = open(folder.path());
        let mut both = Both { folder, storages };
        both.each(|storage| storage.put_project(&project()).unwrap());
        both
    }

    fn each(&mut self, mut work: impl FnMut(&mut Storage)) {
        self.storages.iter_mut().for_each(&mut work);
    }

    /// What both say, which is the same.
    fn same<T: PartialEq + std::fmt::Debug>(&self, ask: impl Fn(&Storage) -> T) -> T {
        let [tree, database] = &self.storages;
        let answer = ask(tree);
        assert_eq!(answer, ask(database));
        answer
    }

    fn tree_path(&self) -> std::path::PathBuf {
        self.folder.path().join("tree/storage")
    }

    /// Changes the database behind the storage's back.
    fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.folder.path().join("data/kilo.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }
}

fn open(folder: &Path) -> [Storage; 2] {
    fs::create_dir_all(folder.join("data")).unwrap();
    [Storage::tree(&folder.join("tree")).unwrap(), Storage::database(&folder.join("data/kilo.db")).unwrap()]
}

fn project() -> Value {
    json!({"id": "p1", "worktree": "/home/dev/demo", "vcs": "git", "sandboxes": [],
           "time": {"created": 1, "updated": 1}})
}

fn session(id: &str, parent: Option<&str>, updated: i64) -> Value {
    let mut info = json!({
        "id": id, "slug": "calm-fox", "projectID": "p1", "directory": "/home/dev/demo", "title": "Demo",
        "version": "7.0.0", "time": {"created": 1, "updated": updated},
    });
    if let Some(parent) = parent {
        info["parentID"] = parent.into();
    }
    info
}

fn user(session: &str, id: &str, time: i64) -> Message {
    message(json!({
        "id": id, "sessionID": session, "role": "user", "time": {"created": time}, "agent": "code",
        "model": {"providerID": "kilo", "modelID": "m"},
    }))
}

fn message(value: Value) -> Message {
    Message::new(value).unwrap()
}

fn edit(session: &str, message: &str, id: &str) -> Part {
    part(json!({
        "id": id, "sessionID": session, "messageID": message, "type": "tool", "callID": "c1", "tool": "edit",
        "state": {
            "status": "completed", "input": {"filePath": "/home/dev/demo/a.ts", "oldString": "a", "newString": "b"},
            "output": "ok", "title": "a.ts",
            "metadata": {
                "diff": "-a\n+b",
                "filediff": {"file": "a.ts", "before": "a", "after": "b", "additions": 1, "deletions": 1},
                "diagnostics": {},
            },
            "time": {"start": 2, "end": 3},
        },
    }))
}

fn text(session: &str, message: &str, id: &str, text: &str) -> Part {
    part(json!({"id": id, "sessionID": session, "messageID": message, "type": "text", "text": text}))
}

fn part(value: Value) -> Part {
    Part::new(value).unwrap()
}

/// An id as the tools make it: it ascends with its number.
fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}_{number:012x}00000000000000")
}

/// What is on a page, without how long the rows are, which have the ids in one layout only.
fn shown(page: &Page) -> Vec<(Value, Vec<Value>)> {
    let parts = |parts: &[Part]| parts.iter().map(|part| part.value().clone()).collect();
    page.entries.iter().map(|entry| (entry.message.value().clone(), parts(&entry.parts))).collect()
}

fn ids(page: &Page) -> Vec<String> {
    page.entries.iter().map(|entry| entry.message.id().to_owned()).collect()
}

fn whole(storage: &Storage, session: &str) -> Vec<(Value, Vec<Value>)> {
    shown(&storage.page(session, None, 0, Reading::Whole).unwrap())
}

#[test]
fn both_give_what_was_put() {
    let mut both = Both::new();
    let mut info = session(S, None, 2);
    info["summary"] = json!({"additions": 1, "deletions": 2, "files": 1,
        "diffs": [{"file": "a.ts", "before": "a", "after": "b", "additions": 1, "deletions": 2, "status": "modified"}]});
    info["share"] = json!({"url": "https://example.com/s"});
    info["revert"] = json!({"messageID": "msg_1", "snapshot": "abc"});
    info["permission"] = json!([{"permission": "edit", "pattern": "*", "action": "allow"}]);
    info["cost"] = json!(0.25);
    info["tokens"] = json!({"input": 1, "output": 2});
    let todos = [
        json!({"id": "1", "content": "x", "status": "pending", "priority": "high"}),
        json!({"content": "y", "status": "completed", "priority": "low"}),
    ];
    let diffs = json!([{"file": "a.ts", "before": "a", "after": "b", "additions": 1, "deletions": 1}]);
    both.each(|storage| {
        storage.put_session(&info).unwrap();
        storage.put_message(&user(S, "msg_1", 1)).unwrap();
        storage.put_message(&user(S, "msg_2", 2)).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_2", "later")).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_1", "sooner")).unwrap();
        storage.put_part(&edit(S, "msg_2", "prt_3")).unwrap();
        storage.put_todos(S, &todos).unwrap();
        storage.put_diff(S, &diffs).unwrap();
    });

    info["summary"]["diffs"] =
        json!([{"file": "a.ts", "additions": 1, "deletions": 2, "status": "modified"}]);
    assert_eq!(both.same(|storage| storage.sessions().unwrap()), [info.clone()]);
    assert_eq!(both.same(|storage| storage.session(S).unwrap()), Some(info));
    assert_eq!(both.same(|storage| storage.projects().unwrap()), [project()]);
    let parts = [text(S, "msg_1", "prt_1", "sooner"), text(S, "msg_1", "prt_2", "later")];
    let wanted = vec![
        (user(S, "msg_1", 1).value().clone(), parts.iter().map(|part| part.value().clone()).collect()),
        (user(S, "msg_2", 2).value().clone(), vec![edit(S, "msg_2", "prt_3").value().clone()]),
    ];
    assert_eq!(both.same(|storage| whole(storage, S)), wanted);
    assert_eq!(
        both.same(|storage| storage.part(S, "msg_2", "prt_3").unwrap()),
        Some(edit(S, "msg_2", "prt_3"))
    );
    assert_eq!(both.same(|storage| storage.part(S, "msg_1", "prt_3").unwrap()), None);
    let mut kept = todos.to_vec();
    kept[0].as_object_mut().unwrap().remove("id");
    assert_eq!(both.same(|storage| storage.todos(S).unwrap()), kept);
    assert_eq!(both.same(|storage| storage.diff(S, Reading::Whole).unwrap()), Some(diffs));
    assert_eq!(
        both.same(|storage| storage.diff(S, Reading::Stripped).unwrap()),
        Some(json!([{"file": "a.ts", "additions": 1, "deletions": 1}]))
    );
    assert_eq!(both.same(|storage| storage.skipped().count), 0);
}

#[test]
fn what_is_put_again_replaces_and_loses_no_parts() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&user(S, "msg_1", 1)).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_1", "a")).unwrap();
        storage.put_todos(S, &[json!({"content": "x", "status": "pending", "priority": "high"})]).unwrap();

        storage.put_project(&project()).unwrap();
        storage.put_session(&session(S, None, 9)).unwrap();
        let mut again = user(S, "msg_1", 1).value().clone();
        again["agent"] = "plan".into();
        storage.put_message(&message(again)).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_1", "ab")).unwrap();
        storage.put_todos(S, &[]).unwrap();
    });
    assert_eq!(both.same(|storage| storage.session(S).unwrap()), Some(session(S, None, 9)));
    let found = both.same(|storage| whole(storage, S));
    assert_eq!((&found[0].0["agent"], &found[0].1[0]["text"]), (&json!("plan"), &json!("ab")));
    assert_eq!(both.same(|storage| storage.todos(S).unwrap()), Vec::<Value>::new());
}

#[test]
fn a_session_goes_to_another_project() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        let (mut other, mut moved) = (project(), session(S, None, 3));
        (other["id"], moved["projectID"]) = ("p2".into(), "p2".into());
        storage.put_project(&other).unwrap();
        storage.put_session(&moved).unwrap();
    });
    let sessions = both.same(|storage| storage.sessions().unwrap());
    assert_eq!((sessions.len(), &sessions[0]["projectID"]), (1, &json!("p2")));
}

#[test]
fn those_that_were_updated_last_come_first() {
    let mut both = Both::new();
    both.each(|storage| {
        for (id, parent, updated) in
            [("ses_b", None, 5), ("ses_a", None, 5), ("ses_c", Some("ses_a"), 9), ("ses_d", Some("ses_a"), 1)]
        {
            storage.put_session(&session(id, parent, updated)).unwrap();
        }
    });
    let order = |sessions: Vec<Value>| -> Vec<String> {
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(both.same(|storage| order(storage.sessions().unwrap())), ["ses_c", "ses_a", "ses_b", "ses_d"]);
    assert_eq!(both.same(|storage| order(storage.children("ses_a").unwrap())), ["ses_c", "ses_d"]);
}

/// Visits 2,000 messages by pages of 80.
fn visit(time: impl Fn(u64) -> i64) {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.begin().unwrap();
        for number in 0..2_000 {
            let message = id("msg", number);
            storage.put_message(&user(S, &message, time(number))).unwrap();
            storage.put_part(&text(S, &message, &id("prt", number), "x")).unwrap();
        }
        storage.commit().unwrap();
    });
    let pages = both.same(|storage| {
        let (mut before, mut pages, mut bytes) = (None, Vec::new(), 0);
        loop {
            let page = storage.page(S, before.as_ref(), 80, Reading::Stripped).unwrap();
            pages.push(ids(&page));
            assert!(pages.len() <= 25);
            bytes += page.row_bytes;
            assert!(page.entries.iter().all(|entry| entry.parts.len() == 1));
            let Some(cursor) = page.before else { break };
            assert_eq!(cursor.id, ids(&storage.page(S, before.as_ref(), 80, Reading::Whole).unwrap())[0]);
            before = Some(Cursor::from_text(&cursor.to_text()).unwrap());
        }
        // Rows of a page, and of no other.
        assert_eq!(bytes, storage.page(S, None, 0, Reading::Whole).unwrap().row_bytes);
        pages
    });
    assert_eq!(pages.len(), 25);
    let visited: Vec<_> = pages.into_iter().rev().flatten().collect();
    assert!(visited.into_iter().eq((0..2_000).map(|number| id("msg", number))));
}

#[test]
fn pages_visit_every_message_once() {
    visit(|number| 1_000 + number as i64);
}

#[test]
fn pages_visit_every_message_once_when_all_have_one_time() {
    visit(|_| 7);
}

#[test]
fn the_database_has_the_order_of_times_and_the_tree_of_ids() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&user(S, "msg_U", 1)).unwrap();
        storage.put_message(&user(S, "msg_A", 2)).unwrap();
    });
    let [tree, database] = both.storages.each_ref().map(|storage| {
        let newest = storage.page(S, None, 1, Reading::Whole).unwrap();
        let older = storage.page(S, newest.before.as_ref(), 1, Reading::Whole).unwrap();
        assert_eq!(older.before, None);
        [ids(&newest), ids(&older)].concat()
    });
    assert_eq!(
        (tree, database),
        (vec!["msg_U".into(), "msg_A".into()], vec!["msg_A".into(), "msg_U".into()])
    );
}

#[test]
fn a_page_tells_of_its_rows() {
    let mut both = Both::new();
    let long = text(S, "msg_1", "prt_2", &"y".repeat(100_000));
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&user(S, "msg_1", 1)).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_1", "x")).unwrap();
        storage.put_part(&long).unwrap();
        let page = storage.page(S, None, 80, Reading::Stripped).unwrap();
        assert!((100_000..101_000).contains(&page.largest_row_bytes), "{}", page.largest_row_bytes);
        assert!((100_100..102_000).contains(&page.row_bytes), "{}", page.row_bytes);
    });
}

#[test]
fn cursors_are_texts_that_only_the_storage_reads() {
    let cursor = Cursor { id: "msg_0a".to_owned(), time: -5 };
    assert_eq!(cursor.to_text(), "eyJpZCI6Im1zZ18wYSIsInRpbWUiOi01fQ");
    assert_eq!(Cursor::from_text(&cursor.to_text()).unwrap(), cursor);
    let hostile = Cursor { id: "../x".to_owned(), time: 0 }.to_text();
    assert!(matches!(Cursor::from_text(&hostile), Err(StorageError::BadId { .. })));
    for bad in ["", "e30", "not base64!", "eyJpZCI6Im1zZ18wYSIsInRpbWUiOi01fQ==", &"A".repeat(1_000)] {
        assert!(matches!(Cursor::from_text(bad), Err(StorageError::BadCursor(_))), "{bad}");
    }
}

#[test]
fn the_next_to_open_finds_what_was_put() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&user(S, "msg_1", 1)).unwrap();
    });
    let Both { folder, storages } = both;
    drop(storages);
    for storage in open(folder.path()) {
        assert_eq!(storage.sessions().unwrap(), [session(S, None, 2)]);
        assert_eq!(whole(&storage, S).len(), 1);
    }
    assert_eq!(fs::read_to_string(folder.path().join("tree/storage/migration")).unwrap(), "2");
}

#[test]
fn changes_are_made_at_once() {
    let mut both = Both::new();
    let [_, database] = &mut both.storages;
    database.put_session(&session(S, None, 2)).unwrap();
    database.begin().unwrap();
    for number in 0..5_000 {
        database.put_message(&user(S, &id("msg", number), 1)).unwrap();
    }
    let count = |both: &Both| {
        let path = both.folder.path().join("data/kilo.db");
        let other = rusqlite::Connection::open(path).unwrap();
        other.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(&both), 0);
    both.storages[1].commit().unwrap();
    assert_eq!(count(&both), 5_000);
}
