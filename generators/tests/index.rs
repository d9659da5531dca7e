//! What VS Code's own state says of the chats of a workspace.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use highwater_generators::{Profile, Spec, ensure};
use serde_json::Value;

/// The entries of a workspace's index.
fn entries(state: &Path) -> Vec<(String, Value)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(state, flags).unwrap();
    let key = "chat.ChatSessionStore.index";
    let sql = "select value from ItemTable where key = ?1";
    let text: String = connection.query_row(sql, [key], |row| row.get(0)).unwrap();
    let others: i64 = connection.query_row("select count(*) from ItemTable", [], |row| row.get(0)).unwrap();
    assert!(others > 3);
    let index: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(index["version"], 1);
    let entries = index["entries"].as_object().unwrap();
    entries.iter().map(|(id, entry)| (id.clone(), entry.clone())).collect()
}

#[test]
fn every_workspace_with_chats_has_an_index_of_them_and_some_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };
    let corpus = ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
    let chats: Vec<_> = corpus
        .manifest
        .files
        .iter()
        .filter_map(|file| Some((file, file.path.split_once("/chatSessions/")?)))
        .collect();
    let workspaces: BTreeSet<&str> = chats.iter().map(|(_, (workspace, _))| *workspace).collect();
    let (mut listed, mut unlisted) = (0, 0);
    for workspace in workspaces {
        let entries = entries(&corpus.home().join(workspace).join("state.vscdb"));
        for (id, entry) in &entries {
            assert_eq!(entry["sessionId"], id.as_str());
            assert!(entry["title"].as_str().is_some_and(|title| !title.is_empty()));
            let of_chat = |name: &str| name.split_once('.').is_some_and(|(stem, _)| stem == id);
            let requests: Vec<u64> = chats
                .iter()
                .filter(|(_, (of, name))| *of == workspace && of_chat(name))
                .map(|(file, _)| file.requests)
                .collect();
            assert!(!requests.is_empty(), "{workspace} lists {id}, which has no file");
            assert_eq!(entry["isEmpty"], requests.iter().all(|requests| *requests == 0), "{id}");
            let text = fs::read_to_string(some_file(&corpus.home().join(workspace).join("chatSessions"), id));
            let created = format!("\"creationDate\":{}", entry["timing"]["created"]);
            // A log without a first state sets it.
            let set = format!("[\"creationDate\"],\"v\":{}", entry["timing"]["created"]);
            let text = text.unwrap();
            let is_told = text.contains(&created) || text.contains(&set);
            assert!(is_told || entry["isEmpty"] == true, "{created} of {id}");
        }
        let ids: BTreeSet<&str> = chats
            .iter()
            .filter(|(_, (of, _))| *of == workspace)
            .filter_map(|(_, (_, name))| Some(name.split_once('.')?.0))
            .collect();
        assert!(ids.len() - entries.len() <= 1);
        listed += entries.len();
        unlisted += ids.len() - entries.len();
    }
    assert!(listed > 8 && unlisted > 2, "{listed} listed, {unlisted} not");
}

fn some_file(folder: &Path, stem: &str) -> std::path::PathBuf {
    let log = folder.join(format!("{stem}.jsonl"));
    if log.is_file() { log } else { folder.join(format!("{stem}.json")) }
}
