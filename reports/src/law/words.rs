//! Laws, horizons and crossings as people read them.

use harness::record::{Crossing, Estimate, Horizon, Law, Run, Unit};

use crate::{figure, metric};

/// A horizon in words: `512 MB at 3.12 million (2.94 to 3.38)`, in sessions; `512 MB never`.
pub fn horizon_in_words(horizon: &Horizon) -> String {
    let size = decimal(horizon.bytes);
    match (horizon.sessions, horizon.low) {
        (Some(sessions), low) => {
            format!("{size} at {}{}", count(sessions), interval(sessions, low.unwrap_or(0.0), horizon.high))
        }
        (None, Some(low)) => format!("{size} never ({} or more)", count(low)),
        (None, None) => format!("{size} never"),
    }
}

/// Between which sessions the truth lies, in brackets after the estimate; nothing where all three read alike.
fn interval(sessions: f64, low: f64, high: Option<f64>) -> String {
    let (at, low) = (count(sessions), count(low));
    let Some(high) = high.map(count) else { return format!(" ({low} or more)") };
    if at == low && at == high {
        return String::new();
    }
    // `3.12 million (2.94 to 3.38)`, but `1.02 million (998,000 to 1.05 million)`.
    let unit = |text: &str| text.split_once(' ').map(|(_, unit)| unit.to_owned());
    let short = |text: &str| text.split_once(' ').map_or(text.to_owned(), |(figure, _)| figure.to_owned());
    if unit(&at) == unit(&low) && unit(&at) == unit(&high) {
        return format!(" ({} to {})", short(&low), short(&high));
    }
    format!(" ({low} to {high})")
}

/// The titles and rows of the table of laws. Phases are many, and stand only where there is room for them.
pub(crate) fn table(run: &Run, with_phases: bool) -> Vec<Vec<String>> {
    let titles = ["case", "metric", "each session", "exponent", "without sessions"];
    let rows = laws(run, with_phases).map(|(case, law)| {
        let exponent = law.exponent.map_or("does not grow".to_owned(), |power| estimate(power, Unit::Ratio));
        vec![
            case.to_owned(),
            law.metric.clone(),
            law.of.iter().fold(estimate(law.bytes_per_session, Unit::Bytes), |text, of| text + " of " + of),
            exponent,
            estimate(law.intercept_bytes, Unit::Bytes),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return Vec::new();
    }
    [titles.map(str::to_owned).to_vec()].into_iter().chain(rows).collect()
}

/// One sentence for each law of a whole case: where it reaches which size.
pub(crate) fn horizons_in_words(run: &Run) -> Vec<String> {
    let sentence = |(case, law): (&str, &Law)| {
        let reachable = law.horizons.iter().any(|horizon| horizon.low.is_some());
        match law.horizons.first() {
            Some(first) if !reachable => {
                format!("{case} {} never reaches {}", law.metric, decimal(first.bytes))
            }
            _ => {
                let horizons: Vec<String> = law.horizons.iter().map(horizon_in_words).collect();
                let of = law.of.as_deref().unwrap_or(super::SESSIONS);
                format!("{case} {} reaches {} {of}", law.metric, horizons.join(", "))
            }
        }
    };
    laws(run, false).filter(|(_, law)| !law.horizons.is_empty()).map(sentence).collect()
}

/// One sentence for each crossing.
pub(crate) fn crossings_in_words(run: &Run) -> Vec<String> {
    run.crossings.iter().map(crossing_in_words).collect()
}

/// A crossing as a sentence.
pub(crate) fn crossing_in_words(crossing: &Crossing) -> String {
    let Estimate { value, low, high } = crossing.sessions;
    format!(
        "from {}{} sessions on {} takes more {} than {}",
        count(value),
        interval(value, low, Some(high)),
        crossing.steeper,
        crossing.metric,
        crossing.flatter
    )
}

fn laws(run: &Run, with_phases: bool) -> impl Iterator<Item = (&str, &Law)> {
    let laws = run.cases.iter().flat_map(|case| case.laws.iter().map(|law| (case.case.as_str(), law)));
    laws.filter(move |(_, law)| with_phases || metric::split(&law.metric).1.is_none())
}

/// An estimate with its interval, unless both ends read like the estimate: `1.02 KiB (0.98 KiB to 1.06 KiB)`.
fn estimate(estimate: Estimate, unit: Unit) -> String {
    let word = |value: f64| match unit {
        Unit::Bytes => bytes(value),
        Unit::Ratio => format!("{value:.2}"),
        other => figure::short(value, other),
    };
    let (value, low, high) = (word(estimate.value), word(estimate.low), word(estimate.high));
    if low == value && high == value { value } else { format!("{value} ({low} to {high})") }
}

/// Bytes, with digits behind the point where they are few: `0.31 B`, `48 B`, `1.02 KiB`.
pub(crate) fn bytes(value: f64) -> String {
    // No figure reads as less than nothing by rounding.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    let few = value.abs() < 9.995 && (value - value.round()).abs() > 0.005;
    if few { format!("{value:.2} B") } else { figure::short(value, Unit::Bytes) }
}

/// A size in decimal units: `512 MB`, `2 GB`.
pub(crate) fn decimal(bytes: f64) -> String {
    if bytes >= 1e9 { format!("{} GB", bytes / 1e9) } else { format!("{} MB", bytes / 1e6) }
}

/// Sessions to three digits: `640`, `14,200`, `3.12 million`.
fn count(sessions: f64) -> String {
    if sessions < 1.0 {
        return "0".to_owned();
    }
    let digit = 10f64.powf(sessions.log10().floor() - 2.0).max(1.0);
    let rounded = (sessions / digit).round() * digit;
    match rounded {
        all if all >= 1e9 => format!("{} billion", round_to(all / 1e9)),
        all if all >= 1e6 => format!("{} million", round_to(all / 1e6)),
        all => figure::short(all.round(), Unit::Count),
    }
}

/// What dividing adds behind the third digit is no digit.
fn round_to(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_three_digits() {
        let shown = [0.0, 1.0, 640.0, 14_237.0, 999_999.0, 3_123_456.0, 312_345_678.0, 4.25e9].map(count);
        let expected =
            ["0", "1", "640", "14,200", "1 million", "3.12 million", "312 million", "4.25 billion"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_horizon_says_how_sure_it_is() {
        let horizon = |sessions, low, high| horizon_in_words(&Horizon { bytes: 512e6, sessions, low, high });
        assert_eq!(
            horizon(Some(3.12e6), Some(2.94e6), Some(3.38e6)),
            "512 MB at 3.12 million (2.94 to 3.38)"
        );
        assert_eq!(
            horizon(Some(1.02e6), Some(0.998e6), Some(1.05e6)),
            "512 MB at 1.02 million (998,000 to 1.05 million)"
        );
        assert_eq!(horizon(Some(900.0), Some(800.0), None), "512 MB at 900 (800 or more)");
        assert_eq!(horizon(Some(900.0), Some(900.0), Some(900.0)), "512 MB at 900");
        assert_eq!(horizon(None, None, None), "512 MB never");
        assert_eq!(horizon(None, Some(5e6), None), "512 MB never (5 million or more)");
    }

    #[test]
    fn few_bytes_keep_their_fraction() {
        assert_eq!(
            [-1e-9, 0.3125, 48.0, 2.0, 1044.0].map(bytes),
            ["0 B", "0.31 B", "48 B", "2 B", "1.02 KiB"]
        );
    }
}
