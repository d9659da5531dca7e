//! Verdicts: what the budgets and the bases say of a run.
//!
//! A measured figure is an interval: exact metrics are one point, noisy ones reach from their least sample to their largest, and
//! estimates are what their fit says. A limit that falls inside cannot be judged, and that is said rather than guessed. Growth is
//! judged by the rules of [`decision`].

use std::mem::{Discriminant, discriminant};

use harness::record::{Case, Direction, Run, Tier, Unit, Verdict};
use jiff::civil::Date;

use crate::baseline::Base;
use crate::budget::{self, Budget, Budgets, Growth, Limit};
use crate::calibration::Calibration;
use crate::decision::{self, Terms};

mod excused;
mod finding;
mod fixed;
pub(crate) mod growth;
pub(crate) mod interval;
pub(crate) mod pairs;

pub use pairs::{PairTerms, base_of, pairs};

use finding::{Finding, Unjudged, Weighed, measured, reference};

/// How the reason of a verdict begins when the case had to break its limit.
pub(crate) const TRIPWIRE: &str = "tripwire: ";

/// How the doubt of a run begins that no limit judged. This and the next are how the doubts begin that judging adds to a run; judging
/// again replaces them.
pub const NOTHING: &str = "nothing was judged: ";
pub(crate) const NOT_JUDGED: &str = "not judged: ";
const DEMOTED: &str = "judged as noisy: ";

/// What a run is judged against, beside its budgets.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// What growth is compared with.
    pub baseline: Option<&'a Base>,
    /// What drift is compared with: the last release.
    pub release: Option<&'a Base>,
    /// What a self-test found on the machine of the run: a limit that is tighter is `unfit`.
    pub calibration: Option<&'a Calibration>,
    /// The day on which waivers are looked at.
    pub today: Date,
    /// How sure a decision about noisy samples has to be.
    pub terms: Terms,
}

impl<'a> Against<'a> {
    /// Nothing but the day.
    pub fn nothing(today: Date) -> Against<'static> {
        Against { baseline: None, release: None, calibration: None, today, terms: Terms::default() }
    }

    /// What a limit is compared with.
    fn base_of(&self, limit: &Limit) -> Option<&'a Base> {
        match limit {
            Limit::Growth(_) => self.baseline,
            Limit::Drift(_) => self.release,
            _ => None,
        }
    }

    /// Checks, before a run of these cases with so many noisy samples, that every growth of noisy figures can be judged at all.
    ///
    /// # Errors
    /// A sentence that names the first limit that could not, and how many samples it takes.
    pub fn check_samples(&self, budgets: &Budgets, cases: &[String], samples: usize) -> Result<(), String> {
        for budget in &budgets.budgets {
            let own = cases.iter().filter(|case| budget::matches(&budget.case, case));
            for case in own {
                let base =
                    self.base_of(&budget.limit).and_then(|base| base.noisy_samples(case, &budget.metric));
                let Some(base) = base else { continue };
                decision::feasible(base, samples, growth::alpha(budget.primary, &self.terms))
                    .map_err(|why| format!("{} of {case}, {}: {why}", budget.metric, budget.in_words()))?;
            }
        }
        Ok(())
    }
}

/// Fills in the verdicts of every case and of the run, and what could not be judged. Judging a run again starts afresh.
pub fn judge(run: &mut Run, budgets: &Budgets, against: &Against<'_>) {
    forget(run);
    demote(run);
    let mut judge =
        Judge { run, against, findings: Vec::new(), doubts: Vec::new(), without_base: Vec::new() };
    judge.failed_cases();
    judge.budgets(budgets);
    for order in &budgets.orders {
        judge.findings.extend(fixed::order(run, order));
    }
    for sum in &budgets.sums {
        judge.findings.extend(fixed::sum(run, budgets, sum));
    }
    let Judge { mut findings, mut doubts, without_base, .. } = judge;
    // What was found under other conditions tells nothing of this run; `Calibration::doubt` says so to a person.
    let calibration = against.calibration.filter(|found| found.doubt(&run.environment).is_none());
    let sight = |finding: &Finding<'_>| calibration?.mde(&run.cases[finding.case].case, &finding.metric);
    growth::settle(&mut findings, |finding| nature(run, finding), sight);
    findings.iter_mut().for_each(turn_around);
    excused::excuse(run, &budgets.waivers, against.today, &mut findings, &mut doubts);
    mark_tripwires(run, budgets);
    run.doubts.extend(doubts);
    conclude(run, findings, without_base);
}

/// The unit and direction of a finding's metric.
fn nature(run: &Run, finding: &Finding<'_>) -> (Unit, Direction) {
    let metric = run.cases[finding.case].metrics.get(&finding.metric);
    metric.map_or((growth::unit_of(finding), Direction::Lower), |metric| (metric.unit, metric.direction))
}

/// Writes what was found into the run. A gate that judged nothing is not green, and one that was given a base which fits nothing
/// neither.
fn conclude(run: &mut Run, findings: Vec<Finding<'_>>, without_base: Vec<(Kind, String)>) {
    let mut verdict = findings.iter().map(|finding| finding.verdict).max();
    if verdict.is_none() {
        let why = "no budget applies to what was measured, and a gate that measured nothing is not green";
        run.doubts.push(format!("{NOTHING}{why}"));
    }
    if let Some((_, why)) = without_base.first() {
        run.doubts.push(format!("{NOTHING}{why}, so that no growth was judged though a base was given"));
        verdict = Some(Verdict::Error);
    }
    run.verdict = verdict.unwrap_or(Verdict::Error);
    for finding in findings {
        let (index, judgement) = finding.judgement();
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
    let starts = [NOT_JUDGED, DEMOTED, NOTHING, excused::NOT_NEEDED];
    run.doubts.retain(|doubt| !starts.iter().any(|start| doubt.starts_with(start)));
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

/// A kind of limit that needs a base, and whether it is of noisy figures: the baseline and the release are two bases, and exact figures
/// fit one where noisy ones may not.
type Kind = (Discriminant<Limit>, bool);

/// A judge at work: what is found while the budgets are gone through.
struct Judge<'r, 'b> {
    run: &'r Run,
    against: &'r Against<'r>,
    findings: Vec<Finding<'b>>,
    doubts: Vec<String>,
    /// Why growth could not be compared with a base that was given, by the kind of limit: the baseline and the release are two bases.
    without_base: Vec<(Kind, String)>,
}

impl<'b> Judge<'_, 'b> {
    fn failed_cases(&mut self) {
        for (index, case) in self.run.cases.iter().enumerate() {
            if let Some(error) = &case.error {
                let why = format!("not measured: {error}");
                let limit = "the right answer, measured".to_owned();
                self.findings.push(Finding::failed(index, "*", limit, why));
            }
        }
    }

    fn budgets(&mut self, budgets: &'b Budgets) {
        for budget in budgets.in_force(&self.run.environment) {
            for index in 0..self.run.cases.len() {
                self.budget(index, budget);
            }
        }
        // One growth that could be compared shows that its base fits, whatever the others lack.
        let weighed = self.findings.iter().filter(|finding| finding.verdict != Verdict::Error);
        let kind =
            |finding: &Finding<'_>| Some((discriminant(&finding.budget?.limit), finding.compared.is_some()));
        let kinds: Vec<Kind> = weighed.filter_map(kind).collect();
        self.without_base.retain(|(kind, _)| !kinds.contains(kind));
    }

    fn budget(&mut self, index: usize, budget: &'b Budget) {
        let case = &self.run.cases[index];
        if case.error.is_some() || !budget::matches(&budget.case, &case.case) {
            return;
        }
        let limit = budget.in_words();
        match weigh(self.run, case, budget, self.against) {
            Ok(weighed) => {
                let finding = Finding::new(index, &budget.metric, limit, weighed).because(&budget.reason);
                self.findings.push(Finding { budget: Some(budget), ..finding });
            }
            Err(Unjudged::Failed(why)) => {
                self.findings.push(Finding::failed(index, &budget.metric, limit, why));
            }
            Err(unjudged) => {
                if let Unjudged::NoBase(why) = &unjudged {
                    let is_noisy = case.metrics.get(&budget.metric).is_some_and(interval::is_noisy);
                    self.without_base.push(((discriminant(&budget.limit), is_noisy), why.clone()));
                }
                let what = format!("{} {} {limit}", case.case, budget.metric);
                self.doubts.push(format!("{NOT_JUDGED}{what}: {}", unjudged.text()));
            }
        }
    }
}

fn weigh(run: &Run, case: &Case, budget: &Budget, against: &Against<'_>) -> Result<Weighed, Unjudged> {
    let metric = measured(case, &budget.metric)?;
    let grown = |allowed, than| weigh_growth(run, case, budget, (allowed, than), against);
    match &budget.limit {
        Limit::Ceiling(limit) => Ok(fixed::at_most(metric, *limit)),
        Limit::Floor(limit) => Ok(fixed::at_least(metric, *limit)),
        Limit::CeilingMetric(other) => Ok(fixed::at_most_metric(metric, measured(case, other)?)),
        Limit::Ratio { of, at_most } => {
            let other = reference(run, of, &budget.metric)?;
            Ok(fixed::at_most_part(metric, other, of, *at_most))
        }
        Limit::Growth(allowed) => grown(*allowed, "the baseline"),
        Limit::Drift(allowed) => grown(*allowed, "the last release"),
    }
}

fn weigh_growth(
    run: &Run,
    case: &Case,
    budget: &Budget,
    (allowed, than): (Growth, &str),
    against: &Against<'_>,
) -> Result<Weighed, Unjudged> {
    let base = against.base_of(&budget.limit);
    let base = base.ok_or_else(|| Unjudged::Absent(format!("{than} was not given")))?;
    let figures = base.figures(&run.environment, case, &budget.metric).map_err(Unjudged::NoBase)?;
    let rule = growth::Rule { allowed, terms: &against.terms, is_primary: budget.primary, than };
    Ok(growth::weigh(measured(case, &budget.metric)?, &figures, rule))
}

/// A tripwire has to break its limit: one that does not shows that the scenario sees nothing.
fn turn_around(finding: &mut Finding<'_>) {
    if !finding.budget.is_some_and(|budget| budget.tripwire) {
        return;
    }
    let why = &finding.why;
    (finding.verdict, finding.why) = match finding.verdict {
        Verdict::Regression => (Verdict::Pass, format!("{TRIPWIRE}breaks its limit as it must, {why}")),
        Verdict::Pass | Verdict::Improved => (
            Verdict::Error,
            format!("{TRIPWIRE}keeps a limit that it must break, so the scenario is blind, {why}"),
        ),
        other => (other, format!("{TRIPWIRE}{why}")),
    };
    // What it must break is no limit to keep.
    (finding.over, finding.ceiling) = (None, None);
}

#[cfg(test)]
mod tests;
