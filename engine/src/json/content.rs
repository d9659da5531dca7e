//! Checks and counts over the raw bytes of strings, written so that the compiler makes vectors of them.

use super::escape::Flaw;

/// Bytes whose counts fit a byte when each counts twice at most.
const COUNT_BYTES: usize = 127;
/// Bytes checked at once.
const BLOCK_BYTES: usize = 512;
/// Bytes of the longest character but its last: how far back a byte's meaning depends on others.
const BACK_BYTES: usize = 3;
/// A block between zeros, rounded up to whole vectors. The zeros behind it show a character that is not finished.
type Padded = [u8; BACK_BYTES + BLOCK_BYTES + 16];

/// Checks what stands between two quotes, or a part of it cut between characters: no control character, and UTF-8.
/// Returns its UTF-16 units, those of escapes as they are spelled.
pub(super) fn checked_units(raw: &[u8]) -> Result<u64, Flaw> {
    let mut total = 0;
    let mut rest = raw;
    while !rest.is_empty() {
        let mut block = &rest[..rest.len().min(BLOCK_BYTES)];
        if is_plain_ascii(block) {
            total += block.len() as u64;
        } else {
            if block.len() < rest.len() {
                block = &block[..block.len() - unfinished(block)];
            }
            total += checked_block(block)?;
        }
        rest = &rest[block.len()..];
    }
    Ok(total)
}

/// [`checked_units`] of one block, cut between characters.
fn checked_block(block: &[u8]) -> Result<u64, Flaw> {
    if block
        .iter()
        .fold(false, |control, byte| control | (*byte < b' '))
    {
        return Err(Flaw::Control);
    }
    let mut padded: Padded = [0; _];
    padded[BACK_BYTES..][..block.len()].copy_from_slice(block);
    if is_utf8(&padded) {
        Ok(units(block))
    } else {
        Err(Flaw::Utf8)
    }
}

/// Judges each byte by the three before it, so that all can be judged at once. The standard library's check goes from character to
/// character, and is a tenth as fast where few are ASCII.
fn is_utf8(padded: &Padded) -> bool {
    let mut bad = false;
    for at in 0..padded.len() - BACK_BYTES {
        let [third, second, first, byte] =
            [padded[at], padded[at + 1], padded[at + 2], padded[at + 3]];
        let continues = byte & 0xC0 == 0x80;
        let should = (first >= 0xC0) | (second >= 0xE0) | (third >= 0xF0);
        bad |= continues != should;
        bad |= (byte & 0xFE == 0xC0) | (byte >= 0xF5);
        // Longer than needed, a surrogate, or beyond the last character.
        bad |= (first == 0xE0) & (byte < 0xA0);
        bad |= (first == 0xED) & (byte >= 0xA0);
        bad |= (first == 0xF0) & (byte < 0x90);
        bad |= (first == 0xF4) & (byte >= 0x90);
    }
    !bad
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
    text.chunks(COUNT_BYTES)
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
    fn utf8_is_what_the_standard_library_says_it_is() {
        // All that is special about two bytes, in all combinations of four.
        let edges = [
            b'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
            0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        let mut bytes = [0; 6];
        for number in 0..edges.len().pow(4) {
            let four =
                [0, 1, 2, 3].map(|place| edges[number / edges.len().pow(place) % edges.len()]);
            bytes[..4].copy_from_slice(&four);
            for tail in [*b"aa", [0x80, 0x80], *b"a\xc3"] {
                bytes[4..].copy_from_slice(&tail);
                let expected =
                    std::str::from_utf8(&bytes).map(|text| text.encode_utf16().count() as u64);
                assert_eq!(checked_units(&bytes).ok(), expected.ok(), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn characters_across_blocks_are_whole() {
        for lead in 500..530 {
            let text = "a".repeat(lead) + "漢😀é" + &"b".repeat(600) + "😀";
            assert_eq!(
                checked_units(text.as_bytes()),
                Ok(lead as u64 + 4 + 600 + 2)
            );
            assert_eq!(checked_units(&text.as_bytes()[..lead + 2]), Err(Flaw::Utf8));
            let mut broken = text.clone().into_bytes();
            broken[lead + 1] = b'x';
            assert_eq!(checked_units(&broken), Err(Flaw::Utf8));
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
