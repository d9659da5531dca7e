//! Checks and counts over the raw bytes of strings, written so that the compiler makes vectors of them.

use super::escape::Flaw;

/// Bytes whose counts fit a byte when each counts twice at most.
const BLOCK: usize = 127;

/// Checks what stands between two quotes, or a part of it cut between characters: no control character, and UTF-8.
/// Returns its UTF-16 units, those of escapes as they are spelled.
pub(super) fn checked_units(raw: &[u8]) -> Result<u64, Flaw> {
    if is_plain_ascii(raw) {
        return Ok(raw.len() as u64);
    }
    if raw.iter().any(|byte| *byte < b' ') {
        return Err(Flaw::Control);
    }
    std::str::from_utf8(raw).map_err(|_| Flaw::Utf8)?;
    Ok(units(raw))
}

/// Whether all bytes are ASCII and none is a control character below the space.
pub(super) fn is_plain_ascii(raw: &[u8]) -> bool {
    // A byte is plain when neither it nor it less a space has the top bit.
    raw.iter()
        .fold(0, |odd, byte| odd | byte | byte.wrapping_sub(b' '))
        < 0x80
}

/// UTF-16 units of valid UTF-8: one for each character, two for those of four bytes.
pub(super) fn units(text: &[u8]) -> u64 {
    let count = |block: &[u8]| {
        block.iter().fold(0u8, |sum, byte| {
            sum + u8::from(byte & 0xC0 != 0x80) + u8::from(*byte >= 0xF0)
        })
    };
    text.chunks(BLOCK)
        .map(|block| u64::from(count(block)))
        .sum()
}

/// How many bytes at the end begin a character that goes on after them.
pub(super) fn unfinished(raw: &[u8]) -> usize {
    for back in 1..=raw.len().min(3) {
        let needed = match raw[raw.len() - back] {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            _ => 1,
        };
        return if needed > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_utf16() {
        for text in [
            "",
            "abc",
            "é",
            "漢字",
            "a😀",
            &"😀".repeat(300),
            &"漢a".repeat(300),
        ] {
            assert_eq!(
                units(text.as_bytes()),
                text.encode_utf16().count() as u64,
                "{text}"
            );
            assert_eq!(
                checked_units(text.as_bytes()),
                Ok(text.encode_utf16().count() as u64),
                "{text}"
            );
        }
    }

    #[test]
    fn control_characters_and_broken_utf8_are_refused() {
        assert_eq!(checked_units(b"a\x1fb"), Err(Flaw::Control));
        assert_eq!(checked_units("é\n".as_bytes()), Err(Flaw::Control));
        assert_eq!(checked_units(b"\x7f"), Ok(1));
        for broken in [
            &b"\xff"[..],
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xe6\xbc",
            b"\x80",
            b"\xf4\x90\x80\x80",
        ] {
            assert_eq!(checked_units(broken), Err(Flaw::Utf8), "{broken:?}");
        }
    }

    #[test]
    fn unfinished_characters_are_found_at_the_end() {
        let text = "a漢😀é".as_bytes();
        for (end, left) in [
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 0),
            (5, 1),
            (6, 2),
            (7, 3),
            (8, 0),
            (9, 1),
            (10, 0),
        ] {
            assert_eq!(unfinished(&text[..end]), left, "{end}");
        }
        assert_eq!(unfinished(b"\x80\x80\x80\x80"), 0);
    }
}
