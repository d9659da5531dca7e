//! How far large values of two things go together.

/// Spearman's rank correlation of pairs; 0 where one side of them is the same everywhere.
pub(crate) fn correlation(pairs: &[(u64, u64)]) -> f64 {
    let first = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let mean = (pairs.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let both = libm::sqrt(product(&first, &first) * product(&second, &second));
    if both > 0.0 { (product(&first, &second) / both).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The rank of each value; equal ones share theirs.
fn ranks(values: &[u64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by_key(|i| values[*i]);
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        for i in group {
            ranks[*i] = from as f64 + (group.len() as f64 - 1.0) / 2.0;
        }
        from += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_correlate_as_in_the_books() {
        assert_eq!(correlation(&[(1, 10), (2, 20), (3, 30)]), 1.0);
        assert_eq!(correlation(&[(1, 30), (2, 20), (3, 10)]), -1.0);
        assert_eq!(correlation(&[(1, 5), (2, 5)]), 0.0);
        // 1 - 6 (1 + 1 + 0 + 0) / (4 x 15)
        assert!((correlation(&[(1, 2), (2, 1), (3, 3), (4, 4)]) - 0.8).abs() < 1e-12);
    }
}
