//! Draws judgements from real samples: at random from a pool, or as they were taken.
//!
//! A draw takes the samples of base and head from disjoint parts of one pool, without putting any back. Judgements drawn from one
//! pool share samples, so they are not independent: their number makes a rate precise *for this pool*, and no number of draws
//! makes up for a pool that is small. So the judgements that the samples give in the order taken, each sample used once, are told beside.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded source of draws: the same seed draws the same judgements from the same samples.
#[derive(Debug)]
pub struct Draws {
    dice: ChaCha8Rng,
}

impl Draws {
    /// Draws that follow from a seed.
    pub fn new(seed: u64) -> Draws {
        Draws { dice: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A base and a head of so many samples each, from disjoint parts of the pool; none when it has too few.
    pub fn sides(&mut self, pool: &[f64], samples: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let mut both = self.some(pool, 2 * samples)?;
        let head = both.split_off(samples);
        Some((both, head))
    }

    /// So many samples of the pool in random order, none twice; none when it has too few.
    pub fn some(&mut self, pool: &[f64], samples: usize) -> Option<Vec<f64>> {
        if pool.len() < samples {
            return None;
        }
        let mut pool = pool.to_vec();
        for place in 0..samples {
            let taken = self.dice.random_range(place..pool.len());
            pool.swap(place, taken);
        }
        pool.truncate(samples);
        Some(pool)
    }

    /// One of so many.
    pub fn below(&mut self, end: usize) -> usize {
        self.dice.random_range(0..end.max(1))
    }
}

/// The judgements that samples give in the order taken: each takes the next of them, forwards and backwards in turn (base, head,
/// head, base), as the gate does. What is left over makes no judgement.
pub fn in_order(pool: &[f64], samples: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    let chunks = pool.chunks_exact((2 * samples).max(2));
    chunks
        .map(|chunk| {
            let is_base = |place: &usize| matches!(place % 4, 0 | 3);
            let places = 0..chunk.len();
            let (base, head): (Vec<usize>, Vec<usize>) = places.partition(is_base);
            let figures = |places: Vec<usize>| places.into_iter().map(|place| chunk[place]).collect();
            (figures(base), figures(head))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(length: usize) -> Vec<f64> {
        (0..length).map(|figure| figure as f64).collect()
    }

    #[test]
    fn the_sides_of_a_draw_share_no_sample() {
        let mut draws = Draws::new(1);
        for _ in 0..100 {
            let (base, head) = draws.sides(&pool(31), 15).unwrap();
            let mut all: Vec<f64> = base.into_iter().chain(head).collect();
            all.sort_by(f64::total_cmp);
            all.dedup();
            assert_eq!(all.len(), 30);
        }
    }

    #[test]
    fn every_sample_is_drawn_as_often_as_any_other() {
        let mut draws = Draws::new(2);
        let mut drawn = [0u32; 20];
        for _ in 0..4000 {
            draws.some(&pool(20), 5).unwrap().iter().for_each(|figure| drawn[*figure as usize] += 1);
        }
        // 1,000 are expected of each, with a deviation of 27.
        assert!(drawn.iter().all(|count| count.abs_diff(1000) < 130), "{drawn:?}");
    }

    #[test]
    fn a_seed_draws_the_same_again_and_another_seed_does_not() {
        let drawn = |seed| Draws::new(seed).sides(&pool(60), 15).unwrap();
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn a_pool_that_is_too_small_gives_no_judgement() {
        assert_eq!(Draws::new(1).sides(&pool(29), 15), None);
        assert!(in_order(&pool(29), 15).is_empty());
    }

    #[test]
    fn samples_in_the_order_taken_are_used_once_and_in_turn() {
        let judgements = in_order(&pool(9), 2);
        assert_eq!(judgements, [(vec![0.0, 3.0], vec![1.0, 2.0]), (vec![4.0, 7.0], vec![5.0, 6.0])]);
        // 15 a side is odd: the last pair begins with its base.
        let (base, head) = &in_order(&pool(30), 15)[0];
        assert_eq!((base.len(), head.len()), (15, 15));
    }
}
