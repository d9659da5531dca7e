//! The scenarios of `sync`.

use super::{Drive, Kind as Own};
use crate::{Kind, Scenario};

/// Its scenarios, in the order of reports.
pub(crate) const SCENARIOS: &[Scenario] = &[
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
        kind: Kind::Sync(Own::Sampled(Drive::Cold)),
    },
    Scenario {
        name: "sync/warm",
        about: "nothing has changed since the cache was written; then the same once more in the same process",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Sampled(Drive::Warm)),
    },
    Scenario {
        name: "sync/incremental",
        about: "three workspaces have one session more than the cache knows",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Sampled(Drive::Incremental)),
    },
    Scenario {
        name: "sync/migrate",
        about: "the cache is the old single file; afterwards the cache's version changes and everything is read anew",
        strategies: &["bounded"],
        kind: Kind::Sync(Own::Sampled(Drive::Migrate)),
    },
    Scenario {
        name: "sync/survive",
        about: "the least heap, of worker and host alike, with which a cold parse comes through",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Searched),
    },
    Scenario {
        name: "sync/stale",
        about: "the seven defects of the reported engine, each looked for on a small corpus that changes",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Checked),
    },
    Scenario {
        name: "sync/degrade",
        about: "the worker's heap is too small: what the user is told, and what is kept",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Starved),
    },
    Scenario {
        name: "sync/law",
        about: "a cold parse at five sizes over a 32-fold range of steady sessions: how the peak grows",
        strategies: &["as-reported", "all-five", "bounded"],
        kind: Kind::Sync(Own::Swept),
    },
    Scenario {
        name: "sync/idle",
        about: "a host that stays up: synced every minute of a day, in virtual time, with a small change every hour",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Sampled(Drive::Idle)),
    },
    Scenario {
        name: "sync/metamorphic",
        about: "a small history in other orders, directories and names, which must not move the peak",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Sync(Own::Transformed),
    },
];
