//! How a figure grows with a size: a straight line by least squares, and the power of the growth.

use harness::record::Estimate;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::stats::trend;

/// A straight line through points, with intervals by Student's t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// The line's height at x = 0.
    pub intercept: Estimate,
    /// Its rise for each unit of x.
    pub slope: Estimate,
    /// How intercept and slope vary together: negative, since a steeper line through the same points begins lower.
    pub covariance: f64,
    /// Half of each interval in standard errors: the quantile of Student's t.
    pub quantile: f64,
}

impl Line {
    /// The line's height at `x`, with the interval of that point.
    pub fn at(&self, x: f64) -> Estimate {
        let error = |of: Estimate| (of.high - of.value) / self.quantile;
        let (intercept, slope) = (error(self.intercept), error(self.slope));
        let variance = intercept * intercept + 2.0 * x * self.covariance + x * x * slope * slope;
        let value = self.intercept.value + self.slope.value * x;
        around(value, self.quantile * variance.max(0.0).sqrt())
    }

    /// How far `self` lies above `other`, as a line. Both were fitted apart, so that variances add up.
    pub fn minus(&self, other: &Line) -> Line {
        // The wider quantile is that of fewer points: the interval is rather too wide than too narrow.
        let quantile = self.quantile.max(other.quantile);
        let difference = |one: fn(&Line) -> Estimate| {
            let error = |line: &Line| (one(line).high - one(line).value) / line.quantile;
            around(one(self).value - one(other).value, quantile * error(self).hypot(error(other)))
        };
        Line {
            intercept: difference(|line| line.intercept),
            slope: difference(|line| line.slope),
            covariance: self.covariance + other.covariance,
            quantile,
        }
    }
}

/// The line of least squares, each point counting alike, with two-sided intervals at a confidence such as 0.95. `None` where x has fewer
/// than three distinct values. `x` and `y` are equally long.
pub fn line(x: &[f64], y: &[f64], confidence: f64) -> Option<Line> {
    weighted(x, y, &vec![1.0; x.len()], confidence)
}

/// The line of weighted least squares: a weight stands for the reciprocal of the point's variance, up to a factor.
pub fn weighted(x: &[f64], y: &[f64], weights: &[f64], confidence: f64) -> Option<Line> {
    let freedom = x.len().checked_sub(2).filter(|freedom| *freedom > 0 && distinct(x) >= 3)?;
    let fit = Fit::new(x, y, weights);
    let quantile = student(freedom, confidence);
    let variance = fit.residuals / freedom as f64;
    let slope_variance = variance / fit.spread;
    let intercept_variance = variance / fit.weight + slope_variance * fit.mean * fit.mean;
    Some(Line {
        intercept: around(fit.intercept, quantile * intercept_variance.sqrt()),
        slope: around(fit.slope, quantile * slope_variance.sqrt()),
        covariance: -fit.mean * slope_variance,
        quantile,
    })
}

/// The reciprocals of sizes, as weights: what a figure scatters by grows with the size, since vectors double and so waste in proportion.
///
/// Of simulated exact figures with doubling vectors at five sizes over a 32-fold range, intervals of 95 % hold the true slope in 71 of 100
/// with equal weights and in 97 with these (`tests/statistics.rs`); under a constant scatter they are too wide rather than too narrow.
pub fn by_size(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| 1.0 / x).collect()
}

/// The largest power that is looked for; an interval may end there because the search does.
pub const LARGEST_POWER: f64 = 4.0;

/// Steps of the search for the power, before it is refined.
const STEP: f64 = 0.02;

/// The power p of constant + factor x^p, with its interval by the profile of the residuals, at a confidence such as 0.95.
///
/// A plain slope of logarithms would call 3 MiB and 200 bytes for each x flat. So for each p from 0 (which stands for the logarithm) to
/// [`LARGEST_POWER`] constant and factor are fitted by least squares, weighted [by size](by_size); the best p has the smallest sum of
/// squares, and the interval holds every p around it whose sum is within 1 + F / (n - 3) of that, F being the quantile of Fisher's
/// distribution for 1 and n - 3 degrees of freedom.
///
/// `None` of fewer than 4 points or sizes, of sizes that are not above 0, and where nothing is seen to grow: where neither the slope's interval
/// lies above 0 nor Mann and Kendall's test finds a rise at the same confidence.
pub fn power(x: &[f64], y: &[f64], confidence: f64) -> Option<Estimate> {
    if distinct(x) < 4 || x.iter().any(|x| *x <= 0.0) || !grows(x, y, confidence) {
        return None;
    }
    let profile = Profile::new(x, y);
    let steps = (LARGEST_POWER / STEP).round() as usize;
    let residuals: Vec<f64> = (0..=steps).map(|step| profile.residuals(step as f64 * STEP)).collect();
    let best = (0..=steps).min_by(|a, b| residuals[*a].total_cmp(&residuals[*b]))?;
    let at = |step: usize| step.min(steps) as f64 * STEP;
    let value = least(at(best.saturating_sub(1)), at(best + 1), |power| profile.residuals(power));
    let quantile = student(x.len() - 3, confidence);
    let smallest = profile.residuals(value).max(profile.rounding);
    let limit = smallest * (1.0 + quantile * quantile / (x.len() - 3) as f64);
    let inside = |step: &usize| residuals[*step] <= limit;
    // From the best one outwards, to the last step of each side that is within the limit without a gap.
    let lower = (0..=best).rev().take_while(inside).last();
    let upper = (best..=steps).take_while(inside).last();
    let end = |inner: f64, outer: f64| border(inner, outer, |power| profile.residuals(power) <= limit);
    let low = end(lower.map_or(value, at).min(value), at(lower.unwrap_or(best).saturating_sub(1)));
    let high = end(upper.map_or(value, at).max(value), at(upper.unwrap_or(best) + 1));
    Some(Estimate { value, low, high })
}

fn grows(x: &[f64], y: &[f64], confidence: f64) -> bool {
    let line = weighted(x, y, &by_size(x), confidence);
    let mut points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let by_x: Vec<f64> = points.into_iter().map(|(_, y)| y).collect();
    line.is_some_and(|line| line.slope.low > 0.0) || trend::p_rising(&by_x) <= (1.0 - confidence) / 2.0
}

/// The sums of squares that each power leaves.
struct Profile<'p> {
    /// Logarithms of the sizes, less their mean, so that no power of them is huge.
    logarithms: Vec<f64>,
    y: &'p [f64],
    weights: Vec<f64>,
    /// A sum of squares that is rounding, as an exact law leaves it.
    rounding: f64,
}

impl Profile<'_> {
    fn new<'p>(x: &[f64], y: &'p [f64]) -> Profile<'p> {
        let weights = by_size(x);
        let mean = x.iter().map(|x| x.ln()).sum::<f64>() / x.len() as f64;
        let rounding = y.iter().zip(&weights).map(|(y, weight)| weight * (1e-12 * y).powi(2)).sum();
        Profile { logarithms: x.iter().map(|x| x.ln() - mean).collect(), y, weights, rounding }
    }

    fn residuals(&self, power: f64) -> f64 {
        // (x^p - 1) / p spans the same curves as x^p, and becomes the logarithm at 0.
        let curve = |log: &f64| if power == 0.0 { *log } else { (power * log).exp_m1() / power };
        let curve: Vec<f64> = self.logarithms.iter().map(curve).collect();
        Fit::new(&curve, self.y, &self.weights).residuals
    }
}

/// A weighted fit, without intervals.
struct Fit {
    intercept: f64,
    slope: f64,
    /// Sum of the weights.
    weight: f64,
    /// Weighted mean of x.
    mean: f64,
    /// Weighted sum of the squares of x about its mean.
    spread: f64,
    /// Weighted sum of the squares of what the line leaves.
    residuals: f64,
}

impl Fit {
    fn new(x: &[f64], y: &[f64], weights: &[f64]) -> Fit {
        let weight: f64 = weights.iter().sum();
        // From one of the figures on, so that figures that are all equal have a slope of exactly 0.
        let level = y.first().copied().unwrap_or(0.0);
        let mean_of = |of: &mut dyn Iterator<Item = f64>| {
            of.zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / weight
        };
        let mean = mean_of(&mut x.iter().copied());
        let mean_y = mean_of(&mut y.iter().map(|y| y - level));
        let points = || x.iter().zip(y).zip(weights).map(|((x, y), w)| (x - mean, y - level - mean_y, w));
        let spread: f64 = points().map(|(x, _, w)| w * x * x).sum();
        let slope = points().map(|(x, y, w)| w * x * y).sum::<f64>() / spread;
        let residuals = points().map(|(x, y, w)| w * (y - slope * x).powi(2)).sum();
        Fit { intercept: level + mean_y - slope * mean, slope, weight, mean, spread, residuals }
    }
}

fn around(value: f64, half: f64) -> Estimate {
    Estimate { value, low: value - half, high: value + half }
}

fn distinct(x: &[f64]) -> usize {
    super::occurrences(x).len()
}

/// How many standard errors hold the middle of Student's t at a confidence.
fn student(freedom: usize, confidence: f64) -> f64 {
    let student = StudentsT::new(0.0, 1.0, freedom as f64).expect("some degrees of freedom are left");
    student.inverse_cdf(0.5 + confidence / 2.0)
}

/// Where a function with one valley is least, by golden sections.
fn least(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    while high - low > 1e-10 {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if of(left) <= of(right) { high = right } else { low = left }
    }
    // A valley's floor at an end of the search is that end.
    [low, high].into_iter().fold((low + high) / 2.0, |best, end| if of(end) < of(best) { end } else { best })
}

/// Where `holds`, true at `inner`, ends on the way to `outer`; `outer` where it does not.
fn border(mut inner: f64, mut outer: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if holds(outer) {
        return outer;
    }
    for _ in 0..60 {
        let middle = (inner + outer) / 2.0;
        if holds(middle) { inner = middle } else { outer = middle }
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [f64; 5] = [20.0, 48.0, 113.0, 269.0, 640.0];

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found} is not {expected} to within {within}");
    }

    fn power_of(law: impl Fn(f64) -> f64) -> Estimate {
        power(&SIZES, &SIZES.map(law), 0.95).unwrap()
    }

    #[test]
    fn an_exact_line_is_found_with_intervals_of_no_width() {
        let found = line(&SIZES, &SIZES.map(|x| 3e6 + 200.0 * x), 0.95).unwrap();
        near(found.slope.value, 200.0, 1e-6);
        near(found.intercept.value, 3e6, 1e-3);
        assert!(found.slope.high - found.slope.low < 1e-3, "{found:?}");
    }

    #[test]
    fn equal_figures_have_a_slope_of_exactly_nothing() {
        let nothing = Estimate { value: 0.0, low: 0.0, high: 0.0 };
        assert_eq!(weighted(&SIZES, &[7_713_949.6; 5], &by_size(&SIZES), 0.95).unwrap().slope, nothing);
    }

    #[test]
    fn two_sizes_make_no_law() {
        assert_eq!(line(&[1.0, 1.0, 2.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 0.95), None);
        assert_eq!(line(&[1.0, 2.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(line(&[], &[], 0.95), None);
        assert_eq!(power(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.95), None);
    }

    #[test]
    fn a_power_is_found_beneath_a_large_constant() {
        for expected in [0.5, 1.0, 1.5, 2.0, 3.0] {
            let found = power_of(|x| 3e6 + 200.0 * x.powf(expected));
            near(found.value, expected, 1e-4);
            assert!(found.low <= found.value && found.value <= found.high && found.high - found.low < 0.01);
        }
        near(power_of(|x| 3e6 + 5000.0 * x.ln()).value, 0.0, 1e-4);
        assert_eq!(power_of(|x| x.powi(6)).high, LARGEST_POWER);
    }

    #[test]
    fn what_does_not_grow_has_no_power() {
        assert_eq!(power(&SIZES, &[7.0; 5], 0.95), None);
        assert_eq!(power(&SIZES, &[9.0, 8.0, 9.5, 8.5, 9.0], 0.95), None);
        assert_eq!(power(&SIZES, &[9.0, 8.0, 7.0, 6.0, 5.0], 0.95), None);
        assert_eq!(power(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 2.0, 3.0, 4.0], 0.95), None);
    }

    #[test]
    fn a_difference_of_lines_is_above_zero_where_one_lies_above_the_other() {
        let steep = line(&SIZES, &[2e4, 5e4, 11e4, 27e4, 64e4], 0.95).unwrap();
        let flat = line(&SIZES, &[1e5, 1.1e5, 1e5, 1.2e5, 1.3e5], 0.95).unwrap();
        let difference = steep.minus(&flat);
        assert!(difference.at(20.0).high < 0.0 && difference.at(640.0).low > 0.0);
        near(difference.at(300.0).value, steep.at(300.0).value - flat.at(300.0).value, 1e-6);
        // The errors of both are in it.
        let half = |line: &Line| line.at(300.0).high - line.at(300.0).value;
        near(half(&difference), half(&steep).hypot(half(&flat)), 1e-6);
    }
}
