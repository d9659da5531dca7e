//! Rates and curves from real samples: how often judgements between equal programs are alarms, and how often growth is caught.

use harness::record::{Direction, Tier, Unit, Verdict};

use super::draw::{Draws, in_order};
use super::{Effect, Growth, HIGH_POWER, Kind, MetricPower, POWER, PowerPoint, Rate, Terms};
use crate::decision;

/// Sizes of growth that curves are published for, in percent of the median.
pub const PERCENTS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 5.0, 7.5, 10.0];

/// Sizes by which the samples of a head are shifted: closer to each other than what is published, so that the smallest growth that is
/// seen can be read off between two of them.
const SHIFTS: [f64; 18] =
    [0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.5, 10.0, 15.0, 20.0];

/// The largest of these, in percent.
pub(super) const LARGEST_SHIFT: f64 = SHIFTS[SHIFTS.len() - 1];

/// The real samples of one metric of a subject.
#[derive(Debug, Clone)]
pub struct Samples {
    /// The metric.
    pub metric: String,
    /// Whether it is exact by nature.
    pub tier: Tier,
    /// Its unit.
    pub unit: Unit,
    /// Without growth, in the order taken.
    pub plain: Vec<f64>,
    /// With growth.
    pub grown: Vec<Grown>,
}

/// Samples with one kind and size of growth.
#[derive(Debug, Clone)]
pub struct Grown {
    /// The growth.
    pub growth: Growth,
    /// The samples of each place where it was planted: a program that grew grew in one place, so no judgement mixes them.
    pub places: Vec<Vec<f64>>,
}

/// How judgements are made of samples.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Their terms.
    pub terms: Terms,
    /// Judgements of noisy samples for each rate.
    pub trials: u64,
    /// The seed of the draws.
    pub seed: u64,
}

/// Judges the samples of a metric: by equality while it is equal in every sample without growth, else by statistics.
pub fn of(samples: &Samples, plan: &Plan) -> MetricPower {
    let is_equal = samples.plain.iter().all(|figure| *figure == samples.plain[0]);
    match samples.tier {
        Tier::Exact if is_equal && !samples.plain.is_empty() => exact(samples),
        _ => noisy(samples, plan),
    }
}

/// Judges by equality. Each sample is used once: the first against the second, the third against the fourth.
fn exact(samples: &Samples) -> MetricPower {
    let plain = &samples.plain;
    let pairs: Vec<Verdict> = plain.chunks_exact(2).map(|pair| by_equality(pair[0], pair[1])).collect();
    let alarms = pairs.iter().filter(|verdict| **verdict != Verdict::Pass).count();
    let rate = Rate::of(alarms as u64, pairs.len() as u64);
    let caught = |grown: &Grown| {
        let heads: Vec<f64> = grown.places.iter().flatten().copied().collect();
        let alarms = heads.iter().filter(|head| by_equality(plain[0], **head) == Verdict::Regression);
        Rate::of(alarms.count() as u64, heads.len() as u64)
    };
    let curve =
        samples.grown.iter().map(|grown| PowerPoint { growth: grown.growth.clone(), caught: caught(grown) });
    let mut power = unjudged(samples, Tier::Exact);
    (power.false_alarms, power.in_order, power.curve) = (rate, rate, curve.collect());
    power.undecided = Rate::of(0, rate.trials);
    // Every difference is seen, so the smallest one is.
    let least = Some(Effect { percent: percent_of(1.0, power.median), size: 1.0 });
    [power.mde_80, power.mde_95, power.resolution_80, power.resolution_95] = [least; 4];
    power
}

fn by_equality(base: f64, head: f64) -> Verdict {
    decision::exact(base, head, 0.0, Direction::Lower)
}

/// Judges by statistics.
fn noisy(samples: &Samples, plan: &Plan) -> MetricPower {
    let mut power = unjudged(samples, Tier::Noisy);
    let mut bench = Bench { plan, median: power.median, draws: Draws::new(plan.seed) };
    let plain = &samples.plain;
    let same: Vec<Verdict> = (0..plan.trials).filter_map(|_| bench.same(plain, 0.0, true)).collect();
    power.false_alarms = rate(&same, Verdict::Regression);
    power.undecided = rate(&same, Verdict::Inconclusive);
    let ordered = in_order(plain, plan.terms.samples as usize);
    let ordered: Vec<Verdict> = ordered.iter().map(|(base, head)| bench.verdict(base, head, true)).collect();
    power.in_order = rate(&ordered, Verdict::Regression);
    let shifted = bench.shifts(plain, true);
    power.mde_80 = smallest(&shifted, POWER, power.median);
    power.mde_95 = smallest(&shifted, HIGH_POWER, power.median);
    let nothing_allowed = bench.shifts(plain, false);
    power.resolution_80 = smallest(&nothing_allowed, POWER, power.median);
    power.resolution_95 = smallest(&nothing_allowed, HIGH_POWER, power.median);
    power.curve = shifted;
    power.curve.extend(samples.grown.iter().map(|grown| bench.planted(plain, grown)));
    power
}

/// What draws and judges.
struct Bench<'a> {
    plan: &'a Plan,
    median: f64,
    draws: Draws,
}

impl Bench<'_> {
    fn verdict(&self, base: &[f64], head: &[f64], with_allowance: bool) -> Verdict {
        let terms = &self.plan.terms;
        let limits = decision::Terms { alpha: terms.alpha, confidence: terms.confidence };
        let part = if with_allowance { terms.allowed_percent / 100.0 } else { 0.0 };
        let allowed = part * crate::stats::middle(base).unwrap_or(0.0);
        decision::noisy(base, head, allowed, Direction::Lower, &limits).0
    }

    /// A judgement between samples of one program, those of the head shifted.
    fn same(&mut self, pool: &[f64], shift: f64, with_allowance: bool) -> Option<Verdict> {
        let (base, mut head) = self.draws.sides(pool, self.plan.terms.samples as usize)?;
        head.iter_mut().for_each(|figure| *figure += shift);
        Some(self.verdict(&base, &head, with_allowance))
    }

    fn shifts(&mut self, pool: &[f64], with_allowance: bool) -> Vec<PowerPoint> {
        let points = SHIFTS.iter().map(|percent| {
            let growth = Growth::of(Kind::Shift, *percent, self.median);
            let trials = 0..self.plan.trials;
            let verdicts: Vec<Verdict> =
                trials.filter_map(|_| self.same(pool, growth.bytes, with_allowance)).collect();
            PowerPoint { growth, caught: rate(&verdicts, Verdict::Regression) }
        });
        points.collect()
    }

    /// Judgements of real samples with growth: each draws its base from those without, and its head from those of one place.
    fn planted(&mut self, pool: &[f64], grown: &Grown) -> PowerPoint {
        let samples = self.plan.terms.samples as usize;
        let trials = if grown.places.is_empty() { 0 } else { self.plan.trials };
        let verdicts: Vec<Verdict> = (0..trials)
            .filter_map(|_| {
                let place = self.draws.below(grown.places.len());
                let base = self.draws.some(pool, samples)?;
                let head = self.draws.some(&grown.places[place], samples)?;
                Some(self.verdict(&base, &head, true))
            })
            .collect();
        PowerPoint { growth: grown.growth.clone(), caught: rate(&verdicts, Verdict::Regression) }
    }
}

/// A metric of which only the samples are known.
fn unjudged(samples: &Samples, tier: Tier) -> MetricPower {
    let plain = &samples.plain;
    MetricPower {
        metric: samples.metric.clone(),
        tier,
        unit: samples.unit,
        samples: plain.len() as u64,
        median: crate::stats::middle(plain).unwrap_or(0.0),
        deviation_percent: deviation_percent(plain),
        false_alarms: Rate::default(),
        undecided: Rate::default(),
        in_order: Rate::default(),
        curve: Vec::new(),
        mde_80: None,
        mde_95: None,
        resolution_80: None,
        resolution_95: None,
    }
}

fn rate(verdicts: &[Verdict], counted: Verdict) -> Rate {
    let alarms = verdicts.iter().filter(|verdict| **verdict == counted).count();
    Rate::of(alarms as u64, verdicts.len() as u64)
}

/// The smallest growth from which on every point of a curve reaches `power`, read off the line between that point and the one below;
/// none where the largest growth that was tried does not reach it. Growth of nothing is caught never, where the curve begins.
fn smallest(curve: &[PowerPoint], power: f64, median: f64) -> Option<Effect> {
    let below = curve.iter().rposition(|point| point.caught.part() < power);
    let reached = curve.get(below.map_or(0, |place| place + 1))?;
    let (x0, y0) =
        below.map_or((0.0, 0.0), |place| (curve[place].growth.percent, curve[place].caught.part()));
    let (x1, y1) = (reached.growth.percent, reached.caught.part());
    let percent = x0 + (x1 - x0) * (power - y0) / (y1 - y0);
    Some(Effect { percent, size: percent / 100.0 * median })
}

fn percent_of(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole * 100.0 }
}

/// The samples' standard deviation (of n - 1) in percent of their mean; 0 of fewer than two.
fn deviation_percent(figures: &[f64]) -> f64 {
    if figures.len() < 2 {
        return 0.0;
    }
    let mean = figures.iter().sum::<f64>() / figures.len() as f64;
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    percent_of((squares / (figures.len() - 1) as f64).sqrt(), mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { samples: 15, alpha: 0.001, confidence: 0.95, allowed_percent: 2.0 };
    const PLAN: Plan = Plan { terms: TERMS, trials: 400, seed: 1 };

    /// Figures around `median` that are spread by so many percent: quantiles of an even spread in a mixed order.
    fn pool(length: usize, median: f64, spread_percent: f64) -> Vec<f64> {
        // 7 has no factor in common with the lengths used here.
        let part = |place: usize| (place * 7 % length) as f64 / length as f64 - 0.5;
        (0..length).map(|place| median * (1.0 + 2.0 * part(place) * spread_percent / 100.0)).collect()
    }

    fn samples(tier: Tier, plain: Vec<f64>, grown: Vec<Grown>) -> Samples {
        Samples { metric: "rss.peak_bytes".into(), tier, unit: Unit::Bytes, plain, grown }
    }

    fn point(percent: f64, alarms: u64) -> PowerPoint {
        PowerPoint { growth: Growth::of(Kind::Shift, percent, 100.0), caught: Rate::of(alarms, 100) }
    }

    #[test]
    fn the_smallest_growth_is_read_off_between_two_points() {
        let curve = [point(1.0, 0), point(2.0, 60), point(3.0, 100)];
        let at = |power| smallest(&curve, power, 1000.0).unwrap();
        assert_eq!(at(0.8), Effect { percent: 2.5, size: 25.0 });
        assert_eq!(at(0.3).percent, 1.5);
        assert_eq!(smallest(&[point(4.0, 100)], 0.5, 1.0).unwrap().percent, 2.0);
    }

    #[test]
    fn a_curve_that_dips_counts_from_its_last_rise() {
        let curve = [point(1.0, 90), point(2.0, 70), point(3.0, 90)];
        assert_eq!(smallest(&curve, 0.8, 1.0).unwrap().percent, 2.5);
    }

    #[test]
    fn what_no_growth_reaches_has_no_smallest() {
        assert_eq!(smallest(&[point(1.0, 0), point(20.0, 79)], 0.8, 1.0), None);
        assert_eq!(smallest(&[], 0.8, 1.0), None);
    }

    #[test]
    fn equal_samples_are_judged_by_equality_and_each_once() {
        let growth = Growth::of(Kind::Each, 0.1, 1000.0);
        let grown = vec![Grown { growth, places: vec![vec![1001.0], vec![1000.0]] }];
        let power = of(&samples(Tier::Exact, vec![1000.0; 9], grown), &PLAN);
        assert_eq!((power.tier, power.false_alarms.alarms, power.false_alarms.trials), (Tier::Exact, 0, 4));
        assert_eq!((power.curve[0].caught.alarms, power.curve[0].caught.trials), (1, 2));
        assert_eq!(power.resolution_80, Some(Effect { percent: 0.1, size: 1.0 }));
    }

    #[test]
    fn an_exact_metric_that_differs_is_judged_by_statistics() {
        let mut plain = vec![1000.0; 60];
        plain[30] = 1001.0;
        let power = of(&samples(Tier::Exact, plain, Vec::new()), &PLAN);
        assert_eq!((power.tier, power.false_alarms.alarms), (Tier::Noisy, 0));
        assert_eq!(power.false_alarms.trials, PLAN.trials);
    }

    #[test]
    fn equal_programs_hardly_alarm_and_large_growth_is_caught() {
        let plain = pool(200, 1e6, 1.0);
        let growth = Growth::of(Kind::Retained, 10.0, 1e6);
        let grown = |figures: Vec<f64>| Grown { growth: growth.clone(), places: vec![figures] };
        let ten_percent: Vec<f64> = pool(40, 1e6, 1.0).iter().map(|figure| figure + 1e5).collect();
        let power =
            of(&samples(Tier::Noisy, plain, vec![grown(ten_percent), grown(pool(40, 1e6, 1.0))]), &PLAN);
        assert_eq!((power.false_alarms.alarms, power.in_order.trials), (0, 6));
        let planted: Vec<u64> = power.curve.iter().rev().take(2).map(|point| point.caught.alarms).collect();
        assert_eq!(planted, [0, PLAN.trials], "the last has no growth in it");
        // With 2 % allowed, what is seen is a little more than that; with nothing allowed, much less.
        let mde = power.mde_95.unwrap().percent;
        assert!((2.0..3.5).contains(&mde), "{mde}");
        assert!(power.resolution_95.unwrap().percent < 1.5, "{:?}", power.resolution_95);
        assert!(power.resolution_80.unwrap().percent <= power.resolution_95.unwrap().percent);
    }

    #[test]
    fn too_few_samples_make_no_judgement() {
        let power = of(&samples(Tier::Noisy, pool(20, 1e6, 1.0), Vec::new()), &PLAN);
        assert_eq!((power.false_alarms.trials, power.false_alarms.high), (0, 1.0));
        assert_eq!(power.mde_80, None);
    }
}
