//! What each of several choices is worth, alone and on top of the others, from a measurement of every combination.

use harness::record::{ChoiceWorth, Worth};

/// The worth of each choice in one metric.
///
/// `values` holds the metric of every combination: bit i of the index says whether choice i is made, so there are
/// 2 to the power of `names.len()` of them. A worth is a change of the metric: below zero is a saving.
///
/// # Panics
///
/// When the number of values is not that power, which is a mistake of the caller.
pub fn shapley(scenario: &str, metric: &str, names: &[&str], values: &[f64]) -> Worth {
    assert_eq!(
        values.len(),
        1 << names.len(),
        "one value is needed for each combination of {} choices",
        names.len()
    );
    let all = values.len() - 1;
    let worth = |choice: usize| ChoiceWorth {
        name: names[choice].to_owned(),
        alone: values[1 << choice] - values[0],
        last: values[all] - values[all ^ (1 << choice)],
        shapley: mean_over_orders(choice, names.len(), values),
    };
    Worth {
        scenario: scenario.to_owned(),
        metric: metric.to_owned(),
        choices: (0..names.len()).map(worth).collect(),
        combinations: values.to_vec(),
    }
}

/// What the table says, in one sentence for whoever decides which of the choices to make.
pub fn conclusion(worth: &Worth) -> String {
    let Worth { scenario, metric, choices, combinations } = worth;
    let (none, all) = combinations.first().zip(combinations.last()).unwrap_or((&0.0, &0.0));
    let saved = none - all;
    if saved.abs() <= none.abs() * LITTLE {
        return format!(
            "none of the {} choices changes {metric} of {scenario} by more than a hundredth",
            choices.len()
        );
    }
    let mut by_share: Vec<(&str, f64)> =
        choices.iter().map(|choice| (choice.name.as_str(), -choice.shapley / saved)).collect();
    by_share.sort_by(|a, b| b.1.total_cmp(&a.1));
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let giving = by_share.iter().filter(|(_, share)| share.abs() >= LITTLE);
    let giving: Vec<String> = giving.map(|(name, share)| format!("{name} {}", percent(*share))).collect();
    let idle: Vec<&str> =
        by_share.iter().filter(|(_, share)| share.abs() < LITTLE).map(|(name, _)| *name).collect();
    let idle = if idle.is_empty() { String::new() } else { format!("; {} change nothing", idle.join(", ")) };
    let change = percent(-saved / none);
    format!("all together change {metric} of {scenario} by {change}, of which {}{idle}", giving.join(", "))
}

/// Less than this part of a figure, or of what all choices save, is nothing.
const LITTLE: f64 = 0.01;

/// The change that a choice makes on average over all orders of making the choices.
///
/// Of the n! orders, s!(n - 1 - s)! make exactly a given set of s choices before this one.
fn mean_over_orders(choice: usize, choices: usize, values: &[f64]) -> f64 {
    let without = (0..values.len()).filter(|made| made & (1 << choice) == 0);
    let weighted = without.map(|made| {
        let change = values[made | (1 << choice)] - values[made];
        change * share_of_orders(made.count_ones() as usize, choices)
    });
    weighted.sum()
}

/// s!(n - 1 - s)! / n!, which is 1 / (n times the number of sets of s among n - 1).
fn share_of_orders(made_before: usize, choices: usize) -> f64 {
    let sets = (0..made_before).fold(1.0, |sets, i| sets * (choices - 1 - i) as f64 / (i + 1) as f64);
    1.0 / (choices as f64 * sets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn worth(names: &[&str], values: &[f64]) -> Vec<(f64, f64, f64)> {
        let worth = shapley("sync/cold", "heap.peak_bytes", names, values);
        worth.choices.iter().map(|choice| (choice.alone, choice.last, choice.shapley)).collect()
    }

    #[test]
    fn a_sentence_says_which_choices_count() {
        // The second choice saves 80 of 100 with or without the first, the third nothing.
        let values = [100.0, 90.0, 20.0, 10.0, 100.0, 90.0, 20.0, 10.0];
        let worth = shapley("view/minutes", "scenario.view_bytes", &["a", "b", "c"], &values);
        assert_eq!(
            conclusion(&worth),
            "all together change scenario.view_bytes of view/minutes by -90 %, of which b 89 %, a 11 %; c change nothing"
        );
        let flat = shapley("view/minutes", "heap.peak_bytes", &["a"], &[100.0, 100.0]);
        assert_eq!(
            conclusion(&flat),
            "none of the 1 choices changes heap.peak_bytes of view/minutes by more than a hundredth"
        );
    }

    /// By hand: prefetch off saves 40 alone and 45 last, strip 16 alone and 21 last; (40 + 45) / 2 and (16 + 21) / 2.
    #[test]
    fn two_choices_share_what_they_save_together() {
        let worth = worth(&["prefetch off", "eager strip"], &[100.0, 60.0, 84.0, 39.0]);
        assert_eq!(worth, [(-40.0, -45.0, -42.5), (-16.0, -21.0, -18.5)]);
    }

    /// By hand, the glove game: of three, the first holds a left glove, the others a right one each; a pair is worth 1. Of the six
    /// orders the first completes a pair in four, each of the others in one.
    #[test]
    fn three_choices_are_averaged_over_all_six_orders() {
        let pair = |made: usize| f64::from(u8::from(made & 1 == 1 && made & 6 != 0));
        let values: Vec<f64> = (0..8).map(pair).collect();
        let shares: Vec<f64> =
            worth(&["left", "right", "right too"], &values).iter().map(|each| each.2).collect();
        for (share, expected) in shares.iter().zip([4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    #[should_panic(expected = "one value is needed for each combination of 2 choices")]
    fn a_lattice_with_a_hole_is_refused() {
        worth(&["a", "b"], &[1.0, 2.0, 3.0]);
    }

    proptest! {
        #[test]
        fn the_shares_add_up_to_what_all_choices_change_together(
            (choices, values) in (1usize..6).prop_flat_map(|n| (Just(n), prop::collection::vec(0.0..1e9, 1 << n)))
        ) {
            let names = vec!["choice"; choices];
            let sum: f64 = worth(&names, &values).iter().map(|each| each.2).sum();
            let together = values[values.len() - 1] - values[0];
            prop_assert!((sum - together).abs() < 1e-3, "{sum} is not {together}");
        }

        #[test]
        fn a_choice_that_changes_nothing_is_worth_nothing(values in prop::collection::vec(0.0..1e9, 8)) {
            let doubled: Vec<f64> = values.iter().chain(&values).copied().collect();
            prop_assert_eq!(worth(&["a", "b", "c", "idle"], &doubled)[3], (0.0, 0.0, 0.0));
        }
    }
}
