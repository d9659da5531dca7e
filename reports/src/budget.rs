//! Budgets: the limits of each case, with the reason for each.
//!
//! The file is `ci/budgets.toml`; `docs/budgets.md` is its manual. Whatever in it could not be judged (a misspelt key, a metric or
//! case that does not exist, a limit without a reason) is an error that names file, line and key, never a budget that is
//! silently not there.

use std::path::{Path, PathBuf};

use harness::record::{Environment, Unit};

use crate::{Error, bytes, figure, metric};

pub mod edit;
mod explain;
mod parse;
mod schema;
mod sum;
mod table;
mod waiver;

pub use explain::{Desk, explain};
pub use schema::{SCHEMA, SCHEMA_ADDRESS};
pub use sum::Sum;
pub use waiver::Waiver;

/// A whole file of budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgets {
    /// The file, as errors name it.
    pub path: PathBuf,
    /// One limit each, in the order of the file.
    pub budgets: Vec<Budget>,
    /// Cases that must stay in order.
    pub orders: Vec<Order>,
    /// Limits that must fit into each other.
    pub sums: Vec<Sum>,
    /// Dated exceptions.
    pub waivers: Vec<Waiver>,
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
    /// Whether the metric was declared to be what this case is about: a noisy growth of it is tested by itself, without a
    /// correction for how many others are tested.
    pub primary: bool,
    /// Where the limit holds.
    pub place: Place,
    /// Line of the file where the budget begins.
    pub line: usize,
}

/// Where a limit holds: on every platform and with every allocator, unless it names one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Operating system and architecture, such as `x86_64-linux` or `*-macos`.
    pub platform: Option<String>,
    /// The allocator, such as `glibc*`.
    pub allocator: Option<String>,
}

impl Place {
    /// Whether an environment is such a place.
    pub fn holds(&self, environment: &Environment) -> bool {
        let fits = |pattern: &Option<String>, name: &str| {
            pattern.as_ref().is_none_or(|pattern| matches(pattern, name))
        };
        fits(&self.platform, &environment.platform) && fits(&self.allocator, &environment.allocator)
    }

    /// How much it says: a limit that says more stands for those of its kind that say less.
    fn weight(&self) -> usize {
        usize::from(self.platform.is_some()) + usize::from(self.allocator.is_some())
    }
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
    /// Not worse than the last release by more than this.
    Drift(Growth),
}

/// How much worse than the baseline is still no regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// In the metric's own unit.
    By(f64),
    /// In percent of the baseline.
    Percent(f64),
}

impl Growth {
    /// What is allowed beyond a base, in the metric's own unit.
    pub fn of(self, base: f64) -> f64 {
        match self {
            Growth::By(quantum) => quantum,
            Growth::Percent(percent) => base.abs() * percent / 100.0,
        }
    }

    pub(crate) fn in_words(self, than: &str, unit: Unit) -> String {
        match self {
            Growth::By(0.0) => format!("no worse than {than}"),
            Growth::By(quantum) => format!("at most {} worse than {than}", figure::short(quantum, unit)),
            Growth::Percent(percent) => format!("at most {percent} % worse than {than}"),
        }
    }
}

/// Reads a growth as it is written for a metric of this unit: `2 %`, `1 MiB`, `0`.
///
/// # Errors
/// Says what is wrong with the text.
pub fn read_growth(text: &str, unit: Unit) -> Result<Growth, String> {
    let Some(percent) = text.trim().strip_suffix('%') else {
        let plain = text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        return plain.map_or_else(|| read_quantity(text, unit), Ok).map(Growth::By);
    };
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(Growth::Percent(percent)),
        _ => Err(format!("\"{percent}%\" is not a percentage, write for example \"2 %\"")),
    }
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
        let orders = self.orders.iter().flat_map(|order| &order.cases);
        let others =
            self.sums.iter().map(|sum| &sum.case).chain(self.waivers.iter().map(|waiver| &waiver.case));
        budgets.chain(orders).chain(others).map(String::as_str)
    }

    /// The limits that hold in an environment. One that names the platform or the allocator stands for those of its kind that name less.
    pub fn in_force(&self, environment: &Environment) -> Vec<&Budget> {
        let here = |budget: &&Budget| budget.place.holds(environment);
        let is_replaced = |budget: &&Budget| {
            let says_more = |other: &&Budget| other.place.weight() > budget.place.weight();
            self.budgets.iter().filter(here).filter(says_more).any(|other| other.is_like(budget))
        };
        self.budgets.iter().filter(here).filter(|budget| !is_replaced(budget)).collect()
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
        let sums = self.sums.iter().map(|sum| (sum.line, &sum.case));
        let waivers = self.waivers.iter().map(|waiver| (waiver.line, &waiver.case));
        match sums.chain(waivers).find(|(_, case)| !exists(case)) {
            Some((line, case)) => Err(self.no_such_case(line, "case", case)),
            None => Ok(()),
        }
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

    /// Whether both limit the same in the same way.
    fn is_like(&self, other: &Budget) -> bool {
        self.case == other.case
            && self.metric == other.metric
            && std::mem::discriminant(&self.limit) == std::mem::discriminant(&other.limit)
            && self.of() == other.of()
    }

    /// The limit in words: `at most 8 MiB`.
    pub fn in_words(&self) -> String {
        let unit = metric::unit(&self.metric).unwrap_or(Unit::Count);
        match &self.limit {
            Limit::Ceiling(limit) => format!("at most {}", figure::short(*limit, unit)),
            Limit::CeilingMetric(other) => format!("at most {other}"),
            Limit::Ratio { of, at_most } => format!("at most {at_most} of {of}"),
            Limit::Floor(limit) => format!("at least {}", figure::short(*limit, unit)),
            Limit::Growth(growth) => growth.in_words("the baseline", unit),
            Limit::Drift(growth) => growth.in_words("the last release", unit),
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
