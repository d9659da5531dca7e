//! Figures with their units, as people read them.

use harness::record::Unit;

use crate::bytes::format_bytes;

/// A figure to about three digits: `8.41 MiB`, `1.24 s`, `12,345`, `0.93`.
pub(crate) fn short(value: f64, unit: Unit) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    if !size.is_finite() {
        return value.to_string();
    }
    match unit {
        Unit::Bytes => format!("{sign}{}", format_bytes(size.round() as u64)),
        Unit::Blocks | Unit::Count => format!("{sign}{}", grouped(size)),
        Unit::Seconds => format!("{sign}{}", seconds(size)),
        Unit::Ratio => format!("{sign}{}", ratio(size)),
    }
}

/// A figure with every digit it has, so that two figures that differ never read alike: `8.41 MiB (8,808,038 B)`.
pub(crate) fn full(value: f64, unit: Unit) -> String {
    let short = short(value, unit);
    match unit {
        Unit::Bytes if value.abs() >= 1024.0 && value.is_finite() => {
            format!("{short} ({}{} B)", if value < 0.0 { "-" } else { "" }, grouped(value.abs()))
        }
        Unit::Seconds => format!("{value} s"),
        Unit::Ratio => value.to_string(),
        _ => short,
    }
}

/// A change with its sign: `+64 KiB`, `-1.20 MiB`, `0 B`.
pub(crate) fn change(value: f64, unit: Unit) -> String {
    format!("{}{}", if value > 0.0 { "+" } else { "" }, short(value, unit))
}

/// One figure as a part of another: `1`, `0.84`, `0.031`, `0.0042`.
pub(crate) fn ratio(part: f64) -> String {
    let decimals = match part {
        p if p == p.trunc() && p < 1e6 => 0,
        p if p >= 100.0 => 0,
        p if p >= 10.0 => 1,
        p if p >= 0.1 => 2,
        p if p >= 0.01 => 3,
        _ => 4,
    };
    format!("{part:.decimals$}")
}

/// A probability: `0.31`, `0.0042`, `3.2e-7`.
pub(crate) fn probability(p: f64) -> String {
    if p == 0.0 || p >= 0.001 { ratio(p) } else { format!("{p:.1e}") }
}

/// `12345` as `12,345`; a fraction is kept to two digits.
fn grouped(size: f64) -> String {
    // Of what floating point makes of 18 nothing is shown.
    let cents = (size.abs() * 100.0).round();
    let (whole, rest) = (format!("{:.0}", (cents / 100.0).trunc()), cents % 100.0);
    let mut text = String::from(if size < 0.0 && cents > 0.0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if rest > 0.0 {
        text.push_str(&format!(".{rest:02.0}"));
    }
    text
}

fn seconds(size: f64) -> String {
    match size {
        0.0 => "0 s".to_owned(),
        s if s < 0.001 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.2} s"),
        s => format!("{s:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_figure_has_about_three_digits_and_its_unit() {
        let shown = [
            short(8_808_038.0, Unit::Bytes),
            short(-65_536.0, Unit::Bytes),
            short(1_234_567.0, Unit::Blocks),
            short(12.5, Unit::Count),
            short(0.0421, Unit::Seconds),
            short(1.239, Unit::Seconds),
            short(0.03125, Unit::Ratio),
            short(1.0, Unit::Ratio),
        ];
        assert_eq!(shown, ["8.40 MiB", "-64 KiB", "1,234,567", "12.50", "42 ms", "1.24 s", "0.031", "1"]);
    }

    #[test]
    fn a_full_figure_tells_neighbours_apart() {
        assert_eq!(full(8_808_038.0, Unit::Bytes), "8.40 MiB (8,808,038 B)");
        assert_ne!(full(8_808_038.0, Unit::Bytes), full(8_808_039.0, Unit::Bytes));
        assert_ne!(full(0.031_251, Unit::Ratio), full(0.031_252, Unit::Ratio));
    }

    #[test]
    fn a_change_has_a_sign_unless_it_is_none() {
        let counts = [-17.999_999_999, -123.0, -1_234.5, -0.5, 1e9].map(|v| change(v, Unit::Count));
        assert_eq!(counts, ["-18", "-123", "-1,234.50", "-0.50", "+1,000,000,000"]);
        assert_eq!([65_536.0, -512.0, 0.0].map(|v| change(v, Unit::Bytes)), ["+64 KiB", "-512 B", "0 B"]);
    }
}
