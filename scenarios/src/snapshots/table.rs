//! The scenarios of `snapshots`.

use super::{Drive, Kind as Own};
use crate::{Kind, Scenario};

/// Its scenarios, in the order of reports.
pub(crate) const SCENARIOS: &[Scenario] = &[
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
        kind: Kind::Snapshots(Own::Sampled(Drive::Idle)),
    },
    Scenario {
        name: "snapshots/active",
        about: "the same, while one session gets an event every five seconds",
        strategies: &["as-reported", "as-landed", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Active)),
    },
    Scenario {
        name: "snapshots/persistent",
        about: "the same at rest, by the path of a daemon that keeps on disk which commands it has run",
        strategies: &["as-reported", "as-landed", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Persistent)),
    },
    Scenario {
        name: "snapshots/day",
        about: "a day at rest, in virtual time",
        strategies: &["bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Day)),
    },
    Scenario {
        name: "snapshots/estimator",
        about: "what the store takes itself for beside what it holds, for texts of 20 to 4,000 characters",
        strategies: &["as-reported", "fix-3-estimator", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Estimator)),
    },
    Scenario {
        name: "snapshots/budget",
        about: "half as much again comes in as the budget of 200 MiB has room for",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Budget)),
    },
    Scenario {
        name: "snapshots/oversize",
        about: "one session is larger than the budget of all",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Oversize)),
    },
    Scenario {
        name: "snapshots/touch",
        about: "sessions are evicted, and then their files change",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Touch)),
    },
    Scenario {
        name: "snapshots/limits",
        about: "more sessions and more events of one than are kept",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Limits)),
    },
    Scenario {
        name: "snapshots/snippet",
        about: "awkward first messages, and the lines by which their sessions are shown",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Snippet)),
    },
    Scenario {
        name: "snapshots/replay",
        about: "files are read a hundred times, written anew, torn and completed",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Replay)),
    },
    Scenario {
        name: "snapshots/isolation",
        about: "what the daemon gave is changed: a control, which no strategy fails",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Isolation)),
    },
    Scenario {
        name: "snapshots/growth",
        about: "one session grows from nothing, event by event",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Sampled(Drive::Growth)),
    },
    Scenario {
        name: "snapshots/sessions-law",
        about: "one active session among 53 to 5,300: what a tick costs",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Swept(Drive::AmongSessions)),
    },
    Scenario {
        name: "snapshots/events-law",
        about: "one active session among ten of 29 to 2,973 events each: what a tick costs",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Snapshots(Own::Swept(Drive::AmongEvents)),
    },
];
