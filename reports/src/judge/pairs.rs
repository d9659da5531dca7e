//! Heads against bases that were measured in one run, in turn: each case `NAME:head` against `NAME:base`.

use std::collections::BTreeSet;

use harness::record::{Case, Run, Tier, Unit};

use super::finding::{Finding, measured};
use super::growth::{self, BaseFigures, Rule};
use super::{conclude, demote, forget, nature};
use crate::budget::Growth;
use crate::decision::Terms;
use crate::metric;

/// How pairs are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct PairTerms {
    /// How much worse a noisy metric may be.
    pub allowed: Growth,
    /// How much worse an exact metric may be.
    pub allowed_exact: Growth,
    /// How sure a decision has to be.
    pub terms: Terms,
    /// Metrics that are tested each by itself; all others are secondary, and corrected for how many they are.
    pub primary: Vec<String>,
}

impl Default for PairTerms {
    /// 2 % where figures are noisy, since that is about what a Node program can be held to; nothing where they are exact.
    fn default() -> PairTerms {
        let primary = ["heap.peak_bytes", "rss.peak_bytes"].map(str::to_owned).to_vec();
        PairTerms {
            allowed: Growth::Percent(2.0),
            allowed_exact: Growth::By(0.0),
            terms: Terms::default(),
            primary,
        }
    }
}

/// Metrics of which a change is no regression: what watching cost, and what depends on the machine's other work.
const NOT_JUDGED: &[&str] = &["watch.", "time.", "faults.", "engine.", "cgroup."];

/// What an allowed growth is of, in words.
const THAN: &str = "the base";

/// Fills in the verdicts of every head, and of the run.
pub fn pairs(run: &mut Run, terms: &PairTerms) {
    forget(run);
    demote(run);
    let mut findings = failed(run);
    for head in 0..run.cases.len() {
        let Some(base) = base_of(run, head) else { continue };
        findings.extend(pair(run, base, head, terms));
    }
    // What is compared here allows what a person chose for it, and says how sure that is by its p and its bound.
    growth::settle(&mut findings, |finding| nature(run, finding), |_| None);
    conclude(run, findings, Vec::new());
}

fn failed<'b>(run: &Run) -> Vec<Finding<'b>> {
    let failed = run.cases.iter().enumerate().filter_map(|(index, case)| Some((index, case.error.as_ref()?)));
    let limit = "the right answer, measured";
    failed
        .map(|(index, error)| Finding::failed(index, "*", limit.to_owned(), format!("not measured: {error}")))
        .collect()
}

/// The index of the case that a head, by its index, is compared with; none for cases that are no heads, and where one of the two has failed.
pub fn base_of(run: &Run, head: usize) -> Option<usize> {
    let case = &run.cases[head];
    let (name, strategy) = case.case.rsplit_once(':')?;
    let rest = strategy.strip_prefix("head")?;
    let base = format!("{name}:base{rest}");
    let found = run.cases.iter().position(|other| other.case == base)?;
    (case.error.is_none() && run.cases[found].error.is_none()).then_some(found)
}

fn pair<'b>(run: &Run, base: usize, head: usize, terms: &PairTerms) -> Vec<Finding<'b>> {
    let (base, case) = (&run.cases[base], &run.cases[head]);
    // What only one side has is an error where it was to be looked at, and chance elsewhere: some figures are read now and then.
    let names: BTreeSet<&String> = base.metrics.keys().chain(case.metrics.keys()).collect();
    let on_both = |name: &str| base.metrics.contains_key(name) && case.metrics.contains_key(name);
    names
        .into_iter()
        .filter(|name| is_judged(base, case, name) && on_both(name) || is_asked(terms, name))
        .map(|name| compared(head, base, case, name, terms))
        .collect()
}

/// Whether a person, or the default, wants a metric judged by itself, whatever kind it is. A default that no side has is not missed.
fn is_asked(terms: &PairTerms, name: &str) -> bool {
    terms.primary.iter().any(|primary| primary == name)
}

fn is_judged(base: &Case, head: &Case, name: &str) -> bool {
    let is_modelled =
        |case: &Case| case.metrics.get(name).is_some_and(|metric| metric.tier == Tier::Modelled);
    let is_left_out = NOT_JUDGED.iter().any(|start| name.starts_with(start));
    // A phase's figures explain; what is limited is the whole. What has no name among the metrics is a detail of its instrument.
    let is_metric = metric::unit(name).is_some();
    !is_left_out && is_metric && !name.contains('@') && !is_modelled(base) && !is_modelled(head)
}

fn compared<'b>(index: usize, base: &Case, head: &Case, name: &str, terms: &PairTerms) -> Finding<'b> {
    let (earlier, later) = match (measured(base, name), measured(head, name)) {
        (Ok(earlier), Ok(later)) => (earlier, later),
        (Err(why), _) | (_, Err(why)) => {
            return Finding::failed(index, name, "measured on both sides".to_owned(), why.text());
        }
    };
    let figures = BaseFigures::of(earlier);
    let is_noisy = figures.is_noisy || super::interval::is_noisy(later);
    let allowed = if is_noisy { terms.allowed } else { terms.allowed_exact };
    // A number of bytes is allowed of bytes; nothing more of blocks or seconds.
    let allowed = match allowed {
        Growth::By(_) if later.unit != Unit::Bytes => Growth::By(0.0),
        allowed => allowed,
    };
    let is_primary = terms.primary.iter().any(|primary| primary == name);
    let rule = Rule { allowed, terms: &terms.terms, is_primary, than: THAN };
    Finding::new(index, name, allowed.in_words(THAN, later.unit), growth::weigh(later, &figures, rule))
}
