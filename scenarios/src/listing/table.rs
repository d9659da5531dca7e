//! The scenarios of `listing`.

use super::{Drive, Kind as Own};
use crate::{Kind, Scenario};

/// Its scenarios, in the order of reports.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "listing/cold",
        about: "one list of 140 sessions of 1,200 lines, of a service that has just started",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Cold)),
    },
    Scenario {
        name: "listing/warm",
        about: "the list again each thirty seconds, while nothing changes",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Warm)),
    },
    Scenario {
        name: "listing/writes",
        about: "a list each second, while a program appends to one session and the service to it, too",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Writes)),
    },
    Scenario {
        name: "listing/stale",
        about: "every way by which a list could say what is no longer so",
        strategies: &["as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Once(Drive::Stale)),
    },
    Scenario {
        name: "listing/pile-up",
        about: "twenty clients that come back while the service still works for them: a hundred times as fast as in life",
        strategies: &["as-reported", "as-proposed", "bounded"],
        kind: Kind::Listing(Own::Once(Drive::PileUp)),
    },
    Scenario {
        name: "listing/churn",
        about: "ten thousand sessions come and go: what is held of them afterwards",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Churn)),
    },
    Scenario {
        name: "listing/orphans",
        about: "sessions that were only touched, by each container",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Orphans)),
    },
    Scenario {
        name: "listing/crowd",
        about: "more sessions in use than may be kept idle",
        strategies: &["as-reported", "fix-2-eviction", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Crowd)),
    },
    Scenario {
        name: "listing/tombstones",
        about: "ten thousand sessions are deleted, and nothing else for a day",
        strategies: &["as-reported", "fix-3-tombstones", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Tombstones)),
    },
    Scenario {
        name: "listing/race",
        about: "sessions are started while they are deleted: a control, which no strategy fails",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Listing(Own::Once(Drive::Race)),
    },
    Scenario {
        name: "listing/supervised",
        about: "the service dies, stops, spins, flaps, or is busy, with real processes",
        strategies: &["as-proposed", "bounded"],
        kind: Kind::Listing(Own::Once(Drive::Supervised)),
    },
    Scenario {
        name: "listing/tree",
        about: "the service is ended with what it has started: in its group, in another, in another session",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Once(Drive::Tree)),
    },
    Scenario {
        name: "listing/messages",
        about: "a session's process says forty messages of 5 MB, then ten thousand small ones",
        strategies: &["as-reported", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Messages)),
    },
    Scenario {
        name: "listing/soak",
        about: "lists, turns, visitors and a deletion each minute, in virtual time",
        strategies: &["as-reported", "as-proposed", "upstream", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Soak)),
    },
    Scenario {
        name: "listing/scale",
        about: "the first and the hundredth page of 10,000 sessions",
        strategies: &["as-reported", "upstream", "bounded"],
        kind: Kind::Listing(Own::Sampled(Drive::Scale)),
    },
];
