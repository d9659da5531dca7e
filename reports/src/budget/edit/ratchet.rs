//! Tightens ceilings that several runs in a row have kept with room to spare. Nothing is ever loosened.

use std::path::Path;

use harness::record::{Metric, Run, Unit};
use jiff::civil::Date;
use toml_edit::{DocumentMut, TableLike, Value};

use super::{ended_like, highest, with_headroom, written};
use crate::budget::{Budget, Budgets, Limit, matches, read_quantity};
use crate::{Error, figure, metric};

/// When a ceiling is tightened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How many of the last runs must all have kept the tighter figure.
    pub confirmations: usize,
    /// Percent that the new ceiling is above the largest sample of these runs.
    pub headroom_percent: f64,
    /// The day that the reason names.
    pub today: Date,
}

/// A file after its ceilings were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratcheted {
    /// The new text; equal to the old one when nothing was tightened.
    pub text: String,
    /// Every limit of the file, in its order.
    pub looked: Vec<Looked>,
}

/// What became of one limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The case or pattern.
    pub case: String,
    /// The metric.
    pub metric: String,
    /// The limit in words, as it was.
    pub limit: String,
    /// Line of the file as it was.
    pub line: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// Whether a limit was tightened.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A new, lower ceiling.
    Tightened {
        /// The ceiling before, in the metric's unit.
        from: f64,
        /// The ceiling now.
        to: f64,
    },
    /// The limit is what it was.
    Stays {
        /// Why.
        why: String,
    },
}

impl Looked {
    /// The limit and what became of it, in one line.
    pub fn in_words(&self) -> String {
        let unit = metric::unit(&self.metric).unwrap_or(Unit::Count);
        let Looked { case, metric, limit, line, .. } = self;
        match &self.outcome {
            Outcome::Tightened { from, to } => {
                let (from, to) = (figure::short(*from, unit), figure::short(*to, unit));
                format!("tightened: line {line}, {case} {metric}, from {from} to {to}")
            }
            Outcome::Stays { why } => format!("stays: line {line}, {case} {metric}, {limit}: {why}"),
        }
    }
}

/// A ceiling is rewritten only when it becomes lower by this part: less is not worth a change of the file.
const LEAST_PART: f64 = 0.01;

/// What the reason of a ratcheted ceiling ends in.
const SUFFIX: &str = " (ratcheted from ";

/// Tightens what the runs allow.
///
/// Runs are taken in the order of their times, and of each limit the last ones count in whose environment it is in force. That they are of one
/// artifact, or of later and later ones, is for the caller to see to.
///
/// # Errors
/// Occurs when the file cannot be read, and when runs are too few or one is given twice.
pub fn ratchet(text: &str, path: &Path, runs: &[Run], terms: &Terms) -> Result<Ratcheted, Error> {
    let refused = |message: String| Error::Unchanged { path: path.to_owned(), message };
    let budgets = Budgets::parse(text, path)?;
    let document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| refused(error.message().to_owned()))?;
    let runs = in_order(runs, terms).map_err(refused)?;
    let mut file = File { path, document };
    let mut candidates = Vec::new();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (index, budget) in budgets.budgets.iter().enumerate() {
        let why = match tighter(&budgets, budget, &runs, terms) {
            Ok(candidate) => {
                candidates.push((index, candidate));
                "tightening it would leave a file that does not hold together".to_owned()
            }
            Err(why) => why,
        };
        outcomes.push(Outcome::Stays { why });
    }
    file.apply(&budgets, candidates, &mut outcomes, terms.today);
    let changed = if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Tightened { .. })) {
        ended_like(text, file.document.to_string())
    } else {
        text.to_owned()
    };
    let looked = budgets.budgets.iter().zip(outcomes).map(|(budget, outcome)| Looked {
        case: budget.case.clone(),
        metric: budget.metric.clone(),
        limit: budget.in_words(),
        line: budget.line,
        outcome,
    });
    Ok(Ratcheted { looked: looked.collect(), text: changed })
}

/// The runs, oldest first. The same run twice would confirm itself.
fn in_order<'r>(runs: &'r [Run], terms: &Terms) -> Result<Vec<&'r Run>, String> {
    if terms.confirmations == 0 {
        return Err("a ceiling is tightened after at least 1 confirmation".to_owned());
    }
    if runs.len() < terms.confirmations {
        return Err(format!(
            "{} runs were given, but a ceiling is tightened only after {} in a row (--confirm)",
            runs.len(),
            terms.confirmations
        ));
    }
    let mut ordered: Vec<&Run> = runs.iter().collect();
    // RFC 3339 in UTC: the order of the texts is that of the times.
    ordered.sort_by(|a, b| a.time.cmp(&b.time));
    match ordered.windows(2).find(|pair| pair[0].time == pair[1].time) {
        Some(pair) => Err(format!("two of the runs began at {}: a run confirms once", pair[0].time)),
        None => Ok(ordered),
    }
}

/// A ceiling that may take the place of another.
struct Candidate {
    from: f64,
    to: f64,
    written: Value,
}

fn tighter(budgets: &Budgets, budget: &Budget, runs: &[&Run], terms: &Terms) -> Result<Candidate, String> {
    let from = match &budget.limit {
        _ if budget.tripwire => return Err("a tripwire must be broken".to_owned()),
        Limit::Ceiling(ceiling) => *ceiling,
        Limit::Floor(_) => return Err("it is a floor, and only ceilings are tightened".to_owned()),
        _ => return Err("it is no figure of its own, but follows another".to_owned()),
    };
    let in_force =
        |run: &&&Run| budgets.in_force(&run.environment).iter().any(|other| std::ptr::eq(*other, budget));
    let mut own: Vec<&Run> = runs.iter().filter(in_force).copied().collect();
    let last = own.split_off(own.len().saturating_sub(terms.confirmations));
    if last.len() < terms.confirmations {
        return Err(format!(
            "it is in force in {} of the runs, and {} are needed",
            last.len(),
            terms.confirmations
        ));
    }
    let largest = largest(budget, runs, &last)?;
    let unit = metric::unit(&budget.metric).unwrap_or(Unit::Count);
    let written = written(with_headroom(largest, terms.headroom_percent), unit);
    let to = as_read(&written, unit).ok_or("its new ceiling cannot be written")?;
    let shown = |value| figure::short(value, unit);
    if to > from * (1.0 - LEAST_PART) {
        return Err(format!(
            "it is tight already, {} with {} % of headroom is {}",
            shown(largest),
            terms.headroom_percent,
            shown(to)
        ));
    }
    Ok(Candidate { from, to, written })
}

/// The largest figure over the last runs of every case that the limit is of; each run must have measured each of them, without an
/// error, on the same corpus.
fn largest(budget: &Budget, all: &[&Run], last: &[&Run]) -> Result<f64, String> {
    let names = |run: &&Run| {
        let own = run.cases.iter().filter(|case| matches(&budget.case, &case.case));
        own.map(|case| case.case.clone()).collect::<Vec<_>>()
    };
    let mut names: Vec<String> = all.iter().flat_map(names).collect();
    names.sort();
    names.dedup();
    let figures = names.iter().map(|name| of_case(name, &budget.metric, last));
    let figures = figures.collect::<Result<Vec<f64>, String>>()?;
    figures.into_iter().reduce(f64::max).ok_or_else(|| "no run has such a case".to_owned())
}

fn of_case(name: &str, metric: &str, runs: &[&Run]) -> Result<f64, String> {
    let mut largest = f64::NEG_INFINITY;
    let mut corpus = None;
    for run in runs {
        let at = &run.time;
        let case = run.cases.iter().find(|case| case.case == name);
        let case = case.ok_or_else(|| format!("the run of {at} does not have {name}"))?;
        if case.error.is_some() {
            return Err(format!("the run of {at} has no measurement of {name}"));
        }
        let digest = case.corpus.as_ref().map(|corpus| &corpus.digest);
        if *corpus.get_or_insert(digest) != digest {
            return Err(format!("{name} was measured on different corpora"));
        }
        let measured = |metric: &&Metric| !metric.samples.is_empty() && metric.median.is_finite();
        let figure = case.metrics.get(metric).filter(measured).map(highest);
        largest = largest.max(figure.ok_or_else(|| format!("the run of {at} did not measure it of {name}"))?);
    }
    Ok(largest)
}

fn as_read(value: &Value, unit: Unit) -> Option<f64> {
    match value {
        Value::String(text) => read_quantity(text.value(), unit).ok(),
        Value::Integer(integer) => Some(*integer.value() as f64),
        Value::Float(float) => Some(*float.value()),
        _ => None,
    }
}

/// A file of budgets that is changed.
struct File<'p> {
    path: &'p Path,
    document: DocumentMut,
}

impl File<'_> {
    /// Applies what leaves a file that can be read. The whole of a sum may be tightened only after its parts, so what was refused
    /// is tried again as long as anything else was applied.
    fn apply(
        &mut self,
        budgets: &Budgets,
        mut candidates: Vec<(usize, Candidate)>,
        outcomes: &mut [Outcome],
        today: Date,
    ) {
        loop {
            let mut refused = Vec::new();
            let count = candidates.len();
            for (index, candidate) in candidates {
                match self.attempt(index, &budgets.budgets[index], &candidate, today) {
                    Ok(()) => {
                        let Candidate { from, to, .. } = candidate;
                        outcomes[index] = Outcome::Tightened { from, to };
                    }
                    Err(why) => {
                        outcomes[index] = Outcome::Stays { why };
                        refused.push((index, candidate));
                    }
                }
            }
            if refused.is_empty() || refused.len() == count {
                return;
            }
            candidates = refused;
        }
    }

    fn attempt(
        &mut self,
        index: usize,
        budget: &Budget,
        candidate: &Candidate,
        today: Date,
    ) -> Result<(), String> {
        let mut changed = self.document.clone();
        let entry = entry(&mut changed, index).ok_or("its entry cannot be changed where it stands")?;
        let unit = metric::unit(&budget.metric).unwrap_or(Unit::Count);
        let reason = budget.reason.split(SUFFIX).next().unwrap_or_default();
        let reason = format!("{reason}{SUFFIX}{} on {today})", figure::short(candidate.from, unit));
        replace(entry, "ceiling", candidate.written.clone());
        replace(entry, "reason", reason.into());
        Budgets::parse(&changed.to_string(), self.path).map_err(|error| match error {
            Error::Budget { message, .. } => format!("tightened, {message}"),
            other => other.to_string(),
        })?;
        self.document = changed;
        Ok(())
    }
}

/// The entry of a limit, written as `[[budget]]` or in a list of inline tables.
fn entry(document: &mut DocumentMut, index: usize) -> Option<&mut dyn TableLike> {
    let entries = document.get_mut("budget")?;
    if entries.is_array_of_tables() {
        return entries.as_array_of_tables_mut()?.get_mut(index).map(|table| table as &mut dyn TableLike);
    }
    let value = entries.as_array_mut()?.get_mut(index)?;
    value.as_inline_table_mut().map(|table| table as &mut dyn TableLike)
}

/// Gives a key a new value; what stands around the old one, such as a comment, stays.
fn replace(entry: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(old) = entry.get_mut(key).and_then(|item| item.as_value_mut()) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    }
}

#[cfg(test)]
mod tests;
