//! Which of the strings in a text a browser would keep with two bytes for each unit.

/// Strings that have a character above U+00FF.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::view) struct Wide {
    /// Bytes of them as they are written here.
    pub(super) bytes: u64,
    /// UTF-16 units of them.
    pub(super) units: u64,
}

/// The first byte of every character from U+0100 on is this or more.
const FIRST_WIDE: u8 = 0xC4;

impl Wide {
    /// Those of a JSON text, keys among them.
    pub(super) fn of(json: &str) -> Wide {
        let may_be = json.bytes().any(|byte| byte >= FIRST_WIDE) || json.contains("\\u");
        if may_be { Wide::search(json) } else { Wide::default() }
    }

    /// A text that is one string.
    pub(super) fn of_string(text: &str) -> Wide {
        if is_wide(text) { Wide { bytes: text.len() as u64, units: units(text) } } else { Wide::default() }
    }

    fn search(json: &str) -> Wide {
        let (mut wide, mut rest) = (Wide::default(), json);
        while let Some(quote) = rest.find('"') {
            let (inside, length, after) = string(&rest[quote + 1..]);
            if is_wide(inside) || escapes(inside).any(|unit| unit > 0xFF) {
                wide.bytes += inside.len() as u64;
                wide.units += length;
            }
            rest = after;
        }
        wide
    }

    pub(super) fn add(&mut self, other: Wide) {
        self.bytes += other.bytes;
        self.units += other.units;
    }
}

/// Whether a text has a character above U+00FF.
pub(in crate::view) fn is_wide(text: &str) -> bool {
    text.bytes().any(|byte| byte >= FIRST_WIDE)
}

/// UTF-16 units of a text.
pub(in crate::view) fn units(text: &str) -> u64 {
    if text.is_ascii() { text.len() as u64 } else { text.encode_utf16().count() as u64 }
}

/// The inside of a string whose quote was passed, how many units it has, and what comes after it.
fn string(text: &str) -> (&str, u64, &str) {
    let (mut length, mut chars) = (0, text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (&text[..at], length, &text[at + 1..]),
            '\\' => {
                length += 1;
                if chars.next().is_some_and(|(_, c)| c == 'u') {
                    chars.nth(3);
                }
            }
            c => length += c.len_utf16() as u64,
        }
    }
    (text, length, "")
}

/// The units that a string names by their numbers.
fn escapes(inside: &str) -> impl Iterator<Item = u32> {
    // The second of two backslashes begins nothing.
    let mut pieces = inside.split('\\').skip(1);
    std::iter::from_fn(move || {
        loop {
            let piece = pieces.next()?;
            if piece.is_empty() {
                pieces.next()?;
                continue;
            }
            let number = piece.strip_prefix('u').and_then(|rest| rest.get(..4));
            if let Some(unit) = number.and_then(|number| u32::from_str_radix(number, 16).ok()) {
                return Some(unit);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strings_with_a_character_above_latin_count() {
        let wide = |json: &str| (Wide::of(json).bytes, Wide::of(json).units);
        assert_eq!(wide(r#"{"a":"plain","b":"caf\u00e9 é\\u2026"}"#), (0, 0));
        assert_eq!(wide(r#"{"a":"plain","b":"x…"}"#), (4, 2));
        assert_eq!(wide(r#"{"a":"\\\u2026\n\"","…":1}"#), (12 + 3, 4 + 1));
        assert_eq!(wide(r#"["\ud83d\ude00","😀"]"#), (12 + 4, 2 + 2));
    }

    #[test]
    fn a_tail_is_one_string() {
        assert_eq!(Wide::of_string("x…"), Wide { bytes: 4, units: 2 });
        assert_eq!(Wide::of_string("é"), Wide::default());
    }
}
