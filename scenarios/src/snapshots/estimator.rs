//! What the store takes itself for, beside what it holds, for events of several sizes.

use std::path::Path;

use engine::snapshots::store::Limits;
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::Bench;
use super::{Account, Task, in_words};
use crate::subject::HOME;

/// Characters of every event's text, and the metric of each size.
pub(super) const SIZES: [(usize, &str); 5] = [
    (20, "scenario.estimate_20_chars_ratio"),
    (100, "scenario.estimate_100_chars_ratio"),
    (400, "scenario.estimate_400_chars_ratio"),
    (1700, "scenario.estimate_1700_chars_ratio"),
    (4000, "scenario.estimate_4000_chars_ratio"),
];

/// Loads each history in turn.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let limits = Limits { bytes: u64::MAX, ..Limits::default() };
    let (mut digests, mut events, mut worst) = (Vec::new(), 0, 0.0_f64);
    for (chars, metric) in SIZES {
        let before = meter::live_bytes();
        let mut bench = Bench::new(Path::new(HOME).join(chars.to_string()), task.strategy, limits);
        bench.tick().map_err(in_words)?;
        if let (Some(before), Some(after)) = (before, meter::live_bytes()) {
            let ratio = bench.daemon.stats().estimated_bytes as f64 / (after - before) as f64;
            meter::set(metric, Unit::Ratio, Tier::Exact, ratio);
            worst = worst.max((ratio - 1.0).abs());
        }
        let visited = bench.visit()?;
        digests.push(visited.digest);
        events += visited.events;
        bench.check_complete()?;
    }
    if meter::live_bytes().is_some() {
        meter::set("scenario.estimate_error_ratio", Unit::Ratio, Tier::Exact, worst);
    }
    Ok(Account { digest: Some(digests.join(" ")), events, ..Account::default() })
}
