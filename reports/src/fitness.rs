//! Whether a machine was quiet enough while two programs were compared: of a base that does not repeat itself nothing can be said.

use harness::record::{Case, Judgement, Run, Verdict};

use crate::figure;
use crate::judge::interval::is_noisy;
use crate::judge::pairs;
use crate::stats::rank;

/// What turns a median deviation into a standard deviation, of figures that are normally distributed: 1 / 0.6745.
const DEVIATIONS: f64 = 1.4826;

/// The widest spread of a base that is judged, as a part of its median, where nothing else is asked for.
pub const SPREAD_MAX: f64 = 0.10;

/// The metrics by which a base is known to be quiet; the first that was measured.
const METRICS: [&str; 2] = ["rss.peak_bytes", "tree.peak_high_bytes"];

/// How widely figures are spread, as a part of their median: 1.4826 x the median of their distances from it. One stray figure, or a
/// few, do not move it. 0 of no figures, and of figures around 0.
pub fn spread(samples: &[f64]) -> f64 {
    let median = |figures: &[f64]| crate::stats::middle(figures).unwrap_or(0.0);
    let middle = median(samples);
    let distances: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
    if middle == 0.0 { 0.0 } else { DEVIATIONS * median(&distances) / middle.abs() }
}

/// Whether the samples of a base, in the order taken, can be judged by: their spread is at most `ceiling`, a part of their median, and they do
/// not drift.
///
/// # Errors
/// Why they cannot, as a clause.
pub fn check(samples: &[f64], ceiling: f64) -> Result<(), String> {
    let spread = spread(samples);
    if spread <= ceiling {
        return steady(samples);
    }
    Err(format!(
        "its own {} samples are spread by {:.1} % of their median, and {:.1} % is the most that is judged (--spread-max)",
        samples.len(),
        spread * 100.0,
        ceiling * 100.0
    ))
}

/// Most p with which the later half of a base's samples may differ from the earlier one, in either direction.
const DRIFT_ALPHA: f64 = 0.001;

/// A machine that grew or calmed down while the base was measured moved the head, too, but not by as much.
fn steady(samples: &[f64]) -> Result<(), String> {
    let (earlier, later) = samples.split_at(samples.len() / 2);
    let p = rank::p_greater(earlier, later).min(rank::p_greater(later, earlier));
    if p > DRIFT_ALPHA {
        return Ok(());
    }
    Err(format!(
        "its later {} samples differ from its earlier {} (p {}): the machine did not hold still",
        later.len(),
        earlier.len(),
        figure::probability(p)
    ))
}

/// Where a base was not quiet, its head's verdicts that rest on noisy samples become `unfit`, good and bad alike; those of exact
/// metrics stand. The run's verdict follows.
pub fn apply(run: &mut Run, ceiling: f64) {
    for index in 0..run.cases.len() {
        let Some(base) = pairs::base_of(run, index) else { continue };
        let base = &run.cases[base];
        let Some(why) = why_unfit(base, ceiling) else { continue };
        let noisy: Vec<String> = base
            .metrics
            .iter()
            .filter(|(_, metric)| is_noisy(metric))
            .map(|(name, _)| name.clone())
            .collect();
        let head = &mut run.cases[index];
        let rests_on_noise = |found: &Judgement| {
            noisy.contains(&found.metric) || head.metrics.get(&found.metric).is_some_and(is_noisy)
        };
        let unfit = head.verdicts.iter_mut().filter(|found| found.verdict != Verdict::Error);
        for found in unfit.filter(|found| rests_on_noise(found)) {
            found.verdict = Verdict::Unfit;
            found.why = format!("{why}; {}", found.why);
            found.over = None;
        }
        let verdicts = run.cases.iter().flat_map(|case| &case.verdicts).map(|found| found.verdict);
        run.verdict = verdicts.max().unwrap_or(run.verdict);
    }
}

fn why_unfit(base: &Case, ceiling: f64) -> Option<String> {
    let (name, metric) = METRICS.iter().find_map(|name| Some((name, base.metrics.get(*name)?)))?;
    let why = check(&metric.samples, ceiling).err()?;
    Some(format!("{name} of {} does not repeat: {why}", base.case))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen::{self, exact, noisy};
    use harness::record::Unit;

    #[test]
    fn the_spread_of_normal_figures_is_their_deviation() {
        // The quartiles of a normal distribution lie 0.6745 deviations from its middle.
        let figures = [100.0 - 6.745, 100.0 - 6.745, 100.0, 100.0 + 6.745, 100.0 + 6.745];
        assert!((spread(&figures) - 0.1).abs() < 1e-5, "{}", spread(&figures));
        assert_eq!(spread(&[]), 0.0);
        assert_eq!(spread(&[0.0, 0.0, 1.0]), 0.0);
    }

    #[test]
    fn a_base_that_drifts_is_unfit_however_little_it_is_spread() {
        let rising: Vec<f64> = (0..15).map(|number| 1000.0 + f64::from(number)).collect();
        let said = check(&rising, SPREAD_MAX).unwrap_err();
        assert!(said.starts_with("its later 8 samples differ from its earlier 7 (p 1.6e-4)"), "{said}");
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        assert!(check(&falling, SPREAD_MAX).is_err());
        let in_turn: Vec<f64> = (0..15).map(|number| 1000.0 + f64::from(number * 7 % 15)).collect();
        assert_eq!(check(&in_turn, SPREAD_MAX), Ok(()));
    }

    #[test]
    fn one_stray_sample_makes_no_base_unfit() {
        let mut samples = vec![100.0, 101.0, 99.0, 100.5, 99.5, 100.0, 100.2];
        samples.push(900.0);
        assert_eq!(check(&samples, 0.10), Ok(()));
    }

    #[test]
    fn a_base_that_does_not_repeat_is_unfit_and_says_by_how_much() {
        // Of a base that moved by 71 % of itself, a growth of 83 % was once found where no code had changed.
        let samples = [100.0, 29.0, 171.0, 60.0, 140.0];
        let why = check(&samples, 0.10).unwrap_err();
        assert!(
            why.starts_with("its own 5 samples are spread by 59.3 % of their median, and 10.0 %"),
            "{why}"
        );
        assert_eq!(check(&samples, 0.60), Ok(()));
    }

    fn judged(base: &[f64]) -> Run {
        let mut run = specimen::compared();
        run.cases[0].metrics.insert("rss.peak_bytes".to_owned(), noisy(base, Unit::Bytes));
        for case in &mut run.cases[..2] {
            case.metrics.insert("heap.peak_bytes".to_owned(), exact(7.0, Unit::Bytes));
        }
        let found = |metric: &str, verdict| Judgement {
            metric: metric.to_owned(),
            verdict,
            why: "+83 %".to_owned(),
            over: Some(1.0),
            ..Judgement::default()
        };
        run.cases[1].verdicts = vec![
            found("rss.peak_bytes", Verdict::Regression),
            found("time.wall_seconds", Verdict::Pass),
            found("heap.peak_bytes", Verdict::Pass),
            found("v8.heap_peak_bytes", Verdict::Error),
        ];
        run.verdict = Verdict::Error;
        run
    }

    #[test]
    fn verdicts_of_noisy_samples_fall_with_their_base_and_exact_ones_stand() {
        let mut run = judged(&[100.0, 29.0, 171.0, 60.0, 140.0]);
        apply(&mut run, SPREAD_MAX);
        let verdicts: Vec<Verdict> = run.cases[1].verdicts.iter().map(|found| found.verdict).collect();
        assert_eq!(verdicts, [Verdict::Unfit, Verdict::Unfit, Verdict::Pass, Verdict::Error]);
        let found = &run.cases[1].verdicts[0];
        assert!(found.why.starts_with("rss.peak_bytes of compare/parse:base does not repeat: its own"));
        assert!(found.why.ends_with("; +83 %") && found.over.is_none());
        assert_eq!(run.verdict, Verdict::Error);
        run.cases[1].verdicts.pop();
        apply(&mut run, SPREAD_MAX);
        assert_eq!(run.verdict, Verdict::Unfit);
    }

    #[test]
    fn verdicts_against_a_quiet_base_stand() {
        let mut run = judged(&[100.0, 101.0, 99.0, 100.0, 100.0]);
        let before = run.clone();
        apply(&mut run, SPREAD_MAX);
        assert_eq!(run, before);
    }
}
