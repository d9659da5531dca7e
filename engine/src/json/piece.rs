//! What follows the preview of a cut string, and how it is read back.
//!
//! A cut string is `preview MARK units ' ' newlines (' ' language ' ' lines)*`, a cut key is
//! `preview MARK 'h' hash ' ' units ..`: the hash keeps keys apart that differ only in what was dropped. A `MARK` that was in
//! the text itself is doubled, so one that a digit or `h` follows is the cut. Languages contain no whitespace.

use std::borrow::Cow;
use std::io::Write as _;

use super::text::{LANGUAGES, Measure, NAME_BYTES, Scan};

/// Stands between a preview and its tail: the last character there is, which no text is likely to use.
pub(super) const MARK: char = '\u{10FFFF}';
/// The bytes of [`MARK`].
pub(super) const MARK_BYTES: &[u8] = "\u{10FFFF}".as_bytes();
/// No tail is longer: a name's bytes can each take six as an escape (of those, 24 fit a name), numbers take 20.
pub(super) const TAIL_BYTES: usize = 80 + (LANGUAGES + 1) * (2 * NAME_BYTES + 22);

/// A string as it came through a [`CutReader`](super::cut::CutReader).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text, or the preview of it when it was cut.
    pub text: Cow<'a, str>,
    /// What the whole text measures, when it was cut.
    pub whole: Option<Measure>,
}

/// Reads a string or key that came through a [`CutReader`](super::cut::CutReader).
///
/// Two keys are the same if they are equal *before* this: what is decoded of two different keys can be equal.
#[must_use]
pub fn decode(s: &str) -> Piece<'_> {
    let Some(mark) = s.find(MARK) else {
        return Piece { text: Cow::Borrowed(s), whole: None };
    };
    let (text, tail) = s.split_at(mark);
    match whole(&tail[MARK_BYTES.len()..]) {
        Some(whole) => Piece { text: Cow::Borrowed(text), whole: Some(whole) },
        None => decode_doubled(s, mark),
    }
}

/// [`decode`] of a text that has marks of its own; the first of them stands at `mark`.
#[cold]
fn decode_doubled(s: &str, mark: usize) -> Piece<'_> {
    let (before, mut rest) = s.split_at(mark);
    let mut text = before.to_owned();
    while let Some(mark) = rest.find(MARK) {
        text.push_str(&rest[..mark]);
        rest = &rest[mark + MARK_BYTES.len()..];
        match rest.strip_prefix(MARK) {
            Some(after) => {
                text.push(MARK);
                rest = after;
            }
            None => {
                return Piece { text: text.into(), whole: whole(rest) };
            }
        }
    }
    text.push_str(rest);
    Piece { text: text.into(), whole: None }
}

/// Reads a tail, without its mark.
fn whole(tail: &str) -> Option<Measure> {
    let mut fields = tail.split(' ');
    let mut first = fields.next()?;
    if first.starts_with('h') {
        first = fields.next()?;
    }
    let mut measure =
        Measure { units: first.parse().ok()?, newlines: fields.next()?.parse().ok()?, ..Measure::default() };
    while let Some(language) = fields.next() {
        measure.code.count(language, fields.next()?.parse().ok()?);
    }
    Some(measure)
}

/// Writes the tail of a string, after its mark, as JSON string content. `hash` is given for a key.
pub(super) fn write_tail(out: &mut Vec<u8>, scan: &Scan, hash: Option<u64>) {
    if let Some(hash) = hash {
        print(out, format_args!("h{hash:x} "));
    }
    print(out, format_args!("{} {}", scan.units(), scan.newlines()));
    for (language, lines) in scan.tally() {
        out.push(b' ');
        for byte in language.bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                0..b' ' => print(out, format_args!("\\u{byte:04x}")),
                _ => out.push(byte),
            }
        }
        print(out, format_args!(" {lines}"));
    }
}

fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_without_a_mark_is_borrowed() {
        assert!(matches!(decode("abc"), Piece { text: Cow::Borrowed("abc"), whole: None }));
    }

    #[test]
    fn a_tail_is_the_measure_of_the_whole() {
        let piece = decode("abc\u{10FFFF}12 3 a\" 4 b 5");
        let measure = piece.whole.unwrap();
        assert_eq!((&*piece.text, measure.units, measure.newlines), ("abc", 12, 3));
        assert_eq!(measure.code.iter().collect::<Vec<_>>(), [("a\"", 4), ("b", 5)]);
    }

    #[test]
    fn doubled_marks_are_the_text_own() {
        assert_eq!(
            decode("a\u{10FFFF}\u{10FFFF}12 3"),
            Piece { text: "a\u{10FFFF}12 3".into(), whole: None }
        );
        let piece = decode("\u{10FFFF}\u{10FFFF}\u{10FFFF}h1f 12 3");
        assert_eq!((&*piece.text, piece.whole.unwrap().units), ("\u{10FFFF}", 12));
    }

    #[test]
    fn the_longest_tail_fits() {
        let mut text = String::new();
        for language in 0..40u32 {
            let last = char::from_u32(0x1_0000 + language).unwrap();
            for name in ["\u{1}".repeat(23) + &language.to_string(), format!("{}{last}", "😀".repeat(23))] {
                text += &format!("```{name}\nx\n```\n");
            }
        }
        let mut scan = Scan::default();
        scan.feed(&text);
        scan.end();
        let mut out = Vec::new();
        write_tail(&mut out, &scan, Some(u64::MAX));
        assert!(out.len() <= TAIL_BYTES, "{}", out.len());
    }
}
