//! What the store keeps of a session, a message and a part: the text that came, and what must be known without reading it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::post::Mode;
use super::shelf::Held;
use super::wide::Wide;
use crate::view::message::Role;
use crate::view::part::Kind;

/// A session's record.
#[derive(Debug)]
pub(in crate::view) struct Session {
    text: Box<str>,
    /// The session whose task it is; empty where there is none.
    pub(super) parent: Box<str>,
}

/// A message's record.
#[derive(Debug)]
pub(in crate::view) struct Info {
    pub(in crate::view) text: Box<str>,
    pub(in crate::view) role: Role,
    /// The user message that an assistant answers; empty where there is none.
    pub(in crate::view) parent: Box<str>,
    /// When it was made, ms since 1970.
    pub(super) created: i64,
    pub(in crate::view) has_error: bool,
    pub(in crate::view) has_diffs: bool,
}

/// A part.
#[derive(Debug)]
pub(in crate::view) struct Stored {
    text: Box<str>,
    pub(in crate::view) kind: Kind,
    /// What has been appended to its field `text` since the text came.
    tail: String,
    /// In how many pieces.
    pub(super) deltas: u64,
    pub(super) wide: Wide,
    /// Whether it was ever mounted.
    pub(super) is_hydrated: bool,
    /// Whether it was made here and the server has not told it yet.
    pub(super) is_optimistic: bool,
}

/// A permission or an answer that a session waits for.
#[derive(Debug)]
pub(in crate::view) struct Ask {
    pub(super) session: Box<str>,
    text: Box<str>,
}

/// Whether a session works.
#[derive(Debug)]
pub(in crate::view) struct Status {
    text: Box<str>,
    pub(super) is_busy: bool,
}

/// How much of a session's transcript is here.
#[derive(Debug, Default)]
pub(in crate::view) struct Page {
    /// Where the page before ends.
    pub(super) before: Option<Box<str>>,
    pub(super) has_more: bool,
    /// How many messages are asked for.
    pub(super) limit: usize,
    /// The request whose answer is waited for.
    pub(super) awaited: Option<(u64, Mode)>,
    /// Whether the newest messages are not held.
    pub(super) is_detached: bool,
    /// Messages that came since, and were only counted.
    pub(super) missed: u64,
}

impl Held for Session {
    fn bytes(&self) -> usize {
        self.text.len() + self.parent.len()
    }
}

impl Held for Info {
    fn bytes(&self) -> usize {
        self.text.len() + self.parent.len()
    }
}

impl Held for Stored {
    fn bytes(&self) -> usize {
        self.text.len() + self.tail.len()
    }
}

impl Held for Ask {
    fn bytes(&self) -> usize {
        self.session.len() + self.text.len()
    }
}

impl Held for Status {
    fn bytes(&self) -> usize {
        self.text.len()
    }
}

impl Held for Page {
    fn bytes(&self) -> usize {
        self.before.as_ref().map_or(0, |before| before.len())
    }
}

/// A text without a head that can be read: it is skipped.
pub(super) struct Headless;

/// Reads what is needed of a record.
fn head<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Headless> {
    serde_json::from_str(raw.get()).map_err(|_| Headless)
}

fn filled(id: &str) -> Result<(), Headless> {
    if id.is_empty() { Err(Headless) } else { Ok(()) }
}

impl Session {
    /// A session and its id.
    pub(super) fn read(raw: &RawValue) -> Result<(String, Session), Headless> {
        #[derive(Deserialize)]
        struct Head<'a> {
            id: String,
            #[serde(rename = "parentID", default)]
            parent: Option<Cow<'a, str>>,
        }
        let Head { id, parent } = head(raw)?;
        filled(&id)?;
        Ok((id, Session { text: raw.get().into(), parent: parent.unwrap_or_default().into() }))
    }
}

impl Info {
    /// A message with its id and its session.
    pub(super) fn read(raw: &RawValue) -> Result<(String, String, Info), Headless> {
        #[derive(Deserialize)]
        struct Head<'a> {
            id: String,
            #[serde(rename = "sessionID")]
            session: String,
            #[serde(borrow)]
            role: Cow<'a, str>,
            #[serde(rename = "parentID", default)]
            parent: Option<Cow<'a, str>>,
            #[serde(default)]
            time: Time,
            #[serde(borrow, default)]
            error: Option<&'a RawValue>,
            #[serde(borrow, default)]
            summary: Option<&'a RawValue>,
        }
        #[derive(Default, Deserialize)]
        struct Time {
            #[serde(default)]
            created: i64,
        }
        let read: Head<'_> = head(raw)?;
        filled(&read.id)?;
        let info = Info {
            text: raw.get().into(),
            role: if &*read.role == "user" { Role::User } else { Role::Assistant },
            parent: read.parent.unwrap_or_default().into(),
            created: read.time.created,
            has_error: read.error.is_some(),
            has_diffs: read.summary.is_some_and(has_diffs),
        };
        Ok((read.id, read.session, info))
    }
}

/// Whether a summary names files. That of an assistant is no object.
fn has_diffs(summary: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Summary<'a> {
        #[serde(borrow, default)]
        diffs: Vec<&'a RawValue>,
    }
    head::<Summary<'_>>(summary).is_ok_and(|summary| !summary.diffs.is_empty())
}

impl Stored {
    /// A part and its id.
    pub(super) fn read(raw: &RawValue) -> Result<(String, Stored), Headless> {
        #[derive(Deserialize)]
        struct Head<'a> {
            id: String,
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
        }
        let read: Head<'_> = head(raw)?;
        filled(&read.id)?;
        Ok((read.id, Stored::new(raw.get().into(), Kind::of(&read.kind))))
    }

    pub(in crate::view) fn new(text: Box<str>, kind: Kind) -> Stored {
        let wide = Wide::of(&text);
        Stored { text, kind, tail: String::new(), deltas: 0, wide, is_hydrated: false, is_optimistic: false }
    }

    /// The text as it came.
    pub(in crate::view) fn text(&self) -> &str {
        &self.text
    }

    /// What has been appended since.
    pub(in crate::view) fn tail(&self) -> &str {
        &self.tail
    }

    /// Whether text can be appended to it.
    pub(super) fn can_grow(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Reasoning)
    }

    pub(super) fn append(&mut self, text: &str) {
        self.tail.push_str(text);
        self.deltas += 1;
    }

    /// The part as it would be if it had come whole. Its keys are sorted.
    pub(super) fn canonical(&self) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(&self.text) else { return self.text.to_string() };
        if !self.tail.is_empty()
            && let Some(Value::String(text)) = value.get_mut("text")
        {
            text.push_str(&self.tail);
        }
        sorted(value).to_string()
    }
}

/// A record with its keys sorted, whatever order another crate of the build makes maps keep.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            fields
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

impl Ask {
    /// A request and its id.
    pub(super) fn read(raw: &RawValue) -> Result<(String, Ask), Headless> {
        #[derive(Deserialize)]
        struct Head {
            id: String,
            #[serde(rename = "sessionID")]
            session: String,
        }
        let Head { id, session } = head(raw)?;
        filled(&id)?;
        Ok((id, Ask { session: session.into(), text: raw.get().into() }))
    }
}

impl Status {
    pub(super) fn read(raw: &RawValue) -> Result<Status, Headless> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
        }
        let read: Head<'_> = head(raw)?;
        Ok(Status { text: raw.get().into(), is_busy: &*read.kind != "idle" })
    }
}
