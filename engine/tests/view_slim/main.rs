//! What the server strips and the host slims: bounded, the same when it is done again, and the same for a transcript that was seen live as
//! for one that is loaded later.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod arbitrary;
mod samples;

use highwater_engine::view::message::Message;
use highwater_engine::view::part::{Kind, Part};
use highwater_engine::view::size::json_bytes;
use highwater_engine::view::slim::{
    self, KEY_CAP, OMITTED, OUTPUT_CAP, PART_CAP, PATCH_CAP, PATCHES_BYTES, TEXT_BYTES,
};
use highwater_engine::view::strategy::Slim;
use highwater_engine::view::strip::{self, PATCH_BYTES};
use proptest::prelude::*;
use samples::{call, calls, image, kinds, messages, part, text};
use serde_json::{Value, json};

const SLIMS: [Slim; 3] = [Slim::Five, Slim::Thirteen, Slim::Rule];

fn slimmed(slim: Slim, part: &Part) -> Part {
    let mut part = part.clone();
    slim::part(slim, &mut part);
    part
}

fn stripped(part: &Part) -> Part {
    let mut part = part.clone();
    strip::part(&mut part);
    part
}

fn slimmed_message(slim: Slim, message: &Message) -> Message {
    let mut message = message.clone();
    slim::message(slim, &mut message);
    message
}

fn stripped_message(message: &Message) -> Message {
    let mut message = message.clone();
    strip::message(&mut message);
    message
}

fn at<'a>(part: &'a Part, pointer: &str) -> &'a Value {
    part.value().pointer(pointer).unwrap_or(&Value::Null)
}

/// Short, moderate and long samples of everything.
fn samples() -> Vec<Part> {
    [10, 1_000, 5_000, 50_000, 300_000]
        .into_iter()
        .flat_map(|n| calls(n).into_iter().chain(kinds(n)))
        .collect()
}

fn sample(tool: &str) -> Part {
    calls(50_000).into_iter().find(|part| part.tool() == Some(tool)).unwrap()
}

/// UTF-16 units of the longest text, and of its patches together.
fn longest(value: &Value, key: &str) -> (usize, usize) {
    let inner: Vec<(usize, usize)> = match value {
        Value::String(text) if key == "patch" => vec![(0, text.encode_utf16().count())],
        Value::String(text) => vec![(text.encode_utf16().count(), 0)],
        Value::Array(items) => items.iter().map(|item| longest(item, "")).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| longest(value, key)).collect(),
        _ => Vec::new(),
    };
    inner.into_iter().fold((0, 0), |all, one| (all.0.max(one.0), all.1 + one.1))
}

/// Bytes of JSON of the patches in a value.
fn patch_bytes(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(patch_bytes).sum(),
        Value::Object(map) => {
            let of = |(key, value): (&String, &Value)| match value {
                Value::String(_) if key == "patch" => json_bytes(value),
                _ => patch_bytes(value),
            };
            map.iter().map(of).sum()
        }
        _ => 0,
    }
}

/// Complaints about a value that takes more than a part may, `said` bytes of what it says not counted.
fn unbounded(value: &Value, said: usize) -> Option<String> {
    let (all, patches) = (json_bytes(value), patch_bytes(value));
    let is_bounded = all - patches <= PART_CAP + said && patches <= PATCHES_BYTES;
    (!is_bounded).then(|| format!("{all} bytes, {patches} of them patches"))
}

// ---- The server ----

#[test]
fn contents_are_stripped_from_calls_that_run_or_are_completed() {
    for tool in ["edit", "multiedit", "write", "apply_patch"] {
        let metadata = stripped(&sample(tool)).value()["state"]["metadata"].to_string();
        assert!(!metadata.contains("before") && !metadata.contains("\"diff\""), "{tool}");
        assert!(metadata.contains("\"patch\"") && metadata.contains("additions"), "{tool}");
    }
    let edited = sample("edit").value()["state"]["metadata"].clone();
    for (status, is_stripped) in
        [("pending", false), ("running", true), ("completed", true), ("error", false)]
    {
        let call = call("any", status, json!({"metadata": edited}));
        assert_eq!(stripped(&call) != call, is_stripped, "{status}");
    }
}

#[test]
fn a_patch_of_a_file_is_stripped_when_it_has_more_than_256_kib() {
    let file = |patch: usize| json!({"patch": "x".repeat(patch), "additions": 1});
    let metadata = json!({
        "filediff": file(PATCH_BYTES),
        "files": [file(PATCH_BYTES + 1), {"diff": "d"}, {"patch": "é".repeat(PATCH_BYTES / 2 + 1), "diff": "d"}],
        "results": [{"diff": "d", "filediff": file(PATCH_BYTES + 1)}, "odd"],
    });
    let part = stripped(&call("any", "completed", json!({"metadata": metadata})));
    assert_eq!(at(&part, "/state/metadata/filediff/patch").as_str().map(str::len), Some(PATCH_BYTES));
    assert_eq!(
        *at(&part, "/state/metadata/files"),
        json!([{"additions": 1}, {"patch": "d"}, {"patch": "d"}])
    );
    assert_eq!(*at(&part, "/state/metadata/results"), json!([{"filediff": {"additions": 1}}, "odd"]));
}

#[test]
fn what_a_message_says_of_files_is_stripped() {
    let [user, assistant] = messages(2, PATCH_BYTES + 1);
    let diff = |at: usize| json!({"file": format!("{at}.ts"), "patch": "", "additions": 1, "deletions": 1});
    assert_eq!(stripped_message(&user).value()["summary"]["diffs"], json!([diff(0), diff(1)]));
    assert_eq!(stripped_message(&assistant), assistant);
    let [short, _] = messages(1, PATCH_BYTES);
    let patch = stripped_message(&short).value()["summary"]["diffs"][0]["patch"].clone();
    assert_eq!(patch.as_str().map(str::len), Some(PATCH_BYTES));
}

// ---- Upstream's tables ----

#[test]
fn a_table_knows_its_tools_and_no_others() {
    let of = |slim: Slim| -> Vec<String> {
        let changed = calls(50_000).into_iter().filter(|part| slimmed(slim, part) != *part);
        let mut tools: Vec<String> = changed.filter_map(|part| part.tool().map(str::to_owned)).collect();
        tools.sort();
        tools.dedup();
        tools
    };
    let five = ["apply_patch", "bash", "edit", "multiedit", "write"];
    assert_eq!(of(Slim::Five), five);
    let mut thirteen = five.to_vec();
    thirteen.extend(["codesearch", "glob", "grep", "list", "read", "task", "webfetch", "websearch"]);
    thirteen.sort_unstable();
    assert_eq!(of(Slim::Thirteen), thirteen);
}

#[test]
fn by_a_table_an_output_keeps_4000_units_and_a_line() {
    let bash = slimmed(Slim::Five, &sample("bash"));
    let cut = text(OUTPUT_CAP) + "\n… (46000 characters omitted)";
    assert_eq!(*at(&bash, "/state/output"), cut);
    assert_eq!(*at(&bash, "/state/metadata/output"), cut);
    assert_eq!(*at(&bash, "/state/metadata/exit"), 0);
    let read = slimmed(Slim::Thirteen, &sample("read"));
    assert_eq!(*at(&read, "/state/output"), cut);
    // The second copy is upstream's leak.
    assert_eq!(at(&read, "/state/metadata/display/text").as_str().map(str::len), Some(50_000));
}

#[test]
fn by_a_table_an_edit_keeps_its_patch_and_counts() {
    let edit = slimmed(Slim::Five, &sample("edit"));
    let filediff =
        json!({"file": "/home/dev/demo/a.ts", "patch": text(12_500), "additions": 1, "deletions": 0});
    let diagnostics = json!({"/home/dev/demo/a.ts": [{"message": "unused", "severity": 2}]});
    let metadata = json!({"filediff": filediff, "diagnostics": diagnostics});
    assert_eq!(*at(&edit, "/state/metadata"), metadata);
    let multi = slimmed(Slim::Five, &sample("multiedit"));
    assert_eq!(*at(&multi, "/state/metadata/results"), json!([metadata, metadata, metadata]));
    let write = slimmed(Slim::Five, &sample("write"));
    assert_eq!(*at(&write, "/state/input"), json!({"filePath": "/home/dev/demo/a.ts"}));
    assert_eq!(
        *at(&write, "/state/metadata"),
        json!({"filepath": "/home/dev/demo/a.ts", "exists": false, "diagnostics": {}, "filediff": filediff})
    );
    let long =
        call("edit", "completed", json!({"metadata": {"filediff": {"patch": "x".repeat(PATCH_CAP + 1)}}}));
    assert_eq!(
        *at(&slimmed(Slim::Five, &long), "/state/metadata"),
        json!({"filediff": {"additions": 0, "deletions": 0}})
    );
    let bare = slimmed(Slim::Five, &call("edit", "completed", json!({"metadata": null})));
    assert_eq!(*at(&bare, "/state"), *at(&call("edit", "completed", json!({})), "/state"));
}

#[test]
fn by_a_table_a_patch_of_several_files_keeps_each_files() {
    let file = json!({
        "filePath": "/home/dev/demo/a.ts", "relativePath": "a.ts", "type": "update", "movePath": null,
        "patch": text(12_500), "additions": 3, "deletions": 2,
    });
    let patch = slimmed(Slim::Five, &sample("apply_patch"));
    assert_eq!(*at(&patch, "/state/metadata"), json!({"diagnostics": {}, "files": [file, file]}));
    assert_eq!(*at(&patch, "/state/input"), json!({}));
}

#[test]
fn by_the_second_table_searches_and_tasks_keep_what_names_them() {
    let input = |tool: &str| at(&slimmed(Slim::Thirteen, &sample(tool)), "/state/input").clone();
    assert_eq!(input("webfetch"), json!({"url": "https://example.org"}));
    assert_eq!(input("codesearch"), json!({"query": "q", "tokensNum": 5000}));
    let task = json!({"description": "Looks", "subagent_type": "explore", "sessionId": "ses_child"});
    assert_eq!(input("task"), task);
    let metadata = |tool: &str| at(&slimmed(Slim::Thirteen, &sample(tool)), "/state/metadata").clone();
    assert_eq!(metadata("task"), json!({"sessionId": "ses_child"}));
    assert_eq!(metadata("websearch"), json!({"provider": "p"}));
    let childless = call("task", "running", json!({"metadata": {"model": "m"}}));
    assert_eq!(at(&slimmed(Slim::Thirteen, &childless), "/state").get("metadata"), None);
}

#[test]
fn encrypted_reasoning_goes_but_not_by_the_first_table() {
    let reasoning = kinds(50_000).into_iter().find(|part| part.kind() == Kind::Reasoning).unwrap();
    assert_eq!(slimmed(Slim::Five, &reasoning), reasoning);
    for slim in [Slim::Thirteen, Slim::Rule] {
        let slim = slimmed(slim, &reasoning);
        assert_eq!(slim.value()["metadata"], json!({"openai": {"itemId": "rs_1"}}));
        assert_eq!(slim.value()["text"], text(50_000));
    }
}

#[test]
fn of_messages_five_keeps_everything_and_thirteen_drops_patches() {
    let [user, assistant] = messages(2, 50_000);
    assert_eq!(slimmed_message(Slim::Five, &user), user);
    let diffs = slimmed_message(Slim::Thirteen, &user).value()["summary"]["diffs"].clone();
    assert_eq!((diffs[1].get("patch"), &diffs[1]["before"]), (None, &text(50_000).into()));
    assert_eq!(slimmed_message(Slim::Thirteen, &assistant), assistant);
}

// ---- Our rule ----

#[test]
fn by_the_rule_no_sample_is_long() {
    for part in samples() {
        let slim = slimmed(Slim::Rule, &part);
        let name = format!("{:?} {:?}", part.kind(), part.tool());
        let is_said = matches!(part.kind(), Kind::Text | Kind::Reasoning);
        let mut rest = slim.value().clone();
        if is_said {
            rest["text"] = "".into();
        }
        let (units, patches) = longest(&rest, "");
        assert!(units <= OUTPUT_CAP + 30 && patches <= PATCH_CAP, "{name}: {units} {patches}");
        assert_eq!(unbounded(&rest, 0), None, "{name}");
        assert!(!slim.value().to_string().contains("data:image"), "{name}");
        for key in ["id", "messageID", "sessionID", "type", "tool", "callID"] {
            assert_eq!(slim.value().get(key), part.value().get(key), "{name}: {key}");
        }
        for key in ["status", "title", "time"] {
            assert_eq!(at(&slim, "/state").get(key), at(&part, "/state").get(key), "{name}: {key}");
        }
        let written = part.value().to_string();
        let is_dropped =
            ["data:image", "before", "reasoningEncryptedContent"].iter().any(|what| written.contains(what));
        if written.len() < OUTPUT_CAP && !is_dropped {
            assert_eq!(slim, stripped(&part), "{name}: what is short stays");
        }
    }
}

#[test]
fn by_the_rule_texts_are_cut_whatever_they_are_called() {
    let cut = text(OUTPUT_CAP) + " [... 46000 more characters]";
    for (tool, pointer) in [
        ("read", "/state/output"),
        ("read", "/state/metadata/display/text"),
        ("edit", "/state/input/oldString"),
        ("skill", "/state/output"),
        ("browser_screenshot", "/state/input/script"),
        ("plugin", "/state/error"),
    ] {
        assert_eq!(*at(&slimmed(Slim::Rule, &sample(tool)), pointer), cut, "{tool} {pointer}");
    }
    let pending = call("write", "pending", json!({"input": {}, "raw": text(50_000)}));
    assert_eq!(*at(&slimmed(Slim::Rule, &pending), "/state/raw"), cut);
}

#[test]
fn by_the_rule_an_image_says_what_it_was() {
    let url = image(2_000_022);
    let shot =
        call("x", "completed", json!({"attachments": [{"type": "file", "mime": "image/png", "url": url}]}));
    let omitted = "highwater:omitted;mime=image/png;bytes=1500000";
    assert_eq!(*at(&slimmed(Slim::Rule, &shot), "/state/attachments/0/url"), omitted);
    let file = part("file", json!({"mime": "image/png", "url": url}));
    assert_eq!(slimmed(Slim::Rule, &file).value()["url"], omitted);
}

#[test]
fn by_the_rule_patches_stay_up_to_64000_units_together() {
    let file = |units: usize| json!({"additions": 1, "patch": "x".repeat(units), "before": "b"});
    let files: Vec<Value> = [PATCH_CAP + 1, PATCH_CAP - 10, 11, 10].map(file).into();
    let slim = slimmed(Slim::Rule, &call("mcp", "error", json!({"metadata": {"list": files}})));
    let kept = at(&slim, "/state/metadata/list").as_array().unwrap();
    let units: Vec<Option<usize>> = kept.iter().map(|file| file["patch"].as_str().map(str::len)).collect();
    assert_eq!(units, [None, Some(PATCH_CAP - 10), None, Some(10)]);
    assert_eq!(kept[3].get("before"), None);
    // Without a patch, a unified diff is the patch.
    let diffs =
        json!({"a": {"diff": text(9_000)}, "b": {"diff": text(9_000), "patch": "p"}, "c": {"diff": "d"}});
    let slim = slimmed(Slim::Rule, &call("mcp", "error", json!({"metadata": diffs})));
    assert_eq!(
        *at(&slim, "/state/metadata"),
        json!({"a": {"patch": text(9_000)}, "b": {"patch": "p"}, "c": {"diff": "d"}})
    );
}

#[test]
fn by_the_rule_what_is_much_is_cut_step_by_step() {
    let of = |metadata: Value| slimmed(Slim::Rule, &call("mcp", "completed", json!({"metadata": metadata})));
    let ten = of(vec![text(10_000); 10].into());
    assert_eq!(*at(&ten, "/state/metadata/9"), text(1_000) + " [... 9000 more characters]");
    let fifty = of(vec![text(10_000); 50].into());
    assert_eq!(*at(&fifty, "/state/metadata/49"), text(250) + " [... 9750 more characters]");
    let results = of((0..500).map(|n| json!({"name": n, "out": text(9_000), "more": text(9_000)})).collect());
    let kept = at(&results, "/state/metadata").as_array().unwrap();
    assert_eq!(kept.len(), 65);
    let cut = text(60) + " [... 8940 more characters]";
    assert_eq!(kept[63], json!({"name": 63, "out": cut, "more": cut}));
    assert_eq!(kept[64], json!({OMITTED: 436}));
    let keys =
        of((0..10_000).map(|n| (format!("{n:05}"), n.into())).collect::<serde_json::Map<_, _>>().into());
    assert_eq!(at(&keys, "/state/metadata").as_object().map(serde_json::Map::len), Some(65));
    assert_eq!(at(&keys, "/state/metadata")[OMITTED], 9_936);
}

#[test]
fn by_the_rule_an_entry_with_an_endless_name_is_left_out() {
    let metadata = json!({"k".repeat(KEY_CAP): 1, "l".repeat(KEY_CAP + 1): 2, "m": text(3_000)});
    let slim = slimmed(Slim::Rule, &call("mcp", "completed", json!({"metadata": metadata})));
    assert_eq!(*at(&slim, "/state/metadata"), json!({"k".repeat(KEY_CAP): 1, OMITTED: 1, "m": text(3_000)}));
}

#[test]
fn by_the_rule_what_is_much_at_every_depth_fits_and_keeps_its_names() {
    let many = |inner: Value| -> Value { vec![inner; 70].into() };
    let cube = many(many(many(json!({"content": "c", "k": "v"}))));
    let wide: serde_json::Map<_, _> =
        (0..300).map(|n| (format!("{n:05}"), json!({"a": cube[0][0]}))).collect();
    let state =
        json!({"input": {"filePath": "a.ts", "todos": cube}, "output": text(5_000), "metadata": wide});
    let call = call("server_tool", "completed", state);
    let slim = slimmed(Slim::Rule, &call);
    assert_eq!(unbounded(slim.value(), 0), None);
    assert!(slimmed(Slim::Rule, &slim) == slim);
    for (pointer, kept) in
        [("/tool", "server_tool"), ("/callID", "call_1"), ("/state/input/filePath", "a.ts")]
    {
        assert_eq!(*at(&slim, pointer), kept);
    }
    assert_eq!(*at(&slim, "/state/time"), json!({"start": 1, "end": 2}));
    assert!(at(&slim, "/state/output").as_str().unwrap().ends_with(" [... 4940 more characters]"));
    assert_eq!(at(&slim, "/state/input/todos/0/0/0/content"), "c");
    assert!(at(&slim, "/state/metadata/00000/a").is_array(), "metadata has a share too");
}

#[test]
fn by_the_rule_what_a_person_reads_is_whole_up_to_256_kib() {
    let said = |text: &str| slimmed(Slim::Rule, &part("text", json!({"text": text}))).value()["text"].clone();
    assert_eq!(said(&"x".repeat(TEXT_BYTES)), "x".repeat(TEXT_BYTES));
    assert_eq!(said(&"x".repeat(TEXT_BYTES + 1)), "x".repeat(TEXT_BYTES) + " [... 1 more characters]");
    assert_eq!(said("data:image/png;base64,AAAA is a URL"), "data:image/png;base64,AAAA is a URL");
}

#[test]
fn by_the_rule_a_message_of_a_thousand_files_fits() {
    let [user, _] = messages(1_000, 5_000);
    let slim = slimmed_message(Slim::Rule, &user);
    let (_, patches) = longest(slim.value(), "");
    assert_eq!(unbounded(slim.value(), 0), None);
    assert!(patches > PATCH_CAP - 5_000, "{patches}");
    let diffs = slim.value()["summary"]["diffs"].as_array().unwrap();
    assert_eq!((diffs.len(), &diffs[64]), (65, &json!({OMITTED: 936})));
    assert_eq!((slim.id(), slim.created()), ("msg_1", 5));
}

#[test]
fn by_the_rule_a_short_text_does_not_hold_the_room_of_a_long_one() {
    let Value::String(output) = at(&slimmed(Slim::Rule, &sample("bash")), "/state/output").clone() else {
        panic!()
    };
    let mut part = sample("bash");
    slim::part(Slim::Rule, &mut part);
    let Some(Value::String(cut)) = part.into_value().pointer_mut("/state/output").map(Value::take) else {
        panic!()
    };
    assert_eq!((cut.len(), cut.capacity()), (output.len(), output.len()));
}

// ---- Laws ----

#[test]
fn samples_seen_live_equal_those_loaded_later() {
    for part in samples() {
        for slim in SLIMS {
            // A table does not know what others' tools say of files.
            let live = slimmed(slim, &part);
            assert!(slimmed(slim, &stripped(&part)) == live, "{slim:?} {:?} {:?}", part.kind(), part.tool());
            assert!(slimmed(slim, &live) == live, "twice: {slim:?} {:?} {:?}", part.kind(), part.tool());
        }
    }
}

/// Where upstream breaks the law. When one of these fails, the law holds in one place more, and slim.rs must say so.
#[test]
fn upstream_shows_other_things_live_than_later() {
    let differs = |slim: Slim, part: &Part| slimmed(slim, &stripped(part)) != slimmed(slim, part);
    let unknown = call("server_tool", "completed", json!({"metadata": {"diff": "d"}}));
    let between = json!({"patch": "x".repeat(PATCH_CAP + 1), "diff": "d"});
    let file = call("apply_patch", "completed", json!({"metadata": {"files": [between]}}));
    for slim in [Slim::Five, Slim::Thirteen] {
        assert!(differs(slim, &unknown) && differs(slim, &file), "{slim:?}");
    }
    let read = call("read", "completed", json!({"metadata": {"diff": "d"}}));
    assert!(differs(Slim::Five, &read) && differs(Slim::Thirteen, &read));
    let [user, _] = messages(1, 10);
    for slim in [Slim::Five, Slim::Thirteen] {
        assert_ne!(slimmed_message(slim, &stripped_message(&user)), slimmed_message(slim, &user), "{slim:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn slimming_again_changes_nothing(part in arbitrary::part()) {
        let once = stripped(&part);
        prop_assert!(stripped(&once) == once, "strip");
        for slim in SLIMS {
            let once = slimmed(slim, &part);
            prop_assert!(slimmed(slim, &once) == once, "{slim:?}");
        }
    }

    #[test]
    fn by_the_rule_any_part_is_bounded_and_the_same_live_and_later(part in arbitrary::part()) {
        let slim = slimmed(Slim::Rule, &part);
        let is_said = matches!(part.kind(), Kind::Text | Kind::Reasoning);
        let said = if is_said { TEXT_BYTES + 50 } else { 0 };
        prop_assert_eq!(unbounded(slim.value(), said), None);
        prop_assert!(slimmed(Slim::Rule, &stripped(&part)) == slim, "live and later");
        prop_assert!(Part::new(slim.value().clone()).is_ok(), "{}", slim.value());
        prop_assert_eq!((slim.id(), slim.kind(), slim.tool(), slim.status()), (part.id(), part.kind(), part.tool(), part.status()));
        prop_assert_eq!(at(&slim, "/state/time/start"), 1);
    }

    #[test]
    fn by_the_rule_any_message_is_bounded_and_the_same_live_and_later(message in arbitrary::message()) {
        for slim in SLIMS {
            let once = slimmed_message(slim, &message);
            prop_assert!(slimmed_message(slim, &once) == once, "{slim:?}");
        }
        let slim = slimmed_message(Slim::Rule, &message);
        prop_assert_eq!(unbounded(slim.value(), 0), None);
        prop_assert!(slimmed_message(Slim::Rule, &stripped_message(&message)) == slim);
        prop_assert_eq!((slim.id(), slim.role(), slim.created()), (message.id(), message.role(), 5));
    }
}
