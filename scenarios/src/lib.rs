//! The scenarios and strategies that highwater measures: the only place where engine, corpus and harness meet.
//!
//! A [`Scenario`] is one of [`scenarios`]: a way to drive the engine, and the strategies it is driven with. A case is one of
//! both, written `family/scenario:strategy`. [`runner::run`] measures cases; each sample is a fresh process in which
//! [`subject::enter`] does the work. [`exec::run`] measures commands that know nothing of all this,
//! [`project`] reads the file in which somebody else's project names such commands, and [`artifact`] makes builds of an earlier commit
//! to compare with.

mod answer;
pub mod artifact;
mod burn_in;
pub mod exec;
mod history;
pub mod lattice;
pub mod listing;
pub mod project;
pub mod runner;
mod scratch;
pub mod search;
pub mod selftest;
pub mod sites;
pub mod snapshots;
pub mod steady;
pub mod subject;
pub mod sync;
pub mod view;

pub use answer::{Answer, Defect, Expected};
pub use runner::{Event, Options, Plan, run};
pub use scratch::remove_tree;
pub use steady::{Steady, Sweep};

use engine::sync::strategy::{self, Strategy};

/// Why nothing could be measured. What fails in one case of many stands in that case's record instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pattern fits no case.
    #[error("no case is called {0}; `highwater list scenarios` names them all")]
    NoSuchCase(String),
    /// A measurement that everything else needs failed.
    #[error("{case} could not be measured: {why}")]
    Failed {
        /// The case.
        case: String,
        /// What went wrong.
        why: String,
    },
}

/// A named way to drive the engine.
#[derive(Debug)]
pub struct Scenario {
    /// `family/scenario`.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub about: &'static str,
    /// Names of the strategies it is run with, in the order of reports.
    pub strategies: &'static [&'static str],
    /// How its cases are measured.
    pub kind: Kind,
}

/// How the cases of a scenario are measured, in the words of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of `sync`.
    Sync(sync::Kind),
    /// Of `snapshots`.
    Snapshots(snapshots::Kind),
    /// Of `listing`.
    Listing(listing::Kind),
    /// Of `view`.
    View(view::Drive),
}

/// Every scenario, in the order of reports.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    let families = [
        sync::table::SCENARIOS,
        listing::table::SCENARIOS,
        snapshots::table::SCENARIOS,
        view::table::SCENARIOS,
    ];
    families.into_iter().flatten()
}

/// A scenario with one of its strategies.
#[derive(Debug, Clone)]
pub struct CaseSpec {
    /// `family/scenario:strategy`.
    pub name: String,
    /// The scenario.
    pub scenario: &'static Scenario,
    /// How it is measured, with the strategy's choices.
    pub work: Work,
}

/// What is measured in a case: the way of its scenario, and the choices of its strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Of `sync`.
    Sync(sync::Kind, Strategy),
    /// Of `snapshots`.
    Snapshots(snapshots::Kind, engine::snapshots::Strategy),
    /// Of `listing`.
    Listing(listing::Kind, engine::listing::Strategy),
    /// Of `view`.
    View(view::Drive, engine::view::Strategy),
}

impl Work {
    /// The choices behind a strategy's name; none when the family has no such strategy.
    fn of(kind: Kind, strategy: &str) -> Option<Work> {
        match kind {
            Kind::Sync(kind) => self::strategy(strategy).map(|strategy| Work::Sync(kind, strategy)),
            Kind::Snapshots(kind) => find(engine::snapshots::strategy::named(), strategy)
                .map(|strategy| Work::Snapshots(kind, strategy)),
            Kind::Listing(kind) => find(engine::listing::strategy::named(), strategy)
                .map(|strategy| Work::Listing(kind, strategy)),
            Kind::View(drive) => {
                find(engine::view::strategy::named(), strategy).map(|strategy| Work::View(drive, strategy))
            }
        }
    }
}

impl CaseSpec {
    /// Whether the case can be run on a person's own history: it needs neither a manifest nor a corpus of its own.
    pub fn reads_any_home(&self) -> bool {
        use sync::{Drive, Kind};
        match self.work {
            Work::Sync(kind, _) => {
                matches!(kind, Kind::Sampled(Drive::Cold | Drive::Warm) | Kind::Searched | Kind::Starved)
            }
            Work::Snapshots(..) | Work::Listing(..) | Work::View(..) => false,
        }
    }

    /// Whether it is measured by samples, each of a fresh process, so that those of other cases can come between.
    pub fn is_sampled(&self) -> bool {
        match self.work {
            Work::Sync(kind, _) => matches!(kind, sync::Kind::Sampled(_)),
            Work::Snapshots(kind, _) => matches!(kind, snapshots::Kind::Sampled(_)),
            Work::Listing(kind, _) => matches!(kind, listing::Kind::Sampled(_)),
            Work::View(..) => true,
        }
    }

    /// Whether how long it takes is of interest: not where everything happens by a virtual clock.
    fn is_timed(&self) -> bool {
        !matches!(self.work, Work::View(..))
    }

    /// Whether it is sampled on the small corpus instead of the run's own.
    fn is_on_small_corpus(&self) -> bool {
        matches!(self.work, Work::Sync(sync::Kind::Sampled(sync::Drive::Idle), _))
    }
}

/// Every strategy: its family, its name, and its choices in words.
pub fn strategies() -> Vec<(&'static str, &'static str, String)> {
    fn of<T: ToString>(
        family: &'static str,
        named: Vec<(&'static str, T)>,
    ) -> impl Iterator<Item = (&'static str, &'static str, String)> {
        named.into_iter().map(move |(name, strategy)| (family, name, strategy.to_string()))
    }
    of("sync", strategy::named())
        .chain(of("listing", engine::listing::strategy::named()))
        .chain(of("snapshots", engine::snapshots::strategy::named()))
        .chain(of("view", engine::view::strategy::named()))
        .collect()
}

/// The choices behind a name among the strategies of `sync`.
pub fn strategy(name: &str) -> Option<Strategy> {
    find(strategy::named(), name)
}

/// The choices behind a name.
pub(crate) fn find<T>(named: Vec<(&'static str, T)>, name: &str) -> Option<T> {
    named.into_iter().find(|(known, _)| *known == name).map(|(_, strategy)| strategy)
}

/// Every case, in the order of reports.
pub fn cases() -> Vec<CaseSpec> {
    let case = |scenario: &'static Scenario, name: &str| {
        let work = Work::of(scenario.kind, name);
        let work = work.expect("the table names strategies that exist, as a test checks");
        CaseSpec { name: format!("{}:{name}", scenario.name), scenario, work }
    };
    scenarios()
        .flat_map(|scenario| scenario.strategies.iter().map(move |name| case(scenario, name)))
        .collect()
}

/// The cases whose names match one of the patterns, as `matches` (pattern, name) says; a pattern without `:` means every
/// strategy.
///
/// # Errors
/// When a pattern matches nothing.
pub fn select(patterns: &[String], matches: impl Fn(&str, &str) -> bool) -> Result<Vec<CaseSpec>, Error> {
    let cases = cases();
    if patterns.is_empty() {
        return Ok(cases);
    }
    let mut chosen = vec![false; cases.len()];
    for pattern in patterns {
        let full = if pattern.contains(':') { pattern.clone() } else { format!("{pattern}:*") };
        let hits: Vec<usize> = (0..cases.len()).filter(|at| matches(&full, &cases[*at].name)).collect();
        if hits.is_empty() {
            return Err(Error::NoSuchCase(pattern.clone()));
        }
        hits.into_iter().for_each(|at| chosen[at] = true);
    }
    Ok(cases.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(case, _)| case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_of_the_table_exists() {
        assert!(cases().len() > 20);
    }

    #[test]
    fn patterns_choose_cases_in_the_order_of_the_table() {
        let names = |patterns: &[&str]| -> Vec<String> {
            let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            let prefix = |pattern: &str, name: &str| name.starts_with(pattern.trim_end_matches('*'));
            select(&patterns, prefix).unwrap().into_iter().map(|case| case.name).collect()
        };
        assert_eq!(names(&["sync/warm:b*", "sync/cold:bounded"]), ["sync/cold:bounded", "sync/warm:bounded"]);
        assert_eq!(names(&["sync/warm"]).len(), 2);
        assert_eq!(names(&[]).len(), cases().len());
        let error = select(&["sync/nothing".to_owned()], |_, _| false).unwrap_err();
        assert!(error.to_string().starts_with("no case is called sync/nothing;"));
    }
}
