//! Two samples compared by ranks: whether one tends to be larger (Mann and Whitney), and by how much (Hodges and Lehmann).
//!
//! Ranks and not means, since the memory of a program with a collector has two humps and outliers.

use statrs::distribution::ContinuousCDF;

use crate::stats::{median, normal, occurrences};

/// Up to so many samples a side the exact distribution of U is counted: C(120, 60) is the last that 128 bits are sure to hold.
const EXACT_SAMPLES: usize = 60;

/// By how much the head is larger than the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Hodges-Lehmann estimate: the median of all differences between a head's sample and a base's. 0 where a side is empty.
    pub estimate: f64,
    /// The shift is at least this, by the confidence that was asked for. Minus infinity where the samples are too few for it.
    pub low: f64,
}

/// The chance of a head that looks so much larger than the base, or more so, if both came from one distribution: the one-sided p of
/// Mann and Whitney's test.
///
/// Of up to 60 distinct samples a side it is exact; else the normal approximation with variance corrected for ties and a correction for
/// continuity, as SciPy's `mannwhitneyu(head, base, alternative="greater")` has it. 1 where a side is empty or all samples are equal.
pub fn p_greater(base: &[f64], head: &[f64]) -> f64 {
    let pooled: Vec<f64> = base.iter().chain(head).copied().collect();
    let occurrences = occurrences(&pooled);
    if base.is_empty() || head.is_empty() || occurrences.len() == 1 {
        return 1.0;
    }
    let tied = occurrences.len() < pooled.len();
    if tied || base.len().max(head.len()) > EXACT_SAMPLES {
        return p_by_approximation(base, head, &occurrences);
    }
    // Without ties every win is whole.
    let wins = wins(base, head) as usize;
    let counts = arrangements(base.len(), head.len());
    let at_least: u128 = counts[wins..].iter().sum();
    at_least as f64 / counts.iter().sum::<u128>() as f64
}

/// The smallest p that so many samples can reach without ties: 1 / C(base + head, base). An alpha below it can never be reached.
pub fn smallest_p(base: usize, head: usize) -> f64 {
    (1..=base.min(head)).fold(1.0, |p, chosen| p * chosen as f64 / (base.max(head) + chosen) as f64)
}

/// The Hodges-Lehmann estimate of how much larger the head is, and its one-sided lower bound at a confidence such as 0.95.
///
/// The bound is the k-th smallest of all differences, where k is the largest number for which U falls below k with a chance of at most
/// `1 - confidence`. The distribution of U is the exact one without ties also where there are some: the bound then holds
/// with at least the confidence, since samples that differ by infinitely little would give the same one. Of more than 60 samples a
/// side it is the normal approximation without the corrections, which would only raise the bound.
pub fn shift(base: &[f64], head: &[f64], confidence: f64) -> Shift {
    let mut differences: Vec<f64> =
        head.iter().flat_map(|head| base.iter().map(move |base| head - base)).collect();
    if differences.is_empty() {
        return Shift { estimate: 0.0, low: f64::NEG_INFINITY };
    }
    let low = match bound(base.len(), head.len(), 1.0 - confidence) {
        0 => f64::NEG_INFINITY,
        place => *differences.select_nth_unstable_by(place - 1, f64::total_cmp).1,
    };
    Shift { estimate: median(&mut differences), low }
}

/// U of the head: in how many pairs its sample is larger; a tie is half a win.
fn wins(base: &[f64], head: &[f64]) -> f64 {
    let pairs = head.iter().flat_map(|head| base.iter().map(move |base| (head, base)));
    let won = pairs.map(|(head, base)| match head.partial_cmp(base) {
        Some(std::cmp::Ordering::Greater) => 1.0,
        Some(std::cmp::Ordering::Equal) => 0.5,
        _ => 0.0,
    });
    won.sum()
}

fn p_by_approximation(base: &[f64], head: &[f64], occurrences: &[usize]) -> f64 {
    let (pairs, all) = ((base.len() * head.len()) as f64, (base.len() + head.len()) as f64);
    let ties: f64 = occurrences.iter().map(|count| (count.pow(3) - count) as f64).sum();
    let deviation = (pairs / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))).sqrt();
    normal().sf((wins(base, head) - pairs / 2.0 - 0.5) / deviation)
}

/// In how many of the orders of `base + head` distinct samples each U occurs, from 0 to base x head.
///
/// The counts are the coefficients of the Gaussian binomial: the product over i of (1 - q^(base + i)) / (1 - q^i).
fn arrangements(base: usize, head: usize) -> Vec<u128> {
    let largest = base * head;
    let mut counts = vec![0u128; largest + 1];
    counts[0] = 1;
    // On the way counts may pass below zero. They wrap, and wrap back, since the last ones fit.
    for i in 1..=head {
        for u in (base + i..=largest).rev() {
            counts[u] = counts[u].wrapping_sub(counts[u - base - i]);
        }
        for u in i..=largest {
            counts[u] = counts[u].wrapping_add(counts[u - i]);
        }
    }
    counts
}

/// The largest k for which U is below k with a chance of at most `alpha`; 0 where even U = 0 is likelier.
fn bound(base: usize, head: usize, alpha: f64) -> usize {
    if base.max(head) > EXACT_SAMPLES {
        bound_by_approximation(base, head, alpha)
    } else {
        bound_by_counting(base, head, alpha)
    }
}

fn bound_by_counting(base: usize, head: usize, alpha: f64) -> usize {
    let counts = arrangements(base, head);
    // The confidence 0.95 leaves a little more than 0.05, and one that is exactly reached counts as reached.
    let allowed = counts.iter().sum::<u128>() as f64 * alpha * (1.0 + 1e-9);
    let cumulated = counts.iter().scan(0u128, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    cumulated.take_while(|below| *below as f64 <= allowed).count()
}

fn bound_by_approximation(base: usize, head: usize, alpha: f64) -> usize {
    let pairs = (base * head) as f64;
    let deviation = (pairs * (base + head + 1) as f64 / 12.0).sqrt();
    // The correction for continuity would add a half. Without it the place is never above the counted one.
    let place = pairs / 2.0 + normal().inverse_cdf(alpha) * deviation;
    place.floor().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counted by hand: the orders of 2 and 2 have U = 0, 1, 2, 2, 3, 4.
    #[test]
    fn arrangements_of_two_and_two_are_counted_as_by_hand() {
        assert_eq!(arrangements(2, 2), [1, 1, 2, 1, 1]);
    }

    #[test]
    fn the_largest_exact_sizes_do_not_overflow() {
        let counts = arrangements(60, 60);
        let (all, half) = (counts.iter().sum::<u128>() as f64, counts[1800]);
        // C(120, 60), and the count in the middle is the largest.
        assert!((all / 9.661_490_884_036_332e34 - 1.0).abs() < 1e-12, "{all}");
        assert!(counts.iter().all(|count| *count <= half));
        assert!((smallest_p(60, 60) * all - 1.0).abs() < 1e-9);
    }

    #[test]
    fn five_samples_a_side_can_never_reach_one_in_a_thousand() {
        assert!((smallest_p(5, 5) - 1.0 / 252.0).abs() < 1e-15);
        let (base, head) = ([1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((p_greater(&base, &head) - smallest_p(5, 5)).abs() < 1e-15);
        assert_eq!(shift(&base, &head, 0.999).low, f64::NEG_INFINITY);
        assert_eq!(shift(&base, &head, 0.997).low, f64::NEG_INFINITY);
        assert_eq!(shift(&base, &head, 251.0 / 252.0).low, 1.0);
    }

    #[test]
    fn where_counting_ends_the_approximation_goes_on() {
        for (base, head) in [(60, 60), (60, 20), (35, 50)] {
            for alpha in [0.05, 0.01, 0.001] {
                let (counted, approximated) =
                    (bound_by_counting(base, head, alpha), bound_by_approximation(base, head, alpha));
                // The normal curve is a little too thick in the far tail: a lower bound is rather too low.
                assert!(
                    (0..=6).contains(&(counted as i64 - approximated as i64)),
                    "{base}, {head}, {alpha}: {counted} {approximated}"
                );
            }
        }
        // By the tables of U 138 is the last of 20 and 20 that is significant at 0.05.
        assert_eq!((bound(20, 20, 0.05), bound_by_approximation(20, 20, 0.05)), (139, 139));
    }

    #[test]
    fn samples_that_say_nothing_have_a_p_of_one() {
        assert_eq!(p_greater(&[], &[1.0]), 1.0);
        assert_eq!(p_greater(&[1.0], &[]), 1.0);
        assert_eq!(p_greater(&[4.0; 80], &[4.0; 10]), 1.0);
        assert_eq!(shift(&[], &[1.0], 0.95), Shift { estimate: 0.0, low: f64::NEG_INFINITY });
        assert_eq!(smallest_p(0, 7), 1.0);
    }

    #[test]
    fn equal_samples_of_each_side_have_a_bound_where_they_differ() {
        assert_eq!(shift(&[10.0; 5], &[12.0; 5], 0.95), Shift { estimate: 2.0, low: 2.0 });
    }

    proptest! {
        #[test]
        fn one_side_larger_or_smaller_is_certain_together_without_ties(
            values in prop::collection::hash_set(0u32..10_000, 8..40), cut in 1usize..7
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let (base, head) = values.split_at(cut);
            let (up, down) = (p_greater(base, head), p_greater(head, base));
            // Both count the orders with just this U.
            prop_assert!(up + down > 1.0 && up <= 1.0 && down <= 1.0, "{up} {down}");
        }

        #[test]
        fn a_bound_is_never_above_the_estimate(
            base in prop::collection::vec(0.0..1e9, 1..30), head in prop::collection::vec(0.0..1e9, 1..30)
        ) {
            let shift = shift(&base, &head, 0.95);
            prop_assert!(shift.low <= shift.estimate);
        }

        #[test]
        fn what_is_added_to_every_sample_of_the_head_is_added_to_the_shift(
            base in prop::collection::vec(0u32..1000, 5..20), head in prop::collection::vec(0u32..1000, 5..20), more in 0u32..1000
        ) {
            let figures = |from: &[u32], more: u32| from.iter().map(|v| f64::from(v + more)).collect::<Vec<_>>();
            let (before, after) =
                (shift(&figures(&base, 0), &figures(&head, 0), 0.95), shift(&figures(&base, 0), &figures(&head, more), 0.95));
            prop_assert_eq!(after.low, before.low + f64::from(more));
            prop_assert_eq!(after.estimate, before.estimate + f64::from(more));
        }
    }
}
