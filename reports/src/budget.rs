//! Budgets: the limits of each case, with the reason for each.
//!
//! The file is `ci/budgets.toml`; `docs/budgets.md` is its manual. Whatever in it could not be judged (a misspelt key, a metric or
//! case that does not exist, a limit without a reason) is an error that names file, line and key, never a budget that is
//! silently not there.

use std::path::{Path, PathBuf};

use harness::record::Unit;

use crate::{Error, bytes, figure, metric};

mod parse;

/// A whole file of budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgets {
    /// The file, as errors name it.
    pub path: PathBuf,
    /// One limit each, in the order of the file.
    pub budgets: Vec<Budget>,
    /// Cases that must stay in order.
    pub orders: Vec<Order>,
}

/// One limit of one metric of one case, or of several by pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Which cases: an exact name, or a pattern in which `*` stands for any text.
    pub case: String,
    /// The metric that is limited.
    pub metric: String,
    /// The limit.
    pub limit: Limit,
    /// Why the limit is what it is.
    pub reason: String,
    /// Whether the case must break the limit, to show that the scenario sees.
    pub tripwire: bool,
    /// Line of the file where the budget begins.
    pub line: usize,
}

/// How far a metric may go.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// At most this figure.
    Ceiling(f64),
    /// At most another metric of the same case.
    CeilingMetric(String),
    /// At most this part of the same metric of another case.
    Ratio {
        /// The other case.
        of: String,
        /// The part of its figure.
        at_most: f64,
    },
    /// At least this figure.
    Floor(f64),
    /// Not worse than the baseline by more than this.
    Growth(Growth),
}

/// How much worse than the baseline is still no regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// In the metric's own unit.
    By(f64),
    /// In percent of the baseline.
    Percent(f64),
}

/// Cases whose metric must fall from each to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The metric that is compared.
    pub metric: String,
    /// Exact case names, the largest first.
    pub cases: Vec<String>,
    /// Why they must be in this order.
    pub reason: String,
    /// Line of the file where the entry begins.
    pub line: usize,
}

impl Budgets {
    /// Reads a file of budgets and checks it.
    pub fn read(path: &Path) -> Result<Budgets, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Budgets::parse(&text, path)
    }

    /// Checks the text of a file of budgets; `path` is how errors name it.
    pub fn parse(text: &str, path: &Path) -> Result<Budgets, Error> {
        parse::budgets(text, path)
    }

    /// Every case that is named, exactly or by pattern.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let budgets = self.budgets.iter().flat_map(|budget| [Some(&budget.case), budget.of()]).flatten();
        budgets.chain(self.orders.iter().flat_map(|order| &order.cases)).map(String::as_str)
    }

    /// Checks that every case that a budget names exists.
    pub fn check_cases(&self, known: &[String]) -> Result<(), Error> {
        let exists = |pattern: &str| known.iter().any(|name| matches(pattern, name));
        for budget in &self.budgets {
            if let Some((key, case)) = [("case", Some(&budget.case)), ("ratio.of", budget.of())]
                .into_iter()
                .filter_map(|(key, case)| Some((key, case?)))
                .find(|(_, case)| !exists(case))
            {
                return Err(self.no_such_case(budget.line, key, case));
            }
        }
        for order in &self.orders {
            if let Some(case) = order.cases.iter().find(|case| !exists(case)) {
                return Err(self.no_such_case(order.line, "cases", case));
            }
        }
        Ok(())
    }

    fn no_such_case(&self, line: usize, key: &str, case: &str) -> Error {
        let message = format!("{key}: no case is named {case:?}; `highwater list` shows those that exist");
        Error::Budget { path: self.path.clone(), line, message }
    }
}

impl Budget {
    /// The other case that the limit is a part of.
    fn of(&self) -> Option<&String> {
        match &self.limit {
            Limit::Ratio { of, .. } => Some(of),
            _ => None,
        }
    }

    /// The limit in words: `at most 8 MiB`.
    pub fn in_words(&self) -> String {
        let unit = metric::unit(&self.metric).unwrap_or(Unit::Count);
        match &self.limit {
            Limit::Ceiling(limit) => format!("at most {}", figure::short(*limit, unit)),
            Limit::CeilingMetric(other) => format!("at most {other}"),
            Limit::Ratio { of, at_most } => format!("at most {at_most} of {of}"),
            Limit::Floor(limit) => format!("at least {}", figure::short(*limit, unit)),
            Limit::Growth(Growth::By(0.0)) => "no worse than the baseline".to_owned(),
            Limit::Growth(Growth::By(quantum)) => {
                format!("at most {} worse than the baseline", figure::short(*quantum, unit))
            }
            Limit::Growth(Growth::Percent(percent)) => {
                format!("at most {percent} % worse than the baseline")
            }
        }
    }
}

/// Whether a case name fits a pattern in which `*` stands for any text, also for none.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(after, &rest[at..]))
}

/// Reads a limit that is written as text (`8 MiB`, `250 ms`), in the unit of the metric.
fn read_quantity(text: &str, unit: Unit) -> Result<f64, String> {
    match unit {
        Unit::Bytes => bytes::parse_bytes(text).map(|bytes| bytes as f64).map_err(|error| error.to_string()),
        Unit::Seconds => {
            read_seconds(text).ok_or_else(|| format!("{text:?} is not a time: write a number and ms or s"))
        }
        Unit::Blocks | Unit::Count | Unit::Ratio => {
            Err(format!("{text:?} is a text, but this metric has no unit: write a plain number"))
        }
    }
}

fn read_seconds(text: &str) -> Option<f64> {
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s')?, 1.0),
    };
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * scale)
}

#[cfg(test)]
mod tests;
