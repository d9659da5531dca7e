//! What is left out of a record while it is read: file contents that a history does not need.
//!
//! A rule follows the path from the record to what is dropped; beside the path everything is kept. It is applied by a seed of serde, so
//! that what is dropped is passed over in the text and never becomes a value.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::cut::{self, Caps};

/// Bytes of UTF-8 of a patch that is kept.
pub(super) const PATCH_BYTES: usize = 256 * 1024;

/// Whatever stands at these keys and is longer is cut before the parser sees it: the parser would collect it whole. A patch with more units
/// than it may have bytes has more bytes, too. Contents before and after go in any case where they are looked for; with them cut, most
/// records are small enough to be parsed from memory.
pub(super) const CAPS: Caps = Caps {
    by_key: &[("before", 64), ("after", 64), ("patch", PATCH_BYTES as u32), ("diff", PATCH_BYTES as u32)],
    other: u32::MAX,
};
/// Nothing is cut.
pub(super) const NO_CAPS: Caps = Caps { by_key: &[], other: u32::MAX };

/// What becomes of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// It is kept, with everything in it.
    All,
    /// It goes.
    Drop,
    /// It stays when it is a text of at most [`PATCH_BYTES`].
    Capped,
    /// It becomes an empty text when it is a text of more.
    Emptied,
    /// Of an object, these keys have rules.
    Fields(&'static [(&'static str, Rule)]),
    /// The same; a `patch` that says nothing goes, and a `diff` that has a rule takes the place of one that is not there.
    File(&'static [(&'static str, Rule)]),
    /// Of an array, every item has the rule.
    Items(&'static Rule),
}

use Rule::{Capped, Drop, Emptied, Fields, File, Items};

const FILEDIFF: Rule = File(&[("before", Drop), ("after", Drop), ("patch", Capped)]);
const CHANGED: Rule = File(&[("before", Drop), ("after", Drop), ("patch", Capped), ("diff", Capped)]);
const RESULT: Rule = Fields(&[("diff", Drop), ("filediff", FILEDIFF)]);
const METADATA: Rule = Fields(&[
    ("diff", Drop),
    ("filediff", FILEDIFF),
    ("files", Items(&CHANGED)),
    ("results", Items(&RESULT)),
]);
const DIFF: Rule = Fields(&[("before", Drop), ("after", Drop), ("patch", Emptied)]);
const LIGHT: Rule = Fields(&[("before", Drop), ("after", Drop), ("patch", Drop)]);

/// What a text is the record of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// A session: it never has more of its diffs than what counts them.
    Session,
    /// A message.
    Message,
    /// A part of one.
    Part,
    /// The diff of a session.
    Diff,
    /// Anything else.
    Other,
}

impl Record {
    /// What is left out of it.
    pub(super) fn rule(self) -> Rule {
        match self {
            Record::Session => Fields(&[("summary", Fields(&[("diffs", Items(&LIGHT))]))]),
            Record::Message => Fields(&[("summary", Fields(&[("diffs", Items(&DIFF))]))]),
            Record::Part => Fields(&[("state", Fields(&[("metadata", METADATA)]))]),
            Record::Diff => Items(&DIFF),
            Record::Other => Rule::All,
        }
    }

    /// Whether something is left out at all: of messages of persons, and of calls of tools that run or have run. What says so may stand
    /// behind what is left out, so it is known only afterwards.
    pub(super) fn is_stripped(self, value: &Value) -> bool {
        let is = |value: Option<&Value>, texts: &[&str]| {
            value.and_then(Value::as_str).is_some_and(|text| texts.contains(&text))
        };
        match self {
            Record::Message => is(value.get("role"), &["user"]),
            Record::Part => {
                is(value.get("type"), &["tool"])
                    && is(value.pointer("/state/status"), &["running", "completed"])
            }
            Record::Session | Record::Diff | Record::Other => true,
        }
    }
}

/// What happened while a record was read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Something was left out.
    pub(super) dropped: Cell<bool>,
    /// Something was cut that is kept.
    pub(super) cut: Cell<bool>,
}

/// Reads a value that comes through the cutting reader; none of one that goes.
#[derive(Clone, Copy)]
pub(super) struct Keep<'a> {
    pub(super) rule: Rule,
    pub(super) seen: &'a Seen,
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        if let Drop = self.rule {
            self.seen.dropped.set(true);
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| None);
        }
        deserializer.deserialize_any(self)
    }
}

impl Keep<'_> {
    fn text(self, text: &str) -> Option<Value> {
        let piece = cut::decode(text);
        let is_long = piece.whole.is_some() || piece.text.len() > PATCH_BYTES;
        match self.rule {
            Capped if is_long => {
                self.seen.dropped.set(true);
                None
            }
            Emptied if is_long => {
                self.seen.dropped.set(true);
                Some(Value::String(String::new()))
            }
            _ => {
                self.seen.cut.set(self.seen.cut.get() || piece.whole.is_some());
                Some(Value::String(piece.text.into_owned()))
            }
        }
    }

    /// The rule of a key.
    fn under(self, key: &str) -> Self {
        let rule = match self.rule {
            Fields(fields) | File(fields) => {
                fields.iter().find(|(name, _)| *name == key).map_or(Rule::All, |(_, rule)| *rule)
            }
            Capped => Drop,
            _ => Rule::All,
        };
        Keep { rule, ..self }
    }

    /// What is neither text nor array nor object.
    fn scalar<E>(self, value: impl Into<Value>) -> Result<Option<Value>, E> {
        if let Capped = self.rule {
            self.seen.dropped.set(true);
            return Ok(None);
        }
        Ok(Some(value.into()))
    }

    /// Decides on the patch of a file.
    fn settle(self, rules: &[(&str, Rule)], fields: &mut Map<String, Value>) {
        if rules.iter().any(|(key, _)| *key == "diff")
            && let Some(diff) = fields.remove("diff")
        {
            self.seen.dropped.set(true);
            fields.entry("patch").or_insert(diff);
        }
        if fields.get("patch").is_some_and(|patch| patch == "") {
            self.seen.dropped.set(true);
            fields.remove("patch");
        }
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<Value>, E> {
        self.scalar(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<Value>, E> {
        self.scalar(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<Value>, E> {
        self.scalar(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<Value>, E> {
        self.scalar(value)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Value>, A::Error> {
        let rule = match self.rule {
            Items(rule) => *rule,
            Capped => Drop,
            _ => Rule::All,
        };
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Keep { rule, ..self })? {
            values.extend(value);
        }
        if let Capped = self.rule {
            self.seen.dropped.set(true);
            return Ok(None);
        }
        Ok(Some(Value::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Value>, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let key = cut::decode(&key).text.into_owned();
            let value = entries.next_value_seed(self.under(&key))?;
            // Of a repeated key the last value counts, also when it goes.
            match value {
                Some(value) => fields.insert(key, value),
                None => fields.remove(&key),
            };
        }
        match self.rule {
            File(rules) => self.settle(rules, &mut fields),
            Capped => {
                self.seen.dropped.set(true);
                return Ok(None);
            }
            _ => {}
        }
        Ok(Some(Value::Object(fields)))
    }
}
