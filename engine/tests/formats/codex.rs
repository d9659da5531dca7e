//! Rollouts of Codex CLI.

use std::path::Path;

use serde_json::{Value, json};

use crate::{Home, Reading, check};

pub(crate) const DAY: &str = ".codex/sessions/2026/03/21";

pub(crate) fn event(payload: &Value) -> String {
    json!({"timestamp": "2026-03-21T10:00:00.000Z", "type": "event_msg", "payload": payload}).to_string()
}

fn item(payload: &Value) -> String {
    json!({"timestamp": 7, "type": "response_item", "payload": payload}).to_string()
}

pub(crate) fn said(text: &str) -> String {
    event(&json!({"type": "user_message", "message": text}))
}

fn answered(texts: &[&str]) -> Value {
    let content: Vec<Value> = texts.iter().map(|text| json!({"type": "output_text", "text": text})).collect();
    json!({"type": "message", "role": "assistant", "content": content})
}

fn total(input: i64, output: i64) -> String {
    let usage = json!({"input_tokens": input, "output_tokens": output, "total_tokens": 1});
    event(&json!({"type": "token_count", "info": {"total_token_usage": usage, "last_token_usage": usage}}))
}

fn read(lines: &[String]) -> Reading {
    Home::new().with(&format!("{DAY}/rollout-a.jsonl"), lines.join("\n")).read()
}

/// The requests of a rollout of which nothing is skipped.
fn expect(what: &str, lines: &[String], expected: &Value) {
    let reading = read(lines);
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{what}: {:?}", reading.skipped);
    let requests = reading.sessions.first().map_or(&[][..], |session| &session.requests);
    check(what, requests, expected);
}

#[test]
fn events_open_requests_and_items_answer_them() {
    expect("nothing was asked", &[item(&answered(&["hi"]))], &json!([]));
    let context = json!({"type": "turn_context", "payload": {"turn_id": "t1", "model": "m1", "cwd": "/w/p"}});
    let asked =
        event(&json!({"type": "user_message", "message": "a\n```rust\nx\n```", "images": ["data:", 1],
        "local_images": ["/i.png"]}));
    let answer = item(&answered(&["one", "", "```js\ny\nz"]));
    let what = "a turn from its context to its end";
    let told = event(&json!({"type": "task_complete"}));
    expect(
        what,
        &[context.to_string(), asked, answer, told, said("next")],
        &json!([
            {"id": "t1", "timestamp": 1_774_087_200_000_i64, "message": "a\n```rust\nx\n```", "message_units": 15,
             "response_units": 13, "model": "m1", "state": "Complete", "images": 3, "user_code": [["rust", 1]],
             "ai_code": [["js", 2]], "edited": 0, "commands": [], "tools": []},
            {"id": "t1", "message": "next", "state": "Pending", "model": "m1", "response_units": 0}
        ]),
    );
    let begun = |kind: &str, turn: &str| event(&json!({"type": kind, "turn_id": turn}));
    let lines = [said("a"), begun("task_started", "t1"), said("b"), begun("turn_started", "t2"), said("c")];
    expect("turns by their events", &lines, &json!([{"id": ""}, {"id": "t1"}, {"id": "t2"}]));
    let no_turn = event(&json!({"type": "task_started", "turn_id": 3}));
    expect("a turn that is no string", &[no_turn, said("a")], &json!([{"id": ""}]));
    let person = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]});
    let message = "a person's text stands twice, and is taken once";
    expect(message, &[item(&person), said("a"), item(&person)], &json!([{"message": "a"}]));
    let nothing = event(&json!({"type": "user_message"}));
    expect("a message that is missing", &[nothing], &json!([{"message": "", "message_units": 0}]));
}

#[test]
fn a_model_is_the_one_known_when_the_request_opens_or_else_the_first_told() {
    let model = |model: &str| json!({"type": "turn_context", "payload": {"model": model}}).to_string();
    let lines = [said("a"), model("m1"), said("b"), model("m2"), model("m3")];
    expect("models", &lines, &json!([{"model": "m1"}, {"model": "m1"}]));
    let lines = [said("a"), json!({"type": "turn_context", "payload": {"model": null}}).to_string()];
    expect("no model", &lines, &json!([{"model": ""}]));
}

#[test]
fn states_are_what_was_said_or_what_came() {
    let kind = |kind: &str| event(&json!({"type": kind}));
    let aborted = [said("a"), item(&answered(&["x"])), kind("turn_aborted"), kind("task_complete")];
    for (what, lines, state) in [
        ("nothing came", vec![said("a")], "Pending"),
        ("it was aborted", aborted.to_vec(), "Cancelled"),
        ("it was completed", vec![said("a"), kind("turn_complete")], "Complete"),
        ("an empty text came", vec![said("a"), item(&answered(&[""]))], "Complete"),
        ("no text came", vec![said("a"), item(&answered(&[]))], "Pending"),
        ("a tool came", vec![said("a"), item(&json!({"type": "web_search_call"}))], "Complete"),
        ("another type came", vec![said("a"), item(&json!({"type": "function_call_output"}))], "Pending"),
        ("it ended before", vec![kind("task_complete"), kind("turn_aborted"), said("a")], "Pending"),
    ] {
        expect(what, &lines, &json!([{"state": state}]));
    }
}

#[test]
fn tools_are_counted_by_name_or_type() {
    let tool = |name: &str| item(&json!({"type": "function_call", "name": name}));
    let lines = [
        tool("early"),
        said("a"),
        tool("shell"),
        tool("shell"),
        item(&json!({"type": "custom_tool_call", "name": "apply_patch"})),
        item(&json!({"type": "local_shell_call", "name": 5})),
        item(&json!({"type": "web_search_call"})),
        item(&json!({"type": "function_call_output", "name": "shell"})),
        event(&json!({"type": "mcp_tool_call", "name": "no item"})),
    ];
    let tools = json!([["apply_patch", 1], ["local_shell", 1], ["shell", 2], ["web_search", 1]]);
    expect("tools", &lines, &json!([{"tools": tools}]));
}

#[test]
fn tokens_are_what_the_session_has_more_than_before() {
    let last = |input: i64| {
        event(&json!({"type": "token_count", "info": {"last_token_usage": {"input_tokens": input,
            "output_tokens": 1}}}))
    };
    let tokens =
        |prompt: u64, completion: u64| json!({"prompt_tokens": prompt, "completion_tokens": completion});
    let lines = [
        total(100, 10),
        said("a"),
        total(150, 10),
        total(150, 10),
        total(120, 30),
        said("b"),
        total(160, 25),
        last(7),
        last(-7),
        event(&json!({"type": "token_count", "info": null})),
    ];
    expect("tokens", &lines, &json!([tokens(50, 20), tokens(17, 2)]));
    let lines = [total(-5, 1), said("a"), total(3, 2)];
    expect("negative figures", &lines, &json!([tokens(3, 1)]));
}

#[test]
fn what_repeats_or_takes_back_does_nothing() {
    let history: Vec<Value> = (0..50).map(|_| answered(&["again"])).collect();
    let compacted = json!({"type": "compacted", "payload": {"message": "m", "replacement_history": history}});
    let lines = [
        said("a"),
        compacted.to_string(),
        json!({"type": "compacted", "replacement_history": history}).to_string(),
        event(&json!({"type": "thread_rolled_back", "num_turns": 1})),
        json!({"type": "world_state", "payload": answered(&["no item"])}).to_string(),
        event(&json!({"type": "agent_message", "message": "no item"})),
        item(
            &json!({"type": "message", "role": "developer", "content": [{"type": "output_text", "text": "x"}]}),
        ),
    ];
    expect("nothing", &lines, &json!([{"state": "Pending", "response_units": 0, "message": "a"}]));
}

#[test]
fn bare_records_are_items() {
    let person = |parts: &[Value]| json!({"type": "message", "role": "user", "content": parts}).to_string();
    let text = |text: &str| json!({"type": "input_text", "text": text});
    let image = json!({"type": "input_image", "image_url": "data:"});
    let lines = [
        json!({"id": "old", "timestamp": "2025-05-01T00:00:00Z", "instructions": null}).to_string(),
        json!({"record_type": "state", "id": "other"}).to_string(),
        person(&[text("<environment_context>")]),
        person(&[text("# AGENTS.md instructions for /p")]),
        person(&[text(""), text("a"), image, text("<b>")]),
        answered(&["one"]).to_string(),
        json!({"type": "function_call", "name": "shell", "payload": "no object"}).to_string(),
        person(&[text(""), text("<later>")]),
        person(&[]),
    ];
    let reading = read(&lines);
    assert_eq!(reading.skipped.lines, 0);
    assert_eq!((&*reading.sessions[0].head.id, &*reading.sessions[0].head.name), ("old", "unknown"));
    check(
        "bare records",
        &reading.sessions[0].requests,
        &json!([
            {"id": "", "timestamp": 0, "message": "a\n<b>", "message_units": 5, "images": 1, "response_units": 3,
             "tools": [["shell", 1]], "state": "Complete"},
            {"message": "", "state": "Pending"}
        ]),
    );
}

#[test]
fn a_session_is_called_by_its_first_meta_record() {
    let meta = |payload: Value| json!({"type": "session_meta", "payload": payload}).to_string();
    let old = || json!({"id": "old"}).to_string();
    let context = || json!({"type": "turn_context", "payload": {"cwd": "/c/context/"}}).to_string();
    for (what, lines, id, name) in [
        ("no meta record", vec![], "rollout-a", "unknown"),
        ("one", vec![meta(json!({"id": "i", "cwd": "C:\\w\\own"}))], "i", "own"),
        ("of a fork", vec![meta(json!({"id": "i"})), meta(json!({"id": "parent", "cwd": "/w/p"}))], "i", "p"),
        ("old and new", vec![old(), meta(json!({"id": "i"}))], "old", "unknown"),
        ("new and old", vec![meta(json!({"id": "i"})), old()], "i", "unknown"),
        ("no id", vec![meta(json!({"id": 5})), meta(json!({"id": "parent"}))], "rollout-a", "unknown"),
        ("a context", vec![context(), meta(json!({"id": "i", "cwd": "/w/late"}))], "i", "context"),
    ] {
        let reading = read(&[&lines[..], &[said("a")]].concat());
        let head = &reading.sessions[0].head;
        assert_eq!((&*head.id, &*head.name), (id, name), "{what}");
        assert_eq!((&*head.harness, &*head.workspace), ("Codex", DAY));
        assert_eq!((head.created, head.last), (1_774_087_200_000, 1_774_087_200_000));
    }
}

#[test]
fn broken_lines_are_counted_and_foreign_ones_are_not() {
    let lines =
        ["17", "[]", "{\"type\":", "{}", "{\"type\":5}", "", &said("a"), "\"text\""].map(ToOwned::to_owned);
    let reading = read(&lines);
    assert_eq!((reading.sessions.len(), reading.skipped.lines), (1, 4), "{:?}", reading.skipped);
    let (path, why) = &reading.skipped.named[0];
    assert_eq!(&**path, format!("{DAY}/rollout-a.jsonl"));
    assert!(why.starts_with("line 1: "), "{why}");
}

#[test]
fn long_texts_are_measured_whole_and_kept_short() {
    let long = "0123456789\n".repeat(2_000) + "```py\nx\n";
    let kind = format!("{}_call", "k".repeat(200));
    let lines = [said(&long), item(&answered(&[&long, &long])), item(&json!({"type": kind}))];
    expect(
        "long",
        &lines,
        &json!([{"message": long[..500], "message_units": 22_008, "response_units": 44_017,
        "user_code": [["py", 1]], "ai_code": [["py", 2]], "tools": [["k".repeat(128), 1]]}]),
    );
}

#[test]
fn rollouts_are_found_by_day_and_by_name() {
    let mut home = Home::new();
    for path in [
        "sessions/2026/03/21/rollout-b.jsonl",
        "sessions/2026/03/21/rollout-a.jsonl",
        "sessions/2026/03/21/rollout-a.txt",
        "sessions/2026/03/21/other.jsonl",
        "sessions/2026/03/21/below/rollout-c.jsonl",
        "sessions/2026/03/rollout-d.jsonl",
        "sessions/2026/mar/21/rollout-e.jsonl",
        "sessions/2025/12/31/rollout-f.jsonl",
        "sessions/rollout-g.jsonl",
        "archived_sessions/rollout-h.jsonl",
        "other/rollout-i.jsonl",
        "rollout-j.jsonl",
    ] {
        home = home.with(&format!(".codex/{path}"), said("a"));
    }
    let reading = home.read();
    let found: Vec<(&str, &str)> =
        reading.sessions.iter().map(|session| (&*session.head.workspace, &*session.head.id)).collect();
    assert_eq!(
        found,
        [
            (".codex/archived_sessions", "rollout-h"),
            (".codex/sessions", "rollout-g"),
            (".codex/sessions/2025/12/31", "rollout-f"),
            (".codex/sessions/2026/03/21", "rollout-a"),
            (".codex/sessions/2026/03/21", "rollout-b"),
        ]
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
fn a_real_rollout_is_read() {
    let Some(real) = std::env::var_os("HIGHWATER_REAL_RECORDS") else {
        println!("skipped: HIGHWATER_REAL_RECORDS is not set, so there are no real records to read");
        return;
    };
    let name = "rollout-2026-03-21T10-05-38-01a7c9e4-6d12-7b3a-9f42-8c6d5e1a0b73.jsonl";
    let content = std::fs::read(Path::new(&real).join("codex").join(name)).unwrap();
    let reading = Home::new().with(&format!("{DAY}/{name}"), content).read();
    assert_eq!((reading.skipped.files, reading.skipped.lines), (0, 0), "{:?}", reading.skipped);
    let [session] = &reading.sessions[..] else { panic!("{} sessions", reading.sessions.len()) };
    assert_eq!((&*session.head.id, &*session.head.name), ("01a7c9e4-6d12-7b3a-9f42-8c6d5e1a0b73", "project"));
    assert_eq!(session.requests.len(), 3);
    let requests = serde_json::to_value(&session.requests).unwrap();
    let calls = requests.as_array().unwrap().iter().flat_map(|request| request["tools"].as_array().unwrap());
    assert_eq!(calls.map(|tool| tool[1].as_u64().unwrap()).sum::<u64>(), 10);
    for request in requests.as_array().unwrap() {
        assert_eq!(request["state"], "Complete");
        assert!(request["prompt_tokens"].as_u64() > Some(0) && request["response_units"].as_u64() > Some(0));
        assert!(request["model"].as_str().unwrap().starts_with("gpt-"), "{}", request["model"]);
    }
}

#[test]
fn sums_of_tokens_and_long_types_end() {
    let last = |tokens: i64| {
        let usage = json!({"input_tokens": tokens, "output_tokens": tokens});
        event(&json!({"type": "token_count", "info": {"last_token_usage": usage}}))
    };
    let long = format!("{}_call", "x".repeat(2000));
    let lines = [said("a"), last(i64::MAX), last(i64::MAX), last(i64::MAX), item(&json!({"type": long}))];
    let expected = json!([{"prompt_tokens": i64::MAX, "completion_tokens": i64::MAX, "tools": []}]);
    expect("more than there can be", &lines, &expected);
}
