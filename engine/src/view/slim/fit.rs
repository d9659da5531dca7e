//! Makes a value fit a number of bytes, whatever it holds.

use std::mem;

use serde_json::{Map, Value};

use super::OMITTED;
use crate::view::size::{json_bytes, text_bytes};

/// The entries that say what a part is and what it is about, in the order in which they are worth keeping.
pub(super) const NAMES: [&str; 37] = [
    "id",
    "messageID",
    "sessionID",
    "parentID",
    "type",
    "role",
    "tool",
    "callID",
    "status",
    "state",
    "time",
    "created",
    "completed",
    "start",
    "end",
    "input",
    "title",
    "text",
    "filePath",
    "filepath",
    "relativePath",
    "path",
    "file",
    "url",
    "mime",
    "filename",
    "name",
    "subagent_type",
    "sessionId",
    "description",
    "command",
    "query",
    "additions",
    "deletions",
    "metadata",
    "error",
    "output",
];

/// Bytes of an entry, or of an item with its braces, that says how much was left out, with its comma.
const MARK: usize = OMITTED.len() + 3 + 20 + 2 + 1;

/// Bytes that an object or array needs at least: its brackets, and the mark.
const LEAST: usize = 2 + MARK;

/// Of what is left, each object inside another may take one of as many shares, or all of it when there are no more.
const SHARES: usize = 4;

/// Whether an entry is a patch. Patches are counted by themselves.
pub(super) fn is_patch(key: &str, value: &Value) -> bool {
    key == "patch" && value.is_string()
}

/// Whether a value takes at most `budget` bytes, patches not counted. It looks at no more of it than that.
pub(super) fn fits(value: &Value, budget: usize) -> bool {
    spend("", value, &mut { budget })
}

fn spend(key: &str, value: &Value, left: &mut usize) -> bool {
    let mut take = |bytes: usize| match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    };
    match value {
        _ if is_patch(key, value) => true,
        Value::String(text) => take(text_bytes(text)),
        Value::Array(items) => {
            take(2 + items.len().saturating_sub(1)) && items.iter().all(|item| spend("", item, left))
        }
        Value::Object(map) => {
            let brackets = 2 + map.len().saturating_sub(1);
            take(brackets) && map.iter().all(|(key, value)| spend_entry(key, value, left))
        }
        _ => take(json_bytes(value)),
    }
}

fn spend_entry(key: &str, value: &Value, left: &mut usize) -> bool {
    match left.checked_sub(text_bytes(key) + 1) {
        Some(rest) => {
            *left = rest;
            spend(key, value, left)
        }
        None => false,
    }
}

/// Leaves entries and items out until the value takes at most `budget` bytes, patches not counted, and says how many. Named entries are
/// kept before others, plain ones before objects and arrays, and no object or array takes everything. Returns what it takes at most; none
/// when even its brackets are too much.
pub(super) fn fit(key: &str, value: &mut Value, budget: usize) -> Option<usize> {
    let mut left = budget;
    if spend(key, value, &mut left) {
        return Some(budget - left);
    }
    match value {
        Value::Array(items) if budget >= LEAST => Some(fit_items(items, budget)),
        Value::Object(map) if budget >= LEAST => Some(fit_entries(map, budget)),
        _ => None,
    }
}

fn fit_entries(map: &mut Map<String, Value>, budget: usize) -> usize {
    let mut omitted = map.remove(OMITTED).map_or(0, |count| count.as_u64().unwrap_or(1));
    let mut entries: Vec<(String, Value)> = mem::take(map).into_iter().collect();
    entries.sort_by_key(|(key, value)| (is_nested(value), rank(key)));
    let mut nested = entries.iter().filter(|(_, value)| is_nested(value)).count();
    let for_plain = if nested > 0 { budget / 2 } else { budget };
    let mut used = LEAST;
    for (key, mut value) in entries {
        let room = match is_nested(&value) {
            true => {
                nested -= 1;
                (budget - used) / (nested + 1).min(SHARES)
            }
            false => for_plain.saturating_sub(used),
        };
        // With its colon and comma.
        let name = text_bytes(&key) + 2;
        match room.checked_sub(name).and_then(|room| fit(&key, &mut value, room)) {
            Some(bytes) => {
                used += name + bytes;
                map.insert(key, value);
            }
            None => omitted = omitted.saturating_add(1),
        }
    }
    omit_entries(map, omitted);
    used
}

fn fit_items(items: &mut Vec<Value>, budget: usize) -> usize {
    let mut omitted = take_mark(items);
    let mut used = LEAST;
    let count = items.len();
    // The first items are kept, without gaps.
    let kept = items.iter_mut().enumerate().map_while(|(at, item)| {
        let shares = if is_nested(item) { (count - at).min(SHARES) } else { 1 };
        let room = ((budget - used) / shares).checked_sub(1)?;
        used += fit("", item, room)? + 1;
        Some(())
    });
    let kept = kept.count();
    items.truncate(kept);
    omitted = omitted.saturating_add((count - kept) as u64);
    omit_items(items, omitted);
    used
}

fn is_nested(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn rank(key: &str) -> usize {
    NAMES.iter().position(|name| *name == key).unwrap_or(NAMES.len())
}

/// Says that entries were left out, beside those that already were.
pub(super) fn omit_entries(map: &mut Map<String, Value>, omitted: u64) {
    if omitted > 0 {
        let before = map.get(OMITTED).and_then(Value::as_u64).unwrap_or(0);
        map.insert(OMITTED.to_owned(), before.saturating_add(omitted).into());
    }
}

/// Says in a last item that others were left out, and gives their room back.
pub(super) fn omit_items(items: &mut Vec<Value>, omitted: u64) {
    if omitted > 0 {
        let mut mark = Map::new();
        omit_entries(&mut mark, omitted);
        items.push(mark.into());
    }
    items.shrink_to_fit();
}

/// Takes the last item when it only says how many were left out.
pub(super) fn take_mark(items: &mut Vec<Value>) -> u64 {
    let only = |item: &Value| item.as_object().filter(|map| map.len() == 1)?.get(OMITTED)?.as_u64();
    let omitted = items.last().and_then(only);
    if omitted.is_some() {
        items.pop();
    }
    omitted.unwrap_or(0)
}

#[cfg(test)]
mod tests;
