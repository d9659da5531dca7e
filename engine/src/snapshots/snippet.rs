//! The line by which a person recognises a session: the beginning of the first thing that was said in it.

use super::event::{Body, Event};

/// UTF-16 units of a snippet at most.
const UNITS: usize = 60;

/// What stands at the end of a snippet that was cut.
const ELLIPSIS: char = '…';

/// The snippet of the first event that has one: a person's message, runs of line ends turned into a space, trimmed, cut to 60 UTF-16 units.
pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Box<str>> {
    events.into_iter().find_map(of_event)
}

/// The snippet of one event; none unless a person said something in it.
pub fn of_event(event: &Event) -> Option<Box<str>> {
    let Body::User(text) = &event.body else { return None };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    // Only what is shown is looked at, however long the message is.
    let mut line = String::with_capacity(3 * UNITS);
    let (mut units, mut cut_at, mut in_break) = (0, 0, false);
    for char in text.chars() {
        let is_break = matches!(char, '\r' | '\n');
        let char = if is_break { ' ' } else { char };
        if !(is_break && in_break) {
            units += char.len_utf16();
            if units > UNITS {
                line.truncate(cut_at);
                line.push(ELLIPSIS);
                break;
            }
            line.push(char);
            if units < UNITS {
                cut_at = line.len();
            }
        }
        in_break = is_break;
    }
    Some(line.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::event::Source;

    fn said(body: Body) -> Event {
        let source = Source { kind: "user".into(), id: None, cursor: 0 };
        Event { id: "".into(), timestamp: "".into(), turn: None, source, body }
    }

    fn snippet(text: &str) -> Option<String> {
        of_event(&said(Body::User(text.into()))).map(String::from)
    }

    #[test]
    fn the_first_message_that_says_anything_is_taken() {
        let events = [
            said(Body::System("system".into())),
            said(Body::User(" \r\n ".into())),
            said(Body::User(" first\n".into())),
            said(Body::User("second".into())),
        ];
        assert_eq!(of(&events).as_deref(), Some("first"));
        assert_eq!(of(&events[..2]), None);
    }

    #[test]
    fn runs_of_line_ends_are_one_space() {
        assert_eq!(snippet("a\r\n\r\nb\nc\rd").as_deref(), Some("a b c d"));
        assert_eq!(snippet("a \n b").as_deref(), Some("a   b"));
    }

    #[test]
    fn sixty_units_stand_as_they_are_and_more_are_cut_to_59() {
        let text = |units: usize| "x".repeat(units);
        assert_eq!(snippet(&text(60)), Some(text(60)));
        assert_eq!(snippet(&text(61)), Some(text(59) + "…"));
        assert_eq!(snippet(&text(100_000)), Some(text(59) + "…"));
    }

    #[test]
    fn no_character_is_split() {
        // Two units each: 30 fit, and of 31 the first 29 with the mark.
        assert_eq!(snippet(&"😀".repeat(30)), Some("😀".repeat(30)));
        assert_eq!(snippet(&"😀".repeat(31)), Some("😀".repeat(29) + "…"));
        assert_eq!(snippet(&("é".repeat(58) + "😀é")), Some("é".repeat(58) + "…"));
    }
}
