//! What the server strips and the host slims: bounded, the same when it is done again, and the same for a transcript that was seen live as
//! for one that is loaded later.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod arbitrary;
mod rule;
mod samples;
mod tables;

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
