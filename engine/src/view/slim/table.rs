//! Upstream's tables: what of a tool's call goes to the view, for the tools that they know. A tool that they do not know goes as it is,
//! and so do attachments, errors and the arguments of edits.

use std::mem;

use serde_json::{Map, Value};

use super::text::{LINE, exceeds};
use super::{OUTPUT_CAP, PATCH_CAP};
use crate::view::message::Message;
use crate::view::part::{Kind, Part};

type Object = Map<String, Value>;
/// Slims the state of a tool's call.
type Slimmer = fn(&mut Object);
/// What an entry must be to be kept.
type Wanted = fn(&Value) -> bool;

/// The tools that were there at first.
const FIVE: [(&str, Slimmer); 5] = [
    ("edit", edit),
    ("multiedit", multiedit),
    ("write", write),
    ("apply_patch", apply_patch),
    ("bash", bash),
];

/// The tools that came later.
const EIGHT: [(&str, Slimmer); 8] = [
    ("read", output),
    ("list", output),
    ("glob", output),
    ("grep", output),
    ("websearch", websearch),
    ("webfetch", webfetch),
    ("codesearch", codesearch),
    ("task", task),
];

/// Slims a part by the first table.
pub(super) fn five(part: &mut Part) {
    tool(part, &[&FIVE]);
}

/// Slims a part by the second table, which has the first one's tools too; and leaves out what a model encrypted of its reasoning.
pub(super) fn thirteen(part: &mut Part) {
    if part.kind() != Kind::Reasoning {
        return tool(part, &[&FIVE, &EIGHT]);
    }
    let openai = part.value_mut().pointer_mut("/metadata/openai").and_then(Value::as_object_mut);
    if let Some(openai) = openai {
        openai.remove("reasoningEncryptedContent");
    }
}

/// Leaves out the patches of a message's summary.
pub(super) fn message(message: &mut Message) {
    let diffs = message.value_mut().pointer_mut("/summary/diffs").and_then(Value::as_array_mut);
    for diff in diffs.into_iter().flatten().filter_map(Value::as_object_mut) {
        diff.remove("patch");
    }
}

fn tool(part: &mut Part, tables: &[&[(&str, Slimmer)]]) {
    if part.kind() != Kind::Tool {
        return;
    }
    let known = tables.iter().copied().flatten().find(|(name, _)| part.tool() == Some(name));
    let Some(&(_, slimmer)) = known else { return };
    if let Some(state) = object(part.value_mut(), "state") {
        slimmer(state);
    }
}

fn output(state: &mut Object) {
    cap(state, "output");
}

fn bash(state: &mut Object) {
    output(state);
    if let Some(metadata) = inner(state, "metadata") {
        cap(metadata, "output");
    }
}

fn edit(state: &mut Object) {
    let Some(Value::Object(mut old)) = state.remove("metadata") else { return };
    let mut metadata = Object::new();
    keep_filediff(&mut metadata, &mut old);
    keep(&mut metadata, &mut old, "diagnostics", says_something);
    state.insert("metadata".to_owned(), metadata.into());
}

fn multiedit(state: &mut Object) {
    let Some(metadata) = inner(state, "metadata") else { return };
    let mut old = mem::take(metadata);
    keep(metadata, &mut old, "diagnostics", says_something);
    if let Some(Value::Array(results)) = old.remove("results") {
        let results: Vec<Value> = results.into_iter().map(result).collect();
        metadata.insert("results".to_owned(), results.into());
    }
}

/// One edit of several.
fn result(mut old: Value) -> Value {
    let mut result = Object::new();
    if let Some(old) = old.as_object_mut() {
        keep(&mut result, old, "diagnostics", says_something);
        keep_filediff(&mut result, old);
    }
    result.into()
}

fn write(state: &mut Object) {
    if let Some(input) = inner(state, "input") {
        drop_text(input, "content");
    }
    let Some(metadata) = inner(state, "metadata") else { return };
    let mut old = mem::take(metadata);
    keep(metadata, &mut old, "filepath", says_something);
    keep(metadata, &mut old, "exists", |_| true);
    keep(metadata, &mut old, "diagnostics", says_something);
    keep_filediff(metadata, &mut old);
}

fn apply_patch(state: &mut Object) {
    if let Some(input) = inner(state, "input") {
        drop_text(input, "patchText");
    }
    let Some(metadata) = inner(state, "metadata") else { return };
    let mut old = mem::take(metadata);
    keep(metadata, &mut old, "diagnostics", says_something);
    if let Some(Value::Array(files)) = old.remove("files") {
        let files: Vec<Value> = files.into_iter().map(patched).collect();
        metadata.insert("files".to_owned(), files.into());
    }
}

/// One file of a patch. Its diff stands in for a patch that is not there or too long.
fn patched(mut old: Value) -> Value {
    let mut file = Object::new();
    let Some(old) = old.as_object_mut() else { return file.into() };
    for key in ["filePath", "relativePath", "type", "additions", "deletions", "movePath"] {
        keep(&mut file, old, key, |_| true);
    }
    let short = ["patch", "diff"].into_iter().find_map(|key| old.remove(key).filter(is_short_patch));
    if let Some(patch) = short.filter(says_something) {
        file.insert("patch".to_owned(), patch);
    }
    file.into()
}

fn websearch(state: &mut Object) {
    output(state);
    only(state, "metadata", &[("provider", Value::is_string)]);
}

fn webfetch(state: &mut Object) {
    output(state);
    only(state, "input", &[("url", Value::is_string)]);
}

fn codesearch(state: &mut Object) {
    output(state);
    only(state, "input", &[("query", Value::is_string), ("tokensNum", Value::is_number)]);
}

fn task(state: &mut Object) {
    output(state);
    let named = ["description", "subagent_type", "sessionId"].map(|key| (key, Value::is_string as Wanted));
    only(state, "input", &named);
    only(state, "metadata", &[("sessionId", Value::is_string)]);
    if inner(state, "metadata").is_none_or(|metadata| metadata.is_empty()) {
        state.remove("metadata");
    }
}

// ---- What the slimmers share ----

fn object<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Object> {
    value.get_mut(key)?.as_object_mut()
}

fn inner<'a>(map: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    map.get_mut(key)?.as_object_mut()
}

/// Cuts a text to the cap of outputs.
fn cap(map: &mut Object, key: &str) {
    if let Some(Value::String(text)) = map.get_mut(key) {
        LINE.cut(text, OUTPUT_CAP);
    }
}

/// Moves an entry that is wanted.
fn keep(new: &mut Object, old: &mut Object, key: &str, is_wanted: impl Fn(&Value) -> bool) {
    if let Some(value) = old.remove(key).filter(is_wanted) {
        new.insert(key.to_owned(), value);
    }
}

/// Leaves only the named entries of an object inside.
fn only(state: &mut Object, key: &str, wanted: &[(&str, Wanted)]) {
    if let Some(map) = inner(state, key) {
        map.retain(|key, value| wanted.iter().any(|(name, is_wanted)| name == key && is_wanted(value)));
    }
}

/// Moves what an edit did to its file, without the file's contents.
fn keep_filediff(new: &mut Object, old: &mut Object) {
    let Some(Value::Object(mut old)) = old.remove("filediff") else { return };
    let mut diff = Object::new();
    keep(&mut diff, &mut old, "file", Value::is_string);
    keep(&mut diff, &mut old, "patch", |patch| is_short_patch(patch) && says_something(patch));
    for key in ["additions", "deletions"] {
        let count = old.remove(key).filter(Value::is_number);
        diff.insert(key.to_owned(), count.unwrap_or_else(|| 0.into()));
    }
    new.insert("filediff".to_owned(), diff.into());
}

fn drop_text(map: &mut Object, key: &str) {
    if map.get(key).is_some_and(Value::is_string) {
        map.remove(key);
    }
}

fn is_short_patch(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !exceeds(text, PATCH_CAP))
}

/// Whether a value is anything but null, false, zero, or an empty text.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
