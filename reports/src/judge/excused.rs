//! Waivers: which broken limits are excused, and which exceptions have run out.

use harness::record::{Direction, Run, Unit, Verdict};
use jiff::civil::Date;

use super::finding::{Finding, Weighed};
use super::interval::Interval;
use crate::budget::{Limit, Waiver};
use crate::figure;

/// Excuses what may be excused, and finds the waivers that must go.
pub(super) fn excuse<'b>(
    run: &Run,
    waivers: &'b [Waiver],
    today: Date,
    findings: &mut Vec<Finding<'b>>,
    doubts: &mut Vec<String>,
) {
    for waiver in waivers {
        let Some(case) = run.cases.iter().position(|case| case.case == waiver.case) else { continue };
        let is_own = |finding: &&mut Finding<'b>| finding.case == case && finding.metric == waiver.metric;
        let own: Vec<&mut Finding<'b>> = findings.iter_mut().filter(is_own).collect();
        let broken: Vec<&mut Finding<'b>> =
            own.into_iter().filter(|finding| finding.verdict == Verdict::Regression).collect();
        let is_needed = !broken.is_empty();
        for finding in broken {
            weigh(run, waiver, today, finding);
        }
        if waiver.has_expired(today) && !is_needed {
            findings.push(expired(case, waiver));
        } else if !is_needed {
            let what = format!("{} {}", waiver.case, waiver.metric);
            doubts.push(format!("{NOT_NEEDED}{what} keeps its limits: line {} can go", waiver.line));
        }
    }
}

/// How the doubt of a waiver begins that excuses nothing.
pub(super) const NOT_NEEDED: &str = "waiver not needed: ";

fn weigh(run: &Run, waiver: &Waiver, today: Date, finding: &mut Finding<'_>) {
    let metric = run.cases[finding.case].metrics.get(&finding.metric);
    // The worst that was seen must be below the waiver's ceiling; and a ceiling excuses nothing of what must not be low.
    let is_upper = metric.is_some_and(|metric| metric.direction == Direction::Lower)
        && !finding.budget.is_some_and(|budget| matches!(budget.limit, Limit::Floor(_)));
    let (figure, unit) = match metric {
        Some(metric) if is_upper => (Interval::of(metric).high, metric.unit),
        _ => (f64::INFINITY, metric.map_or(Unit::Count, |metric| metric.unit)),
    };
    let addition = if waiver.has_expired(today) {
        format!("its waiver expired on {} ({}, {})", waiver.expires, waiver.owner, waiver.issue)
    } else if figure > waiver.ceiling {
        format!("beyond its waiver's {}", figure::full(waiver.ceiling, unit))
    } else {
        finding.verdict = Verdict::Waived;
        finding.waiver = Some(waiver.record());
        waiver.in_words()
    };
    finding.why = format!("{}; {addition}", finding.why);
}

/// A waiver that has run out is a mistake in the file, also where it is not needed any more.
fn expired<'b>(case: usize, waiver: &Waiver) -> Finding<'b> {
    let why = format!(
        "the waiver in line {} expired on {} ({}, {}): remove it, or renew it with a reason",
        waiver.line, waiver.expires, waiver.owner, waiver.issue
    );
    Finding::new(case, &waiver.metric, "a waiver that holds".to_owned(), Weighed::new(Verdict::Error, why))
}
