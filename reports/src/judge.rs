//! Verdicts: what the budgets and the baseline say of a run.
//!
//! A measured figure is an interval: exact metrics are one point, noisy ones reach from their least sample to their largest.
//! A limit that falls inside cannot be judged, and that is said rather than guessed.

use harness::record::{Case, Direction, Judgement, Metric, Run, Tier, Unit, Verdict};

use crate::baseline::Baseline;
use crate::budget::{self, Budget, Budgets, Growth, Limit, Order};
use crate::{figure, metric};

/// How the reason of a verdict begins when the case had to break its limit.
pub(crate) const TRIPWIRE: &str = "tripwire: ";

/// How the doubts that judging adds to a run begin; judging again replaces them.
const NOT_JUDGED: &str = "not judged: ";
const DEMOTED: &str = "judged as noisy: ";
const NOTHING: &str = "nothing was judged: ";

/// Fills in the verdicts of every case and of the run, and what could not be judged. Judging a run again starts afresh.
pub fn judge(run: &mut Run, budgets: &Budgets, baseline: Option<&Baseline>) {
    forget(run);
    demote(run);
    let mut findings = Findings { baseline, judgements: Vec::new(), doubts: Vec::new() };
    for (index, case) in run.cases.iter().enumerate() {
        findings.add_failed_case(index, case);
    }
    for budget in &budgets.budgets {
        findings.judge_budget(run, budget);
    }
    for order in &budgets.orders {
        findings.judge_order(run, order);
    }
    let Findings { judgements, doubts, .. } = findings;
    mark_tripwires(run, budgets);
    run.doubts.extend(doubts);
    if judgements.is_empty() {
        let why = "no budget applies to what was measured, and a gate that measured nothing is not green";
        run.doubts.push(format!("{NOTHING}{why}"));
    }
    run.verdict = judgements.iter().map(|(_, found)| found.verdict).max().unwrap_or(Verdict::Error);
    for (index, judgement) in judgements {
        run.cases[index].verdicts.push(judgement);
    }
}

fn mark_tripwires(run: &mut Run, budgets: &Budgets) {
    for budget in budgets.budgets.iter().filter(|budget| budget.tripwire) {
        let cases = run.cases.iter_mut().filter(|case| budget::matches(&budget.case, &case.case));
        cases.for_each(|case| case.tripwire = true);
    }
}

fn forget(run: &mut Run) {
    run.doubts.retain(|doubt| ![NOT_JUDGED, DEMOTED, NOTHING].iter().any(|start| doubt.starts_with(start)));
    for case in &mut run.cases {
        case.verdicts.clear();
        case.tripwire = false;
    }
}

/// Exact metrics that differ between samples count as noisy, and the run says so.
fn demote(run: &mut Run) {
    for case in &mut run.cases {
        let mut demoted = Vec::new();
        for (name, metric) in case.metrics.iter_mut().filter(|(_, metric)| metric.tier == Tier::Exact) {
            metric.demoted |= metric.samples.iter().any(|sample| *sample != metric.samples[0]);
            if metric.demoted {
                demoted.push(name.as_str());
            }
        }
        if !demoted.is_empty() {
            let differ = if demoted.len() == 1 { "differs" } else { "differ" };
            let what = format!("{} {differ} between samples of {}", demoted.join(", "), case.case);
            run.doubts.push(format!("{DEMOTED}{what}"));
        }
    }
}

/// What is found while the budgets are gone through.
struct Findings<'b> {
    baseline: Option<&'b Baseline>,
    /// Judgements, each with the index of the case it is of.
    judgements: Vec<(usize, Judgement)>,
    doubts: Vec<String>,
}

/// Why a budget has no verdict by its figures.
enum Unjudged {
    /// What the budget needs was to be measured, but was not.
    Failed(String),
    /// What the budget needs is not part of this run.
    Absent(String),
}

impl Findings<'_> {
    fn add_failed_case(&mut self, index: usize, case: &Case) {
        if let Some(error) = &case.error {
            let why = format!("not measured: {error}");
            self.add(index, "*", "the right answer, measured".to_owned(), (Verdict::Error, why));
        }
    }

    fn judge_budget(&mut self, run: &Run, budget: &Budget) {
        for (index, case) in run.cases.iter().enumerate() {
            if case.error.is_some() || !budget::matches(&budget.case, &case.case) {
                continue;
            }
            let found = weigh(run, case, budget, self.baseline);
            match if budget.tripwire { found.map(turn_around) } else { found } {
                Ok((verdict, why)) => {
                    let why = with_reason(verdict, why, &budget.reason);
                    self.add(index, &budget.metric, budget.in_words(), (verdict, why));
                }
                Err(Unjudged::Failed(why)) => {
                    self.add(index, &budget.metric, budget.in_words(), (Verdict::Error, why))
                }
                Err(Unjudged::Absent(why)) => {
                    let what = format!("{} {} {}", case.case, budget.metric, budget.in_words());
                    self.doubts.push(format!("{NOT_JUDGED}{what}: {why}"));
                }
            }
        }
    }

    /// Cases of the order that are not in this run are stepped over: the others must still fall one after the other.
    fn judge_order(&mut self, run: &Run, order: &Order) {
        let place =
            |name: &String| run.cases.iter().position(|case| case.case == *name && case.error.is_none());
        let present: Vec<usize> = order.cases.iter().filter_map(place).collect();
        for pair in present.windows(2) {
            let (above, below) = (&run.cases[pair[0]], &run.cases[pair[1]]);
            let found = match (measured(above, &order.metric), measured(below, &order.metric)) {
                (Ok(larger), Ok(smaller)) => {
                    let (verdict, why) = compare_in_order(larger, smaller, &above.case);
                    (verdict, with_reason(verdict, why, &order.reason))
                }
                (Err(why), _) | (_, Err(why)) => (Verdict::Error, why),
            };
            self.add(pair[1], &order.metric, format!("below {}", above.case), found);
        }
    }

    fn add(&mut self, index: usize, metric: &str, budget: String, (verdict, why): (Verdict, String)) {
        self.judgements.push((
            index,
            Judgement { metric: metric.to_owned(), verdict, budget, why, ..Judgement::default() },
        ));
    }
}

/// A verdict that someone must act on says why the limit is there.
fn with_reason(verdict: Verdict, why: String, reason: &str) -> String {
    match verdict {
        Verdict::Pass | Verdict::Improved | Verdict::Waived => why,
        _ => format!("{why}; the limit is there because: {reason}"),
    }
}

fn weigh(
    run: &Run,
    case: &Case,
    budget: &Budget,
    baseline: Option<&Baseline>,
) -> Result<(Verdict, String), Unjudged> {
    let metric = measured(case, &budget.metric).map_err(Unjudged::Failed)?;
    let against = |limit: Interval, sense| {
        let verdict = Interval::of(metric).judge(limit, sense);
        (verdict, in_words(metric, limit, sense))
    };
    match &budget.limit {
        Limit::Ceiling(limit) => Ok(against(Interval::point(*limit), Sense::AtMost)),
        Limit::Floor(limit) => Ok(against(Interval::point(*limit), Sense::AtLeast)),
        Limit::CeilingMetric(other) => {
            let other = measured(case, other).map_err(Unjudged::Failed)?;
            Ok(against(Interval::of(other), Sense::AtMost))
        }
        Limit::Ratio { of, at_most } => {
            let other = reference(run, of, &budget.metric)?;
            let (verdict, why) = against(Interval::of(other).times(*at_most), Sense::AtMost);
            Ok((verdict, format!("{why}{}", part_in_words(metric.median, other.median, of))))
        }
        Limit::Growth(growth) => {
            let baseline = baseline.ok_or_else(|| Unjudged::Absent("there is no baseline".to_owned()))?;
            let figure = baseline.figure(&run.environment, case, &budget.metric).map_err(Unjudged::Absent)?;
            Ok(judge_growth(metric, figure, *growth))
        }
    }
}

fn measured<'c>(case: &'c Case, name: &str) -> Result<&'c Metric, String> {
    match case.metrics.get(name) {
        Some(metric) if !metric.samples.is_empty() && metric.median.is_finite() => Ok(metric),
        _ => {
            let what =
                format!("{name} of {} was not measured, and a budget without samples is an error", case.case);
            Err(format!("{what}{}", where_measured(case, name)))
        }
    }
}

/// In which phases a phase's metric was measured instead: most often the name of the phase is misspelt.
fn where_measured(case: &Case, name: &str) -> String {
    let (plain, Some(_)) = metric::split(name) else { return String::new() };
    let phases = case.metrics.keys().map(|other| metric::split(other)).filter(|(other, _)| *other == plain);
    let phases: Vec<&str> = phases.filter_map(|(_, phase)| phase).collect();
    if phases.is_empty() {
        String::new()
    } else {
        format!("; {plain} was measured in: {}", phases.join(", "))
    }
}

fn reference<'r>(run: &'r Run, name: &str, metric: &str) -> Result<&'r Metric, Unjudged> {
    let Some(case) = run.cases.iter().find(|case| case.case == name) else {
        return Err(Unjudged::Absent(format!("{name} is not in this run")));
    };
    match &case.error {
        Some(_) => Err(Unjudged::Failed(format!("{name}, which it is compared with, has no measurement"))),
        None => measured(case, metric).map_err(Unjudged::Failed),
    }
}

/// A tripwire has to break its limit: one that does not shows that the scenario sees nothing.
fn turn_around((verdict, why): (Verdict, String)) -> (Verdict, String) {
    match verdict {
        Verdict::Regression => (Verdict::Pass, format!("{TRIPWIRE}breaks its limit as it must, {why}")),
        Verdict::Pass | Verdict::Improved => (
            Verdict::Error,
            format!("{TRIPWIRE}keeps a limit that it must break, so the scenario is blind, {why}"),
        ),
        other => (other, format!("{TRIPWIRE}{why}")),
    }
}

fn judge_growth(metric: &Metric, base: f64, growth: Growth) -> (Verdict, String) {
    let quantum = match growth {
        Growth::By(quantum) => quantum,
        Growth::Percent(percent) => base.abs() * percent / 100.0,
    };
    let (worst, best, sense, better) = match metric.direction {
        Direction::Lower => (base + quantum, base - quantum, Sense::AtMost, Sense::AtLeast),
        Direction::Higher => (base - quantum, base + quantum, Sense::AtLeast, Sense::AtMost),
    };
    let found = Interval::of(metric);
    let verdict = match found.judge(Interval::point(worst), sense) {
        // Not within reach of the baseline on the good side either: so better by more than the quantum.
        Verdict::Pass if found.judge(Interval::point(best), better) == Verdict::Regression => {
            Verdict::Improved
        }
        verdict => verdict,
    };
    let change = figure::change(metric.median - base, metric.unit);
    (verdict, format!("{}, {change} from the baseline's {}", own(metric), figure::full(base, metric.unit)))
}

fn compare_in_order(larger: &Metric, smaller: &Metric, larger_name: &str) -> (Verdict, String) {
    let (upper, lower) = (Interval::of(larger), Interval::of(smaller));
    let verdict = if lower.high < upper.low {
        Verdict::Pass
    } else if lower.low >= upper.high {
        Verdict::Regression
    } else {
        Verdict::Inconclusive
    };
    let part = part_in_words(smaller.median, larger.median, larger_name);
    (verdict, format!("{} against {}{part}", own(smaller), own(larger)))
}

fn part_in_words(part: f64, whole: f64, of: &str) -> String {
    if whole > 0.0 { format!(", which is {} of {of}", figure::ratio(part / whole)) } else { String::new() }
}

/// A metric's figure, and how far its samples reach when they differ.
fn own(metric: &Metric) -> String {
    let full = figure::full(metric.median, metric.unit);
    let Interval { low, high } = Interval::of(metric);
    if low == high {
        return full;
    }
    format!("{full} ({} to {} in {} samples)", short(low, metric), short(high, metric), metric.samples.len())
}

fn short(value: f64, metric: &Metric) -> String {
    figure::short(value, metric.unit)
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

/// On which side of a limit a figure has to be.
#[derive(Debug, Clone, Copy)]
enum Sense {
    AtMost,
    AtLeast,
}

/// Between which figures the truth lies, as far as the samples say.
#[derive(Debug, Clone, Copy)]
struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    fn point(figure: f64) -> Interval {
        Interval { low: figure, high: figure }
    }

    fn of(metric: &Metric) -> Interval {
        if metric.tier == Tier::Noisy || metric.demoted {
            let low = metric.samples.iter().copied().fold(metric.median, f64::min);
            let high = metric.samples.iter().copied().fold(metric.median, f64::max);
            return Interval { low, high };
        }
        Interval::point(metric.median)
    }

    fn times(self, factor: f64) -> Interval {
        Interval { low: self.low * factor, high: self.high * factor }
    }

    fn judge(self, limit: Interval, sense: Sense) -> Verdict {
        let (keeps, breaks) = match sense {
            Sense::AtMost => (self.high <= limit.low, self.low > limit.high),
            Sense::AtLeast => (self.low >= limit.high, self.high < limit.low),
        };
        match (keeps, breaks) {
            (true, _) => Verdict::Pass,
            (_, true) => Verdict::Regression,
            _ => Verdict::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests;
