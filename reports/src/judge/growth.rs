//! Growth: a head against its base, exact figures by equality and noisy ones by statistics.

use harness::record::{Direction, Evidence, Metric, Unit, Verdict};

use super::finding::{Compared, Finding, Weighed, as_change, own};
use super::interval::is_noisy;
use crate::budget::Growth;
use crate::calibration::Mde;
use crate::decision::{self, SECONDARY_ALPHA, Terms};
use crate::stats::{many, rank};
use crate::{figure, metric};

/// What a metric is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BaseFigures {
    pub(crate) median: f64,
    /// Every sample; one for a figure of which only the median was kept.
    pub(crate) samples: Vec<f64>,
    pub(crate) is_noisy: bool,
}

impl BaseFigures {
    pub(crate) fn of(metric: &Metric) -> BaseFigures {
        BaseFigures { median: metric.median, samples: metric.samples.clone(), is_noisy: is_noisy(metric) }
    }
}

/// How a growth is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'r> {
    pub(super) allowed: Growth,
    pub(super) terms: &'r Terms,
    pub(super) is_primary: bool,
    /// The base in words: `the baseline`.
    pub(super) than: &'r str,
}

/// Compares a metric with its base.
pub(super) fn weigh(metric: &Metric, base: &BaseFigures, rule: Rule<'_>) -> Weighed {
    let allowed = rule.allowed.of(base.median);
    let worse = decision::worsening(base.median, metric.median, metric.direction);
    let change = figure::change(metric.median - base.median, metric.unit);
    let than = figure::full(base.median, metric.unit);
    let why = format!("{}, {change} from {}'s {than}", own(metric), rule.than);
    if !is_noisy(metric) && !base.is_noisy {
        let verdict = decision::exact(base.median, metric.median, allowed, metric.direction);
        return Weighed::new(verdict, why).over(worse - allowed);
    }
    let samples = (&base.samples[..], &metric.samples[..]);
    let compared = compare(samples, base.median, allowed, metric.direction, rule);
    Weighed { compared: Some(compared), ..Weighed::new(Verdict::Pass, why) }
}

fn compare(
    (base, head): (&[f64], &[f64]),
    median: f64,
    allowed: f64,
    direction: Direction,
    rule: Rule<'_>,
) -> Compared {
    let alpha = alpha(rule.is_primary, rule.terms);
    let terms = Terms { alpha, ..*rule.terms };
    let (verdict, evidence) = decision::noisy(base, head, allowed, direction, &terms);
    Compared {
        evidence,
        allowed,
        base: median,
        is_primary: rule.is_primary,
        is_feasible: decision::feasible(base.len(), head.len(), alpha).is_ok(),
        least_p: rank::smallest_p(base.len(), head.len()),
        is_better: verdict == Verdict::Improved,
    }
}

/// The p that a metric must reach: a primary one by itself, a secondary one after its adjustment.
pub(super) fn alpha(is_primary: bool, terms: &Terms) -> f64 {
    if is_primary { terms.alpha } else { SECONDARY_ALPHA }
}

/// Decides the comparisons of noisy samples, now that it is known how many there are: those of primary metrics each by itself, the
/// others after Benjamini and Hochberg.
///
/// `sight` tells the smallest growth of a finding's metric that is seen here, where that is known.
pub(super) fn settle(
    findings: &mut [Finding<'_>],
    units: impl Fn(&Finding<'_>) -> (Unit, Direction),
    sight: impl Fn(&Finding<'_>) -> Option<Mde>,
) {
    // What could not be judged by itself takes no part, nor a tripwire, which has to grow.
    let secondary = |finding: &Finding<'_>| {
        let is_tripwire = finding.budget.is_some_and(|budget| budget.tripwire);
        !is_tripwire && finding.compared.is_some_and(|compared| !compared.is_primary && compared.is_feasible)
    };
    let p: Vec<f64> = findings
        .iter()
        .filter(|finding| secondary(finding))
        .filter_map(|finding| finding.compared.map(|compared| compared.evidence.p))
        .collect();
    let tested = p.len();
    let mut adjusted = many::adjust(&p).into_iter();
    for finding in findings {
        let (unit, direction) = units(finding);
        let seen = sight(finding);
        let is_secondary = secondary(finding);
        let Some(compared) = &mut finding.compared else { continue };
        if is_secondary {
            let was_alarming = decision::verdict(&compared.evidence, compared.allowed) != Verdict::Pass;
            compared.evidence.p = adjusted.next().unwrap_or(compared.evidence.p);
            // Among so many, so few samples could not be told from chance if they lay wholly apart: what looks grown is no pass.
            let is_blind = compared.least_p * tested as f64 > compared.evidence.alpha;
            compared.is_feasible = !(was_alarming && is_blind);
        }
        finding.verdict = match () {
            () if !compared.is_feasible => Verdict::Inconclusive,
            () if compared.is_better => Verdict::Improved,
            () => decision::verdict(&compared.evidence, compared.allowed),
        };
        let over = compared.evidence.shift - compared.allowed;
        finding.over = (finding.verdict == Verdict::Regression && over > 0.0).then_some(over);
        finding.why = format!("{}; {}", finding.why, in_words(compared, unit, direction));
        let too_tight = seen.and_then(|seen| too_tight(compared, &seen, unit));
        if let (Verdict::Pass | Verdict::Inconclusive, Some(why)) = (finding.verdict, too_tight) {
            (finding.verdict, finding.why) = (Verdict::Unfit, format!("{}; {why}", finding.why));
        }
    }
}

/// Why a limit allows less than what can be told from none here; none when it does not. A growth that was found was seen all the same.
fn too_tight(compared: &Compared, seen: &Mde, unit: Unit) -> Option<String> {
    let Evidence { base_samples, head_samples, .. } = compared.evidence;
    let seen = seen.with_samples(base_samples.min(head_samples));
    let least = seen.percent / 100.0 * compared.base.abs();
    (compared.is_feasible && compared.allowed < least).then(|| {
        format!(
            "the smallest growth that is seen here with so many samples is {} ({:.2} %, of {}), and {} is allowed: allow more, \
             or take more samples (`highwater selftest`)",
            figure::short(least, unit),
            seen.percent,
            seen.subject,
            figure::short(compared.allowed, unit)
        )
    })
}

/// What the statistics say: `worse by 3.1 MiB, at least 2.9 MiB with p 3.2e-6 (15 and 15 samples)`.
fn in_words(compared: &Compared, unit: Unit, direction: Direction) -> String {
    let Evidence { base_samples, head_samples, shift, shift_low, p, alpha } = compared.evidence;
    let samples = format!("{base_samples} and {head_samples} samples");
    if !compared.is_feasible {
        return format!("{samples} can never reach a p of {alpha}: take more (--samples)");
    }
    let change = |value: f64| figure::change(as_change(value, direction), unit);
    let of_base = |value: f64| match compared.base {
        0.0 => String::new(),
        base => format!(" ({:+.2} %)", as_change(value, direction) / base * 100.0),
    };
    let adjusted = if compared.is_primary { "p" } else { "adjusted p" };
    format!(
        "shift {}{}{}, {adjusted} {} of at most {alpha} ({samples})",
        change(shift),
        of_base(shift),
        shift_low.map_or_else(String::new, |low| format!(", at least {}{}", change(low), of_base(low))),
        figure::probability(p)
    )
}

/// The unit and direction of a finding's metric, as far as its name tells.
pub(super) fn unit_of(finding: &Finding<'_>) -> Unit {
    metric::unit(&finding.metric).unwrap_or(Unit::Count)
}
