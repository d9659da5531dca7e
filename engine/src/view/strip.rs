//! What the server leaves out of histories that are asked for: whole files before and after, and patches that are too long.
//!
//! Upstream does so for histories only; what it publishes while a tool works has everything.

use serde_json::{Map, Value};

use super::message::{Message, Role};
use super::part::{Kind, Part, Status};

/// Bytes of a patch at most.
pub const PATCH_BYTES: usize = 256 * 1024;

/// Strips a tool's call that runs or is completed; others stay as they are.
///
/// Gone are `metadata.diff`, and the contents before and after in `metadata.filediff`, `metadata.files` and `metadata.results`. Patches
/// stay when they have at most [`PATCH_BYTES`].
pub fn part(part: &mut Part) {
    let is_stripped = matches!(part.status(), Some(Status::Running | Status::Completed));
    if part.kind() != Kind::Tool || !is_stripped {
        return;
    }
    let Some(metadata) = part.value_mut().pointer_mut("/state/metadata").and_then(Value::as_object_mut)
    else {
        return;
    };
    metadata.remove("diff");
    if let Some(diff) = object(metadata, "filediff") {
        file(diff);
    }
    for changed in objects(metadata, "files") {
        if let Some(diff) = changed.remove("diff")
            && patch(changed.get("patch")).is_none()
            && patch(Some(&diff)).is_some()
        {
            changed.insert("patch".to_owned(), diff);
        }
        file(changed);
    }
    for result in objects(metadata, "results") {
        result.remove("diff");
        if let Some(diff) = object(result, "filediff") {
            file(diff);
        }
    }
}

/// Strips what a user's message says of the files of its turn: contents go, and patches of more than [`PATCH_BYTES`] become empty.
pub fn message(message: &mut Message) {
    if message.role() != Role::User {
        return;
    }
    let Some(summary) = message.value_mut().get_mut("summary").and_then(Value::as_object_mut) else { return };
    for diff in objects(summary, "diffs") {
        contents(diff);
        if diff.contains_key("patch") && diff["patch"].is_string() && patch(diff.get("patch")).is_none() {
            diff.insert("patch".to_owned(), "".into());
        }
    }
}

/// A file's diff without contents; its patch goes when it is too long, or says nothing.
fn file(diff: &mut Map<String, Value>) {
    contents(diff);
    if patch(diff.get("patch")).is_none_or(str::is_empty) {
        diff.remove("patch");
    }
}

fn contents(diff: &mut Map<String, Value>) {
    diff.remove("before");
    diff.remove("after");
}

/// A patch that is short enough.
fn patch(patch: Option<&Value>) -> Option<&str> {
    patch?.as_str().filter(|text| text.len() <= PATCH_BYTES)
}

fn object<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(key)?.as_object_mut()
}

/// The objects of an array.
fn objects<'a>(
    map: &'a mut Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let items = map.get_mut(key).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut)
}
