//! OpenCode's older storage. What messages and parts mean is the same in a database.

use serde_json::{Value, json};

use crate::{Home, check};

pub(crate) const STORAGE: &str = ".local/share/opencode/storage";

/// A session: each message with its parts.
pub(crate) type Messages = Vec<(Value, Vec<Value>)>;

/// A conversation that has everything.
pub(crate) fn conversation() -> Messages {
    let text = |text: &str| json!({"type": "text", "text": text});
    let tool = |tool: Value, command: Value| json!({"type": "tool", "tool": tool, "state": {"input": {"command": command}}});
    vec![
        (json!({"role": "assistant", "modelID": "nobody asked"}), vec![text("x")]),
        (
            json!({"role": "user", "time": {"created": 10}, "summary": {"diffs": [{}, 1, {"file": "a"}]}}),
            vec![
                text("a\n```rust\nx"),
                json!({"type": "text", "text": "s", "synthetic": true}),
                json!({"type": "text", "text": "i", "ignored": true}),
                text(""),
                json!({"type": "text", "text": "b", "synthetic": false}),
                json!({"type": "file", "mime": "image/png", "url": "data:"}),
                json!({"type": "file", "mime": "text/plain"}),
                tool(json!("bash"), json!("not the person's")),
            ],
        ),
        (
            json!({"role": "assistant", "modelID": "m1",
                "tokens": {"input": 1, "output": 2, "reasoning": 3, "cache": {"read": 4, "write": 5}}}),
            vec![
                text("one"),
                json!({"type": "reasoning", "text": "no"}),
                tool(json!("bash"), json!("ls ".repeat(100))),
                tool(json!("bash"), json!(1)),
                tool(json!("edit"), json!("no command")),
                tool(json!(2), json!("no tool")),
                json!({"type": "file", "mime": "image/png"}),
            ],
        ),
        (json!({"role": "system"}), vec![text("nobody's")]),
        (json!({"role": "assistant", "modelID": "", "tokens": {"input": 7}}), vec![text("```js\ny")]),
        (json!({"role": "user", "time": {"created": "1970-01-01T00:00:01Z"}}), vec![]),
        (json!({"role": "assistant", "error": {"name": "APIError"}}), vec![]),
        (json!({"role": "user"}), vec![text("c")]),
        (json!({"role": "assistant", "error": {"name": "APIError"}}), vec![]),
        (json!({"role": "assistant", "error": {"name": "MessageAbortedError"}}), vec![]),
        (json!({"role": "user", "summary": true}), vec![text("d")]),
        (json!({"role": "assistant", "error": "no object"}), vec![]),
        (json!({"role": "user"}), vec![]),
    ]
}

/// What is to be read of it.
pub(crate) fn requests() -> Value {
    json!([
        {"id": "msg_01", "timestamp": 10, "message": "a\n```rust\nx\nb", "message_units": 13, "images": 1, "edited": 2,
         "user_code": [["rust", 1]], "response_units": 11, "ai_code": [["js", 1]], "model": "m1",
         "prompt_tokens": 17, "completion_tokens": 5, "state": "Complete", "tools": [["bash", 2], ["edit", 1]],
         "commands": [&"ls ".repeat(100)[..200]]},
        {"id": "msg_05", "timestamp": 1000, "message": "", "state": "Errored", "edited": 0, "model": ""},
        {"id": "msg_07", "timestamp": 0, "message": "c", "state": "Cancelled"},
        {"id": "msg_0a", "message": "d", "state": "Complete"},
        {"id": "msg_0c", "state": "Pending", "commands": [], "tools": []}
    ])
}

pub(crate) fn put(home: &Home, project: &str, session: &str, info: &Value, messages: &Messages) {
    home.put(&format!("{STORAGE}/session/{project}/{session}.json"), info.to_string());
    for (at, (message, parts)) in messages.iter().enumerate() {
        let id = format!("msg_{at:02x}");
        home.put(&format!("{STORAGE}/message/{session}/{id}.json"), message.to_string());
        for (number, part) in parts.iter().enumerate() {
            home.put(&format!("{STORAGE}/part/{id}/prt_{number:02x}.json"), part.to_string());
        }
    }
}

#[test]
fn messages_and_parts_become_requests() {
    let home = Home::new();
    let info = json!({"id": "not this", "directory": "/w/own", "time": {"created": 5, "updated": "1970-01-01T00:00:02Z"}});
    put(&home, "p1", "ses_a", &info, &conversation());
    let reading = home.read();
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{:?}", reading.skipped);
    let head = &reading.sessions[0].head;
    assert_eq!((&*head.id, &*head.harness, &*head.name), ("ses_a", "OpenCode", "own"));
    assert_eq!((&*head.workspace, head.created, head.last), (&*format!("{STORAGE}/session/p1"), 5, 2000));
    check("a conversation", &reading.sessions[0].requests, &requests());
}

#[test]
fn sessions_messages_and_parts_are_in_the_order_of_their_ids() {
    let home = Home::new();
    let ask = |home: &Home, session: &str, id: &str| {
        home.put(&format!("{STORAGE}/message/{session}/{id}.json"), r#"{"role":"user"}"#);
        for part in ["b-2", "b", "a"] {
            let text = json!({"type": "text", "text": part}).to_string();
            home.put(&format!("{STORAGE}/part/{id}/{part}.json"), text);
        }
    };
    for session in ["s2", "s1"] {
        home.put(&format!("{STORAGE}/session/p/{session}.json"), "{}");
        ask(&home, session, &format!("{session}-m-2"));
        ask(&home, session, &format!("{session}-m"));
    }
    home.put(&format!("{STORAGE}/session/p/none.json"), "{}");
    let reading = home.read();
    let heads: Vec<_> =
        reading.sessions.iter().map(|session| (&*session.head.id, &*session.head.name)).collect();
    assert_eq!(heads, [("s1", "unknown"), ("s2", "unknown")]);
    let expected = json!([{"id": "s1-m", "message": "a\nb\nb-2"}, {"id": "s1-m-2", "message": "a\nb\nb-2"}]);
    check("ids", &reading.sessions[0].requests, &expected);
}

#[test]
fn what_is_no_object_is_refused_or_counted() {
    let home = Home::new();
    put(&home, "p", "ses_a", &json!({}), &conversation());
    for (session, content) in [("ses_b", "[]"), ("ses_c", "{"), ("ses_d", "")] {
        home.put(&format!("{STORAGE}/session/p/{session}.json"), content);
        home.put(&format!("{STORAGE}/message/{session}/m.json"), r#"{"role":"user"}"#);
    }
    home.put(&format!("{STORAGE}/message/ses_a/msg_01x.json"), "17");
    home.put(&format!("{STORAGE}/part/msg_01x/prt_1.json"), "not read");
    home.put(&format!("{STORAGE}/part/msg_01/prt_09.json"), "{\"type\":\"text\",\"text\":\"\u{1}\"}");
    home.put(&format!("{STORAGE}/part/msg_03/prt_09.json"), "[]");
    home.put(&format!("{STORAGE}/part/msg_03/prt_10.txt"), "[]");
    std::fs::create_dir_all(home.path(&format!("{STORAGE}/message/ses_a/msg_02x.json"))).unwrap();
    let reading = home.read();
    assert_eq!((reading.skipped.files, reading.skipped.lines), (4, 3), "{:?}", reading.skipped);
    assert_eq!(reading.sessions.len(), 1);
    check("the rest", &reading.sessions[0].requests, &requests());
    assert!(reading.skipped.named.iter().any(|(path, _)| path.ends_with("storage/part/msg_03/prt_09.json")));
}

#[test]
fn a_tree_whose_database_is_there_is_not_read() {
    let home = Home::new();
    put(&home, "p", "ses_a", &json!({}), &conversation());
    std::fs::create_dir_all(home.path(".local/share/opencode/opencode.db")).unwrap();
    assert_eq!(home.read().sessions.len(), 1, "a directory is no database");
    std::fs::remove_dir(home.path(".local/share/opencode/opencode.db")).unwrap();
    home.put(".local/share/opencode/opencode.db", "");
    let reading = home.read();
    assert_eq!((reading.sessions.len(), reading.skipped.files), (0, 1));
}
