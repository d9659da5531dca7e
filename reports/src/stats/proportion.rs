//! What a share of trials says of the chance behind it.

use crate::stats::two_sided_deviations;

/// The two-sided score interval of Wilson (1927) for a chance that showed `successes` times in `trials`, at a confidence such as 0.95.
///
/// Unlike the textbook's interval it is not empty where no trial, or every one, succeeded. Without trials it is 0 to 1.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (successes, trials) = (successes as f64, trials as f64);
    let z = two_sided_deviations(confidence);
    let failures = trials - successes;
    let middle = (successes + z * z / 2.0) / (trials + z * z);
    let half = z / (trials + z * z) * (successes * failures / trials + z * z / 4.0).sqrt();
    // What never failed or never succeeded has an end that is exact; rounding must not move it.
    let low = if successes == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if failures == 0.0 { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With no success the upper end is z^2 / (trials + z^2).
    #[test]
    fn no_alarm_in_a_thousand_trials_still_allows_four() {
        let (low, high) = wilson(0, 1000, 0.95);
        assert_eq!(low, 0.0);
        assert!((high - 3.841_458_820_694_124 / 1_003.841_458_820_694_1).abs() < 1e-12, "{high}");
    }

    #[test]
    fn without_trials_every_chance_is_possible() {
        assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
    }

    #[test]
    fn successes_and_failures_mirror_each_other() {
        for successes in 0..=20 {
            let ((low, high), (mirrored_low, mirrored_high)) =
                (wilson(successes, 20, 0.99), wilson(20 - successes, 20, 0.99));
            assert!(
                (low - (1.0 - mirrored_high)).abs() < 1e-12 && (high - (1.0 - mirrored_low)).abs() < 1e-12
            );
            assert!(low <= successes as f64 / 20.0 && successes as f64 / 20.0 <= high);
        }
    }
}
