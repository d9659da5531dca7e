//! The text in a field that may hold a string or blocks, and what tools put into a person's text.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What opens and closes a block that a tool puts into a person's text. The second and third may go on before they close: `<ide_selection>`.
const BLOCKS: [(&str, bool); 2] = [("system-reminder", false), ("ide_", true)];

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// The text of a field: a string as it is, the texts of blocks joined by line ends, any other value as JSON.
pub(super) fn of(field: Option<&RawValue>) -> Cow<'_, str> {
    let Some(raw) = field.map(RawValue::get) else { return Cow::Borrowed("") };
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Text<'_>>(raw).map_or(Cow::Borrowed(raw), |text| text.0),
        Some(b'n') => Cow::Borrowed(""),
        Some(b'[') => match serde_json::from_str::<Vec<Block<'_>>>(raw) {
            Ok(blocks) => joined(blocks),
            Err(_) => Cow::Borrowed(raw),
        },
        _ => Cow::Borrowed(raw),
    }
}

/// A string that borrows where it can.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

fn joined(blocks: Vec<Block<'_>>) -> Cow<'_, str> {
    let mut texts = blocks.into_iter().filter_map(|block| block.text);
    let Some(first) = texts.next() else { return Cow::Borrowed("") };
    texts.fold(first, |joined, text| Cow::Owned(format!("{joined}\n{text}")))
}

/// A person's text without what terminals and tools put into it.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    let text = without_escapes(text);
    BLOCKS.iter().fold(text, |text, (name, goes_on)| without_blocks(text, name, *goes_on))
}

/// Without the sequences that colour a terminal: ESC, `[`, parameters, one final byte.
fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        kept.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        rest = match after.strip_prefix('[') {
            Some(sequence) => {
                let end = sequence.find(|c: char| matches!(c, '@'..='~'));
                end.map_or("", |end| &sequence[end + 1..])
            }
            None => after,
        };
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Without the blocks of a name, or of all names that begin so. A block that is not closed stays.
fn without_blocks<'a>(text: Cow<'a, str>, name: &str, goes_on: bool) -> Cow<'a, str> {
    let opening = format!("<{name}");
    if !text.contains(&opening) {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(&opening) {
        let inside = &rest[at + 1..];
        let end_of_name = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        let found = &inside[..end_of_name.unwrap_or(inside.len())];
        let closing = format!("</{found}>");
        let end = inside.find(&closing).filter(|_| goes_on || found == name);
        match end {
            Some(end) => {
                kept.push_str(&rest[..at]);
                rest = &inside[end + closing.len()..];
            }
            None => {
                kept.push_str(&rest[..at + opening.len()]);
                rest = &rest[at + opening.len()..];
            }
        }
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_put_into_a_text_is_taken_out() {
        for (text, kept) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a<system-reminder>b\nc</system-reminder>d", "ad"),
            ("<ide_selection>x</ide_selection> look <ide_opened_file>y</ide_opened_file>", " look "),
            ("<system-reminder>open", "<system-reminder>open"),
            ("a <b> c", "a <b> c"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(cleaned(text), kept, "{text}");
        }
    }

    #[test]
    fn a_field_is_a_string_or_blocks_or_anything() {
        let of = |json: &str| of(Some(&RawValue::from_string(json.to_owned()).unwrap())).into_owned();
        assert_eq!(of(r#""a\n\u00e9""#), "a\né");
        assert_eq!(of(r#"[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}]"#), "a\nb");
        assert_eq!(of(r#"{"a": 1}"#), r#"{"a": 1}"#);
        assert_eq!(of("[1]"), "[1]");
        assert_eq!(of("null"), "");
    }
}
