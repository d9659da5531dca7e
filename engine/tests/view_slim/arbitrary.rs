//! Parts and messages that nobody would write: any nesting, any length, the names that the rules know in any place.

use highwater_engine::view::message::Message;
use highwater_engine::view::part::Part;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEYS: [&str; 24] = [
    "after",
    "additions",
    "before",
    "content",
    "data",
    "deletions",
    "diff",
    "error",
    "filePath",
    "filediff",
    "files",
    "highwater:omitted",
    "id",
    "metadata",
    "newString",
    "output",
    "patch",
    "results",
    "reasoningEncryptedContent",
    "text",
    "time",
    "title",
    "todos",
    "url",
];

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&KEYS[..]).prop_map(str::to_owned),
        2 => "[a-z\u{1}é]{0,8}",
        1 => (900..1200_usize).prop_map(|length| "k".repeat(length)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let unit =
        prop::sample::select(&["x", "é", "…", "😀", "\u{1}", "\n", "ab😀", " [... 5 more characters]"][..]);
    let times =
        prop_oneof![3 => 0..20_usize, 2 => 0..5000_usize, 2 => 3_900..4_100_usize, 1 => 20_000..90_000_usize];
    let head = prop_oneof![6 => Just(""), 1 => Just("data:image/png;base64,"), 1 => Just("highwater:omitted;mime=a/b;")];
    let tail = prop_oneof![
        6 => Just(""),
        1 => Just(" [... 12 more characters]"),
        1 => Just("\n… (18446744073709551615 characters omitted)"),
    ];
    (head, unit, times, tail)
        .prop_map(|(head, unit, times, tail)| format!("{head}{}{tail}", unit.repeat(times)))
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ]
}

/// Any value: also one that repeats another hundreds of times, in items or in entries.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 40, 8, |inner| {
        let entries = prop::collection::vec((key(), inner.clone()), 0..8);
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            4 => entries.prop_map(|entries| Value::Object(entries.into_iter().collect())),
            1 => (small(), 0..600_usize).prop_map(|(item, times)| vec![item; times].into()),
            1 => (small(), 0..600_usize).prop_map(|(item, times)| {
                (0..times).map(|at| (format!("{at:04}"), item.clone())).collect::<Map<_, _>>().into()
            }),
            1 => (inner, 1..60_usize).prop_map(|(inner, depth)| (0..depth).fold(inner, |inner, _| json!([inner]))),
        ]
    })
}

/// What can be repeated.
fn small() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-z\u{1}]{0,200}".prop_map(Value::from),
        ("[a-z]{0,300}", key()).prop_map(|(text, key)| json!({"patch": text, "diff": text, key: [text]})),
    ]
}

fn with_entries(mut value: Value, entries: Vec<(String, Value)>) -> Value {
    for (key, entry) in entries {
        if value.get(&key).is_none() {
            value[key] = entry;
        }
    }
    value
}

fn entries() -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::vec((key(), value()), 0..6)
}

/// Any part.
pub(crate) fn part() -> impl Strategy<Value = Part> {
    let kind = prop::sample::select(&["tool", "tool", "tool", "text", "reasoning", "file", "x"][..]);
    let status = prop::sample::select(&["pending", "running", "completed", "error"][..]);
    let tool = prop::sample::select(
        &[
            "edit",
            "multiedit",
            "write",
            "apply_patch",
            "bash",
            "read",
            "task",
            "webfetch",
            "websearch",
            "mcp",
        ][..],
    );
    let state = (status, [value(), value(), value(), value()], entries());
    let state = state.prop_map(|(status, [input, output, metadata, attachments], more)| {
        let state = json!({
            "status": status, "input": input, "output": output, "metadata": metadata, "attachments": attachments,
            "time": {"start": 1},
        });
        with_entries(state, more)
    });
    (kind, tool, state, text(), entries()).prop_map(|(kind, tool, state, text, more)| {
        let part = json!({
            "id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": kind, "tool": tool, "callID": text,
            "state": state, "text": text,
        });
        Part::new(with_entries(part, more)).unwrap()
    })
}

/// Any message.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(&["user", "assistant"][..]);
    (role, value(), value(), entries()).prop_map(|(role, summary, diffs, more)| {
        let mut summary = summary;
        if let Some(map) = summary.as_object_mut() {
            map.insert("diffs".to_owned(), diffs);
        }
        let message = json!({
            "id": "msg_1", "sessionID": "ses_1", "role": role, "time": {"created": 5}, "summary": summary,
        });
        Message::new(with_entries(message, more)).unwrap()
    })
}
