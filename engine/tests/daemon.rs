//! Commands that were typed into chats run once, whatever is read again, and whichever daemon reads it; files that are no session of their
//! own are named.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fs;
use std::path::Path;

use highwater_engine::snapshots::store::Limits;
use highwater_engine::snapshots::strategy::BOUNDED;
use highwater_engine::snapshots::{Daemon, Notice, Options};

/// A session of two messages, each with a command.
fn write_session(home: &Path, name: &str) {
    let folder = home.join(".claude/projects/-work");
    fs::create_dir_all(&folder).unwrap();
    let line = |number: u32| {
        format!(
            "{{\"type\":\"user\",\"uuid\":\"u{number}\",\"timestamp\":\"2026-01-05T08:00:0{number}Z\",\
             \"message\":{{\"content\":\"words\\n::capture {number}\"}}}}\n"
        )
    };
    fs::write(folder.join(name), line(1) + &line(2)).unwrap();
}

fn daemon(home: &Path, state: Option<&Path>) -> Daemon {
    let state = state.map(Path::to_owned);
    Daemon::new(home, Options { strategy: BOUNDED, limits: Limits::default(), state })
}

/// Lets ten seconds pass; gives the commands that ran, and what was skipped.
fn pass(daemon: &mut Daemon, from: i64) -> (Vec<String>, Vec<String>) {
    let (mut ran, mut skipped) = (Vec::new(), Vec::new());
    for second in 0..10 {
        let mut observe = |notice: Notice<'_>| match notice {
            Notice::Command { line, .. } => ran.push(line.to_owned()),
            Notice::Skipped { path, why, .. } => skipped.push(format!("{}: {why}", path.display())),
            Notice::Heartbeat | Notice::Refused(_) => {}
        };
        daemon.tick(from + second * 1_000, &mut observe).unwrap();
    }
    (ran, skipped)
}

const BOTH: [&str; 2] = ["::capture 1", "::capture 2"];

#[test]
fn a_file_that_is_read_again_runs_no_command_again() {
    let home = tempfile::tempdir().unwrap();
    write_session(home.path(), "a.jsonl");
    let mut daemon = daemon(home.path(), None);
    assert_eq!(pass(&mut daemon, 0).0, BOTH);
    for time in 1..4 {
        let key = daemon.keys().next().unwrap().clone();
        daemon.forget_position(&key, time * 100_000);
        assert_eq!(pass(&mut daemon, time * 100_000), (Vec::new(), Vec::new()));
    }
}

#[test]
fn a_later_daemon_runs_what_none_has_run() {
    let (home, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_session(home.path(), "a.jsonl");
    assert_eq!(pass(&mut daemon(home.path(), Some(state.path())), 0).0, BOTH);
    assert_eq!(pass(&mut daemon(home.path(), Some(state.path())), 0).0, Vec::<String>::new());
    // Without its state it knows of nothing.
    assert_eq!(pass(&mut daemon(home.path(), None), 0).0, BOTH);
}

#[test]
fn a_damaged_state_is_named_and_replaced() {
    let (home, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_session(home.path(), "a.jsonl");
    pass(&mut daemon(home.path(), Some(state.path())), 0);
    let file = fs::read_dir(state.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "{").unwrap();
    let (ran, skipped) = pass(&mut daemon(home.path(), Some(state.path())), 0);
    assert_eq!(ran, BOTH);
    assert!(skipped.len() == 1 && skipped[0].starts_with(&file.display().to_string()), "{skipped:?}");
    assert_eq!(pass(&mut daemon(home.path(), Some(state.path())), 0), (Vec::new(), Vec::new()));
}

#[test]
fn a_second_file_of_a_session_is_skipped_once_and_named() {
    let home = tempfile::tempdir().unwrap();
    for project in ["-one", "-two"] {
        let folder = home.path().join(".claude/projects").join(project);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.jsonl"), "{\"type\":\"user\",\"message\":{\"content\":\"hi\"}}\n").unwrap();
    }
    let mut daemon = daemon(home.path(), None);
    let (_, skipped) = pass(&mut daemon, 0);
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(skipped[0].contains("-two") && skipped[0].contains("claude session a is in"), "{skipped:?}");
    assert_eq!(daemon.rows().count(), 1);
}
