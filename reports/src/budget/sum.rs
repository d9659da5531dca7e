//! Sums: the limits of parts, with some slack, must fit into the limit of the whole, and that into the container.

use harness::record::Unit;

use super::{Budgets, Limit, matches};
use crate::figure;

/// Limits of one case that must fit into each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// An exact case name.
    pub case: String,
    /// Metrics that are live together, such as those of phases of processes that run side by side; each has a ceiling in the file.
    pub parts: Vec<String>,
    /// Bytes that the whole may have beyond its parts.
    pub slack: f64,
    /// The metric of the whole; it has a ceiling in the file, too.
    pub within: String,
    /// Bytes that the container allows, when the file says so; else the container that the run took place in.
    pub container: Option<f64>,
    /// Why the limits must fit.
    pub reason: String,
    /// Line of the file where the entry begins.
    pub line: usize,
}

impl Sum {
    /// Checks that the limits of the file fit into each other.
    pub(super) fn check(&self, budgets: &Budgets) -> Result<(), String> {
        let parts = self.parts.iter().map(|part| self.ceiling(budgets, part));
        let parts: f64 = parts.sum::<Result<f64, String>>()?;
        let whole = self.ceiling(budgets, &self.within)?;
        let needed = parts + self.slack;
        if needed > whole {
            return Err(format!(
                "the ceilings of the parts ({}) and the slack ({}) come to {}, more than the {} of {}",
                bytes(parts),
                bytes(self.slack),
                bytes(needed),
                bytes(whole),
                self.within
            ));
        }
        match self.container {
            Some(container) if whole > container => Err(format!(
                "the ceiling of {} is {}, more than the container's {}",
                self.within,
                bytes(whole),
                bytes(container)
            )),
            _ => Ok(()),
        }
    }

    /// The largest ceiling of a metric of the case, wherever it holds.
    fn ceiling(&self, budgets: &Budgets, metric: &str) -> Result<f64, String> {
        let own = budgets.budgets.iter().filter(|budget| budget.metric == metric && !budget.tripwire);
        let ceilings =
            own.filter(|budget| matches(&budget.case, &self.case)).filter_map(|budget| match budget.limit {
                Limit::Ceiling(ceiling) => Some(ceiling),
                _ => None,
            });
        ceilings.reduce(f64::max).ok_or_else(|| {
            format!("{metric} of {} has no ceiling in this file, so the sum cannot be checked", self.case)
        })
    }

    /// The largest ceiling of the whole in the file; the sum was checked, so it is there.
    pub(crate) fn whole(&self, budgets: &Budgets) -> f64 {
        self.ceiling(budgets, &self.within).unwrap_or(f64::INFINITY)
    }

    /// The limit in words.
    pub(crate) fn in_words(&self) -> String {
        format!("at most {} beyond {}", bytes(self.slack), self.parts.join(" + "))
    }
}

fn bytes(value: f64) -> String {
    figure::short(value, Unit::Bytes)
}
