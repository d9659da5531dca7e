//! The statistics against published tables and examples, and against what SciPy, statsmodels and pymannkendall say of the same samples
//! (`reference/make.py` wrote their answers).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use highwater_reports::stats::{line, many, proportion, rank, trend};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What the reference says of each of its samples.
fn reference<C: DeserializeOwned>(name: &str) -> Vec<C> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
    let cases: Vec<C> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 3, "{name} is nearly empty");
    cases
}

/// Fails where two figures differ by more than such a part of the larger one.
fn near(found: f64, expected: f64, part: f64, what: &str) {
    let allowed = part * found.abs().max(expected.abs()).max(1e-3);
    assert!((found - expected).abs() <= allowed, "{what}: {found} is not {expected}");
}

#[derive(Deserialize)]
struct Ranks {
    base: Vec<f64>,
    head: Vec<f64>,
    p: f64,
    shift: f64,
}

#[test]
fn ranks_agree_with_scipy() {
    for case in reference::<Ranks>("rank.json") {
        let what = format!("{} and {} samples", case.base.len(), case.head.len());
        near(rank::p_greater(&case.base, &case.head), case.p, 1e-9, &what);
        near(rank::shift(&case.base, &case.head, 0.95).estimate, case.shift, 1e-9, &what);
    }
}

/// Base samples 1 to n, and as many head samples that are larger in so many pairs.
fn samples_with(wins: usize, n: usize) -> (Vec<f64>, Vec<f64>) {
    let beaten = (0..n).map(|index| (wins.saturating_sub(index * n)).min(n));
    let head = beaten.enumerate().map(|(index, beaten)| beaten as f64 + 0.25 + index as f64 / 1000.0);
    ((1..=n).map(|base| base as f64).collect(), head.collect())
}

/// Critical values of U as the textbooks print them: the largest U that is significant, one-sided.
const CRITICAL: &[(usize, f64, usize)] = &[
    (5, 0.05, 4),
    (10, 0.05, 27),
    (15, 0.05, 72),
    (20, 0.05, 138),
    (5, 0.025, 2),
    (10, 0.025, 23),
    (15, 0.025, 64),
    (20, 0.025, 127),
    (5, 0.01, 1),
    (10, 0.01, 19),
    (15, 0.01, 56),
    (20, 0.01, 114),
    (10, 0.005, 16),
    (15, 0.005, 51),
    (20, 0.005, 105),
];

#[test]
fn critical_values_of_u_are_those_of_the_tables() {
    for (n, alpha, critical) in CRITICAL {
        let p = |lost: usize| {
            let (base, head) = samples_with(n * n - lost, *n);
            rank::p_greater(&base, &head)
        };
        assert!(p(*critical) <= *alpha, "U = {critical} of {n} and {n} is not significant at {alpha}");
        assert!(p(critical + 1) > *alpha, "U = {} of {n} and {n} is significant at {alpha}", critical + 1);
    }
}

/// The bound is the difference whose place the same tables give: one more than the critical value.
#[test]
fn the_lower_bound_stands_where_the_tables_put_it() {
    for (n, alpha, critical) in CRITICAL {
        let base = vec![0.0; *n];
        let head: Vec<f64> = (0..*n).map(|index| index as f64).collect();
        // Each value of the head is n differences.
        assert_eq!(rank::shift(&base, &head, 1.0 - alpha).low, (critical / n) as f64, "{n} at {alpha}");
    }
}

/// Hollander and Wolfe's constants of permeability, the example of R's `wilcox.test`: W = 35, p = 0.1272, estimate 0.305.
#[test]
fn the_published_example_of_permeability_is_met() {
    let head = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let base = [1.15, 0.88, 0.90, 0.74, 1.21];
    assert_eq!(format!("{:.4}", rank::p_greater(&base, &head)), "0.1272");
    near(rank::shift(&base, &head, 0.95).estimate, 0.305, 1e-9, "shift");
}

#[derive(Deserialize)]
struct Share {
    successes: u64,
    trials: u64,
    confidence: f64,
    low: f64,
    high: f64,
}

#[test]
fn shares_agree_with_statsmodels() {
    for case in reference::<Share>("wilson.json") {
        let (low, high) = proportion::wilson(case.successes, case.trials, case.confidence);
        near(low, case.low, 1e-9, "low");
        near(high, case.high, 1e-9, "high");
    }
}

/// Newcombe (1998), table I, method 3.
#[test]
fn shares_are_those_of_newcombes_table() {
    let published = [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ];
    for (successes, trials, low, high) in published {
        let found = proportion::wilson(successes, trials, 0.95);
        assert_eq!((format!("{:.4}", found.0), format!("{:.4}", found.1)), (low.to_owned(), high.to_owned()));
    }
}

#[derive(Deserialize)]
struct Many {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[test]
fn adjusted_chances_agree_with_statsmodels() {
    for case in reference::<Many>("many.json") {
        for (found, expected) in many::adjust(&case.p).into_iter().zip(case.adjusted) {
            near(found, expected, 1e-12, "adjusted p");
        }
    }
}

/// The example of Benjamini and Hochberg's paper: of 15 tests, four are rejected at 0.05.
#[test]
fn the_published_example_of_many_tests_rejects_four() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];
    assert_eq!(many::adjust(&p).iter().filter(|p| **p <= 0.05).count(), 4);
}

#[derive(Deserialize)]
struct Trend {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: f64,
    low: f64,
    high: f64,
    p: f64,
}

#[test]
fn trends_agree_with_scipy_and_pymannkendall() {
    for case in reference::<Trend>("trend.json") {
        let found = trend::theil_sen(&case.x, &case.y, 0.95).unwrap();
        let what = format!("{} points", case.x.len());
        near(found.value, case.slope, 1e-9, &what);
        near(found.low, case.low, 1e-9, &what);
        near(found.high, case.high, 1e-9, &what);
        near(trend::p_rising(&case.y), case.p, 1e-9, &what);
    }
}

#[derive(Deserialize)]
struct Lines {
    x: Vec<f64>,
    y: Vec<f64>,
    weighted: bool,
    intercept: [f64; 3],
    slope: [f64; 3],
    far: f64,
    there: [f64; 3],
}

#[test]
fn lines_agree_with_statsmodels() {
    for case in reference::<Lines>("line.json") {
        let weights = line::by_size(&case.x);
        let found = match case.weighted {
            true => line::weighted(&case.x, &case.y, &weights, 0.95),
            false => line::line(&case.x, &case.y, 0.95),
        };
        let found = found.unwrap();
        let pairs =
            [(found.intercept, case.intercept), (found.slope, case.slope), (found.at(case.far), case.there)];
        for (found, [value, low, high]) in pairs {
            let what = format!("{} points", case.x.len());
            near(found.value, value, 1e-9, &what);
            near(found.low, low, 1e-8, &what);
            near(found.high, high, 1e-8, &what);
        }
    }
}

/// The first of Anscombe's quartet: y = 3.00 + 0.500 x, with standard errors of 1.125 and 0.118.
#[test]
fn the_published_line_of_anscombe_is_met() {
    let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
    let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    let found = line::line(&x, &y, 0.95).unwrap();
    let shown = |estimate: harness::record::Estimate| {
        (
            format!("{:.2}", estimate.value),
            format!("{:.3}", (estimate.high - estimate.value) / found.quantile),
        )
    };
    assert_eq!(shown(found.intercept), ("3.00".to_owned(), "1.125".to_owned()));
    assert_eq!(shown(found.slope), ("0.50".to_owned(), "0.118".to_owned()));
    // Student's t for 9 degrees of freedom, as every table has it.
    assert_eq!(format!("{:.3}", found.quantile), "2.262");
}

#[derive(Deserialize)]
struct Power {
    x: Vec<f64>,
    y: Vec<f64>,
    value: f64,
    low: f64,
    high: f64,
}

/// The reference looks for the best power on a grid of steps of 0.0001.
#[test]
fn powers_agree_with_a_profile_by_statsmodels() {
    for case in reference::<Power>("power.json") {
        let found = line::power(&case.x, &case.y, 0.95).unwrap();
        assert!((found.value - case.value).abs() < 1e-4, "{found:?} is not {}", case.value);
        assert!((found.low - case.low).abs() < 1e-3, "{found:?} begins not at {}", case.low);
        assert!((found.high - case.high).abs() < 1e-3, "{found:?} ends not at {}", case.high);
    }
}

/// Bytes of a vector of so many elements that doubles when it is full.
fn doubling(elements: f64, element_bytes: f64) -> f64 {
    element_bytes * elements.log2().ceil().exp2()
}

/// How many intervals in a hundred hold the true slope of exact figures that grow in steps, as vectors double: five sizes over a 32-fold
/// range from everywhere within a doubling, with and without growth that is truly straight.
fn held_in_a_hundred(fit: impl Fn(&[f64], &[f64]) -> Option<line::Line>) -> f64 {
    let (mut held, mut all) = (0.0, 0.0);
    for first in 20..60 {
        let sizes: Vec<f64> =
            (0..5).map(|step| (f64::from(first) * 32f64.powf(f64::from(step) / 4.0)).ceil()).collect();
        for elements in [1.0, 1.3, 1.7, 2.9] {
            for straight in [0.0, 200.0] {
                let y: Vec<f64> = sizes
                    .iter()
                    .map(|x| 3e6 + straight * x + doubling(elements * x, 64.0) + doubling(x + 7.0, 24.0))
                    .collect();
                // Over all sizes alike, a vector that doubles holds 1 / ln 2 of what it needs.
                let truth = straight + (elements * 64.0 + 24.0) / std::f64::consts::LN_2;
                let slope = fit(&sizes, &y).unwrap().slope;
                held += f64::from(u8::from(slope.low <= truth && truth <= slope.high));
                all += 1.0;
            }
        }
    }
    100.0 * held / all
}

#[test]
fn an_interval_holds_the_true_slope_of_what_doubles() {
    let by_size = held_in_a_hundred(|x, y| line::weighted(x, y, &line::by_size(x), 0.95));
    let alike = held_in_a_hundred(|x, y| line::line(x, y, 0.95));
    assert!(by_size >= 95.0, "weights by size hold it in {by_size} of 100");
    assert!(alike < 90.0, "equal weights hold it in {alike} of 100, so that weights by size are not needed");
}
