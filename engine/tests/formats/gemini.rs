//! Chats of Gemini CLI.

use serde_json::{Value, json};

use crate::{Home, Reading, check};

const CHATS: &str = ".gemini/tmp/5f3a/chats";

fn read(document: impl AsRef<[u8]>) -> Reading {
    Home::new().with(&format!("{CHATS}/session-a.json"), document).read()
}

fn expect(what: &str, messages: &Value, expected: &Value) {
    let reading = read(json!({"sessionId": "s", "messages": messages}).to_string());
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{what}: {:?}", reading.skipped);
    check(what, reading.sessions.first().map_or(&[][..], |session| &session.requests), expected);
}

#[test]
fn messages_become_requests() {
    let text = "a\n```rust\nx";
    let messages = json!([
        {"type": "gemini", "content": "nobody asked"},
        {"type": "error"},
        {"id": "u1", "timestamp": "2026-03-21T10:00:00Z", "type": "user",
         "content": [{"text": text}, "b", {"text": ""}, {"inlineData": {"data": "AAAA"}}, {"inlineData": 1}, 5, null]},
        {"type": "info", "content": "x"},
        {"type": "gemini", "content": "one", "model": "m1", "tokens": {"input": 10, "output": 2, "thoughts": 3},
         "toolCalls": [{"name": "read_file"}, {"name": 1}, {"name": "read_file", "result": []}]},
        {"type": "gemini", "content": [{"text": "```js\ny"}, ""], "model": "", "tokens": {"input": 5, "output": -1},
         "toolCalls": [{"name": "glob"}]},
        {"id": "u2", "timestamp": 5, "type": "user", "content": "c"},
        {"type": "error", "content": "boom"},
        {"type": "gemini", "content": ""},
        {"id": "u3", "type": "user"}
    ]);
    expect(
        "a session",
        &messages,
        &json!([
            {"id": "u1", "timestamp": 1_774_087_200_000_i64, "message": "a\n```rust\nx\nb", "message_units": 13, "images": 1,
             "user_code": [["rust", 1]], "response_units": 11, "ai_code": [["js", 1]], "model": "m1",
             "prompt_tokens": 15, "completion_tokens": 5, "tools": [["glob", 1], ["read_file", 2]],
             "state": "Complete", "edited": 0, "commands": []},
            {"id": "u2", "timestamp": 5, "message": "c", "state": "Errored", "response_units": 0},
            {"id": "u3", "timestamp": 0, "message": "", "state": "Pending", "model": ""}
        ]),
    );
}

#[test]
fn a_session_says_when_it_was() {
    let user = json!({"type": "user", "timestamp": 7, "content": "a"});
    for (what, document, id, times) in [
        (
            "all said",
            json!({"sessionId": "s", "startTime": "1970-01-01T00:00:01Z", "lastUpdated": 3}),
            "s",
            (1000, 3),
        ),
        ("nothing said", json!({}), "session-a", (0, 7)),
        ("other types", json!({"sessionId": 1, "startTime": true, "lastUpdated": null}), "session-a", (0, 7)),
    ] {
        let mut document = document;
        document["messages"] = json!([user]);
        let reading = read(document.to_string());
        let head = &reading.sessions[0].head;
        assert_eq!((&*head.id, (head.created, head.last)), (id, times), "{what}");
        assert_eq!((&*head.harness, &*head.name, &*head.workspace), ("Gemini", "5f3a", ".gemini/tmp/5f3a"));
    }
}

#[test]
fn what_is_no_message_is_counted() {
    let reading =
        read(r#"{"messages":[1,"x",null,[],{},{"type":5},{"type":"user","content":"a"},{"type":"other"}]}"#);
    assert_eq!((reading.sessions.len(), reading.skipped.lines), (1, 6));
    let (path, why) = &reading.skipped.named[0];
    assert_eq!((&**path, &**why), (&*format!("{CHATS}/session-a.json"), "message 1: not a message"));
}

#[test]
fn of_repeated_keys_the_last_counts() {
    let reading = read(
        r#"{"sessionId":"x","messages":[{"type":"user","content":"a"},1],"sessionId":"s","messages":[{"type":"user","content":"b"}]}"#,
    );
    assert_eq!(&*reading.sessions[0].head.id, "s");
    check("the last", &reading.sessions[0].requests, &json!([{"message": "b"}]));
    assert_eq!(reading.skipped.lines, 0);
    assert!(read(r#"{"messages":[{"type":"user"}],"messages":{"a":[1]}}"#).sessions.is_empty());
}

#[test]
fn a_lone_surrogate_is_read_and_a_broken_document_refused() {
    let half = r#"{"messages":[{"type":"user"},{"type":"user","content":"a\ud83d"}],"x":"\ud83d"}"#;
    let reading = read(half);
    check(
        "a half",
        &reading.sessions[0].requests,
        &json!([{}, {"message": "a\u{FFFD}", "message_units": 2}]),
    );
    let deep = format!(r#"{{"messages":[{{"type":"user"}}],"x":{}{}}}"#, "[".repeat(300), "]".repeat(300));
    for broken in ["", "[]", &half[..40], &format!("{half}{half}"), &deep] {
        let reading = read(broken);
        assert_eq!((reading.sessions.len(), reading.skipped.files), (0, 1), "{broken}");
    }
}

#[test]
fn other_files_are_no_sessions() {
    let document = json!({"messages": [{"type": "user", "content": "a"}]}).to_string();
    let mut home = Home::new();
    for path in [
        "chats/session-b.json",
        "chats/session-a.json",
        "chats/other.json",
        "chats/session-c.jsonl",
        "session-d.json",
    ] {
        home = home.with(&format!(".gemini/tmp/5f3a/{path}"), &document);
    }
    let reading = home.with(".gemini/tmp/bin/x", "").read();
    let ids: Vec<&str> = reading.sessions.iter().map(|session| &*session.head.id).collect();
    assert_eq!((ids, reading.skipped.files), (vec!["session-a", "session-b"], 0));
}
