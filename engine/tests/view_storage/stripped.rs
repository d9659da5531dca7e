//! What is left out while it is read is what is left out of a value.

use std::fmt::Write as _;
use std::fs;

use highwater_engine::view::storage::Reading;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{BOTH, Both, S, message, part, session, shown, text, user};

const PATCH_BYTES: usize = 256 * 1024;

/// The plain way to strip a part.
fn strip_part(value: &mut Value) {
    let status = value.pointer("/state/status").and_then(Value::as_str);
    if value["type"] != "tool" || !matches!(status, Some("running" | "completed")) {
        return;
    }
    let Some(metadata) = value.pointer_mut("/state/metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("diff");
    strip_file(metadata.get_mut("filediff"));
    for file in metadata.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(fields) = file.as_object_mut() else { continue };
        let diff = fields.remove("diff").filter(is_patch);
        if !fields.get("patch").is_some_and(is_patch) {
            fields.remove("patch");
            fields.extend(diff.map(|diff| ("patch".to_owned(), diff)));
        }
        strip_file(Some(file));
    }
    for result in metadata.get_mut("results").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(result) = result.as_object_mut() else { continue };
        result.remove("diff");
        strip_file(result.get_mut("filediff"));
    }
}

fn strip_file(file: Option<&mut Value>) {
    let Some(fields) = file.and_then(Value::as_object_mut) else { return };
    fields.retain(|key, value| match key.as_str() {
        "before" | "after" => false,
        "patch" => is_patch(value) && *value != "",
        _ => true,
    });
}

fn is_patch(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= PATCH_BYTES)
}

/// The plain way to strip a message.
fn strip_message(value: &mut Value) {
    if value["role"] != "user" {
        return;
    }
    let diffs = value.pointer_mut("/summary/diffs").and_then(Value::as_array_mut);
    for fields in diffs.into_iter().flatten().filter_map(Value::as_object_mut) {
        fields.remove("before");
        fields.remove("after");
        if let Some(Value::String(patch)) = fields.get_mut("patch").filter(|patch| !is_patch(patch)) {
            patch.clear();
        }
    }
}

/// Texts about as long as patches may be, and with what the cutting reader has to tell apart.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => "[a-z\"\\\\\n\u{10FFFF}é😀]{0,80}",
        1 => Just("x".repeat(PATCH_BYTES)),
        1 => Just("x".repeat(PATCH_BYTES + 1)),
        1 => Just("é".repeat(PATCH_BYTES / 2)),
        1 => Just("\n".repeat(PATCH_BYTES / 2) + &"é".repeat(PATCH_BYTES / 4 + 1)),
    ]
}

fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => any_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
    ]
}

const KEYS: [&str; 10] =
    ["before", "after", "patch", "diff", "filediff", "files", "results", "file", "metadata", "status"];

/// Values in which the keys that matter stand anywhere.
fn any_value() -> impl Strategy<Value = Value> {
    any_leaf().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((prop::sample::select(&KEYS[..]), inner), 0..5).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// An object with some of these keys, mostly with texts.
fn file() -> impl Strategy<Value = Value> {
    let value = prop_oneof![6 => any_text().prop_map(Value::from), 1 => any_value()];
    prop::collection::btree_map(prop::sample::select(&KEYS[..5]), value, 0..5).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

fn metadata() -> impl Strategy<Value = Value> {
    let results = prop::collection::vec(
        (file(), any_text()).prop_map(|(filediff, diff)| json!({"filediff": filediff, "diff": diff, "x": 1})),
        0..3,
    );
    let files = prop::collection::vec(prop_oneof![5 => file(), 1 => any_value()], 0..4);
    (file(), files, results, any_text(), any_value()).prop_map(|(filediff, files, results, diff, rest)| {
        json!({"filediff": filediff, "files": files, "results": results, "diff": diff, "display": rest})
    })
}

fn any_part() -> impl Strategy<Value = Value> {
    let metadata = prop_oneof![6 => metadata(), 1 => any_value()];
    let status = prop::sample::select(&["pending", "running", "completed", "error"][..]);
    let kind = prop_oneof![5 => Just("tool"), 1 => Just("text")];
    (metadata, status, kind, any_value()).prop_map(|(metadata, status, kind, input)| {
        json!({"type": kind, "tool": "edit", "input": input,
               "state": {"status": status, "metadata": metadata, "input": {"patch": input}}})
    })
}

fn any_message() -> impl Strategy<Value = Value> {
    let diffs = prop::collection::vec(prop_oneof![5 => file(), 1 => any_value()], 0..4).prop_map(Value::from);
    let diffs = prop_oneof![6 => diffs, 1 => any_value()];
    let role = prop::sample::select(&["user", "assistant"][..]);
    (diffs, role, any_value()).prop_map(|(diffs, role, rest)| {
        json!({"role": role, "time": {"created": 1}, "summary": {"title": rest, "diffs": diffs}, "x": rest})
    })
}

/// JSON with the keys of every object in order, or against it: what decides may stand before or behind what it decides on.
fn write(value: &Value, is_reversed: bool, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            if is_reversed {
                fields.reverse();
            }
            out.push('{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                write!(out, "{}{}:", if at > 0 { "," } else { "" }, Value::from(key.as_str())).unwrap();
                write(value, is_reversed, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(item, is_reversed, out);
            }
            out.push(']');
        }
        leaf => write!(out, "{leaf}").unwrap(),
    }
}

fn with(mut value: Value, ids: &[(&str, &str)]) -> Value {
    let fields: &mut Map<String, Value> = value.as_object_mut().unwrap();
    fields.extend(ids.iter().map(|(key, id)| ((*key).to_owned(), Value::from(*id))));
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stripped_while_it_is_read_is_stripped(
        parts in prop::collection::vec((any_part(), any::<bool>()), 1..4),
        info in any_message(),
        is_reversed in any::<bool>(),
    ) {
        let mut both = Both::new();
        both.each(|storage| {
            storage.put_session(&session(S, None, 2)).unwrap();
            storage.put_message(&user(S, "msg_1", 1)).unwrap();
        });
        let folder = both.tree_path();
        let info = with(info, &[("id", "msg_1"), ("sessionID", S)]);
        let mut data = String::new();
        write(&info, is_reversed, &mut data);
        fs::write(folder.join("message/ses_1/msg_1.json"), &data).unwrap();
        both.storages[1].put_message(&message(info.clone())).unwrap();
        let mut wanted_parts = Vec::new();
        for (at, (value, is_reversed)) in parts.into_iter().enumerate() {
            let id = format!("prt_{at}");
            let mut value = with(value, &[("id", &*id), ("messageID", "msg_1"), ("sessionID", S)]);
            both.each(|storage| storage.put_part(&part(value.clone())).unwrap());
            data.clear();
            write(&value, is_reversed, &mut data);
            fs::write(folder.join(format!("part/msg_1/{id}.json")), &data).unwrap();
            let whole = both.same(|storage| storage.part(S, "msg_1", &id).unwrap()).unwrap();
            prop_assert_eq!(whole.value(), &value);
            strip_part(&mut value);
            wanted_parts.push(value);
        }
        let whole = both.same(|storage| shown(&storage.page(S, None, 80, Reading::Whole).unwrap()));
        prop_assert_eq!(&whole[0].0, &info);
        let mut wanted = info;
        strip_message(&mut wanted);
        let stripped = both.same(|storage| shown(&storage.page(S, None, 80, Reading::Stripped).unwrap()));
        prop_assert_eq!(stripped, [(wanted, wanted_parts)]);
    }
}

#[test]
fn of_a_repeated_key_the_last_value_counts() {
    let mut both = Both::new();
    both.each(|storage| storage.put_session(&session(S, None, 2)).unwrap());
    both.each(|storage| storage.put_message(&user(S, "msg_1", 1)).unwrap());
    both.each(|storage| storage.put_part(&text(S, "msg_1", "prt_1", "x")).unwrap());
    let long = "x".repeat(PATCH_BYTES + 1);
    let data = format!(
        r#"{{"type":"tool","tool":"edit","state":{{"status":"running","metadata":5,"metadata":{{
            "filediff":{{"patch":"short","patch":"{long}"}},"files":[{{"patch":"{long}","patch":"short"}}]}}}}}}"#
    );
    fs::write(both.tree_path().join("part/msg_1/prt_1.json"), &data).unwrap();
    both.sql(&format!("UPDATE part SET data = '{data}'"));
    let page = both.same(|storage| shown(&storage.page(S, None, 1, Reading::Stripped).unwrap()));
    assert_eq!(page[0].1[0]["state"]["metadata"], json!({"filediff": {}, "files": [{"patch": "short"}]}));
}

/// 20 MB of file contents in one message.
#[test]
fn a_large_message_is_read_stripped() {
    let content = "fn main() { \"é\" }\n".repeat(60_000);
    let diff =
        |at: usize| json!({"file": format!("{at}.rs"), "before": content, "after": content, "additions": at});
    let mut info = user(S, "msg_1", 1).value().clone();
    info["summary"] = json!({"title": "Large", "diffs": (0..9).map(diff).collect::<Vec<_>>()});
    info["summary"]["diffs"][8]["patch"] = content.clone().into();
    let mut both = Both::new();
    both.each(|storage| {
        storage.put_session(&session(S, None, 2)).unwrap();
        storage.put_message(&message(info.clone())).unwrap();
        let page = storage.page(S, None, 80, Reading::Stripped).unwrap();
        assert!(page.largest_row_bytes > 20_000_000, "{}", page.largest_row_bytes);
    });
    strip_message(&mut info);
    assert!(info.to_string().len() < 2_000);
    for reading in BOTH {
        let page = both.same(|storage| shown(&storage.page(S, None, 80, reading).unwrap()));
        assert_eq!(page[0].0 == info, reading == Reading::Stripped);
    }
}
