//! Whether a series rises, and how steeply: Theil and Sen's slope, and the test of Mann and Kendall. Both look at pairs of points, so that
//! a few wild points change little.

use harness::record::Estimate;
use statrs::distribution::ContinuousCDF;

use crate::stats::{median, normal, occurrences, two_sided_deviations};

/// A longer series is thinned to at most so many points, at equal steps from its first: two million pairs.
const POINTS: usize = 2000;

/// The median slope of all pairs of points with different x, and its interval by ranks after Sen (1968), at a confidence such as 0.95.
///
/// The interval is SciPy's `theilslopes`, with the same corrections for ties. `None` where the points are too few for the confidence, or
/// have one x only. `x` and `y` are equally long.
pub fn theil_sen(x: &[f64], y: &[f64], confidence: f64) -> Option<Estimate> {
    let (x, y) = (thinned(x), thinned(y));
    let pairs = (0..x.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
    let slopes = pairs.filter(|(a, b)| x[*a] != x[*b]).map(|(a, b)| (y[b] - y[a]) / (x[b] - x[a]));
    let mut slopes: Vec<f64> = slopes.collect();
    slopes.sort_by(f64::total_cmp);
    let spread = two_sided_deviations(confidence) * variance(&[&x, &y]).max(0.0).sqrt();
    let count = slopes.len() as f64;
    if slopes.is_empty() || spread > count {
        return None;
    }
    let low = ((count - spread) / 2.0).round_ties_even() as usize;
    let high = ((count + spread) / 2.0).round_ties_even() as usize;
    let (low, high) = (slopes[low.max(1) - 1], slopes[high.min(slopes.len() - 1)]);
    Some(Estimate { value: median(&mut slopes), low, high })
}

/// The chance of a series that rises so steadily, or more so, if its order were chance: the one-sided p of Mann and Kendall's test, by the
/// normal approximation with corrections for ties and continuity. 1 where all values are equal.
///
/// It takes the points for independent of each other. What swings slowly looks like a trend to it.
pub fn p_rising(y: &[f64]) -> f64 {
    let y = thinned(y);
    let pairs = (0..y.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
    let sum: i64 = pairs.map(|(a, b)| i64::from(y[b] > y[a]) - i64::from(y[b] < y[a])).sum();
    let deviation = variance(&[&y]).sqrt();
    if deviation == 0.0 || y.is_empty() {
        return 1.0;
    }
    normal().sf((sum - sum.signum()) as f64 / deviation)
}

/// The variance of Kendall's S of as many points as each series has, less what ties in each take away.
fn variance(series: &[&[f64]]) -> f64 {
    let part = |count: usize| (count * count.saturating_sub(1) * (2 * count + 5)) as f64;
    let whole = series.first().map_or(0.0, |first| part(first.len()));
    let tied: f64 = series.iter().flat_map(|each| occurrences(each)).map(part).sum();
    (whole - tied) / 18.0
}

fn thinned(series: &[f64]) -> Vec<f64> {
    series.iter().copied().step_by(series.len().div_ceil(POINTS).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_series_has_no_slope_and_does_not_rise() {
        let x: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(theil_sen(&x, &[5.0; 20], 0.95), Some(Estimate { value: 0.0, low: 0.0, high: 0.0 }));
        assert_eq!(p_rising(&[5.0; 20]), 1.0);
        assert_eq!(p_rising(&[]), 1.0);
    }

    #[test]
    fn too_few_points_have_no_interval() {
        assert_eq!(theil_sen(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.95), None);
        assert_eq!(theil_sen(&[1.0; 9], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 0.95), None);
        assert_eq!(theil_sen(&[], &[], 0.95), None);
    }

    #[test]
    fn a_long_series_is_thinned_and_keeps_its_slope() {
        let x: Vec<f64> = (0..100_001).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 7.0).collect();
        assert_eq!(theil_sen(&x, &y, 0.95).unwrap().value, 3.0);
        assert!(p_rising(&y) < 1e-9 && thinned(&y).len() <= POINTS);
    }

    #[test]
    fn one_wild_point_changes_no_slope() {
        let x: Vec<f64> = (0..30).map(f64::from).collect();
        let mut y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        y[29] = 1e9;
        assert_eq!(theil_sen(&x, &y, 0.95).unwrap().value, 2.0);
    }
}
