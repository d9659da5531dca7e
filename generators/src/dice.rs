//! Randomness that is the same everywhere: one ChaCha8 stream per file, and draws made of integers and `libm`.

use std::sync::LazyLock;

use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::page::Id;
use crate::profile::{Profile, Spec};

/// How many quantiles of the normal distribution are tabled; the last stands for the top tenth of a per cent.
const QUANTILES: usize = 1024;

/// The standard normal distribution at (i + 1/2) / 1024.
static NORMAL: LazyLock<[f64; QUANTILES + 1]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let i = i.min(QUANTILES - 1);
        normal_quantile((i as f64 + 0.5) / QUANTILES as f64)
    })
});

/// A log-normal distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogNormal {
    /// Half of the draws are below.
    pub(crate) median: f64,
    /// Standard deviation of the logarithm.
    pub(crate) sigma: f64,
}

impl LogNormal {
    /// The value at a share `p` (0 to 1) of the distribution.
    pub(crate) fn at(self, p: f64) -> f64 {
        let place = (p * QUANTILES as f64).clamp(0.0, QUANTILES as f64 - 1.0);
        let below = place as usize;
        let (low, high) = (NORMAL[below], NORMAL[below + 1]);
        self.median * libm::exp(self.sigma * (low + (high - low) * (place - below as f64)))
    }
}

/// One stream of draws.
pub(crate) struct Dice {
    stream: ChaCha8Rng,
    /// Whether sizes are drawn from the middle quarter of their laws, so that no draw is an outlier.
    is_steady: bool,
}

impl Dice {
    /// The stream that belongs to a path (or any other name) in a corpus. The scale is not part of it.
    pub(crate) fn new(spec: &Spec, path: &str) -> Self {
        let name = format!("{}\0{}\0{path}", spec.profile.name(), spec.seed);
        Dice {
            stream: ChaCha8Rng::from_seed(*blake3::hash(name.as_bytes()).as_bytes()),
            is_steady: spec.profile == Profile::Steady,
        }
    }

    /// The stream itself, for crates that want one.
    pub(crate) fn stream(&mut self) -> &mut ChaCha8Rng {
        &mut self.stream
    }

    /// An integer below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.stream.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// An index below `n`, which is not 0.
    pub(crate) fn index(&mut self, n: usize) -> usize {
        self.below(u32::try_from(n).unwrap_or(u32::MAX)) as usize
    }

    /// An integer from `low` up to and without `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + ((u128::from(self.stream.next_u64()) * u128::from(high - low)) >> 64) as u64
    }

    /// True in `share` of the draws.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// From 0 up to and without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.stream.next_u32()) / 4_294_967_296.0
    }

    /// One of the items, which are not none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// One of the items, each as likely as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(T, u32)]) -> T {
        let total: u32 = items.iter().map(|item| item.1).sum();
        let mut left = self.below(total);
        for &(item, weight) in items {
            if left < weight {
                return item;
            }
            left -= weight;
        }
        items[0].0
    }

    /// A log-normal draw, rounded down.
    pub(crate) fn size(&mut self, law: LogNormal) -> usize {
        let share = self.unit();
        law.at(if self.is_steady { 0.375 + share / 4.0 } else { share }) as usize
    }

    /// How often `share` happens in a row.
    pub(crate) fn geometric(&mut self, share: f64, most: u32) -> u32 {
        let mut n = 0;
        while n < most && self.chance(share) {
            n += 1;
        }
        n
    }

    /// A fresh identifier.
    pub(crate) fn id(&mut self) -> Id {
        let mut bytes = [0; 16];
        self.stream.fill_bytes(&mut bytes);
        Id::from_random(bytes)
    }

    /// The items in another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

/// The inverse of the normal distribution's cumulative function: P. J. Acklam's rational approximation, relative error below 1.2e-9.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let polynomial = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    let tail = |q: f64| polynomial(&C, q) / (polynomial(&D, q) * q + 1.0);
    if p < 0.024_25 {
        return tail(libm::sqrt(-2.0 * libm::log(p)));
    }
    if p > 1.0 - 0.024_25 {
        return -tail(libm::sqrt(-2.0 * libm::log(1.0 - p)));
    }
    let q = p - 0.5;
    let r = q * q;
    polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.01, -2.326_348), (0.9, 1.281_552)] {
            assert!((normal_quantile(p) - z).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn a_path_has_its_own_stream_and_always_the_same() {
        let spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 7 };
        let draw = |path| Dice::new(&spec, path).between(0, u64::MAX);
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn a_steady_corpus_draws_no_outlier() {
        let mut dice = Dice::new(&Spec { profile: Profile::Steady, scale: 1.0, seed: 1 }, "sizes");
        let law = LogNormal { median: 1_000.0, sigma: 1.5 };
        let sizes: Vec<usize> = (0..10_000).map(|_| dice.size(law)).collect();
        // The eighths beside the median are 1,000 times exp(-0.319 x 1.5) and exp(0.319 x 1.5).
        assert!(sizes.iter().all(|size| (615..1_616).contains(size)));
        assert!((4_700..5_300).contains(&sizes.iter().filter(|size| **size < 1_000).count()));
    }

    #[test]
    fn a_log_normal_draw_is_below_its_median_half_of_the_time() {
        let mut dice = Dice::new(&Spec::default(), "median");
        let law = LogNormal { median: 1_000.0, sigma: 1.5 };
        let below = (0..10_000).filter(|_| dice.size(law) < 1_000).count();
        assert!((4_700..5_300).contains(&below), "{below}");
    }
}
