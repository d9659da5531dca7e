//! What is put into a file: texts and numbers, identifiers and times.

use std::fmt;

/// Something that can be put into a JSON text as it is.
pub(crate) trait Field {
    /// Appends itself.
    fn put(self, out: &mut Vec<u8>);
}

impl Field for &str {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &String {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Field for &[u8] {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Field for &Vec<u8> {
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Field for u64 {
    fn put(mut self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (self % 10) as u8;
            self /= 10;
            if self == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[start..]);
    }
}

impl Field for u32 {
    fn put(self, out: &mut Vec<u8>) {
        u64::from(self).put(out);
    }
}

impl Field for usize {
    fn put(self, out: &mut Vec<u8>) {
        (self as u64).put(out);
    }
}

impl Field for bool {
    fn put(self, out: &mut Vec<u8>) {
        (if self { "true" } else { "false" }).put(out);
    }
}

/// Appends fields, one after the other.
macro_rules! put {
    ($out:expr; $($field:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $( $crate::page::Field::put($field, out); )+
    }};
}
pub(crate) use put;

/// A random UUID (version 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id([u8; 16]);

impl Id {
    /// This UUID as one of version 7, which begins with a time in milliseconds since 1970.
    pub(crate) fn at(mut self, ms: u64) -> Self {
        self.0[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        self.0[6] = self.0[6] & 0x0f | 0x70;
        self
    }

    /// Makes random bytes a UUID.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Id(bytes)
    }

    /// The UUID as 32 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        hex(&self.0)
    }

    /// Letters and digits for identifiers of other kinds: 24 of them, as in `toolu_01...`.
    pub(crate) fn token(self) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut left = u128::from_le_bytes(self.0);
        let mut token = String::with_capacity(26);
        token.push_str("01");
        for _ in 0..22 {
            token.push(DIGITS[(left % 62) as usize] as char);
            left /= 62;
        }
        token
    }
}

impl Field for Id {
    fn put(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (i, byte) in self.0.into_iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        out.extend_from_slice(&text);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.put(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A time in milliseconds since 1970, put as ISO 8601.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Iso(pub(crate) u64);

impl Field for Iso {
    fn put(self, out: &mut Vec<u8>) {
        let (day, ms) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = civil(day);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut digits = |at: usize, count: usize, mut value: u64| {
            for place in (at..at + count).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        digits(0, 4, year);
        digits(5, 2, month);
        digits(8, 2, day);
        digits(11, 2, ms / 3_600_000);
        digits(14, 2, ms / 60_000 % 60);
        digits(17, 2, ms / 1_000 % 60);
        digits(20, 3, ms % 1_000);
        out.extend_from_slice(&text);
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar; years begin in March here, so that leap days come last.
pub(crate) fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (year, month_civil) = (year_of_era + era * 400, if month < 10 { month + 3 } else { month - 9 });
    (year + u64::from(month_civil <= 2), month_civil, of_year - (153 * month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(field: impl Field) -> String {
        let mut out = Vec::new();
        field.put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_put_as_iso_8601() {
        assert_eq!(text(Iso(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(Iso(951_827_696_789)), "2000-02-29T12:34:56.789Z");
        assert_eq!(text(Iso(1_798_761_599_999)), "2026-12-31T23:59:59.999Z");
    }

    #[test]
    fn identifiers_have_the_shape_of_a_uuid() {
        let id = Id::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.at(0x0123_4567_89ab).to_string(), "01234567-89ab-7fff-bfff-ffffffffffff");
        assert_eq!(id.hex().len(), 32);
        assert_eq!(id.token().len(), 24);
    }

    #[test]
    fn numbers_are_put_as_decimal_digits() {
        assert_eq!(text(0_u64) + &text(u64::MAX), "018446744073709551615");
    }
}
