//! The editor's storage, over the tree of OpenCode and the database of Kilo.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use engine::view::storage::{Reading, Storage};
use generators::{FileEntry, Special};

use super::corpus::{corpus, in_time};

/// Messages and parts of each session that is listed.
type Found = BTreeMap<String, (usize, usize)>;

/// Reads every page of every session; also how much was passed over.
fn read(storage: &Storage, reading: Reading) -> (Found, u64) {
    let mut found = Found::new();
    for session in storage.sessions().unwrap() {
        let id = session["id"].as_str().unwrap();
        let (messages, parts) = found.entry(id.to_owned()).or_default();
        let mut before = None;
        loop {
            let page = storage.page(id, before.as_ref(), 3, reading).unwrap();
            *messages += page.entries.len();
            *parts += page.entries.iter().map(|entry| entry.parts.len()).sum::<usize>();
            before = page.before;
            if before.is_none() {
                break;
            }
        }
    }
    (found, storage.skipped().count)
}

/// Reads a copy of the corpus, since the storage can also write, in both ways: they must find the same.
fn read_copy(open: fn(&Path) -> Storage) -> (Found, u64) {
    let [whole, stripped] = [Reading::Whole, Reading::Stripped].map(|reading| {
        in_time(move || {
            let dir = tempfile::tempdir().unwrap();
            let home = dir.path().join("home");
            corpus().copy_home(&home, &AtomicBool::new(false)).unwrap();
            read(&open(&home), reading)
        })
    });
    assert_eq!(whole, stripped);
    whole
}

/// Files of a folder below the tree's storage that can be used.
fn usable(folder: &str) -> Vec<&'static FileEntry> {
    let below = format!(".local/share/opencode/storage/{folder}/");
    let files = corpus().manifest.files.iter();
    let is_usable = |file: &&FileEntry| {
        let is_file = matches!(file.kind, None | Some(Special::Symlink(_)));
        is_file && !file.is_refused && file.skipped_lines == 0
    };
    files.filter(|file| file.path.starts_with(&below)).filter(is_usable).collect()
}

fn stem(file: &FileEntry) -> &str {
    file.path.rsplit('/').next().unwrap().strip_suffix(".json").unwrap()
}

#[test]
fn every_record_of_a_tree_that_can_be_used_is_in_a_page() {
    let (found, skipped) = read_copy(|home| Storage::tree(&home.join(".local/share/opencode")).unwrap());
    // To this storage, ids are plain names.
    let is_id = |id: &str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let mut wanted: Found = usable("session/adversarial")
        .into_iter()
        .filter(|file| file.sessions > 0 && is_id(stem(file)))
        .map(|file| {
            let messages = usable(&format!("message/{}", stem(file)));
            let parts = messages.iter().map(|message| usable(&format!("part/{}", stem(message))).len());
            (stem(file).to_owned(), (messages.len(), parts.sum()))
        })
        .collect();
    // Messages and parts must say what they are: of the turns these are all, of the other forms some.
    let forms = wanted.insert("record-forms".to_owned(), found["record-forms"]).unwrap();
    assert!(found["record-forms"] > (4, 6) && found["record-forms"] < forms, "{:?}", found["record-forms"]);
    assert!(wanted.len() > 30, "{wanted:?}");
    assert_eq!(found, wanted);
    assert!(skipped > 50, "{skipped}");
}

#[test]
fn every_session_of_a_damaged_database_is_listed() {
    let open = |home: &Path| Storage::database(&home.join(".local/share/kilo/kilo.db")).unwrap();
    let (found, skipped) = read_copy(open);
    let all: Vec<&String> = found.keys().collect();
    assert_eq!(all, ["ses_1", "ses_2", "ses_3", "ses_4", "ses_5", "ses_6"]);
    for session in ["ses_1", "ses_2", "ses_5", "ses_6"] {
        assert_eq!(found[session], (4, 6), "{session}");
    }
    // Of the damaged one, the message is there, and its text is not.
    assert_eq!(found["ses_4"], (5, 6));
    let file = corpus().manifest.files.iter().find(|file| file.path.ends_with("kilo.db")).unwrap();
    assert!(skipped > file.skipped_lines, "{skipped}");
}
