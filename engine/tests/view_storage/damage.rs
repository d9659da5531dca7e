//! What cannot be used: ids from outside, rows that are broken, files of others.

use std::fs;

use highwater_engine::view::storage::{Reading, Storage, StorageError};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BOTH, Both, S, ids, message, part, project, session, text, user, whole};

fn is_refused<T>(result: Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::BadId { .. }))
}

#[test]
fn ids_lead_nowhere_else() {
    let mut both = Both::new();
    both.each(|storage| storage.put_session(&session(S, None, 2)).unwrap());
    both.each(|storage| storage.put_message(&user(S, "msg_1", 1)).unwrap());
    fs::write(both.folder.path().join("tree/precious.json"), "{}").unwrap();
    let long = "a".repeat(65);
    for bad in
        ["", ".", "..", "../../precious", "/etc/passwd", "a/b", "a\\b", "a\0b", "a.b", "ä", "a b", &long]
    {
        both.each(|storage| {
            let with = |mut value: Value, key: &str| {
                value[key] = bad.into();
                value
            };
            assert!(is_refused(storage.put_project(&with(project(), "id"))), "{bad:?}");
            assert!(is_refused(storage.put_session(&with(session(S, None, 2), "id"))), "{bad:?}");
            assert!(is_refused(storage.put_session(&with(session(S, None, 2), "projectID"))), "{bad:?}");
            for key in ["id", "sessionID"].into_iter().filter(|_| !bad.is_empty()) {
                let value = with(user(S, "msg_1", 1).value().clone(), key);
                assert!(is_refused(storage.put_message(&message(value))), "{bad:?} {key}");
            }
            for key in ["id", "messageID", "sessionID"].into_iter().filter(|_| !bad.is_empty()) {
                let value = with(text(S, "msg_1", "prt_1", "x").value().clone(), key);
                assert!(is_refused(storage.put_part(&part(value))), "{bad:?} {key}");
            }
            assert!(is_refused(storage.put_todos(bad, &[])), "{bad:?}");
            assert!(is_refused(storage.put_diff(bad, &json!([]))), "{bad:?}");
            assert!(is_refused(storage.remove_session(bad)), "{bad:?}");
            assert!(is_refused(storage.remove_message(S, bad)), "{bad:?}");
            assert!(is_refused(storage.remove_message(bad, "msg_1")), "{bad:?}");
            assert!(is_refused(storage.remove_part(S, "msg_1", bad)), "{bad:?}");
            assert!(is_refused(storage.session(bad)), "{bad:?}");
            assert!(is_refused(storage.children(bad)), "{bad:?}");
            assert!(is_refused(storage.page(bad, None, 0, Reading::Whole)), "{bad:?}");
            assert!(is_refused(storage.part(S, "msg_1", bad)), "{bad:?}");
            assert!(is_refused(storage.part(S, bad, "prt_1")), "{bad:?}");
            assert!(is_refused(storage.todos(bad)), "{bad:?}");
            assert!(is_refused(storage.diff(bad, Reading::Whole)), "{bad:?}");
        });
    }
    assert_eq!(fs::read_to_string(both.folder.path().join("tree/precious.json")).unwrap(), "{}");
    assert_eq!(both.same(|storage| whole(storage, S).len()), 1);
    let refused = both.storages[0].session("../../precious").unwrap_err().to_string();
    assert!(refused.starts_with("\"../../precious\" cannot be the id of a session"), "{refused}");
}

#[test]
fn broken_rows_are_passed_over_and_named() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        for number in 1..=6 {
            storage.put_message(&user(S, &format!("msg_{number}"), number)).unwrap();
        }
        for number in 1..=3 {
            storage.put_part(&text(S, "msg_3", &format!("prt_{number}"), "x")).unwrap();
        }
    });
    let tree = both.tree_path();
    let broken =
        [("message", "msg_6", "{"), ("message", "msg_5", "[]"), ("message", "msg_1", "{\"role\": 5}")];
    let broken_parts = [("part", "prt_1", "{}"), ("part", "prt_3", "\u{1}")];
    for (table, id, data) in broken.into_iter().chain(broken_parts) {
        let of = if table == "message" { S } else { "msg_3" };
        fs::write(tree.join(format!("{table}/{of}/{id}.json")), data).unwrap();
        both.sql(&format!("UPDATE {table} SET data = '{data}' WHERE id = '{id}'"));
    }
    fs::write(tree.join("message/ses_1/msg_7.tmp"), "{\"role\"").unwrap();
    both.sql("INSERT INTO message VALUES ('../7', 'ses_1', 7, 7, '{}')");
    both.sql("UPDATE message SET data = 5 WHERE id = 'msg_5'");

    for reading in BOTH {
        let pages = both.same(|storage| {
            let (mut before, mut pages) = (None, Vec::new());
            loop {
                let page = storage.page(S, before.as_ref(), 1, reading).unwrap();
                let parts = page.entries.iter().map(|entry| entry.parts.len()).sum::<usize>();
                pages.push((ids(&page), parts));
                assert!(pages.len() <= 4);
                before = page.before;
                if before.is_none() {
                    return pages;
                }
            }
        });
        let page = |id: &str, parts| (vec![id.to_owned()], parts);
        assert_eq!(pages, [page("msg_4", 0), page("msg_3", 1), page("msg_2", 0), (vec![], 0)]);
    }
    let named = |at: usize| {
        let mut names: Vec<_> =
            both.storages[at].skipped().first.into_iter().map(|passed| passed.name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        named(0),
        [
            "message/ses_1/msg_1.json",
            "message/ses_1/msg_5.json",
            "message/ses_1/msg_6.json",
            "message/ses_1/msg_7.tmp",
            "part/msg_3/prt_1.json",
            "part/msg_3/prt_3.json",
        ]
    );
    assert_eq!(
        named(1),
        ["message ../7", "message msg_1", "message msg_5", "message msg_6", "part prt_1", "part prt_3"]
    );
    // Twice each, for everything was read twice.
    assert_eq!(both.storages[1].skipped().count, 12);
}

#[test]
fn what_belongs_to_nothing_is_not_shown() {
    let both = Both::new();
    let root = both.tree_path();
    let put = |name: &str, value: Value| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    };
    put("session/p2/ses_2.json", session("ses_2", None, 2));
    put("message/ses_2/msg_2.json", user("ses_2", "msg_2", 1).value().clone());
    put("session/p1/ses_1.json", json!({"title": 5, "share": null, "time": {"created": 3.0}}));
    put("part/msg_9/prt_9.json", text(S, "msg_9", "prt_9", "x").value().clone());
    put("todo/ses_1.json", json!([{"content": "x", "status": "pending"}, 5]));
    let tree = &both.storages[0];
    // What must not be missing is filled in.
    assert_eq!(
        tree.sessions().unwrap(),
        [json!({
            "id": "ses_1", "projectID": "p1", "slug": "", "directory": "", "title": "", "version": "",
            "time": {"created": 3, "updated": 0},
        })]
    );
    assert_eq!(tree.session("ses_2").unwrap(), None);
    assert!(whole(tree, "ses_2").is_empty());
    assert_eq!(tree.part(S, "msg_9", "prt_9").unwrap(), None);
    assert_eq!(tree.todos(S).unwrap(), Vec::<Value>::new());
    assert_eq!(tree.skipped().count, 3);
    assert_eq!(tree.skipped().first[0].name, "session/p2/ses_2.json");
    assert_eq!(tree.skipped().first[0].why, "its project is not there");
}

#[test]
fn lone_surrogates_are_read() {
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&user(S, "msg_1", 1)).unwrap();
        storage.put_part(&text(S, "msg_1", "prt_1", "x")).unwrap();
    });
    let data = r#"{"type": "text", "text": "cut \ud83d"}"#;
    fs::write(both.tree_path().join("part/msg_1/prt_1.json"), data).unwrap();
    both.sql(&format!("UPDATE part SET data = '{data}'"));
    let found = both.same(|storage| storage.part(S, "msg_1", "prt_1").unwrap()).unwrap();
    assert_eq!(found.value()["text"], "cut \u{fffd}");
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.db");
    let database = |sql: &str| {
        let _ = fs::remove_file(&path);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    };
    let refused = |why: &str| {
        let before = fs::read(&path).unwrap();
        let error = Storage::database(&path).unwrap_err();
        assert!(matches!(error, StorageError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    };
    fs::write(&path, "notes").unwrap();
    refused("does not begin as one of SQLite");
    database("CREATE TABLE notes (text)");
    refused("no such table: project");
    let tables = "CREATE TABLE session (id PRIMARY KEY, slug);
        CREATE TABLE message (id PRIMARY KEY, session_id, time_created, time_updated, data);
        CREATE TABLE part (id PRIMARY KEY, message_id, session_id, time_created, time_updated, data);
        CREATE TABLE todo (session_id, content, status, priority, position, time_created, time_updated);
        CREATE TABLE project (id PRIMARY KEY, worktree, time_created, time_updated, sandboxes);";
    database(tables);
    refused("session has no column project_id");
    database(&format!("PRAGMA encoding = 'UTF-16le'; {tables}"));
    refused("its texts are UTF-16le");
    assert!(matches!(Storage::database(folder.path()), Err(StorageError::Io { .. })));
}

#[test]
fn columns_of_later_versions_stay_and_of_earlier_ones_are_done_without() {
    let mut both = Both::new();
    both.each(|storage| storage.put_session(&session(S, None, 2)).unwrap());
    both.sql(
        "ALTER TABLE session ADD COLUMN mood TEXT; UPDATE session SET mood = 'calm', model = 'plain', cost = 0;
         ALTER TABLE session DROP COLUMN tokens; CREATE TABLE event (id TEXT, data TEXT);
         ALTER TABLE message ADD COLUMN seq INTEGER;",
    );
    let Both { folder, storages } = both;
    drop(storages);
    let mut database = Storage::database(&folder.path().join("data/kilo.db")).unwrap();
    let mut info = database.session(S).unwrap().unwrap();
    assert_eq!((&info["model"], &info["cost"]), (&json!("plain"), &json!(0)));
    info["title"] = "Again".into();
    info["tokens"] = json!({"input": 1});
    database.put_session(&info).unwrap();
    database.put_message(&user(S, "msg_1", 1)).unwrap();
    assert_eq!(database.skipped().first[0].name, "tokens of sessions");
    info.as_object_mut().unwrap().remove("tokens");
    assert_eq!(database.session(S).unwrap(), Some(info));
    let connection = rusqlite::Connection::open(folder.path().join("data/kilo.db")).unwrap();
    let mood: String = connection.query_row("SELECT mood FROM session", [], |row| row.get(0)).unwrap();
    assert_eq!(mood, "calm");
}

#[test]
fn a_column_that_must_hold_something_holds_nothing_of_its_kind() {
    let both = Both::new();
    both.sql(
        "ALTER TABLE session DROP COLUMN cost; ALTER TABLE session ADD COLUMN cost REAL NOT NULL DEFAULT 0;
         ALTER TABLE session DROP COLUMN agent; ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT 'x';",
    );
    let Both { folder, storages } = both;
    drop(storages);
    let mut database = Storage::database(&folder.path().join("data/kilo.db")).unwrap();
    let mut info = session(S, None, 2);
    database.put_session(&info).unwrap();
    (info["cost"], info["agent"]) = (0.into(), "".into());
    assert_eq!(database.session(S).unwrap(), Some(info));
}
