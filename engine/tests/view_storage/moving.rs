//! Removing, and taking over from one layout into the other.

use std::fs;
use std::path::{Path, PathBuf};

use highwater_engine::view::storage::{Database, Imported, Reading, Storage, StorageError, Tree, import};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BOTH, Both, S, edit, project, session, shown, text, user, whole};

/// A session with one of everything.
fn put_all(storage: &mut Storage, id: &str, parent: Option<&str>) {
    let message = format!("msg_{id}");
    storage.put_session(&session(id, parent, 2)).unwrap();
    storage.put_message(&user(id, &message, 1)).unwrap();
    storage.put_part(&edit(id, &message, &format!("prt_{id}"))).unwrap();
    storage.put_todos(id, &[json!({"content": "x", "status": "pending", "priority": "high"})]).unwrap();
    storage.put_diff(id, &json!([])).unwrap();
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_session_goes_with_its_children_and_all_that_is_theirs() {
    let mut both = Both::new();
    both.each(|storage| {
        put_all(storage, "other", None);
    });
    let before = files(&both.tree_path());
    both.each(|storage| {
        for (id, parent) in [("top", None), ("mid", Some("top")), ("low", Some("mid")), ("bot", Some("low"))]
        {
            put_all(storage, id, parent);
        }
        // Two that are each other's child.
        storage.put_session(&session("top", Some("low"), 2)).unwrap();
        assert_eq!(storage.remove_session("mid").unwrap(), ["mid", "bot", "low", "top"]);
        assert_eq!(storage.remove_session("mid").unwrap(), Vec::<String>::new());
    });
    assert_eq!(files(&both.tree_path()), before);
    assert_eq!(both.same(|storage| storage.sessions().unwrap()), [session("other", None, 2)]);
    assert_eq!(both.same(|storage| whole(storage, "other")).len(), 1);
    assert_eq!(both.same(|storage| whole(storage, "mid")).len(), 0);
    assert!(!both.folder.path().join("data/storage/session_diff/mid.json").exists());
    let connection = rusqlite::Connection::open(both.folder.path().join("data/kilo.db")).unwrap();
    for table in ["session", "message", "part", "todo"] {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "{table}");
    }
}

#[test]
fn messages_and_parts_go() {
    let mut both = Both::new();
    both.each(|storage| {
        put_all(storage, S, None);
        storage.put_message(&user(S, "msg_2", 2)).unwrap();
        storage.put_part(&text(S, "msg_2", "prt_2", "x")).unwrap();
        storage.put_part(&text(S, "msg_2", "prt_3", "x")).unwrap();
        put_all(storage, "other", None);
        // Only of the session and message that are named.
        assert!(!storage.remove_part(S, "msg_ses_1", "prt_2").unwrap());
        assert!(!storage.remove_message("other", "msg_2").unwrap());
        assert!(storage.remove_part(S, "msg_2", "prt_2").unwrap());
        assert!(!storage.remove_part(S, "msg_2", "prt_2").unwrap());
        assert!(storage.remove_message(S, "msg_ses_1").unwrap());
        assert!(!storage.remove_message(S, "msg_ses_1").unwrap());
    });
    let left = (user(S, "msg_2", 2).value().clone(), vec![text(S, "msg_2", "prt_3", "x").value().clone()]);
    assert_eq!(both.same(|storage| whole(storage, S)), [left]);
    assert!(!both.tree_path().join("part/msg_ses_1").exists());
}

#[test]
fn nothing_is_put_where_what_it_belongs_to_is_gone() {
    let mut both = Both::new();
    both.each(|storage| {
        put_all(storage, S, None);
        storage.remove_message(S, "msg_ses_1").unwrap();
        let late = storage.put_part(&edit(S, "msg_ses_1", "prt_ses_1")).unwrap_err();
        assert!(
            matches!(&late, StorageError::Missing { what: "message", id } if id == "msg_ses_1"),
            "{late}"
        );
        storage.remove_session(S).unwrap();
        let todos = [json!({"content": "x", "status": "pending", "priority": "high"})];
        for late in [
            storage.put_message(&user(S, "msg_2", 2)),
            storage.put_todos(S, &todos),
            storage.put_diff(S, &json!([])),
        ] {
            let late = late.unwrap_err();
            assert!(matches!(&late, StorageError::Missing { what: "session", id } if id == S), "{late}");
        }
        let mut homeless = session(S, None, 2);
        homeless["projectID"] = "p9".into();
        let late = storage.put_session(&homeless).unwrap_err();
        assert!(matches!(&late, StorageError::Missing { what: "project", id } if id == "p9"), "{late}");
    });
    assert_eq!(both.same(|storage| storage.sessions().unwrap()), Vec::<Value>::new());
    assert_eq!(both.same(|storage| storage.todos(S).unwrap()), Vec::<Value>::new());
}

#[test]
fn in_a_database_an_id_belongs_to_one() {
    let mut both = Both::new();
    let [_, database] = &mut both.storages;
    put_all(database, "a", None);
    put_all(database, "b", None);
    let taken = database.put_message(&user("b", "msg_a", 1)).unwrap_err();
    assert!(matches!(taken, StorageError::Taken { what: "message", of: "session", .. }), "{taken}");
    let taken = database.put_part(&text("b", "msg_b", "prt_a", "x")).unwrap_err();
    assert!(matches!(taken, StorageError::Taken { what: "part", of: "message", .. }), "{taken}");
    assert_eq!(whole(database, "a")[0].1, [edit("a", "msg_a", "prt_a").value().clone()]);
}

fn put_raw(root: &Path, name: &str, value: &Value) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn an_import_takes_what_belongs_together() {
    let folder = TempDir::new().unwrap();
    let mut tree = Storage::tree(folder.path()).unwrap();
    tree.put_project(&project()).unwrap();
    put_all(&mut tree, "ses_a", None);
    put_all(&mut tree, "ses_b", Some("ses_a"));
    let mut odd = session("ses_b", Some("ses_a"), 2);
    odd["mood"] = "calm".into();
    tree.put_session(&odd).unwrap();

    let root = folder.path().join("storage");
    // Ids inside are wrong: those of the paths count.
    let mut stray = user("elsewhere", "msg_wrong", 5).value().clone();
    put_raw(&root, "message/ses_a/msg_z.json", &stray);
    put_raw(&root, "session/p2/ses_c.json", &session("ses_c", None, 2));
    stray["sessionID"] = "ses_c".into();
    put_raw(&root, "message/ses_c/msg_c.json", &stray);
    put_raw(&root, "part/msg_c/prt_c.json", text("ses_c", "msg_c", "prt_c", "x").value());
    put_raw(&root, "part/msg_gone/prt_g.json", text("ses_a", "msg_gone", "prt_g", "x").value());
    put_raw(
        &root,
        "todo/ses_b.json",
        &json!([
            {"content": "x", "status": "pending"}, {"content": "y", "status": "pending", "priority": "low"},
        ]),
    );
    put_raw(&root, "session_diff/ses_c.json", &json!([]));
    put_raw(&root, "permission/p1.json", &json!([]));
    fs::write(root.join("message/ses_a/msg_y.json"), "{\"role\": \"us").unwrap();
    drop(tree);

    let tree = Tree::open(folder.path()).unwrap();
    let mut database = Database::open(&folder.path().join("kilo.db")).unwrap();
    let done = import(&tree, &mut database).unwrap();
    let Imported { projects, sessions, messages, parts, todos, diffs, skipped } = done.clone();
    assert_eq!((projects, sessions, messages, parts, todos, diffs), (1, 2, 3, 2, 2, 2));
    let mut names: Vec<_> = skipped.first.iter().map(|passed| passed.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "message/ses_a/msg_y.json",
            "message/ses_c/msg_c.json",
            "mood of sessions",
            "part/msg_c/prt_c.json",
            "part/msg_gone/prt_g.json",
            "permission/p1.json",
            "session/p2/ses_c.json",
            "session_diff/ses_c.json",
            "todo/ses_b.json",
        ]
    );
    assert_eq!(skipped.count, 9);
    // Again, it is the same.
    assert_eq!(import(&tree, &mut database).unwrap(), done);

    let (tree, database) = (Storage::Tree(tree), Storage::Database(Box::new(database)));
    assert_eq!(database.skipped().count, 0);
    assert_eq!(tree.projects().unwrap(), database.projects().unwrap());
    let mut sessions = tree.sessions().unwrap();
    sessions.iter_mut().for_each(|session| _ = session.as_object_mut().unwrap().remove("mood"));
    assert_eq!(sessions, database.sessions().unwrap());
    for session in ["ses_a", "ses_b", "ses_c"] {
        for reading in BOTH {
            let page = |storage: &Storage| shown(&storage.page(session, None, 80, reading).unwrap());
            assert_eq!(page(&tree), page(&database));
        }
        assert_eq!(tree.todos(session).unwrap(), database.todos(session).unwrap());
        assert_eq!(
            tree.diff(session, Reading::Whole).unwrap(),
            database.diff(session, Reading::Whole).unwrap()
        );
    }
    let last = whole(&database, "ses_a").pop().unwrap().0;
    assert_eq!((&last["id"], &last["sessionID"]), (&json!("msg_z"), &json!("ses_a")));
}
