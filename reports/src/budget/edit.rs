//! Changes to a file of budgets: a first one from a run, tighter ceilings, and dated exceptions. Text in, text out.
//!
//! What is written is read again before anybody gets it, so that no change leaves a file that the gate would refuse.

use harness::record::{Metric, Tier, Unit};

use super::read_quantity;

mod init;
mod ratchet;
mod waive;

pub use init::{First, init};
pub use ratchet::{Looked, Outcome, Ratcheted, Terms, ratchet};
pub use waive::{LONGEST_DAYS, Wanted, waive};

/// Percent that a ceiling is above what was measured, unless said otherwise.
pub const HEADROOM_PERCENT: f64 = 10.0;

/// The largest figure that the samples or the estimate's interval allow.
fn highest(metric: &Metric) -> f64 {
    match metric.interval {
        Some(interval) => interval.high,
        None => metric.samples.iter().copied().fold(metric.median, f64::max),
    }
}

/// Whether every sample came to the same figure, as it must. A run that was not judged yet has nothing demoted.
fn is_exact(metric: &Metric) -> bool {
    metric.tier == Tier::Exact && metric.samples.iter().all(|sample| *sample == metric.median)
}

/// New text with its lines ended as those of the old one are: on Windows each with a carriage return, too.
fn ended_like(old: &str, new: String) -> String {
    let (all, on_windows) = (old.matches('\n').count(), old.matches("\r\n").count());
    if all == 0 || all != on_windows { new } else { new.replace("\r\n", "\n").replace('\n', "\r\n") }
}

/// A figure with headroom, in percent.
fn with_headroom(figure: f64, percent: f64) -> f64 {
    figure * (1.0 + percent / 100.0)
}

/// A figure as a limit is written, rounded up to three digits: never below the figure itself.
///
/// Bytes and seconds are texts with a unit, everything else is a plain number.
fn written(figure: f64, unit: Unit) -> toml_edit::Value {
    const BYTES: &[(&str, f64)] =
        &[("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0), ("B", 1.0)];
    const SECONDS: &[(&str, f64)] = &[("s", 1.0), ("ms", 1e-3)];
    match unit {
        // There is no part of a byte: a figure keeps its limit when the whole of it does.
        Unit::Bytes => in_units(figure.floor(), unit, BYTES).into(),
        Unit::Seconds => in_units(figure, unit, SECONDS).into(),
        Unit::Blocks | Unit::Count => (figure.ceil() as i64).into(),
        Unit::Ratio => rounded_up(figure, 3, 0).into(),
    }
}

/// In the largest unit that the figure fills, else in the smallest.
fn in_units(figure: f64, unit: Unit, units: &[(&str, f64)]) -> String {
    let (name, size) = *units.iter().find(|(_, size)| figure >= *size).unwrap_or(&units[units.len() - 1]);
    let decimals = if name == "B" { 0 } else { decimals(figure / size) };
    // Rounding up is exact but for the last bit of the division: one more step mends that.
    let steps = (0..3).map(|more| format!("{} {name}", rounded_up(figure / size, decimals, more)));
    let mut steps = steps.collect::<Vec<_>>().into_iter();
    let enough = |text: &String| read_quantity(text, unit).is_ok_and(|read| read >= figure);
    let last = steps.clone().next_back();
    steps.find(enough).or(last).expect("three texts were made just now")
}

/// As many as make three digits.
fn decimals(scaled: f64) -> u32 {
    match scaled {
        s if s < 10.0 => 2,
        s if s < 100.0 => 1,
        _ => 0,
    }
}

/// The least number of so many decimals that is no less, and `more` steps beyond.
fn rounded_up(number: f64, decimals: u32, more: u32) -> f64 {
    let scale = 10f64.powi(decimals as i32);
    // A number that was written with these decimals stays what it is.
    ((number * scale - 1e-6).ceil() + f64::from(more)) / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(figure: f64, unit: Unit) -> String {
        written(figure, unit).to_string()
    }

    #[test]
    fn a_limit_is_written_in_three_digits_and_rounded_up() {
        let bytes = [0.0, 512.0, 1023.2, 8_388_608.0, 8_388_609.0, 5_767_169.0, 1_047_000_000.0];
        let shown = bytes.map(|figure| text(figure, Unit::Bytes));
        let expected = ["0 B", "512 B", "1023 B", "8 MiB", "8.01 MiB", "5.51 MiB", "999 MiB"];
        assert_eq!(shown, expected.map(|text| format!("\"{text}\"")));
        assert_eq!(text(0.2501, Unit::Seconds), "\"251 ms\"");
        assert_eq!(text(1.231, Unit::Seconds), "\"1.24 s\"");
        assert_eq!(text(120_000.5, Unit::Blocks), "120001");
        assert_eq!(text(0.031_21, Unit::Ratio), "0.032");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back_no_lower_and_at_most_one_hundredth_above(figure in 100_000f64..1e13) {
            let written = written(figure, Unit::Bytes);
            let read = read_quantity(written.as_str().unwrap(), Unit::Bytes).unwrap();
            proptest::prop_assert!(read >= figure.floor() && read <= figure * 1.011, "{figure} as {written}");
        }
    }
}
