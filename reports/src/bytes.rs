//! Numbers of bytes as people write and read them.

/// A text that is not a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a number of bytes: write a number and a unit, one of B, kB, MB, GB, KiB, MiB, GiB")]
pub struct NotBytes(pub String);

/// Units that are read. The binary ones are also written, the largest that fits.
const UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Writes bytes in the largest binary unit that they fill, to three digits: `512 B`, `8 MiB`, `8.41 MiB`.
pub fn format_bytes(bytes: u64) -> String {
    for (unit, size) in &UNITS[..3] {
        if bytes >= *size {
            let scaled = bytes as f64 / *size as f64;
            let decimals = match scaled {
                _ if bytes.is_multiple_of(*size) => 0,
                s if s < 9.995 => 2,
                s if s < 99.95 => 1,
                _ => 0,
            };
            return format!("{scaled:.decimals$} {unit}");
        }
    }
    format!("{bytes} B")
}

/// Reads `8 MiB`, `64KiB`, `20 MB`, `1.5 GiB`, `512 B`. A number without a unit is refused: it would not say what it counts.
pub fn parse_bytes(text: &str) -> Result<u64, NotBytes> {
    let wrong = || NotBytes(text.to_owned());
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = (text[..unit_at].trim(), text[unit_at..].trim());
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
    let number: f64 = number.replace('_', "").parse().map_err(|_| wrong())?;
    let bytes = number * *size as f64;
    if plain && bytes <= 2f64.powi(53) { Ok(bytes.round() as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_the_largest_unit_that_they_fill() {
        let shown = [0, 512, 1023, 1024, 8 << 20, 8_808_038, 31 << 20, 129_499_136, 5 << 30, (1 << 20) - 1];
        let expected = [
            "0 B", "512 B", "1023 B", "1 KiB", "8 MiB", "8.40 MiB", "31 MiB", "124 MiB", "5 GiB", "1024 KiB",
        ];
        assert_eq!(shown.map(format_bytes), expected);
    }

    #[test]
    fn decimal_and_binary_units_are_told_apart() {
        assert_eq!(parse_bytes("8 MiB"), Ok(8 << 20));
        assert_eq!(parse_bytes("20 MB"), Ok(20_000_000));
        assert_eq!(parse_bytes("64KiB"), Ok(65_536));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("0 B"), Ok(0));
    }

    #[test]
    fn what_is_not_a_number_with_a_unit_is_refused() {
        for text in
            ["", "8", "MiB", "8 mib", "-1 B", "8 XB", "1e3 B", "inf B", "nan B", "8 MiB or so", "9999999 GiB"]
        {
            assert_eq!(parse_bytes(text), Err(NotBytes(text.to_owned())), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back_within_its_three_digits(bytes in 0u64..(1 << 45)) {
            let back = parse_bytes(&format_bytes(bytes)).unwrap();
            proptest::prop_assert!(back.abs_diff(bytes) as f64 <= bytes as f64 * 0.006);
        }
    }
}
