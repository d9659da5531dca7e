//! JSON's escapes, and what is wrong with a text.

use std::io;

/// Why a text is refused where a plain parse would refuse it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("invalid escape in a string")]
    Escape,
    #[error("control character in a string")]
    Control,
    #[error("invalid UTF-8 in a string")]
    Utf8,
    #[error("unterminated string")]
    Unterminated,
    #[error("nesting deeper than {}", super::machine::DEPTH)]
    Depth,
    #[error("number out of range")]
    Number,
}

impl From<Flaw> for io::Error {
    fn from(flaw: Flaw) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, flaw)
    }
}

/// One escape, or the two of a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    /// Bytes it takes in the text.
    pub(super) length: usize,
    /// What it means.
    pub(super) char: char,
    /// It was half a surrogate pair, and means U+FFFD.
    pub(super) repaired: bool,
}

/// Bytes of `\uXXXX`.
pub(super) const UNICODE_BYTES: usize = 6;

/// Reads the escape at the start of `text`, which is a backslash. `None`: its end is not there yet.
pub(super) fn escape(text: &[u8]) -> Result<Option<Escape>, Flaw> {
    let char = match text.get(1) {
        None => return Ok(None),
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(text),
        Some(_) => return Err(Flaw::Escape),
    };
    Ok(Some(Escape { length: 2, char, repaired: false }))
}

fn unicode(text: &[u8]) -> Result<Option<Escape>, Flaw> {
    let Some(unit) = hex(text)? else {
        return Ok(None);
    };
    let one = |char, repaired| Ok(Some(Escape { length: UNICODE_BYTES, char, repaired }));
    if let Some(char) = char::from_u32(unit) {
        return one(char, false);
    }
    if unit >= 0xDC00 {
        return one(char::REPLACEMENT_CHARACTER, true);
    }
    match partner(&text[UNICODE_BYTES..]) {
        Partner::Cut => Ok(None),
        Partner::None => one(char::REPLACEMENT_CHARACTER, true),
        Partner::Low(low) => {
            let char = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
                .expect("any high and low surrogate make a character");
            Ok(Some(Escape { length: 2 * UNICODE_BYTES, char, repaired: false }))
        }
    }
}

/// What follows a high surrogate.
enum Partner {
    Low(u32),
    None,
    /// It cannot be told yet.
    Cut,
}

fn partner(text: &[u8]) -> Partner {
    match text {
        [] | [b'\\'] => Partner::Cut,
        [b'\\', b'u', ..] => match hex(text) {
            Ok(None) => Partner::Cut,
            Ok(Some(low @ 0xDC00..=0xDFFF)) => Partner::Low(low),
            // What is wrong with the next escape is said when it is read itself.
            Ok(Some(_)) | Err(_) => Partner::None,
        },
        _ => Partner::None,
    }
}

/// The four digits after `\u`.
fn hex(text: &[u8]) -> Result<Option<u32>, Flaw> {
    let Some(digits) = text.get(2..UNICODE_BYTES) else {
        return Ok(None);
    };
    digits
        .iter()
        .try_fold(0, |unit, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Flaw::Escape)?;
            Ok(unit << 4 | digit)
        })
        .map(Some)
}

/// Replaces each lone surrogate escape of a JSON text (or of lines of it) by `\ufffd`, in place, for readers that refuse
/// them. Returns how many there were. What is no valid JSON stays so.
pub fn repair_surrogates(json: &mut [u8]) -> u64 {
    let mut repaired = 0;
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'\\', &json[at..]) {
        at += next;
        let rest = &mut json[at..];
        match escape(rest) {
            Ok(Some(escape)) => {
                if escape.repaired {
                    rest[2..UNICODE_BYTES].copy_from_slice(b"fffd");
                    repaired += 1;
                }
                at += escape.length;
            }
            // Not JSON, whatever follows.
            Ok(None) | Err(_) => at = json.len().min(at + 2),
        }
    }
    repaired
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> (String, u64) {
        let mut bytes = text.as_bytes().to_vec();
        let count = repair_surrogates(&mut bytes);
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        assert_eq!(repaired(r#""\ud83d""#), (r#""\ufffd""#.to_owned(), 1));
        assert_eq!(repaired(r#""\uDE00x""#), (r#""\ufffdx""#.to_owned(), 1));
        assert_eq!(repaired(r#""\ud83d\ud83d\ude00""#), (r#""\ufffd\ud83d\ude00""#.to_owned(), 1));
        assert_eq!(repaired(r#""\ude00\ud83d\n""#), (r#""\ufffd\ufffd\n""#.to_owned(), 2));
        assert_eq!(repaired(r#""\ud83d\u0041""#), (r#""\ufffd\u0041""#.to_owned(), 1));
    }

    #[test]
    fn pairs_and_escaped_backslashes_stay() {
        for text in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\\\\ude00""#,
            r#""\"ud83d""#,
            r#""\ud8""#,
            r"\",
            "",
            r"\ud83",
        ] {
            assert_eq!(repaired(text), (text.to_owned(), 0));
        }
        assert_eq!(repaired(r#""\\\ud83d""#), (r#""\\\ufffd""#.to_owned(), 1));
    }

    #[test]
    fn an_escape_whose_end_is_missing_waits() {
        let text = br"\ud83d\ude00";
        for end in 1..text.len() {
            assert_eq!(escape(&text[..end]), Ok(None), "{end}");
        }
        assert_eq!(escape(text), Ok(Some(Escape { length: 12, char: '😀', repaired: false })));
        assert_eq!(escape(br"\ud83d\x"), Ok(Some(Escape { length: 6, char: '\u{fffd}', repaired: true })));
        assert_eq!(escape(br"\x"), Err(Flaw::Escape));
        assert_eq!(escape(br"\u00g0"), Err(Flaw::Escape));
    }
}
