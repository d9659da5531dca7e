//! Updates of parts on their way to the view: each by itself, or gathered for some milliseconds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::view::ledger::Ledger;
use crate::view::size;
use crate::view::strategy::Lanes as Choice;

/// Ms for which updates of the session that is shown are gathered: those of a frame of the screen.
const SHOWN_MS: i64 = 16;
/// Ms for which those of others are.
const OTHER_MS: i64 = 150;
/// What each session beyond the second adds, in ms.
const EACH_MS: i64 = 20;
/// Ms after which everything goes, however many sessions there are.
const MOST_MS: i64 = 400;

/// Which part.
type Key = (String, String, String);

/// An update of a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Update {
    /// The part, whole.
    Whole(Value),
    /// Text by which a field has grown.
    Delta { field: String, text: String },
}

/// Updates that wait.
#[derive(Debug)]
pub(super) struct Lanes {
    choice: Choice,
    waiting: BTreeMap<Key, (i64, Vec<Update>)>,
}

impl Lanes {
    pub(super) fn new(choice: Choice) -> Lanes {
        Lanes { choice, waiting: BTreeMap::new() }
    }

    /// Takes an update; gives what is to be posted at once. A whole part takes the place of what waits for it; text is appended to text.
    pub(super) fn put(
        &mut self,
        key: Key,
        update: Update,
        is_shown: bool,
        now_ms: i64,
        ledger: &mut Ledger,
    ) -> Option<Value> {
        if self.choice == Choice::Each {
            return Some(post(&key, vec![update]));
        }
        let due = now_ms + self.delay(is_shown);
        if !self.waiting.contains_key(&key) {
            ledger.add(0);
        }
        ledger.grow(bytes(&update));
        let (_, waiting) = self.waiting.entry(key).or_insert_with(|| (due, Vec::new()));
        match (waiting.last_mut(), update) {
            (Some(Update::Delta { field, text }), Update::Delta { field: same, text: more })
                if *field == same =>
            {
                ledger.shrink(same.len() as u64);
                text.push_str(&more);
            }
            (_, update @ Update::Whole(_)) => {
                ledger.shrink(waiting.iter().map(bytes).sum());
                *waiting = vec![update];
            }
            (_, update) => waiting.push(update),
        }
        None
    }

    fn delay(&self, is_shown: bool) -> i64 {
        if is_shown {
            return SHOWN_MS;
        }
        let mut others: Vec<&str> = self.waiting.keys().map(|(session, ..)| session.as_str()).collect();
        others.dedup();
        let beyond = i64::try_from(others.len().saturating_sub(2)).unwrap_or(i64::MAX);
        OTHER_MS.saturating_add(EACH_MS.saturating_mul(beyond)).min(MOST_MS)
    }

    /// What is due.
    pub(super) fn due(&mut self, now_ms: i64, ledger: &mut Ledger) -> Vec<Value> {
        self.take(|_, (due, _)| *due <= now_ms, ledger)
    }

    /// What waits of a session, due or not: it is shown now.
    pub(super) fn focus(&mut self, session: &str, ledger: &mut Ledger) -> Vec<Value> {
        self.take(|key, _| key.0 == session, ledger)
    }

    /// Forgets what waits of a session: it comes whole, or is not wanted any more.
    pub(super) fn drop_session(&mut self, session: &str, ledger: &mut Ledger) {
        self.take(|key, _| key.0 == session, ledger);
    }

    /// Forgets whole parts of a session that wait: they come another way. What parts have grown by stays.
    pub(super) fn drop_whole(&mut self, session: &str, ledger: &mut Ledger) {
        let is_whole = |updates: &[Update]| matches!(updates.first(), Some(Update::Whole(_)));
        self.take(|key, (_, updates)| key.0 == session && is_whole(updates), ledger);
    }

    /// Forgets what waits of a message, or of one part of it.
    pub(super) fn drop_in(&mut self, session: &str, message: &str, part: Option<&str>, ledger: &mut Ledger) {
        let is_in = |key: &Key| key.0 == session && key.1 == message && part.is_none_or(|part| part == key.2);
        self.take(|key, _| is_in(key), ledger);
    }

    fn take(
        &mut self,
        is_taken: impl Fn(&Key, &(i64, Vec<Update>)) -> bool,
        ledger: &mut Ledger,
    ) -> Vec<Value> {
        let is_taken = |(key, waiting): &(&Key, &(i64, Vec<Update>))| is_taken(key, waiting);
        let keys: Vec<Key> = self.waiting.iter().filter(is_taken).map(|(key, _)| key.clone()).collect();
        let mut posts = Vec::with_capacity(keys.len());
        for key in keys {
            let (_, updates) = self.waiting.remove(&key).unwrap_or_default();
            ledger.remove(updates.iter().map(bytes).sum());
            posts.push(post(&key, updates));
        }
        posts
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// Updates of one part, as the view takes them.
fn post(key: &Key, updates: Vec<Update>) -> Value {
    let (session, message, part) = key;
    let of = |update| {
        let mut post = Map::new();
        post.insert("sessionID".to_owned(), session.as_str().into());
        post.insert("messageID".to_owned(), message.as_str().into());
        post.insert("partID".to_owned(), part.as_str().into());
        match update {
            Update::Whole(part) => post.insert("part".to_owned(), part),
            Update::Delta { field, text } => {
                post.insert("delta".to_owned(), serde_json::json!({"field": field, "text": text}))
            }
        };
        Value::Object(post)
    };
    Value::Array(updates.into_iter().map(of).collect())
}

fn bytes(update: &Update) -> u64 {
    match update {
        Update::Whole(part) => size::json_bytes(part) as u64,
        Update::Delta { field, text } => (field.len() + text.len()) as u64,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(session: &str, part: &str) -> Key {
        (session.to_owned(), "msg_1".to_owned(), part.to_owned())
    }

    fn delta(text: &str) -> Update {
        Update::Delta { field: "text".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn text_is_gathered_and_a_whole_part_takes_its_place() {
        let (mut lanes, mut ledger) = (Lanes::new(Choice::Coalesced), Ledger::default());
        for n in 0..10 {
            let text = n.to_string();
            assert_eq!(lanes.put(key("s", "p"), delta(&text), true, 100 + n, &mut ledger), None);
        }
        assert!(lanes.due(115, &mut ledger).is_empty());
        let due = lanes.due(116, &mut ledger);
        assert_eq!(due[0][0]["delta"]["text"], "0123456789");
        assert_eq!((lanes.len(), ledger.live()), (0, 0));
        lanes.put(key("s", "p"), delta("lost"), true, 200, &mut ledger);
        lanes.put(key("s", "p"), Update::Whole(json!({"text": "whole"})), true, 201, &mut ledger);
        let due = lanes.due(216, &mut ledger);
        assert_eq!(
            due,
            [json!([{"sessionID": "s", "messageID": "msg_1", "partID": "p", "part": {"text": "whole"}}])]
        );
        assert_eq!(ledger.live(), 0);
    }

    #[test]
    fn what_nobody_sees_waits_longer_and_comes_when_it_is_shown() {
        let (mut lanes, mut ledger) = (Lanes::new(Choice::Coalesced), Ledger::default());
        for n in 0..40 {
            lanes.put(key(&format!("s{n:02}"), "p"), delta("x"), false, 0, &mut ledger);
        }
        assert_eq!(lanes.due(149, &mut ledger).len(), 0);
        assert_eq!(lanes.due(150, &mut ledger).len(), 3);
        assert_eq!(lanes.focus("s39", &mut ledger).len(), 1);
        assert_eq!(lanes.due(MOST_MS, &mut ledger).len(), 36);
        assert_eq!((lanes.len(), ledger.live()), (0, 0));
    }
}
