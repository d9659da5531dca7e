//! A distribution as a table of quantiles, and draws from it that have a known sum.

use serde::{Deserialize, Serialize};

/// The shares at which every table of quantiles has its values.
pub const GRID: [f64; 12] = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0];

/// Values at the shares of [`GRID`], ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantiles(pub [f64; GRID.len()]);

/// Halvings in the search for the bend that gives a sum.
const HALVINGS: usize = 40;

/// Fewer values are settled.
const FEW: usize = 2_000;

/// Rounds in which values are settled.
const ROUNDS: usize = 300;

/// How far a segment may be bent: exponents from 2^-6 to 2^6.
const BEND_LOG2_MAX: f64 = 6.0;

impl Quantiles {
    /// The quantiles of ascending values: between two of them as a straight line goes. Of none, zeros.
    #[must_use]
    pub fn of(sorted: &[u64]) -> Quantiles {
        let Some(last) = sorted.len().checked_sub(1) else { return Quantiles::default() };
        Quantiles(GRID.map(|share| {
            let place = share * last as f64;
            let below = (place as usize).min(last);
            let (low, high) = (sorted[below] as f64, sorted[(below + 1).min(last)] as f64);
            rounded(low + (high - low) * (place - below as f64))
        }))
    }

    /// The value at a share that the grid names.
    #[must_use]
    pub fn at(&self, share: f64) -> f64 {
        self.bent(share, 1.0)
    }

    /// The least mean that things with these quantiles can have: each is as small as the share below it.
    pub(super) fn least_mean(&self) -> f64 {
        GRID.windows(2).zip(&self.0).map(|(shares, value)| (shares[1] - shares[0]) * value).sum()
    }

    /// The value at a share; `bend` moves what is between the grid's shares up (below 1) or down (above 1).
    fn bent(&self, share: f64, bend: f64) -> f64 {
        let above = GRID.iter().position(|grid| *grid > share).unwrap_or(GRID.len() - 1).max(1);
        let (from, to) = (GRID[above - 1], GRID[above]);
        let (low, high) = (self.0[above - 1], self.0[above]);
        let part = ((share - from) / (to - from)).clamp(0.0, 1.0);
        let part = if bend.to_bits() == 1.0_f64.to_bits() { part } else { libm::pow(part, bend) };
        low + (high - low) * part
    }

    /// So many values, ascending, that have these quantiles and about this sum.
    fn values(&self, count: u64, sum: u64) -> Vec<f64> {
        let last = count.saturating_sub(1).max(1) as f64;
        let shares: Vec<f64> = (0..count).map(|i| if count == 1 { 0.5 } else { i as f64 / last }).collect();
        let total = |bend: f64| shares.iter().map(|share| self.bent(*share, bend)).sum::<f64>();
        // The more a segment is bent, the lower its values.
        let (mut low, mut high) = (-BEND_LOG2_MAX, BEND_LOG2_MAX);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if total(libm::exp2(middle)) > sum as f64 { low = middle } else { high = middle }
        }
        let bend = libm::exp2(f64::midpoint(low, high));
        let mut values: Vec<f64> = shares.iter().map(|share| self.bent(*share, bend)).collect();
        if values.len() <= FEW {
            self.settle(&mut values, sum as f64);
        }
        values
    }

    /// Moves few values so that their own quantiles are these: between few values there is more than one share of the grid, and a curve
    /// through all shares has other quantiles at them than its values have. Each round moves the values that make up a quantile, large
    /// ones more than small ones, then those that make up the sum, and keeps them ascending: projections onto convex sets, which the
    /// values of the history lie in.
    fn settle(&self, values: &mut [f64], sum: f64) {
        let Some(last) = values.len().checked_sub(1).filter(|last| *last > 0) else { return };
        let weights: Vec<f64> = values.iter().map(|value| (value + 1.0) * (value + 1.0)).collect();
        let total: f64 = weights.iter().sum();
        for _ in 0..ROUNDS {
            for (share, wanted) in GRID.iter().zip(self.0) {
                let place = share * last as f64;
                let (at, part) = (place as usize, place.fract());
                let next = (at + 1).min(last);
                let found = values[at] * (1.0 - part) + values[next] * part;
                let [first, second] = [weights[at] * (1.0 - part), weights[next] * part];
                let step = (wanted - found) / (first * (1.0 - part) + second * part);
                values[at] += first * step;
                values[next] += second * step;
            }
            let step = (sum - values.iter().sum::<f64>()) / total;
            values.iter_mut().zip(&weights).for_each(|(value, weight)| *value += weight * step);
            let mut least = 0.0_f64;
            for value in values.iter_mut() {
                *value = value.max(least);
                least = *value;
            }
        }
    }

    /// Values for `wanted` things, ascending, by a law that `count` things of a history with this `sum` follow. Fewer than those are
    /// means of neighbours, so that the sum is scaled as the count is and no outlier is lost or has the weight of many.
    #[must_use]
    pub(crate) fn draw(&self, count: u64, sum: u64, wanted: u64) -> Vec<u64> {
        let values = self.values(count.max(1), sum);
        let per = values.len() as f64 / wanted.max(1) as f64;
        let mut owed = 0.0;
        let drawn = (0..wanted).map(|i| {
            let exact = mean(&values, i as f64 * per, (i + 1) as f64 * per) + owed;
            let whole = libm::round(exact).max(0.0);
            // What rounding takes from one it gives to the next.
            owed = exact - whole;
            whole as u64
        });
        drawn.collect()
    }
}

/// The mean of a step function over a part of its length.
fn mean(values: &[f64], from: f64, to: f64) -> f64 {
    let (mut sum, mut at) = (0.0, from);
    while at < to - 1e-9 {
        let index = ((at + 1e-9) as usize).min(values.len() - 1);
        let end = if index + 1 == values.len() { to } else { ((index + 1) as f64).min(to) };
        sum += values[index] * (end - at);
        at = end;
    }
    sum / (to - from)
}

/// Four digits: what a law needs, and too few to know a file again by its size.
pub(crate) fn rounded(value: f64) -> f64 {
    if value < 1_000.0 {
        return libm::round(value * 100.0) / 100.0;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(value)) - 3.0);
    libm::round(libm::round(value / unit) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_values_are_those_of_the_books() {
        let sorted: Vec<u64> = (0..=100).collect();
        assert_eq!(
            Quantiles::of(&sorted).0,
            [0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0]
        );
        assert_eq!(Quantiles::of(&[7]).0, [7.0; 12]);
        assert_eq!(Quantiles::of(&[]).0, [0.0; 12]);
    }

    #[test]
    fn draws_have_the_quantiles_and_the_sum_they_come_from() {
        let mut sizes: Vec<u64> = (0..1_000_u64).map(|i| 1_000 + i * i * i / 300).collect();
        sizes.sort_unstable();
        let sum = sizes.iter().sum::<u64>();
        let law = Quantiles::of(&sizes);
        let drawn = law.draw(1_000, sum, 1_000);
        assert!((drawn.iter().sum::<u64>() as f64 / sum as f64 - 1.0).abs() < 0.001);
        for (found, wanted) in Quantiles::of(&drawn).0.iter().zip(law.0) {
            assert!((found / wanted - 1.0).abs() < 0.01, "{found} instead of {wanted}");
        }
        for wanted in [1, 7, 100, 3_000] {
            let scaled = law.draw(1_000, sum, wanted).iter().sum::<u64>() as f64;
            let expected = sum as f64 * wanted as f64 / 1_000.0;
            assert!((scaled / expected - 1.0).abs() < 0.01, "{wanted}: {scaled} instead of {expected}");
        }
    }

    #[test]
    fn a_few_draws_have_the_quantiles_of_the_few_values_they_come_from() {
        let sizes = [1_u64, 1, 1, 2, 2, 2, 3, 4, 4, 7, 9, 9, 12, 20, 41, 77, 94, 300];
        let law = Quantiles::of(&sizes);
        let drawn = law.draw(18, sizes.iter().sum(), 18);
        for (found, wanted) in Quantiles::of(&drawn).0.iter().zip(law.0) {
            assert!((found - wanted).abs() <= 0.5 + wanted * 0.02, "{found} instead of {wanted}: {drawn:?}");
        }
        assert!(drawn.iter().sum::<u64>().abs_diff(sizes.iter().sum()) <= 6, "{drawn:?}");
    }

    #[test]
    fn a_value_is_rounded_to_four_digits() {
        let rounds = [(0.0, 0.0), (2.5, 2.5), (999.0, 999.0), (123_456.0, 123_500.0), (9_999_999.0, 1e7)];
        for (value, wanted) in rounds {
            assert_eq!(rounded(value), wanted);
        }
    }
}
