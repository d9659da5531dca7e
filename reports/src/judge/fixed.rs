//! Limits that a run is judged by on its own: ceilings, floors, parts of other cases, orders and sums.

use harness::record::{Case, Direction, Metric, Run, Unit, Verdict};

use super::finding::{Finding, Unjudged, Weighed, measured, own};
use super::interval::{Interval, Sense};
use crate::budget::{Budgets, Order, Sum};
use crate::figure;

pub(super) fn at_most(metric: &Metric, limit: f64) -> Weighed {
    let found = against(metric, Interval::point(limit), Sense::AtMost);
    if metric.direction == Direction::Lower { found.held_to(limit) } else { found }
}

pub(super) fn at_least(metric: &Metric, limit: f64) -> Weighed {
    let found = against(metric, Interval::point(limit), Sense::AtLeast);
    if metric.direction == Direction::Higher { found.held_to(limit) } else { found }
}

/// At most another metric of the same case.
pub(super) fn at_most_metric(metric: &Metric, other: &Metric) -> Weighed {
    against(metric, Interval::of(other), Sense::AtMost)
}

/// At most a part of the same metric of another case, which is called `of`.
pub(super) fn at_most_part(metric: &Metric, other: &Metric, of: &str, part: f64) -> Weighed {
    let found = against(metric, Interval::of(other).times(part), Sense::AtMost);
    let words = part_in_words(metric.median, other.median, of);
    Weighed { why: format!("{}{words}", found.why), ..found }
}

fn against(metric: &Metric, limit: Interval, sense: Sense) -> Weighed {
    let verdict = Interval::of(metric).judge(limit, sense);
    let by = match sense {
        Sense::AtMost => metric.median - limit.high,
        Sense::AtLeast => limit.low - metric.median,
    };
    Weighed::new(verdict, in_words(metric, limit, sense)).over(by)
}

fn in_words(metric: &Metric, limit: Interval, sense: Sense) -> String {
    let middle = f64::midpoint(limit.low, limit.high);
    // A part of a number of bytes or blocks is no figure of its own.
    let shown = if matches!(metric.unit, Unit::Bytes | Unit::Blocks) { middle.floor() } else { middle };
    let sense = match sense {
        Sense::AtMost => "at most",
        Sense::AtLeast => "at least",
    };
    format!("{} against {sense} {}", own(metric), figure::full(shown, metric.unit))
}

/// Cases of the order that are not in this run are stepped over: the others must still fall one after the other.
pub(super) fn order<'b>(run: &Run, order: &'b Order) -> Vec<Finding<'b>> {
    let place = |name: &String| run.cases.iter().position(|case| case.case == *name && case.error.is_none());
    let present: Vec<usize> = order.cases.iter().filter_map(place).collect();
    let pair = |pair: &[usize]| {
        let (above, below) = (&run.cases[pair[0]], &run.cases[pair[1]]);
        let limit = format!("below {}", above.case);
        match (measured(above, &order.metric), measured(below, &order.metric)) {
            (Ok(larger), Ok(smaller)) => {
                let weighed = compare_in_order(larger, smaller, &above.case);
                Finding::new(pair[1], &order.metric, limit, weighed).because(&order.reason)
            }
            (Err(why), _) | (_, Err(why)) => Finding::failed(pair[1], &order.metric, limit, why.text()),
        }
    };
    present.windows(2).map(pair).collect()
}

fn compare_in_order(larger: &Metric, smaller: &Metric, larger_name: &str) -> Weighed {
    let (upper, lower) = (Interval::of(larger), Interval::of(smaller));
    let verdict = if lower.high < upper.low {
        Verdict::Pass
    } else if lower.low >= upper.high {
        Verdict::Regression
    } else {
        Verdict::Inconclusive
    };
    let part = part_in_words(smaller.median, larger.median, larger_name);
    Weighed::new(verdict, format!("{} against {}{part}", own(smaller), own(larger)))
        .over(smaller.median - larger.median)
}

fn part_in_words(part: f64, whole: f64, of: &str) -> String {
    if whole > 0.0 { format!(", which is {} of {of}", figure::ratio(part / whole)) } else { String::new() }
}

/// What the whole has beyond its parts is the slack, and the whole's ceiling must fit into the container; none when the case was not
/// selected.
pub(super) fn sum<'b>(run: &Run, budgets: &Budgets, sum: &'b Sum) -> Option<Finding<'b>> {
    let index = run.cases.iter().position(|case| case.case == sum.case && case.error.is_none())?;
    let case = &run.cases[index];
    let limit = sum.in_words();
    if let Some(why) = container(run, budgets, sum) {
        return Some(Finding::failed(index, &sum.within, limit, why));
    }
    let weighed = beyond(case, sum).map(|rest| {
        let verdict = rest.judge(Interval::point(sum.slack), Sense::AtMost);
        let words = |value| figure::short(value, Unit::Bytes);
        let why = format!(
            "{} is {} to {} beyond the sum of its parts, against a slack of {}",
            sum.within,
            words(rest.low),
            words(rest.high),
            words(sum.slack)
        );
        Weighed::new(verdict, why).over(rest.low - sum.slack)
    });
    Some(match weighed {
        Ok(weighed) => Finding::new(index, &sum.within, limit, weighed).because(&sum.reason),
        Err(why) => Finding::failed(index, &sum.within, limit, why.text()),
    })
}

/// What the whole has beyond its parts.
fn beyond(case: &Case, sum: &Sum) -> Result<Interval, Unjudged> {
    let mut rest = Interval::of(measured(case, &sum.within)?);
    for part in &sum.parts {
        rest = rest.less(Interval::of(measured(case, part)?));
    }
    Ok(rest)
}

/// Why the container of the run is too small for the ceiling; none when it is not, or when the file names the container itself,
/// which was checked when it was read.
fn container(run: &Run, budgets: &Budgets, sum: &Sum) -> Option<String> {
    let allowed = run.environment.memory_limit_bytes.filter(|_| sum.container.is_none())? as f64;
    let whole = sum.whole(budgets);
    let words = |value| figure::short(value, Unit::Bytes);
    (whole > allowed).then(|| {
        format!(
            "the ceiling of {} is {}, but the container of this run allows {}",
            sum.within,
            words(whole),
            words(allowed)
        )
    })
}
