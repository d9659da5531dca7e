//! What a change of a file does to the fingerprints of workspaces.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use highwater_engine::sync::discover::workspaces;
use highwater_engine::sync::fingerprint::{fingerprint, newest};
use highwater_engine::sync::protocol::Skipped;
use highwater_engine::sync::strategy::FingerprintKind;

use crate::Home;
use crate::tree::{STORAGE, conversation, put};

const TREE: &str = ".local/share/opencode/storage/session/p";

fn prints(home: &Home) -> BTreeMap<String, (u64, u64)> {
    let root = home.0.path();
    let all = workspaces(root, &mut Skipped::default());
    let print = |workspace| {
        assert_eq!(fingerprint(FingerprintKind::Directories, root, workspace), None);
        (fingerprint(FingerprintKind::Files, root, workspace).unwrap(), newest(root, workspace))
    };
    all.iter().map(|workspace| (workspace.key(), print(workspace))).collect()
}

fn home() -> Home {
    let mut home = Home::new();
    for path in [
        ".codex/sessions/2026/03/21/rollout-a.jsonl",
        ".codex/sessions/2026/03/22/rollout-a.jsonl",
        ".codex/sessions/rollout-a.jsonl",
        ".codex/archived_sessions/rollout-a.jsonl.zst",
        ".gemini/tmp/a/chats/session-a.json",
        ".gemini/tmp/a/logs.json",
        ".gemini/tmp/b/chats/session-b.json",
        ".local/share/kilo/kilo.db",
    ] {
        home = home.with(path, "x");
    }
    put(&home, "p", "ses_a", &serde_json::json!({}), &conversation());
    home.put(&format!("{STORAGE}/session/q/ses_b.json"), "{}");
    // Long ago, so that whatever is written now is newer.
    for (key, _) in prints(&home) {
        age(&home.path(&key));
    }
    age(&home.path(STORAGE));
    home
}

fn age(path: &std::path::Path) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| age(&entry.unwrap().path()));
    }
    let past = SystemTime::now() - Duration::from_secs(1000);
    fs::File::open(path).unwrap().set_modified(past).unwrap();
}

#[test]
fn a_change_shows_in_its_workspace_alone() {
    for (path, expected) in [
        (".codex/sessions/2026/03/21/rollout-a.jsonl", vec![".codex/sessions/2026/03/21"]),
        (".codex/sessions/2026/03/22/rollout-b.jsonl", vec![".codex/sessions/2026/03/22"]),
        (".codex/sessions/2026/03/rollout-b.jsonl", vec![]),
        (".codex/sessions/rollout-b.jsonl", vec![".codex/sessions"]),
        (".codex/archived_sessions/rollout-a.jsonl.zst", vec![".codex/archived_sessions"]),
        (".codex/history.jsonl", vec![]),
        (".gemini/tmp/a/chats/session-a.json", vec![".gemini/tmp/a"]),
        (".gemini/tmp/a/logs.json", vec![]),
        (".gemini/tmp/b/chats/session-c.json", vec![".gemini/tmp/b"]),
        (".local/share/kilo/kilo.db", vec![".local/share/kilo/kilo.db"]),
        (".local/share/kilo/kilo.db-wal", vec![".local/share/kilo/kilo.db"]),
        (".local/share/kilo/kilo.db-shm", vec![]),
        (&format!("{TREE}/ses_a.json"), vec![TREE]),
        (&format!("{TREE}/ses_b.json"), vec![TREE]),
        (&format!("{STORAGE}/message/ses_a/msg_01.json"), vec![TREE]),
        (&format!("{STORAGE}/message/ses_a/msg_zz.json"), vec![TREE]),
        (&format!("{STORAGE}/message/ses_c/msg_zz.json"), vec![]),
        (&format!("{STORAGE}/part/msg_01/prt_00.json"), vec![TREE]),
        (&format!("{STORAGE}/part/msg_05/prt_zz.json"), vec![TREE]),
        (&format!("{STORAGE}/part/msg_zz/prt_zz.json"), vec![]),
    ] {
        let home = home();
        let before = prints(&home);
        assert_eq!(before, prints(&home), "nothing has changed");
        home.put(path, "changed");
        let after = prints(&home);
        let changed = |which: fn(&(u64, u64)) -> u64| -> Vec<&str> {
            let keys = before.keys().filter(|key| which(&before[*key]) != which(&after[*key]));
            keys.map(String::as_str).collect()
        };
        assert_eq!(changed(|print| print.0), expected, "{path}");
        // A folder that is new or gone shows in the time of the one above it alone, which all projects share.
        let shared =
            path.contains("/ses_c/") || path.contains("/part/msg_zz/") || path.contains("/part/msg_05/");
        if !shared {
            assert_eq!(changed(|print| print.1), expected, "when {path} changed");
        }
    }
}

#[test]
fn what_is_removed_shows() {
    for (path, key) in [
        (".codex/sessions/2026/03/21/rollout-a.jsonl", ".codex/sessions/2026/03/21"),
        (".gemini/tmp/a/chats/session-a.json", ".gemini/tmp/a"),
        (&format!("{STORAGE}/message/ses_a/msg_01.json"), TREE),
        (&format!("{STORAGE}/part/msg_01/prt_00.json"), TREE),
    ] {
        let home = home();
        let before = prints(&home)[key];
        fs::remove_file(home.path(path)).unwrap();
        let after = prints(&home)[key];
        assert!(after.0 != before.0 && after.1 > before.1, "{path}");
    }
}

#[test]
fn a_folder_of_messages_or_parts_that_is_gone_is_newer() {
    for folder in ["message/ses_a", "part/msg_01"] {
        let home = home();
        let before = prints(&home)[TREE];
        fs::remove_dir_all(home.path(&format!("{STORAGE}/{folder}"))).unwrap();
        let after = prints(&home)[TREE];
        assert!(after.0 != before.0 && after.1 > before.1, "{folder}");
    }
}

#[test]
fn an_empty_journal_is_as_none() {
    let home = home();
    let before = prints(&home);
    home.put(".local/share/kilo/kilo.db-wal", "");
    assert_eq!(before, prints(&home));
}
