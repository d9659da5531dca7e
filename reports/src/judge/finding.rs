//! What one limit came to, while it is not yet known what it means: tripwires, corrections and waivers come after.

use harness::record::{Case, Direction, Evidence, Judgement, Metric, Run, Verdict, Waiver};

use super::interval::Interval;
use crate::budget::Budget;
use crate::{figure, metric};

/// What one limit of one case came to.
#[derive(Debug, Clone)]
pub(super) struct Finding<'b> {
    /// Index of the case in the run.
    pub(super) case: usize,
    pub(super) metric: String,
    /// The budget that it is of; none for orders, sums, pairs and failed cases.
    pub(super) budget: Option<&'b Budget>,
    /// The limit in words.
    pub(super) limit: String,
    /// Why there is such a limit.
    pub(super) reason: &'b str,
    pub(super) verdict: Verdict,
    pub(super) why: String,
    /// How far beyond the limit the metric is.
    pub(super) over: Option<f64>,
    /// The absolute limit that the metric is held to, where the budget is one.
    pub(super) ceiling: Option<f64>,
    /// A comparison of noisy samples, whose verdict depends on how many others there are.
    pub(super) compared: Option<Compared>,
    pub(super) waiver: Option<Waiver>,
}

/// A comparison of noisy samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) evidence: Evidence,
    /// How much worse is allowed, in the metric's unit.
    pub(super) allowed: f64,
    /// Median of the base.
    pub(super) base: f64,
    pub(super) is_primary: bool,
    /// Whether the samples can reach the p that is asked for.
    pub(super) is_feasible: bool,
    /// The smallest p that so many samples can have.
    pub(super) least_p: f64,
    /// Whether the mirror image of a regression holds.
    pub(super) is_better: bool,
}

/// Why a limit has no verdict by its figures.
#[derive(Debug)]
pub(super) enum Unjudged {
    /// What the limit needs was to be measured, but was not.
    Failed(String),
    /// What the limit needs is not part of this run.
    Absent(String),
    /// The base does not fit this run, whatever the limit.
    NoBase(String),
}

impl Unjudged {
    pub(super) fn text(self) -> String {
        let (Unjudged::Failed(why) | Unjudged::Absent(why) | Unjudged::NoBase(why)) = self;
        why
    }
}

/// A verdict by figures.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) verdict: Verdict,
    pub(super) why: String,
    pub(super) over: Option<f64>,
    pub(super) ceiling: Option<f64>,
    pub(super) compared: Option<Compared>,
}

impl Weighed {
    pub(super) fn new(verdict: Verdict, why: String) -> Weighed {
        Weighed { verdict, why, over: None, ceiling: None, compared: None }
    }

    /// Notes the absolute limit.
    pub(super) fn held_to(self, limit: f64) -> Weighed {
        Weighed { ceiling: Some(limit), ..self }
    }

    /// Notes how far beyond its limit the figure is, where it is.
    pub(super) fn over(self, by: f64) -> Weighed {
        let over = (self.verdict == Verdict::Regression && by > 0.0).then_some(by);
        Weighed { over, ..self }
    }
}

impl<'b> Finding<'b> {
    pub(super) fn new(case: usize, metric: &str, limit: String, weighed: Weighed) -> Finding<'b> {
        let Weighed { verdict, why, over, ceiling, compared } = weighed;
        Finding {
            case,
            metric: metric.to_owned(),
            budget: None,
            limit,
            reason: "",
            verdict,
            why,
            over,
            ceiling,
            compared,
            waiver: None,
        }
    }

    /// The limit cannot be judged, which is somebody's mistake.
    pub(super) fn failed(case: usize, metric: &str, limit: String, why: String) -> Finding<'b> {
        Finding::new(case, metric, limit, Weighed::new(Verdict::Error, why))
    }

    pub(super) fn because(self, reason: &'b str) -> Finding<'b> {
        Finding { reason, ..self }
    }

    pub(super) fn judgement(self) -> (usize, Judgement) {
        let evidence = self.compared.map(|compared| compared.evidence);
        let why = match self.verdict {
            Verdict::Pass | Verdict::Improved | Verdict::Waived => self.why,
            // A verdict that someone must act on says why the limit is there.
            _ if self.reason.is_empty() => self.why,
            _ => format!("{}; the limit is there because: {}", self.why, self.reason),
        };
        let judgement = Judgement {
            metric: self.metric,
            verdict: self.verdict,
            budget: self.limit,
            why,
            over: self.over,
            limit: self.ceiling,
            evidence,
            waiver: self.waiver,
        };
        (self.case, judgement)
    }
}

/// The metric of a case, when it was measured.
pub(super) fn measured<'c>(case: &'c Case, name: &str) -> Result<&'c Metric, Unjudged> {
    match case.metrics.get(name) {
        Some(metric) if !metric.samples.is_empty() && metric.median.is_finite() => Ok(metric),
        _ => {
            let what =
                format!("{name} of {} was not measured, and a budget without samples is an error", case.case);
            Err(Unjudged::Failed(format!("{what}{}", where_measured(case, name))))
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

/// The metric of another case of the run.
pub(super) fn reference<'r>(run: &'r Run, name: &str, metric: &str) -> Result<&'r Metric, Unjudged> {
    let Some(case) = run.cases.iter().find(|case| case.case == name) else {
        return Err(Unjudged::Absent(format!("{name} is not in this run")));
    };
    match &case.error {
        Some(_) => Err(Unjudged::Failed(format!("{name}, which it is compared with, has no measurement"))),
        None => measured(case, metric),
    }
}

/// A metric's figure, and how far its samples reach when they differ.
pub(super) fn own(metric: &Metric) -> String {
    let full = figure::full(metric.median, metric.unit);
    let Interval { low, high } = Interval::of(metric);
    if low == high {
        return full;
    }
    let short = |value| figure::short(value, metric.unit);
    let over = match metric.interval {
        Some(_) => "95 % confidence".to_owned(),
        None => format!("in {} samples", metric.samples.len()),
    };
    format!("{full} ({} to {} {over})", short(low), short(high))
}

/// How a metric's unit is worse in one direction: the sign of a worsening as a change of the figure.
pub(super) fn as_change(worsening: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Lower => worsening,
        Direction::Higher => -worsening,
    }
}
