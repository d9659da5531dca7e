//! The databases of OpenCode and Kilo.

use std::fs;
use std::path::Path;

use highwater_engine::sync::cache::fragment;
use highwater_engine::sync::fingerprint::NO_STATE;
use highwater_engine::sync::frame::{FrameReader, FrameWriter, Kind};
use highwater_engine::sync::protocol::{Done, Job};
use highwater_engine::sync::strategy::{BOUNDED, CacheKind, Strategy};
use highwater_engine::sync::worker;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::tree::{Messages, conversation, requests};
use crate::{Home, Reading, check};

const OPENCODE: &str = ".local/share/opencode/opencode.db";
const KILO: &str = ".local/share/kilo/kilo.db";
const TABLES: &str = "
    CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT, time_created INTEGER, time_updated INTEGER);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, data TEXT);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, data TEXT);
    CREATE INDEX message_session_idx ON message (session_id);
    CREATE INDEX part_message_idx ON part (message_id, id);";

fn make(path: &Path, tables: &str) -> Connection {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(tables).unwrap();
    connection
}

fn put(connection: &Connection, session: &str, messages: &Messages) {
    let sql = "INSERT INTO session VALUES (?1, '/w/own', 5, 6)";
    connection.execute(sql, [session]).unwrap();
    for (at, (message, parts)) in messages.iter().enumerate() {
        let id = format!("msg_{at:02x}");
        let of = format!("{session}/{id}");
        // As ids do, where a test compares them.
        let id = if session == "ses_a" { id } else { of };
        let sql = "INSERT INTO message VALUES (?1, ?2, ?3)";
        connection.execute(sql, params![id, session, message.to_string()]).unwrap();
        for (number, part) in parts.iter().enumerate() {
            let sql = "INSERT INTO part VALUES (?1, ?2, ?3)";
            let part_id = format!("{session}/prt_{at:02x}_{number:02x}");
            connection.execute(sql, params![part_id, id, part.to_string()]).unwrap();
        }
    }
}

fn ask(text: &str) -> Messages {
    vec![(json!({"role": "user"}), vec![json!({"type": "text", "text": text})])]
}

fn ids(reading: &Reading) -> Vec<&str> {
    reading.sessions.iter().map(|session| &*session.head.id).collect()
}

#[track_caller]
fn expect_refused(home: &Home, path: &str, why: &str) {
    let reading = home.read();
    assert_eq!((reading.sessions.len(), reading.skipped.files, reading.skipped.lines), (0, 1, 0), "{why}");
    let (named, reason) = &reading.skipped.named[0];
    assert_eq!(&**named, path);
    assert!(reason.contains(why), "{reason}");
}

#[test]
fn messages_and_parts_become_requests() {
    let home = Home::new();
    let connection = make(&home.path(OPENCODE), TABLES);
    put(&connection, "ses_a", &conversation());
    let kilo = make(&home.path(KILO), TABLES);
    put(&kilo, "ses_c", &ask("kilo"));
    put(&kilo, "ses_b", &ask("kilo"));
    let reading = home.read();
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{:?}", reading.skipped);
    assert_eq!(ids(&reading), ["ses_a", "ses_b", "ses_c"]);
    let head = &reading.sessions[0].head;
    assert_eq!((&*head.harness, &*head.name, &*head.workspace), ("OpenCode", "own", OPENCODE));
    assert_eq!((head.created, head.last), (5, 6));
    check("a conversation", &reading.sessions[0].requests, &requests());
    let head = &reading.sessions[1].head;
    assert_eq!((&*head.harness, &*head.workspace), ("Kilo", KILO));
}

#[test]
fn rows_are_in_the_order_of_the_bytes_of_their_ids() {
    let home = Home::new();
    let connection = make(&home.path(KILO), &TABLES.replace("id TEXT PRIMARY KEY", "id TEXT COLLATE NOCASE"));
    for session in ["b", "C", "a"] {
        connection
            .execute("INSERT INTO session VALUES (?1, NULL, '1970-01-01T00:00:01Z', NULL)", [session])
            .unwrap();
        for message in ["y", "Z", "x"] {
            let row = params![format!("{message}{session}"), session, r#"{"role":"user"}"#];
            connection.execute("INSERT INTO message VALUES (?1, ?2, ?3)", row).unwrap();
            for part in ["q", "R", "p"] {
                let data = json!({"type": "text", "text": part}).to_string();
                let row = params![format!("{part}{message}{session}"), format!("{message}{session}"), data];
                connection.execute("INSERT INTO part VALUES (?1, ?2, ?3)", row).unwrap();
            }
        }
    }
    let reading = home.read();
    assert_eq!(ids(&reading), ["C", "a", "b"]);
    let expected = json!([{"id": "ZC", "message": "R\np\nq"}, {"id": "xC"}, {"id": "yC"}]);
    check("ids", &reading.sessions[0].requests, &expected);
    let head = &reading.sessions[0].head;
    assert_eq!((&*head.name, head.created, head.last), ("unknown", 1000, 0));
}

#[test]
fn rows_that_cannot_be_used_are_counted() {
    let home = Home::new();
    let connection = make(&home.path(OPENCODE), TABLES);
    put(&connection, "ses_a", &conversation());
    let rows = "INSERT INTO session VALUES (NULL, '', 1, 1), (x'ff', '', 1, 1);
        INSERT INTO message VALUES ('msg_01a', 'ses_a', '17'), ('msg_01b', 'ses_a', '{\"role\":'),
            ('msg_01c', 'ses_a', NULL), ('msg_01d', 'ses_a', ''), (NULL, 'ses_a', '{\"role\":\"user\"}');
        INSERT INTO part VALUES ('p1', 'msg_01', '{\"type\":\"text\",\"text\":\"'), ('p2', 'msg_03', '[]'),
            ('p3', 'msg_01a', 'not read'), ('p4', 'msg_01', NULL), ('p5', 'other', 'not read'), (NULL, 'msg_02', '{}');";
    connection.execute_batch(rows).unwrap();
    let reading = home.read();
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 11), "{:?}", reading.skipped);
    assert_eq!(ids(&reading), ["ses_a"]);
    check("the rest", &reading.sessions[0].requests, &requests());
    assert_eq!(&*reading.skipped.named[0].0, OPENCODE);
}

#[test]
fn long_values_are_read_as_streams() {
    let home = Home::new();
    let connection = make(&home.path(OPENCODE), TABLES);
    let output = "0123456789abcdef\n".repeat(1 << 16);
    let tool =
        json!({"type": "tool", "tool": "bash", "state": {"output": output, "input": {"command": "c"}}});
    let mut messages = ask(&output);
    messages.push((json!({"role": "assistant"}), vec![tool]));
    put(&connection, "ses_a", &messages);
    let expected = json!([{"message_units": output.len(), "commands": ["c"], "tools": [["bash", 1]]}]);
    check("a megabyte", &home.read().sessions[0].requests, &expected);
}

#[test]
fn what_stands_in_the_journal_alone_is_read_and_nothing_is_changed() {
    let made = Home::new();
    let from = made.path("made.db");
    let connection = make(&from, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;");
    connection.execute_batch(TABLES).unwrap();
    put(&connection, "ses_a", &conversation());
    let (file, journal) = (fs::read(&from).unwrap(), fs::read(made.path("made.db-wal")).unwrap());
    assert!(journal.len() > 10_000 && file.len() <= 4096, "{} {}", journal.len(), file.len());
    let home = Home::new().with(OPENCODE, &file).with(&format!("{OPENCODE}-wal"), &journal);
    for _ in 0..2 {
        check("from the journal", &home.read().sessions[0].requests, &requests());
        assert!(fs::read(home.path(OPENCODE)).unwrap() == file, "the database was changed");
        assert!(
            fs::read(home.path(&format!("{OPENCODE}-wal"))).unwrap() == journal,
            "the journal was changed"
        );
    }
}

#[test]
fn a_database_that_nobody_has_open_is_left_alone() {
    for mode in ["WAL", "DELETE"] {
        let home = Home::new();
        let folder = home.path(".local/share/op%en?co#de d");
        let connection = make(&folder.join("kilo.db"), &format!("PRAGMA journal_mode = {mode}; {TABLES}"));
        put(&connection, "ses_a", &conversation());
        drop(connection);
        // Nothing can be made in the folder, whoever tries; its name has all that means something in an address.
        let kilo = home.path(".local/share/kilo");
        fs::rename(&folder, &kilo).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&kilo, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        check(mode, &home.read().sessions[0].requests, &requests());
        let names: Vec<_> = fs::read_dir(&kilo).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kilo.db"], "{mode}");
        #[cfg(unix)]
        fs::set_permissions(&kilo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_home_with_any_name_is_read() {
    let home = Home::new();
    let strange = home.path("a%20b?c#d é");
    let connection = make(&strange.join(KILO), &format!("PRAGMA journal_mode = WAL; {TABLES}"));
    put(&connection, "ses_a", &conversation());
    drop(connection);
    check("strange", &crate::read(&strange).sessions[0].requests, &requests());
}

#[test]
fn a_locked_database_is_refused_until_it_is_free() {
    let home = Home::new();
    let connection = make(&home.path(KILO), TABLES);
    put(&connection, "ses_a", &conversation());
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    expect_refused(&home, KILO, "locked");
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(home.read().sessions.len(), 1);
}

#[test]
fn what_is_no_database_of_sessions_is_refused() {
    expect_refused(&Home::new().with(KILO, ""), KILO, "no database of SQLite");
    expect_refused(&Home::new().with(KILO, "SQLite format 2"), KILO, "no database of SQLite");
    let cut = [b"SQLite format 3\0".as_slice(), &[0; 200]].concat();
    expect_refused(&Home::new().with(KILO, cut), KILO, "not a database");
    for (tables, why) in [
        ("CREATE TABLE other (id)".to_owned(), "no such table: session"),
        (TABLES.replace("TABLE part", "TABLE parts").replace("ON part", "ON parts"), "no such table: part"),
        (TABLES.replace("directory TEXT, ", ""), "no such column: directory"),
        (
            TABLES.replace("session_id TEXT NOT NULL, data TEXT", "session_id TEXT NOT NULL"),
            "no such column: data",
        ),
        (format!("PRAGMA encoding = 'UTF-16'; {TABLES}"), "UTF-16"),
    ] {
        let home = Home::new();
        drop(make(&home.path(OPENCODE), &tables));
        expect_refused(&home, OPENCODE, why);
    }
}

#[test]
fn a_journal_or_a_folder_of_a_database_s_name_is_no_database() {
    let session = "{\"directory\":\"/w/own\"}";
    let storage = ".local/share/opencode/storage";
    for path in [format!("{OPENCODE}-wal"), format!("{OPENCODE}/inside")] {
        let home = Home::new()
            .with(&path, "what a crash left")
            .with(&format!("{KILO}-shm"), "")
            .with(&format!("{storage}/session/p/ses_a.json"), session)
            .with(&format!("{storage}/message/ses_a/msg_1.json"), "{\"role\":\"user\"}");
        let reading = home.read();
        assert_eq!((ids(&reading), reading.skipped.files), (vec!["ses_a"], 0), "{path}");
        assert_eq!(&*reading.sessions[0].head.workspace, format!("{storage}/session/p"));
    }
}

#[test]
fn sessions_beside_a_damaged_one_are_kept() {
    let home = Home::new();
    let connection = make(&home.path(KILO), TABLES);
    for session in ["ses_b", "ses_c", "ses_d"] {
        put(&connection, session, &ask(&format!("{session} long ").repeat(10_000)));
    }
    drop(connection);
    let mut bytes = fs::read(home.path(KILO)).unwrap();
    // The last page that only the text of the one in the middle fills leads to the next one in its first bytes.
    let is_middle =
        |page: &[u8]| page.windows(12).filter(|window| window.starts_with(b"ses_c long")).count() > 300;
    let page = (0..bytes.len() / 4096).rfind(|page| is_middle(&bytes[page * 4096..][..4096])).unwrap();
    bytes[(page - 3) * 4096..][..4].copy_from_slice(&[0xFF; 4]);
    home.put(KILO, bytes);
    let reading = home.read();
    assert_eq!(ids(&reading), ["ses_b", "ses_d"]);
    assert_eq!((reading.skipped.files, reading.skipped.lines), (1, 0));
    let (path, why) = &reading.skipped.named[0];
    assert_eq!(&**path, KILO);
    assert!(
        why.contains("1 of its sessions") && why.contains("session ses_c") && why.contains("malformed"),
        "{why}"
    );
}

#[test]
fn sessions_before_a_damaged_list_are_kept() {
    let home = Home::new();
    let connection =
        make(&home.path(KILO), &TABLES.replace("id TEXT PRIMARY KEY, directory", "id, directory"));
    connection
        .execute_batch(
            "DROP TABLE session; CREATE TABLE session
        (id TEXT PRIMARY KEY, directory TEXT, time_created INTEGER, time_updated INTEGER) ",
        )
        .unwrap();
    for number in 0..100 {
        let session = format!("ses_{number:03}");
        put(&connection, &session, &ask("a"));
        let sql = "UPDATE session SET directory = ?1 WHERE id = ?2";
        connection.execute(sql, [&"/d".repeat(700), &session]).unwrap();
    }
    let root: i64 = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'session'", [], |row| row.get(0))
        .unwrap();
    drop(connection);
    let mut bytes = fs::read(home.path(KILO)).unwrap();
    let at = usize::try_from(root - 1).unwrap() * 4096;
    assert_eq!(bytes[at], 5, "the root is a page that leads to others");
    // Of its cells, each the number of a page, one in the middle is made to lead nowhere.
    let cells = usize::from(u16::from_be_bytes([bytes[at + 3], bytes[at + 4]]));
    let place = at + 12 + cells / 2 * 2;
    let cell = at + usize::from(u16::from_be_bytes([bytes[place], bytes[place + 1]]));
    bytes[cell..][..4].copy_from_slice(&[0xFF; 4]);
    home.put(KILO, bytes);
    let reading = home.read();
    let count = reading.sessions.len();
    assert!((10..90).contains(&count), "{count}");
    assert_eq!(ids(&reading)[count - 1], format!("ses_{:03}", count - 1));
    assert_eq!(reading.skipped.files, 1);
    assert!(reading.skipped.named[0].1.contains("to the end"), "{:?}", reading.skipped);
}

#[test]
fn a_value_that_is_bytes_is_read_as_text() {
    let home = Home::new();
    let connection = make(&home.path(KILO), TABLES);
    put(&connection, "ses_a", &ask("a"));
    let half: Value = json!({"role": "user"});
    let sql = "INSERT INTO message VALUES ('msg_1', 'ses_a', CAST(?1 AS BLOB))";
    connection.execute(sql, [half.to_string()]).unwrap();
    check("bytes", &home.read().sessions[0].requests, &json!([{"message": "a"}, {"id": "msg_1"}]));
}

#[test]
fn views_are_no_tables_and_long_ids_are_counted() {
    let home = Home::new();
    let connection = make(&home.path(KILO), TABLES);
    put(&connection, "ses_a", &ask("a"));
    put(&connection, &"s".repeat(1025), &ask("long"));
    let reading = home.read();
    assert_eq!((ids(&reading), reading.skipped.lines), (vec!["ses_a"], 1), "{:?}", reading.skipped);
    connection
        .execute_batch("ALTER TABLE part RENAME TO p; CREATE VIEW part AS SELECT rowid, * FROM p")
        .unwrap();
    expect_refused(&home, KILO, "no such table: part");
}

/// [`work_as`] the strategy that is ours.
fn work(home: &Home, cache: &Path) -> (u64, bool) {
    work_as(BOUNDED, home, cache)
}

/// Does one job in a cache, as a host has it done; gives how many workspaces were parsed, and whether the state counts.
fn work_as(strategy: Strategy, home: &Home, cache: &Path) -> (u64, bool) {
    let job = Job {
        home: home.0.path().to_owned(),
        cache: cache.to_owned(),
        strategy,
        reduced: false,
        avoid: Vec::new(),
    };
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut frames = FrameWriter::new(&mut input);
    frames.write(Kind::Job, &serde_json::to_vec(&job).unwrap()).unwrap();
    for _ in 0..9 {
        frames.write(Kind::Ack, &[]).unwrap();
    }
    worker::run(&*input, &mut output, &mut |_| ()).unwrap();
    let (mut frames, mut payload) = (FrameReader::new(&*output), Vec::new());
    while frames.read(&mut payload).unwrap() != Some(Kind::Done) {}
    let done: Done = serde_json::from_slice(&payload).unwrap();
    (done.work.parsed, done.fingerprint != NO_STATE)
}

#[test]
fn a_database_that_was_locked_is_read_when_it_is_free() {
    let (home, cache) = (Home::new(), tempfile::tempdir().unwrap());
    let connection = make(&home.path(KILO), TABLES);
    put(&connection, "ses_a", &ask("a"));
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(work(&home, cache.path()), (1, false));
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(work(&home, cache.path()), (1, true), "it is free");
    assert_eq!(work(&home, cache.path()), (0, true), "nothing has changed");
    home.put(KILO, "no database");
    assert_eq!(work(&home, cache.path()), (1, true), "it is something else");
    assert_eq!(work(&home, cache.path()), (0, true), "it is still something else");
}

#[test]
fn a_single_file_believes_no_database_that_was_locked_and_none_migrates() {
    let whole = Strategy { cache: CacheKind::Monolith, ..BOUNDED };
    for then in [whole, BOUNDED] {
        let (home, cache) = (Home::new(), tempfile::tempdir().unwrap());
        let connection = make(&home.path(KILO), TABLES);
        put(&connection, "ses_a", &ask("a"));
        connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_eq!(work_as(whole, &home, cache.path()), (1, false));
        connection.execute_batch("COMMIT").unwrap();
        assert_eq!(work_as(then, &home, cache.path()), (1, true), "it is free");
        assert_eq!(work_as(then, &home, cache.path()), (0, true), "nothing has changed");
    }
}

#[test]
fn a_fragment_of_the_release_before_is_made_anew() {
    let (home, cache) = (Home::new(), tempfile::tempdir().unwrap());
    put(&make(&home.path(KILO), TABLES), "ses_a", &ask("a"));
    assert_eq!(work(&home, cache.path()), (1, true));
    assert_eq!(work(&home, cache.path()), (0, true));
    let path = fragment::directory(cache.path()).join(fragment::file_name(KILO));
    // Of the same state of the same files, but with what that release made of them.
    fragment::set_version(&path, 1).unwrap();
    let older = fs::read(&path).unwrap();
    assert_eq!(work(&home, cache.path()), (1, true));
    assert_ne!(fs::read(&path).unwrap(), older);
}
