//! What was stored, read back by walks of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::*;

/// Files of a folder by name, without their ending.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(name).map(|name| name.replace(".json", "")).collect();
    names.sort();
    names
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn digest_of_tree(storage: &Path, session: &str) -> String {
    let mut digester = Digester::default();
    let folder = storage.join("message").join(session);
    for message in names(&folder) {
        digester.message(&read(&folder.join(format!("{message}.json"))));
        let folder = storage.join("part").join(&message);
        for part in names(&folder) {
            digester.part(&read(&folder.join(format!("{part}.json"))));
        }
    }
    digester.finish()
}

fn digest_of_database(connection: &Connection, session: &str) -> String {
    let rows = |sql: &str, of: &str| -> Vec<(String, Value)> {
        let mut statement = connection.prepare(sql).unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
        let rows = statement.query_map([of], row).unwrap();
        rows.map(|row| row.unwrap()).map(|(id, data)| (id, serde_json::from_str(&data).unwrap())).collect()
    };
    let mut digester = Digester::default();
    for (id, mut info) in
        rows("select id, data from message where session_id = ? order by time_created, id", session)
    {
        assert!(info["id"].is_null() && info["sessionID"].is_null());
        info["id"] = Value::from(&*id);
        info["sessionID"] = Value::from(session);
        digester.message(&info);
        for (part, mut value) in rows("select id, data from part where message_id = ? order by id", &id) {
            assert!(value["id"].is_null() && value["messageID"].is_null() && value["sessionID"].is_null());
            value["id"] = Value::from(part);
            value["messageID"] = Value::from(&*id);
            value["sessionID"] = Value::from(session);
            digester.part(&value);
        }
    }
    digester.finish()
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { bytes_below(&path) } else { fs::metadata(&path).unwrap().len() })
        .sum()
}

#[test]
fn a_tree_and_a_database_hold_the_same_sessions() {
    let (plan, folder) = (small(2), tempfile::tempdir().unwrap());
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let (tree, database) =
        (write_tree(&old, &plan).unwrap(), write_database(&new.join("kilo.db"), &plan).unwrap());
    assert_eq!(tree.sessions, database.sessions);
    assert_eq!((tree.bytes, database.bytes), (bytes_below(&old), bytes_below(&new)));
    assert!(tree.sessions.len() > 3, "with those of tasks");
    let connection = Connection::open(new.join("kilo.db")).unwrap();
    let storage = old.join("storage");
    for session in &tree.sessions {
        assert_eq!(session.digest, digest_of_tree(&storage, &session.id));
        assert_eq!(session.digest, digest_of_database(&connection, &session.id));
        let diff = format!("session_diff/{}.json", session.id);
        assert_eq!(storage.join(&diff).exists(), new.join("storage").join(&diff).exists());
    }
    let broken: i64 =
        connection.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(broken, 0);
    let todos: i64 = connection.query_row("select count(*) from todo", [], |row| row.get(0)).unwrap();
    assert!(todos > 0);
    assert_eq!(fs::read_to_string(storage.join("migration")).unwrap(), "2");
}

/// The last state of everything that was told.
#[derive(Default)]
struct Told {
    sessions: BTreeMap<String, Value>,
    messages: BTreeMap<String, Value>,
    parts: BTreeMap<String, Value>,
    todos: BTreeMap<String, Value>,
    diffs: BTreeMap<String, Vec<FileState>>,
}

fn told(script: Script) -> Told {
    let mut told = Told::default();
    for Step { act, .. } in script {
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        match act {
            Act::Session(value) => drop(told.sessions.insert(id(&value), value)),
            Act::Message(value) => drop(told.messages.insert(id(&value), value)),
            Act::Part(value) => drop(told.parts.insert(id(&value), value)),
            Act::RemoveMessage { message, .. } => drop(told.messages.remove(&message)),
            Act::RemovePart { part, .. } => drop(told.parts.remove(&part)),
            Act::Todos { session, todos } => drop(told.todos.insert(session, todos)),
            Act::Diff { session, files } => drop(told.diffs.insert(session, files)),
            _ => {}
        }
    }
    told
}

#[test]
fn what_is_stored_is_the_last_state_of_what_is_told() {
    for number in 0..3 {
        let plan = Plan { turns: 150, calls: 300, ..small(11) };
        assert!(Script::of(&plan, number).any(|step| matches!(step.act, Act::RemoveMessage { .. })));
        let (live, stored) = (told(Script::of(&plan, number)), told(Script::stored(&plan, number)));
        assert_eq!(live.messages, stored.messages);
        assert_eq!(live.parts, stored.parts);
        assert_eq!((live.todos, live.diffs), (stored.todos, stored.diffs));
        assert_eq!(live.sessions.keys().collect::<Vec<_>>(), stored.sessions.keys().collect::<Vec<_>>());
        assert!(live.parts.len() > 400 && live.sessions.len() > 1);
    }
}

#[test]
fn json_is_written_with_its_keys_by_name() {
    let value: Value = serde_json::from_str(r#"{"b":1,"a":{"d":2,"c":3}}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":{"c":3,"d":2},"b":1}"#, "digests depend on it");
}
