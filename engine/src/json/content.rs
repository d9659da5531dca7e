//! Checks and counts over the raw bytes of strings, written so that the compiler makes vectors of them.

use super::escape::Flaw;

/// Bytes whose counts fit a byte, as each counts twice at most.
const COUNT_BYTES: usize = 64;
/// Bytes checked at once.
const BLOCK_BYTES: usize = 512;
/// Bytes that any processor compares at once.
const VECTOR_BYTES: usize = 16;
/// Bytes of the longest character but its last: how far back a byte's meaning depends on others.
const BACK_BYTES: usize = 3;
/// Words of eight bytes that [`find_special`] looks at itself.
const NEAR_WORDS: usize = 2;
/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;
/// A block of [`ordered`] bytes between such zeros, rounded up to whole vectors. The zeros behind it show a character that is
/// not finished.
type Padded = [i8; PADDED_BYTES];
const PADDED_BYTES: usize = BACK_BYTES + BLOCK_BYTES + VECTOR_BYTES;

/// Signed bytes in the order of the unsigned ones: processors compare only signed ones in one step.
const fn ordered(byte: u8) -> i8 {
    (byte ^ 0x80).cast_signed()
}

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
    if block.iter().fold(false, |control, byte| control | (*byte < b' ')) {
        return Err(Flaw::Control);
    }
    let mut padded: Padded = [ordered(0); PADDED_BYTES];
    padded[BACK_BYTES..].iter_mut().zip(block).for_each(|(place, byte)| *place = ordered(*byte));
    let vectors = (block.len() + BACK_BYTES).next_multiple_of(VECTOR_BYTES);
    if is_utf8(&padded[..BACK_BYTES + vectors]) { Ok(units(block)) } else { Err(Flaw::Utf8) }
}

/// Judges each byte by the three before it, so that many can be judged at once. The standard library's check goes from character
/// to character, and stumbles where ASCII and other characters take turns.
fn is_utf8(padded: &[i8]) -> bool {
    // All bits, if the first byte is at least, or is, the second.
    let least = |byte: i8, bound: u8| if byte > ordered(bound - 1) { 0xFF } else { 0u8 };
    let equal = |byte: i8, other: u8| if byte == ordered(other) { 0xFF } else { 0u8 };
    let mut bad = [0; VECTOR_BYTES];
    for at in (0..padded.len() - BACK_BYTES).step_by(VECTOR_BYTES) {
        let window = &padded[at..at + BACK_BYTES + VECTOR_BYTES];
        for (lane, bad) in bad.iter_mut().enumerate() {
            let [third, second, first, byte] =
                [window[lane], window[lane + 1], window[lane + 2], window[lane + 3]];
            let leads = least(byte, 0xC0);
            let continues = least(byte, 0x80) & !leads;
            let should = least(first, 0xC0) | least(second, 0xE0) | least(third, 0xF0);
            *bad |= continues ^ should;
            *bad |= leads & !least(byte, 0xC2) | least(byte, 0xF5);
            // Longer than needed, a surrogate, or beyond the last character.
            *bad |= equal(first, 0xE0) & !least(byte, 0xA0);
            *bad |= equal(first, 0xED) & least(byte, 0xA0);
            *bad |= equal(first, 0xF0) & !least(byte, 0x90);
            *bad |= equal(first, 0xF4) & least(byte, 0x90);
        }
    }
    bad == [0; VECTOR_BYTES]
}

/// Whether all bytes are ASCII and none is a control character below the space.
pub(super) fn is_plain_ascii(raw: &[u8]) -> bool {
    // A byte is plain when neither it nor it less a space has the top bit.
    raw.iter().fold(0, |odd, byte| odd | byte | byte.wrapping_sub(b' ')) < 0x80
}

/// UTF-16 units of valid UTF-8: one for each character, two for those of four bytes.
pub(super) fn units(text: &[u8]) -> u64 {
    let unit = |byte: &u8| u8::from(byte & 0xC0 != 0x80) + u8::from(*byte >= 0xF0);
    let (blocks, rest) = text.as_chunks::<COUNT_BYTES>();
    let of_block =
        |block: &[u8; COUNT_BYTES]| block.iter().fold(0u8, |sum, byte| sum.wrapping_add(unit(byte)));
    let of_blocks: u64 = blocks.iter().map(|block| u64::from(of_block(block))).sum();
    of_blocks + rest.iter().map(|byte| u64::from(unit(byte))).sum::<u64>()
}

/// Finds the first quote or backslash. Where escapes are dense, the next one is a few bytes away, and a call costs more than
/// looking at those.
#[inline]
pub(super) fn find_special(raw: &[u8]) -> Option<usize> {
    let (words, _) = raw.as_chunks::<8>();
    for (at, word) in words.iter().take(NEAR_WORDS).enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set is right, those above it may not be.
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let near = words.len().min(NEAR_WORDS) * 8;
    memchr::memchr2(b'"', b'\\', &raw[near..]).map(|found| near + found)
}

/// The top bit of each byte that is zero.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
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
        for text in ["", "abc", "é", "漢字", "a😀", &"😀".repeat(300), &"漢a".repeat(300)] {
            assert_eq!(units(text.as_bytes()), text.encode_utf16().count() as u64, "{text}");
            assert_eq!(checked_units(text.as_bytes()), Ok(text.encode_utf16().count() as u64), "{text}");
        }
    }

    #[test]
    fn control_characters_and_broken_utf8_are_refused() {
        assert_eq!(checked_units(b"a\x1fb"), Err(Flaw::Control));
        assert_eq!(checked_units("é\n".as_bytes()), Err(Flaw::Control));
        assert_eq!(checked_units(b"\x7f"), Ok(1));
        for broken in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xe6\xbc", b"\x80", b"\xf4\x90\x80\x80"]
        {
            assert_eq!(checked_units(broken), Err(Flaw::Utf8), "{broken:?}");
        }
    }

    #[test]
    fn utf8_is_what_the_standard_library_says_it_is() {
        // All that is special about two bytes, in all combinations of four.
        let edges = [
            b'a', 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf3, 0xf4,
            0xf5,
        ];
        let mut bytes = [0; 6];
        for number in 0..edges.len().pow(4) {
            let four = [0, 1, 2, 3].map(|place| edges[number / edges.len().pow(place) % edges.len()]);
            bytes[..4].copy_from_slice(&four);
            for tail in [*b"aa", [0x80, 0x80], *b"a\xc3"] {
                bytes[4..].copy_from_slice(&tail);
                let expected = std::str::from_utf8(&bytes).map(|text| text.encode_utf16().count() as u64);
                assert_eq!(checked_units(&bytes).ok(), expected.ok(), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn the_first_quote_or_backslash_is_found_wherever_it_stands() {
        for length in 0..40 {
            assert_eq!(find_special(&vec![b'!'; length]), None);
            for place in 0..length {
                for special in [b'"', b'\\'] {
                    let mut raw = vec![b'#'; length];
                    raw[place] = special;
                    // One more than a special byte, behind it: what the words get wrong above the lowest bit.
                    raw[place + 1..].fill(special + 1);
                    assert_eq!(find_special(&raw), Some(place));
                    raw[place..].fill(special);
                    assert_eq!(find_special(&raw), Some(place));
                }
            }
        }
    }

    #[test]
    fn characters_across_blocks_are_whole() {
        for lead in 500..530 {
            let text = "a".repeat(lead) + "漢😀é" + &"b".repeat(600) + "😀";
            assert_eq!(checked_units(text.as_bytes()), Ok(lead as u64 + 4 + 600 + 2));
            assert_eq!(checked_units(&text.as_bytes()[..lead + 2]), Err(Flaw::Utf8));
            let mut broken = text.clone().into_bytes();
            broken[lead + 1] = b'x';
            assert_eq!(checked_units(&broken), Err(Flaw::Utf8));
        }
    }

    #[test]
    fn unfinished_characters_are_found_at_the_end() {
        let text = "a漢😀é".as_bytes();
        for (end, left) in [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1), (6, 2), (7, 3), (8, 0), (9, 1), (10, 0)] {
            assert_eq!(unfinished(&text[..end]), left, "{end}");
        }
        assert_eq!(unfinished(b"\x80\x80\x80\x80"), 0);
    }
}
