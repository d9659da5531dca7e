//! Whether a head is worse than its base: the decisions that every judgement of growth rests on.
//!
//! Exact figures are compared by `!=`, with what the budget grants. Of noisy ones two things are asked, and both must be beyond the
//! budget before it is called a regression: Mann-Whitney's test must say that the head is worse at all, and the lower bound of the
//! Hodges-Lehmann estimate must say that it is worse by more than is allowed. The first keeps chance out, the second keeps a
//! difference that is real but small from failing a merge.

use harness::record::{Direction, Evidence, Verdict};

use crate::stats::rank;

/// How sure a decision has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Most p of a primary metric: how seldom chance alone may look like this.
    pub alpha: f64,
    /// Confidence of the lower bound of the shift.
    pub confidence: f64,
}

impl Default for Terms {
    /// One in a thousand, as Pinpoint has it (facts of the field: at 15 samples a side this sees a shift of 2 % where the
    /// spread is 0.7 %), and a bound of 95 %.
    fn default() -> Terms {
        Terms { alpha: 0.001, confidence: 0.95 }
    }
}

/// Most p of a secondary metric, after it is adjusted for how many are tested (Benjamini-Hochberg): one false alarm among a hundred
/// alarms.
pub const SECONDARY_ALPHA: f64 = 0.01;

/// Whether an exact figure is worse, better, or neither by more than `allowed`, in its own unit.
pub fn exact(base: f64, head: f64, allowed: f64, direction: Direction) -> Verdict {
    let worse = worsening(base, head, direction);
    if worse > allowed {
        Verdict::Regression
    } else if -worse > allowed {
        Verdict::Improved
    } else {
        Verdict::Pass
    }
}

/// What noisy samples say of the head, and whether it is worse or better by more than `allowed`, in the metric's unit.
///
/// A change that is no chance, but of which the samples do not say whether it is beyond what is allowed, is inconclusive; so are
/// samples too few for [`Terms::alpha`]. What may be chance passes: how small a growth still shows is what
/// `highwater selftest` tells.
pub fn noisy(
    base: &[f64],
    head: &[f64],
    allowed: f64,
    direction: Direction,
    terms: &Terms,
) -> (Verdict, Evidence) {
    let evidence = evidence(base, head, direction, terms);
    if feasible(base.len(), head.len(), terms.alpha).is_err() {
        return (Verdict::Inconclusive, evidence);
    }
    match verdict(&evidence, allowed) {
        Verdict::Pass if is_better(base, head, allowed, direction, terms) => (Verdict::Improved, evidence),
        verdict => (verdict, evidence),
    }
}

/// Whether the mirror image of a regression holds.
fn is_better(base: &[f64], head: &[f64], allowed: f64, direction: Direction, terms: &Terms) -> bool {
    verdict(&evidence(head, base, direction, terms), allowed) == Verdict::Regression
}

/// What the samples say of how much worse the head is; [`Evidence::alpha`] is that of the terms.
pub fn evidence(base: &[f64], head: &[f64], direction: Direction, terms: &Terms) -> Evidence {
    let (small, large) = match direction {
        Direction::Lower => (base, head),
        Direction::Higher => (head, base),
    };
    let shift = rank::shift(small, large, terms.confidence);
    Evidence {
        base_samples: base.len() as u64,
        head_samples: head.len() as u64,
        shift: shift.estimate,
        shift_low: shift.low.is_finite().then_some(shift.low),
        p: p_greater(small, large),
        alpha: terms.alpha,
    }
}

/// Mann-Whitney's p; where the samples lie wholly apart it is exact also with ties: of all ways to share them out, only this one is as
/// extreme. The approximation that ties ask for otherwise would hide such a growth of few samples.
fn p_greater(small: &[f64], large: &[f64]) -> f64 {
    let highest = small.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_apart = !small.is_empty() && large.iter().all(|figure| *figure > highest);
    if is_apart { rank::smallest_p(small.len(), large.len()) } else { rank::p_greater(small, large) }
}

/// The decision, once it is known what p has to be.
pub fn verdict(evidence: &Evidence, allowed: f64) -> Verdict {
    if evidence.p > evidence.alpha || evidence.shift <= allowed {
        Verdict::Pass
    } else if evidence.shift_low.is_some_and(|low| low > allowed) {
        Verdict::Regression
    } else {
        Verdict::Inconclusive
    }
}

/// Whether so many samples can reach `alpha` at all, with how many a side would.
///
/// # Errors
/// A sentence that says how many samples are needed.
pub fn feasible(base: usize, head: usize, alpha: f64) -> Result<(), String> {
    let least = rank::smallest_p(base, head);
    if least <= alpha {
        return Ok(());
    }
    let needed = (1..=SAMPLES_SEARCHED).find(|each| rank::smallest_p(*each, *each) <= alpha);
    let needed = needed.map_or_else(String::new, |each| format!("; {each} a side can"));
    Err(format!(
        "{base} samples of the base and {head} of the head can never be judged: the smallest p that they can have is {least:.2e}, and {alpha} is asked for{needed}"
    ))
}

/// Beyond this many samples a side nobody looks for enough.
const SAMPLES_SEARCHED: usize = 500;

/// By how much the head is worse, in the metric's unit; negative when it is better.
pub(crate) fn worsening(base: f64, head: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Lower => head - base,
        Direction::Higher => base - head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: [f64; 10] = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0, 109.0];

    fn judged(shift: f64, allowed: f64, direction: Direction) -> Verdict {
        let head = BASE.map(|sample| sample + shift + 0.5);
        noisy(&BASE, &head, allowed, direction, &Terms::default()).0
    }

    #[test]
    fn equal_figures_pass_and_one_byte_more_does_not() {
        assert_eq!(exact(7.0, 7.0, 0.0, Direction::Lower), Verdict::Pass);
        assert_eq!(exact(7.0, 8.0, 0.0, Direction::Lower), Verdict::Regression);
        assert_eq!(exact(7.0, 8.0, 1.0, Direction::Lower), Verdict::Pass);
        assert_eq!(exact(7.0, 6.0, 0.0, Direction::Lower), Verdict::Improved);
        assert_eq!(exact(7.0, 6.0, 0.0, Direction::Higher), Verdict::Regression);
    }

    #[test]
    fn a_shift_must_be_real_and_beyond_what_is_allowed() {
        assert_eq!(judged(0.0, 0.0, Direction::Lower), Verdict::Pass, "chance");
        assert_eq!(judged(20.0, 2.0, Direction::Lower), Verdict::Regression);
        assert_eq!(judged(20.0, 30.0, Direction::Lower), Verdict::Pass, "real, and allowed");
        assert_eq!(judged(20.0, 19.0, Direction::Lower), Verdict::Inconclusive, "the bound is below 19");
        assert_eq!(judged(-20.0, 2.0, Direction::Lower), Verdict::Improved);
    }

    #[test]
    fn more_is_better_where_the_metric_says_so() {
        assert_eq!(judged(20.0, 2.0, Direction::Higher), Verdict::Improved);
        assert_eq!(judged(-20.0, 2.0, Direction::Higher), Verdict::Regression);
    }

    #[test]
    fn samples_that_can_never_be_judged_are_said_before_they_are_taken() {
        let said = feasible(5, 5, 0.001).unwrap_err();
        assert!(said.contains("3.97e-3") && said.ends_with("; 7 a side can"), "{said}");
        assert!(feasible(7, 7, 0.001).is_ok());
        let (five, more) = (&BASE[..5], BASE.map(|sample| sample + 1e6));
        let (verdict, _) = noisy(five, &more[..5], 0.0, Direction::Lower, &Terms::default());
        assert_eq!(verdict, Verdict::Inconclusive);
    }

    #[test]
    fn ties_do_not_hide_a_growth_of_few_samples() {
        let base = [100.0, 100.0, 101.0, 102.0, 103.0, 104.0, 105.0];
        let head = base.map(|sample| sample * 2.0);
        let (verdict, evidence) = noisy(&base, &head, 2.0, Direction::Lower, &Terms::default());
        assert_eq!(evidence.p, rank::smallest_p(7, 7));
        assert_eq!(verdict, Verdict::Regression);
        let same = [7.0; 7];
        assert_eq!(noisy(&same, &same, 2.0, Direction::Lower, &Terms::default()).0, Verdict::Pass);
    }

    #[test]
    fn a_side_without_samples_is_never_judged() {
        assert_eq!(noisy(&[], &BASE, 0.0, Direction::Lower, &Terms::default()).0, Verdict::Inconclusive);
    }
}
