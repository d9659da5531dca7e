//! The engine reads what the agent has written, in both layouts, and pages give the same as the whole.

use engine::view::storage::{Page, Reading, Storage};

use super::agent::{Digester, Plan, Written, write_database, write_tree};

fn plan() -> Plan {
    Plan { sessions: 2, turns: 6, calls: 30, child_calls: 1, session_bytes: Some(400_000), ..Plan::light(7) }
}

/// Digest of a session as the engine reads it, page by page of so many messages.
fn read(storage: &Storage, session: &str, limit: usize) -> String {
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = storage.page(session, before.as_ref(), limit, Reading::Whole).unwrap();
        let Page { entries, before: next, .. } = page;
        pages.push(entries);
        before = next;
        if before.is_none() {
            break;
        }
    }
    let mut digester = Digester::default();
    for entry in pages.into_iter().rev().flatten() {
        digester.message(entry.message.value());
        entry.parts.iter().for_each(|part| digester.part(part.value()));
    }
    digester.finish()
}

fn check(storage: &Storage, written: &Written) {
    assert!(written.sessions.len() >= 2);
    for session in &written.sessions {
        for limit in [0, 7, 80] {
            assert_eq!(read(storage, &session.id, limit), session.digest, "{} by {limit}", session.id);
        }
    }
    assert_eq!(storage.skipped().count, 0);
}

#[test]
fn a_tree_is_read_as_it_was_written() {
    let home = tempfile::tempdir().unwrap();
    let written = write_tree(home.path(), &plan()).unwrap();
    check(&Storage::tree(home.path()).unwrap(), &written);
}

#[test]
fn a_database_is_read_as_it_was_written() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("kilo.db");
    let written = write_database(&path, &plan()).unwrap();
    check(&Storage::database(&path).unwrap(), &written);
}
