//! Our rule: whatever is long is cut, of any tool, any kind of part, and of messages. There is no table that could lack a tool.
//!
//! It begins with what the [server strips](strip), so that it is the same whether the server has done that or not. An edit that has only
//! its `metadata.diff`, as those of old versions, is shown without a patch for that reason: it would have none when it is loaded later.

use std::mem;

use serde_json::{Map, Value};

use super::fit::{NAMES, fit, fits, is_patch, omit_entries, omit_items, take_mark};
use super::text::{ASCII, exceeds, is_omitted_url, omitted_url, units};
use super::{OMITTED, OUTPUT_CAP, PATCH_CAP};
use crate::view::message::Message;
use crate::view::part::{Kind, Part};
use crate::view::size::text_bytes;
use crate::view::strip;

/// Bytes of JSON of a part or message at most, without its patches, and without what a text or reasoning part says.
pub const PART_CAP: usize = 24 * 1024;

/// Bytes of JSON of the patches of one part together at most.
pub const PATCHES_BYTES: usize = 3 * PATCH_CAP;

/// Bytes inside a JSON string of what a text or reasoning part says, at most.
pub const TEXT_BYTES: usize = 256 * 1024;

/// UTF-16 units of the name of an entry at most; an entry with a longer one is left out.
pub const KEY_CAP: usize = 1_000;

/// UTF-16 units to which entries that name things may be cut, when there is too much of everything.
const NAME_CAP: usize = 250;

/// What links parts, messages and sessions is not cut, however long it is.
const LINKS: [&str; 5] = ["id", "messageID", "sessionID", "parentID", "role"];

/// How much may stay.
#[derive(Clone, Copy)]
struct Caps {
    /// UTF-16 units of a text.
    units: usize,
    /// Items of an array, and entries of an object beside those that name things.
    items: usize,
}

/// What is tried, one after the other, until a part fits.
const CAPS: [Caps; 4] = [
    Caps { units: OUTPUT_CAP, items: usize::MAX },
    Caps { units: 1_000, items: 64 },
    Caps { units: 250, items: 64 },
    Caps { units: 60, items: 64 },
];

/// Slims a part of any kind.
pub(super) fn part(part: &mut Part) {
    strip::part(part);
    let says = matches!(part.kind(), Kind::Text | Kind::Reasoning).then_some("text");
    bound(part.value_mut(), says);
}

/// Slims a message.
pub(super) fn message(message: &mut Message) {
    strip::message(message);
    bound(message.value_mut(), None);
}

/// Slims another record.
pub(super) fn value(value: &mut Value) {
    bound(value, None);
}

/// Cuts everything but the links; what is in the entry `says` may be long.
fn bound(value: &mut Value, says: Option<&str>) {
    let links = LINKS.map(|key| (key, take_text(value, key)));
    let said = says.map(|key| (key, take_text(value, key)));
    let linked: usize = links.iter().filter_map(|(_, text)| text.as_deref()).map(text_bytes).sum();
    squeeze(value, PART_CAP.saturating_sub(linked).max(PART_CAP / 2));
    for (key, text) in links {
        put_text(value, key, text);
    }
    if let Some((key, mut text)) = said {
        if let Some(text) = &mut text {
            ASCII.cut_json(text, TEXT_BYTES);
        }
        put_text(value, key, text);
    }
}

/// Takes a text and leaves an empty one.
fn take_text(value: &mut Value, key: &str) -> Option<String> {
    match value.get_mut(key) {
        Some(Value::String(text)) => Some(mem::take(text)),
        _ => None,
    }
}

fn put_text(value: &mut Value, key: &str, text: Option<String>) {
    if let (Some(text), Some(map)) = (text, value.as_object_mut()) {
        map.insert(key.to_owned(), text.into());
    }
}

fn squeeze(value: &mut Value, budget: usize) {
    for caps in CAPS {
        shorten("", value, caps, &mut Room::default());
        if fits(value, budget) {
            return;
        }
    }
    fit("", value, budget);
}

/// What patches have taken so far.
#[derive(Default)]
struct Room {
    units: usize,
    bytes: usize,
}

impl Room {
    /// Whether one more patch has room, which it then takes.
    fn admits(&mut self, patch: &str) -> bool {
        // A patch of too many bytes need not be counted.
        if patch.len() > PATCHES_BYTES {
            return false;
        }
        let (units, bytes) = (self.units + units(patch), self.bytes + text_bytes(patch));
        let has_room = units <= PATCH_CAP && bytes <= PATCHES_BYTES;
        if has_room {
            (self.units, self.bytes) = (units, bytes);
        }
        has_room
    }
}

fn shorten(key: &str, value: &mut Value, caps: Caps, room: &mut Room) {
    match value {
        // Those that had no room are gone already.
        _ if is_patch(key, value) => {}
        Value::String(text) => shorten_text(key, text, caps),
        Value::Array(items) => shorten_items(items, caps, room),
        Value::Object(map) => shorten_entries(map, caps, room),
        _ => {}
    }
}

fn shorten_text(key: &str, text: &mut String, caps: Caps) {
    if let Some(omitted) = omitted_url(text) {
        *text = omitted;
    } else if !is_omitted_url(text) {
        let is_name = NAMES.contains(&key) && key != "output";
        ASCII.cut(text, if is_name { caps.units.max(NAME_CAP) } else { caps.units });
    }
}

fn shorten_items(items: &mut Vec<Value>, caps: Caps, room: &mut Room) {
    let omitted = take_mark(items);
    let more = items.len().saturating_sub(caps.items);
    items.truncate(caps.items);
    for item in items.iter_mut() {
        shorten("", item, caps, room);
    }
    omit_items(items, omitted.saturating_add(more as u64));
}

fn shorten_entries(map: &mut Map<String, Value>, caps: Caps, room: &mut Room) {
    drop_contents(map, caps);
    let (mut others, mut omitted) = (0, 0);
    map.retain(|key, value| {
        if key == "reasoningEncryptedContent" {
            return false;
        }
        if let Value::String(patch) = value
            && key == "patch"
        {
            return room.admits(patch);
        }
        let is_other = key != OMITTED && !NAMES.contains(&key.as_str());
        others += usize::from(is_other);
        let is_kept = !exceeds(key, KEY_CAP) && (!is_other || others <= caps.items);
        omitted += u64::from(!is_kept);
        is_kept
    });
    omit_entries(map, omitted);
    for (key, value) in map.iter_mut() {
        shorten(key, value, caps, room);
    }
}

/// Drops a file's contents before and after: always beside a count of changed lines, otherwise when they are long. A long unified diff
/// becomes the patch, unless there is one.
fn drop_contents(map: &mut Map<String, Value>, caps: Caps) {
    let is_long = |value: &Value| value.as_str().is_some_and(|text| exceeds(text, caps.units));
    let is_diff = map.get("additions").is_some_and(Value::is_number);
    for key in ["before", "after"] {
        if map.get(key).is_some_and(|value| (is_diff && value.is_string()) || is_long(value)) {
            map.remove(key);
        }
    }
    if map.get("diff").is_some_and(is_long)
        && let Some(diff) = map.remove("diff")
        && !map.contains_key("patch")
    {
        map.insert("patch".to_owned(), diff);
    }
}
