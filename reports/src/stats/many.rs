//! Many tests at once: of a hundred at 0.01 one alarms by chance.

/// The p of each test adjusted after Benjamini and Hochberg (1995), in the order given: to alarm where the adjusted p is at most q keeps the
/// expected share of false alarms among all alarms within q.
pub fn adjust(p: &[f64]) -> Vec<f64> {
    let mut by_size: Vec<usize> = (0..p.len()).collect();
    by_size.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, index) in by_size.into_iter().enumerate().rev() {
        // The quotient first: 1 for the largest, which is then not changed by rounding.
        least = least.min(p[index] * (p.len() as f64 / (rank + 1) as f64));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_test_needs_no_adjustment() {
        assert_eq!(adjust(&[0.03]), [0.03]);
        assert!(adjust(&[]).is_empty());
    }

    /// By hand: 0.01 x 4 / 1, 0.02 x 4 / 2, 0.03 x 4 / 3 and 0.9, each no more than the next.
    #[test]
    fn each_p_is_multiplied_by_the_tests_and_divided_by_its_rank() {
        let adjusted = adjust(&[0.9, 0.01, 0.03, 0.02]);
        for (found, expected) in adjusted.iter().zip([0.9, 0.04, 0.04, 0.04]) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
    }

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_lowers_nothing(p in prop::collection::vec(0.0..=1.0, 1..40)) {
            let adjusted = adjust(&p);
            for (i, own) in p.iter().enumerate() {
                prop_assert!(adjusted[i] >= *own && adjusted[i] <= 1.0);
                for (j, other) in p.iter().enumerate() {
                    prop_assert!(own > other || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
