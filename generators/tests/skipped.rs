//! What a fit does not read: it ends at nothing of it, counts nothing of it, and names it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use highwater_generators::{Error, Fit, Format, fit};

const PROMPT: &str = "{\"type\":\"user\",\"uuid\":\"u\",\"message\":{\"role\":\"user\",\"content\":\"x\"}}\n";

fn read(directory: &Path) -> Result<Fit, Error> {
    fit(&[directory.to_path_buf()], "mine", &AtomicBool::new(false), &|_| ())
}

fn put(path: PathBuf) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, PROMPT).unwrap();
}

/// What was skipped: paths below a directory, each with its reason.
fn named(directory: &Path, found: &Fit) -> Vec<(String, String)> {
    let directory = fs::canonicalize(directory).unwrap();
    let path = |path: &Path| path.strip_prefix(&directory).unwrap().to_str().unwrap().to_owned();
    found.skipped.iter().map(|(at, why)| (path(at), why.clone())).collect()
}

/// A session of each tool in a folder, and links to all of it at every level of a home.
#[cfg(unix)]
#[test]
fn no_link_is_followed_and_each_is_named() {
    use std::os::unix::fs::symlink;

    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(home.path().join(".claude/projects/p/own.jsonl"));
    for path in ["session.jsonl", "session-1.json", "agent-1.jsonl", "rollout-1.jsonl", "own/events.jsonl"] {
        put(other.path().join(path));
    }
    put(other.path().join("chats/session-1.json"));
    put(other.path().join("session/p/s.json"));
    let link = |at: &str, to: &str| {
        let at = home.path().join(at);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(other.path().join(to), at).unwrap();
    };
    let links = [
        (".claude/projects/link", ""),
        (".claude/projects/p/dangling.jsonl", "nowhere"),
        (".claude/projects/p/link.jsonl", "session.jsonl"),
        (".claude/projects/p/own/subagents", ""),
        (".codex/sessions", ""),
        (".config/Code/User/workspaceStorage/w/chatSessions", ""),
        (".copilot", ""),
        (".gemini/tmp/p", ""),
        (".gemini/tmp/q/chats", "chats"),
        (".local/share/kilo/kilo.db", "session.jsonl"),
        (".local/share/opencode/storage", ""),
    ];
    links.iter().for_each(|(at, to)| link(at, to));
    fs::create_dir_all(home.path().join(".gemini/tmp/r/chats")).unwrap();
    symlink("session-1.json", home.path().join(".gemini/tmp/r/chats/session-1.json")).unwrap();
    let found = read(home.path()).unwrap();
    let sessions: Vec<_> =
        found.recipe.histories().map(|(format, history)| (format, history.files)).collect();
    assert_eq!(sessions, [(Format::Claude, 1)]);
    let mut wanted: Vec<&str> = links.iter().map(|(at, _)| *at).collect();
    wanted.insert(9, ".gemini/tmp/r/chats/session-1.json");
    let named = named(home.path(), &found);
    assert_eq!(named.iter().map(|(path, _)| path).collect::<Vec<_>>(), wanted);
    assert!(named.iter().all(|(_, why)| why == "a symbolic link, which is not followed"), "{named:?}");
    // The directory that is given may be one: its owner named it.
    symlink(home.path(), other.path().join("home")).unwrap();
    assert_eq!(read(&other.path().join("home")).unwrap(), found);
}

/// A directory whose path is too long for the system can be listed by nobody, whatever the user may.
#[cfg(unix)]
#[test]
fn what_cannot_be_listed_or_opened_is_named_and_the_rest_is_read() {
    let home = tempfile::tempdir().unwrap();
    put(home.path().join(".claude/projects/p/own.jsonl"));
    put(home.path().join(".codex/sessions/2026/01/02/rollout-1.jsonl"));
    put(home.path().join(".gemini/tmp/p/chats"));
    let long = home.path().join(".codex/sessions/2026/short");
    // As long as a path may be, until a directory on the way gets a longer name.
    let bytes_max = if cfg!(target_os = "linux") { 4096 } else { 1024 };
    let names = (bytes_max - 20 - long.as_os_str().len()) / 201;
    let deep: PathBuf = (0..names).map(|_| "d".repeat(200)).collect();
    fs::create_dir_all(long.join(deep)).unwrap();
    fs::rename(&long, long.with_file_name("l".repeat(250))).unwrap();
    put(home.path().join(".codex/archived_sessions").join("e/".repeat(30)).join("rollout-2.jsonl"));
    let pipe = home.path().join(".claude/projects/p/pipe.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let found = read(home.path()).unwrap();
    let sessions: Vec<_> =
        found.recipe.histories().map(|(format, history)| (format, history.files)).collect();
    assert_eq!(sessions, [(Format::Claude, 1), (Format::Codex, 1)]);
    assert_eq!(found.recipe.history(Format::Codex).unwrap().empty_workspaces, 0);
    let named = named(home.path(), &found);
    let wanted = [
        (".claude/projects/p/pipe.jsonl", "neither a file nor a directory"),
        (".codex/archived_sessions/e/e/e/", "more than 24 directories deep"),
        (".codex/sessions/2026/lll", "File name too long"),
        (".gemini/tmp/p/chats", "not a directory"),
    ];
    assert_eq!(named.len(), wanted.len(), "{named:?}");
    for ((path, why), (begins, says)) in named.iter().zip(wanted) {
        assert!(path.starts_with(begins) && why.contains(says), "{path}: {why}");
    }
}

/// Many people keep their work in a directory of that name.
#[test]
fn a_folder_named_projects_is_no_history_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let projects = dir.path().join("projects");
    put(projects.join("shop/data.jsonl"));
    let error = read(&projects).unwrap_err();
    assert!(matches!(&error, Error::NoHistory { .. }), "{error}");
    fs::rename(&projects, dir.path().join("moved")).unwrap();
    fs::create_dir(dir.path().join(".claude")).unwrap();
    fs::rename(dir.path().join("moved"), dir.path().join(".claude/projects")).unwrap();
    assert_eq!(read(&dir.path().join(".claude/projects")).unwrap().recipe.claude.unwrap().sessions, 1);
}

#[test]
fn what_was_not_read_is_told_also_where_nothing_else_is() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".codex"), "no directory").unwrap();
    let error = read(home.path()).unwrap_err().to_string();
    assert!(error.starts_with("no history of AI-coding sessions was found in "), "{error}");
    assert!(error.contains("; not read: ") && error.ends_with(".codex\" (not a directory)"), "{error}");
}

#[test]
fn a_name_that_cannot_be_one_is_refused_before_anything_is_read() {
    let nowhere = Path::new("/nowhere/at/all").to_path_buf();
    for (name, why) in [("My Own", "give small letters, digits and dashes"), ("heavy", "choose another name")]
    {
        let error = fit(std::slice::from_ref(&nowhere), name, &AtomicBool::new(false), &|_| ()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(&format!("a profile cannot be called \"{name}\"")), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
