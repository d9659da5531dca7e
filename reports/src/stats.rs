//! The statistics of the gate: pure functions on slices of figures, each tested against published tables or the output of SciPy,
//! statsmodels and pymannkendall that is kept beside the tests.
//!
//! Figures are finite. A p is a chance between 0 and 1, never NaN: where nothing can be concluded it is 1.

pub mod divisive;
pub mod line;
pub mod many;
pub mod proportion;
pub mod rank;
pub mod trend;

use statrs::distribution::{ContinuousCDF, Normal};

/// The standard normal distribution.
fn normal() -> Normal {
    Normal::new(0.0, 1.0).expect("a deviation of 1 is a normal distribution's")
}

/// How many standard deviations from the mean leave `1 - confidence` outside, on both sides together.
fn two_sided_deviations(confidence: f64) -> f64 {
    normal().inverse_cdf(0.5 + confidence / 2.0)
}

/// The value in the middle, or the mean of the two there; the slice is put out of order. It must hold something.
fn median(values: &mut [f64]) -> f64 {
    let upper = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, middle, _) = values.select_nth_unstable_by(upper, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if even => (lower + *middle) / 2.0,
        _ => *middle,
    }
}

/// How often each value occurs, in the order of the values.
fn occurrences(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

/// The value in the middle, or the mean of the two there; none of no figures. The figures stay in their order.
pub(crate) fn middle(figures: &[f64]) -> Option<f64> {
    (!figures.is_empty()).then(|| median(&mut figures.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_two_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn equal_values_are_counted_together_whatever_their_sign_of_zero() {
        assert_eq!(occurrences(&[2.0, 0.0, 2.0, -0.0, 5.0]), [2, 2, 1]);
    }
}
