//! What a server refuses, and what it does not bring back.

use serde_json::{Value, json};

use super::*;
use crate::view::strategy::BOUNDED;

fn server(folder: &std::path::Path) -> Server {
    let mut storage = Storage::database(&folder.join("kilo.db")).unwrap();
    storage
        .put_project(&json!({"id": "p1", "worktree": "/home/dev/demo", "time": {"created": 1, "updated": 1}}))
        .unwrap();
    Server::new(storage, &BOUNDED, "/home/dev/demo")
}

fn info() -> Value {
    json!({"id": "ses_1", "slug": "s", "projectID": "p1", "directory": "/home/dev/demo", "title": "t", "version": "1",
           "time": {"created": 1, "updated": 2}})
}

fn part(status: &str) -> Part {
    let state = json!({"status": status, "input": {}, "metadata": {"output": "o"}});
    Part::new(json!({"id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "tool", "tool": "bash", "state": state}))
        .unwrap()
}

fn with_message(server: &mut Server) {
    server.create_session(&info()).unwrap();
    let message = json!({"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "time": {"created": 1}});
    server.put_message(Message::new(message).unwrap()).unwrap();
}

#[test]
fn nothing_that_is_told_late_brings_a_deleted_session_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    with_message(&mut server);
    server.put_part(part("pending"), 0).unwrap();
    server.delete_session("ses_1").unwrap();
    let request = json!({"id": "per_1", "sessionID": "ses_1"});
    assert!(matches!(server.update_session(&info()), Err(ServerError::NoSession(_))));
    assert!(matches!(server.set_status("ses_1", &json!({"type": "busy"})), Err(ServerError::NoSession(_))));
    assert!(matches!(server.ask_permission(request), Err(ServerError::NoSession(_))));
    assert!(server.put_part(part("pending"), 1).is_err());
    assert!(server.held().iter().all(|(_, entries)| *entries == 0), "{:?}", server.held());
    assert_eq!(server.sessions().unwrap(), Vec::<Value>::new());
}

#[test]
fn what_was_held_of_a_part_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    with_message(&mut server);
    for (status, now_ms) in [("pending", 0), ("running", 300), ("running", 310)] {
        server.put_part(part(status), now_ms).unwrap();
    }
    server.remove_part("ses_1", "msg_1", "prt_1").unwrap();
    server.tick(10_000).unwrap();
    assert_eq!(server.messages("ses_1", None, 0).unwrap().body.matches("prt_1").count(), 0);
    assert_eq!(server.held()[0], ("calls", 0));
}

#[test]
fn patches_are_stored_where_only_counts_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    server.create_session(&info()).unwrap();
    let client = server.subscribe(Interest::All);
    let file = json!({"file": "a.rs", "before": "a\n", "after": "b\n", "additions": 1, "deletions": 1});
    server.put_diff("ses_1", &[serde_json::from_value(file).unwrap()]).unwrap();
    let frames: Vec<_> = std::iter::from_fn(|| server.next_frame(client)).collect();
    let told = frames.iter().find(|frame| frame.contains(event::DIFF)).unwrap();
    assert!(told.contains("a.rs") && !told.contains("patch") && !told.contains("after"), "{told}");
    let stored = server.storage().diff("ses_1", Reading::Whole).unwrap().unwrap();
    assert!(stored[0]["patch"].as_str().is_some_and(|patch| patch.contains("-a")), "{stored}");
}
