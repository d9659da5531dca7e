//! Planted steps are found, and flat series left alone.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::stats::normal;

/// Gaussian noise about 0 with a deviation of 1.
fn noise(seed: u64, points: usize) -> Vec<f64> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let uniform = std::iter::repeat_with(|| dice.random_range(1e-12..1.0 - 1e-12)).take(points);
    uniform.map(|chance| normal().inverse_cdf(chance)).collect()
}

/// 200 points at 100, from `at` on larger by `step`, with noise of a deviation of `deviation`; both parts of 100.
fn stepped(seed: u64, at: usize, step: f64, deviation: f64) -> Vec<f64> {
    let level = |index: usize| if index < at { 100.0 } else { 100.0 * (1.0 + step) };
    noise(seed, 200)
        .iter()
        .enumerate()
        .map(|(index, noise)| level(index) + 100.0 * deviation * noise)
        .collect()
}

fn found(series: &[f64]) -> Vec<usize> {
    changes(series, &Options::default()).iter().map(|change| change.index).collect()
}

/// Of 100 series, how many show the step within three points of its place, and how many changes are seen elsewhere.
fn seen(step: f64, deviation: f64) -> (usize, usize) {
    let near = |(found, at): &(usize, usize)| found.abs_diff(*at) <= 3;
    let each = (0..100).map(|seed| {
        let at = 40 + seed as usize;
        let found: Vec<_> =
            found(&stepped(seed, at, step, deviation)).into_iter().map(|it| (it, at)).collect();
        (usize::from(found.iter().any(near)), found.iter().filter(|it| !near(it)).count())
    });
    each.fold((0, 0), |sum, (hit, other)| (sum.0 + hit, sum.1 + other))
}

#[test]
fn a_step_of_five_percent_is_found_within_three_points() {
    let (hits, others) = seen(0.05, 0.01);
    assert!(hits == 100 && others <= 5, "{hits} found, {others} elsewhere");
    let (hits, others) = seen(0.05, 0.02);
    assert!(hits >= 97 && others <= 6, "{hits} found, {others} elsewhere");
}

#[test]
fn a_step_of_two_percent_is_found_within_three_points() {
    let (hits, others) = seen(0.02, 0.005);
    assert!(hits == 100 && others <= 5, "{hits} found, {others} elsewhere");
    // A step of two deviations has no sharper place: least squares miss by more than 3 points as often.
    let (hits, others) = seen(0.02, 0.01);
    assert!(hits >= 93 && others <= 10, "{hits} found, {others} elsewhere");
}

#[test]
fn of_a_thousand_flat_points_at_most_one_is_taken_for_a_change() {
    let each: Vec<usize> = (0..100).map(|seed| found(&noise(seed, 1000)).len()).collect();
    let more = each.iter().filter(|found| **found > 1).count();
    let sum: usize = each.iter().sum();
    assert!(more <= 3 && sum <= 10, "{sum} changes in 100 series, {more} of them with more than one");
}

/// Heavy tails: most of these points are near 0 and a few are far away.
#[test]
fn flat_points_with_wild_ones_among_them_have_no_change() {
    let each = (0..50).map(|seed| {
        let series: Vec<f64> = noise(seed, 1000).iter().map(|noise| 100.0 + noise.powi(3)).collect();
        found(&series).len()
    });
    assert!(each.sum::<usize>() <= 2);
}

#[test]
fn a_step_of_one_byte_in_an_exact_series_is_found_at_its_place_and_nothing_else() {
    for at in 3..=197 {
        let series: Vec<f64> = (0..200).map(|index| 7_713_949.0 + f64::from(index >= at)).collect();
        assert_eq!(found(&series), [at as usize]);
    }
    let change = changes(&[vec![0.1; 30], vec![0.3; 30]].concat(), &Options::default())[0];
    assert!(change.before == 0.1 && change.after == 0.3 && change.p > 0.0 && change.p < 1e-12, "{change:?}");
    assert!((change.part() - 2.0).abs() < 1e-12);
}

#[test]
fn a_spike_of_one_point_is_no_change() {
    for at in 0..120 {
        let mut series = vec![0.1; 120];
        series[at] = 7.3;
        assert_eq!(found(&series), [0; 0], "a spike at {at}");
        let mut series: Vec<f64> = noise(at as u64, 120).iter().map(|noise| 100.0 + 0.01 * noise).collect();
        series[at] = 1e6;
        assert!(found(&series).len() <= 1, "a spike at {at}: {:?}", found(&series));
        assert!(found(&series).iter().all(|found| found.abs_diff(at) > 2));
    }
}

#[test]
fn a_few_runs_between_two_steps_of_an_exact_series_are_seen() {
    for runs in 3..20 {
        let series = [vec![5e6; 60], vec![5e6 + 1.0; runs], vec![5e6; 70]].concat();
        assert_eq!(found(&series), [60, 60 + runs]);
    }
}

#[test]
fn every_level_of_an_exact_figure_is_seen_from_its_third_run_on() {
    let series: Vec<f64> = [10.0, 11.0, 13.0, 12.0].iter().flat_map(|level| [*level; 3]).collect();
    let exact = Options { exact: true, ..Options::default() };
    let indices = |series: &[f64], options: &Options| -> Vec<usize> {
        changes(series, options).iter().map(|change| change.index).collect()
    };
    assert_eq!((indices(&series, &exact), found(&series)), (vec![3, 6, 9], vec![]));
    assert_eq!(indices(&series[..11], &exact), [3, 6]);
    // A spike, and a figure that is another one in each run, are none.
    assert_eq!(indices(&[5.0, 5.0, 5.0, 9.0, 5.0, 5.0, 5.0], &exact), [0; 0]);
    assert_eq!(indices(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], &exact), [0; 0]);
}

/// By hand: 45 between all pairs of points of different parts, 4 within each part: 3 x 3 / 6 x (2 x 45 / 9 - 4 / 3 - 4 / 3).
#[test]
fn the_divergence_of_a_cut_is_that_of_its_formula() {
    let mut within = Within::default();
    within.fill(&[0.0, 1.0, 2.0, 5.0, 6.0, 7.0]);
    assert!((within.divergence(3) - 11.0).abs() < 1e-12, "{}", within.divergence(3));
}

/// Neither end of a bump is certain while the other is not cut off.
#[test]
fn a_bump_is_found_by_cuts_that_are_no_changes_alone() {
    let bump = |seed: u64| -> Vec<f64> {
        let level = |index: usize| if (90..110).contains(&index) { 101.5 } else { 100.0 };
        noise(seed, 200).iter().enumerate().map(|(index, noise)| level(index) + noise).collect()
    };
    let both = (0..100).filter(|seed| found(&bump(*seed)).len() == 2).count();
    assert!(both >= 75, "{both}");
}

/// A spike within a level that ends for certain is no part of that level.
#[test]
fn a_certain_step_is_between_the_equal_points_beside_it() {
    let exact = Options { exact: true, ..Options::default() };
    let series = [vec![5.0; 10], vec![1000.0], vec![5.0; 9], vec![6.0; 20]].concat();
    let change = changes(&series, &exact)[0];
    assert_eq!((change.index, change.before, change.after), (20, 5.0, 6.0));
}

/// By hand: means 3 and 8, variance 2.5 in both, so t = 5 with 8 degrees of freedom; SciPy's `ttest_ind` has this p.
#[test]
fn student_agrees_with_scipy() {
    let of = |points: &[f64]| Moments::of(points, None);
    let p = student(&of(&[1.0, 2.0, 3.0, 4.0, 5.0]), &of(&[6.0, 7.0, 8.0, 9.0, 10.0]));
    assert!((p - 0.001_052_825_793_366_539).abs() < 1e-12, "{p}");
}

#[test]
fn no_p_is_less_than_that_of_the_only_arrangement_among_all() {
    assert!((least_p(3, 5) - 1.0 / 56.0).abs() < 1e-15);
    // Six and six, less one each, have 252 arrangements, of which one is too common; eight and seven have 1,716.
    assert_eq!(found(&[[1.0; 6], [2.0; 6]].concat()), [0; 0]);
    assert_eq!(found(&[vec![1.0; 8], vec![2.0; 7]].concat()), [8]);
}

#[test]
fn few_points_have_no_change() {
    for points in 0..6 {
        assert_eq!(found(&noise(1, points)), [0; 0]);
    }
}

#[test]
fn a_change_below_the_least_magnitude_is_merged_away() {
    let series = [[100.0; 40], [101.0; 40], [151.0; 40]].concat();
    let options = Options { min_magnitude: 0.05, ..Options::default() };
    let indices: Vec<usize> = changes(&series, &options).iter().map(|change| change.index).collect();
    assert_eq!((found(&series), indices), (vec![40, 80], vec![80]));
}

/// A series of several levels, with noise.
fn levels(seed: u64, points: usize) -> Vec<f64> {
    let level = |index: usize| [0.0, 6.0, 3.0, 11.0][index * 4 / points];
    noise(seed, points).iter().enumerate().map(|(index, noise)| 50.0 + level(index) + noise).collect()
}

#[test]
fn what_is_added_moves_no_old_change() {
    let series = levels(3, 1000);
    let whole = found(&series);
    for known in (600..1000).step_by(7) {
        let old = |changes: Vec<usize>| changes.into_iter().filter(|at| at + 150 < known).collect::<Vec<_>>();
        assert_eq!(old(found(&series[..known])), old(whole.clone()), "of {known} points");
    }
}

proptest! {
    #[test]
    fn another_unit_or_another_zero_changes_no_place(
        seed in 0_u64..1000, points in 30_usize..400, factor in 1e-6..1e9, shift in -1e4..1e4,
    ) {
        let series = levels(seed, points);
        let scaled: Vec<f64> = series.iter().map(|point| factor * point).collect();
        let shifted: Vec<f64> = series.iter().map(|point| point + shift).collect();
        let negative: Vec<f64> = series.iter().map(|point| -point).collect();
        for other in [&scaled, &shifted, &negative] {
            prop_assert_eq!(found(other), found(&series));
        }
    }

    /// Windows lie the same from both ends where half of one divides the series.
    #[test]
    fn a_series_read_backwards_has_the_same_changes(seed in 0_u64..1000, halves in 2_usize..16) {
        let series = levels(seed, 25 * halves);
        let backwards: Vec<f64> = series.iter().rev().copied().collect();
        let mut mirrored: Vec<usize> = found(&backwards).into_iter().map(|at| series.len() - at).collect();
        mirrored.reverse();
        prop_assert_eq!(mirrored, found(&series));
    }

    #[test]
    fn changes_are_in_order_and_levels_apart(coarse in prop::collection::vec(0_u8..4, 0..300)) {
        let series: Vec<f64> = coarse.into_iter().map(f64::from).collect();
        let found = changes(&series, &Options::default());
        prop_assert!(found.windows(2).all(|two| two[0].index + LEAST <= two[1].index));
        for change in found {
            prop_assert!(change.p > 0.0 && change.p <= 0.001 && change.before != change.after);
        }
    }
}
