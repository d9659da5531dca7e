//! The scenarios and strategies that highwater measures: the only place where engine, corpus and harness meet.
//!
//! A [`Scenario`] is a row of [`SCENARIOS`]: a way to drive the engine, and the strategies it is driven with. A case is one of
//! both, written `family/scenario:strategy`. [`runner::run`] measures cases; each sample is a fresh process in which
//! [`subject::enter`] does the work. [`exec::run`] measures commands that know nothing of all this,
//! and [`artifact`] makes builds of an earlier commit to compare with.

mod answer;
pub mod artifact;
mod burn_in;
pub mod exec;
mod history;
pub mod lattice;
pub mod listing;
pub mod runner;
mod scratch;
pub mod selftest;
pub mod sites;
pub mod snapshots;
pub mod steady;
pub mod subject;
pub mod sync;
pub(crate) mod view;

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
}

/// Every scenario, in the order of reports.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "sync/cold",
        about: "everything is parsed, with an empty cache",
        strategies: &[
            "as-reported",
            "s1-chunked-ipc",
            "s2-eager-strip",
            "s3-workspace-cache",
            "s4-low-prefetch",
            "s5-temp-file",
            "s2-s4",
            "pr-121",
            "all-five",
            "bounded",
        ],
        kind: Kind::Sync(sync::Kind::Sampled(sync::Drive::Cold)),
    },
    Scenario {
        name: "sync/warm",
        about: "nothing has changed since the cache was written; then the same once more in the same process",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Sampled(sync::Drive::Warm)),
    },
    Scenario {
        name: "sync/incremental",
        about: "three workspaces have one session more than the cache knows",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Sampled(sync::Drive::Incremental)),
    },
    Scenario {
        name: "sync/migrate",
        about: "the cache is the old single file; afterwards the cache's version changes and everything is read anew",
        strategies: &["bounded"],
        kind: Kind::Sync(sync::Kind::Sampled(sync::Drive::Migrate)),
    },
    Scenario {
        name: "sync/survive",
        about: "the least heap, of worker and host alike, with which a cold parse comes through",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Searched),
    },
    Scenario {
        name: "sync/stale",
        about: "the seven defects of the reported engine, each looked for on a small corpus that changes",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Checked),
    },
    Scenario {
        name: "sync/degrade",
        about: "the worker's heap is too small: what the user is told, and what is kept",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Starved),
    },
    Scenario {
        name: "sync/law",
        about: "a cold parse at five sizes over a 32-fold range of steady sessions: how the peak grows",
        strategies: &["as-reported", "all-five", "bounded"],
        kind: Kind::Sync(sync::Kind::Swept),
    },
    Scenario {
        name: "sync/idle",
        about: "a host that stays up: synced every minute of a day, in virtual time, with a small change every hour",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Sampled(sync::Drive::Idle)),
    },
    Scenario {
        name: "sync/metamorphic",
        about: "a small history in other orders, directories and names, which must not move the peak",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(sync::Kind::Transformed),
    },
    Scenario {
        name: "listing/cold",
        about: "one list of 140 sessions of 1,200 lines, of a service that has just started",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Cold)),
    },
    Scenario {
        name: "listing/warm",
        about: "the list again each thirty seconds, while nothing changes",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Warm)),
    },
    Scenario {
        name: "listing/writes",
        about: "a list each second, while a program appends to one session and the service to it, too",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Writes)),
    },
    Scenario {
        name: "listing/stale",
        about: "every way by which a list could say what is no longer so",
        strategies: &["as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Once(listing::Drive::Stale)),
    },
    Scenario {
        name: "listing/pile-up",
        about: "twenty clients that come back while the service still works for them: a hundred times as fast as in life",
        strategies: &["as-reported", "as-proposed", "bounded"],
        kind: Kind::Listing(listing::Kind::Once(listing::Drive::PileUp)),
    },
    Scenario {
        name: "listing/churn",
        about: "ten thousand sessions come and go: what is held of them afterwards",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Churn)),
    },
    Scenario {
        name: "listing/orphans",
        about: "sessions that were only touched, by each container",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Orphans)),
    },
    Scenario {
        name: "listing/crowd",
        about: "more sessions in use than may be kept idle",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Crowd)),
    },
    Scenario {
        name: "listing/tombstones",
        about: "ten thousand sessions are deleted, and nothing else for a day",
        strategies: &["as-reported", "fix-3-tombstones", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Tombstones)),
    },
    Scenario {
        name: "listing/race",
        about: "sessions are started while they are deleted: a control, which no strategy fails",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Listing(listing::Kind::Once(listing::Drive::Race)),
    },
    Scenario {
        name: "listing/supervised",
        about: "the service dies, stops, spins, flaps, or is busy, with real processes",
        strategies: &["as-proposed", "bounded"],
        kind: Kind::Listing(listing::Kind::Once(listing::Drive::Supervised)),
    },
    Scenario {
        name: "listing/tree",
        about: "the service is ended with what it has started: in its group, in another, in another session",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Once(listing::Drive::Tree)),
    },
    Scenario {
        name: "listing/messages",
        about: "a session's process says forty messages of 5 MB, then ten thousand small ones",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Messages)),
    },
    Scenario {
        name: "listing/soak",
        about: "lists, turns, visitors and a deletion each minute, in virtual time",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Soak)),
    },
    Scenario {
        name: "listing/scale",
        about: "the first and the hundredth page of 10,000 sessions",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::Listing(listing::Kind::Sampled(listing::Drive::Scale)),
    },
    Scenario {
        name: "snapshots/idle",
        about: "a daemon over 53 sessions stays up for ten minutes in which nothing happens",
        strategies: &[
            "as-reported",
            "fix-1-snippet",
            "fix-2a-get-known",
            "fix-2b-metadata",
            "fix-3-estimator",
            "fix-2a-2b",
            "as-landed",
            "bounded",
        ],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Idle)),
    },
    Scenario {
        name: "snapshots/active",
        about: "the same, while one session gets an event every five seconds",
        strategies: &["as-reported", "as-landed", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Active)),
    },
    Scenario {
        name: "snapshots/persistent",
        about: "the same at rest, by the path of a daemon that keeps on disk which commands it has run",
        strategies: &["as-reported", "as-landed", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Persistent)),
    },
    Scenario {
        name: "snapshots/day",
        about: "a day at rest, in virtual time",
        strategies: &["bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Day)),
    },
    Scenario {
        name: "snapshots/estimator",
        about: "what the store takes itself for beside what it holds, for texts of 20 to 4,000 characters",
        strategies: &["as-reported", "fix-3-estimator", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Estimator)),
    },
    Scenario {
        name: "snapshots/budget",
        about: "half as much again comes in as the budget of 200 MiB has room for",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Budget)),
    },
    Scenario {
        name: "snapshots/oversize",
        about: "one session is larger than the budget of all",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Oversize)),
    },
    Scenario {
        name: "snapshots/touch",
        about: "sessions are evicted, and then their files change",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Touch)),
    },
    Scenario {
        name: "snapshots/limits",
        about: "more sessions and more events of one than are kept",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Limits)),
    },
    Scenario {
        name: "snapshots/snippet",
        about: "awkward first messages, and the lines by which their sessions are shown",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Snippet)),
    },
    Scenario {
        name: "snapshots/replay",
        about: "files are read a hundred times, written anew, torn and completed",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Replay)),
    },
    Scenario {
        name: "snapshots/isolation",
        about: "what the daemon gave is changed: a control, which no strategy fails",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Isolation)),
    },
    Scenario {
        name: "snapshots/growth",
        about: "one session grows from nothing, event by event",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Growth)),
    },
    Scenario {
        name: "snapshots/sessions-law",
        about: "one active session among 53 to 5,300: what a tick costs",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Swept(snapshots::Drive::AmongSessions)),
    },
    Scenario {
        name: "snapshots/events-law",
        about: "one active session among ten of 29 to 2,973 events each: what a tick costs",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(snapshots::Kind::Swept(snapshots::Drive::AmongEvents)),
    },
];

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
            Work::Snapshots(..) | Work::Listing(..) => false,
        }
    }

    /// Whether it is measured by samples, each of a fresh process, so that those of other cases can come between.
    pub fn is_sampled(&self) -> bool {
        match self.work {
            Work::Sync(kind, _) => matches!(kind, sync::Kind::Sampled(_)),
            Work::Snapshots(kind, _) => matches!(kind, snapshots::Kind::Sampled(_)),
            Work::Listing(kind, _) => matches!(kind, listing::Kind::Sampled(_)),
        }
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
    SCENARIOS
        .iter()
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
