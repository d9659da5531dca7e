//! More sessions than the budget has room for: what the store holds, and what can still be had.

use engine::snapshots::store::Limits;
use engine::snapshots::strategy::Ingest;
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::{Bench, Visited};
use super::{Account, Task, in_words};
use crate::subject::HOME;

/// The budget: that of the real daemon when the bug was reported.
pub(super) const BUDGET_BYTES: u64 = 200 << 20;

/// Ticks for which the daemon stays up when everything has been read.
const TICKS: usize = 20;

/// Reads everything, stays up, and asks for every session.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(HOME, task.strategy, Limits { bytes: BUDGET_BYTES, ..Limits::default() });
    meter::phase("load");
    bench.tick().map_err(in_words)?;
    meter::phase("stay");
    bench.ticks(TICKS).map_err(in_words)?;
    bench.check_complete()?;
    let (stats, known) = (bench.daemon.stats(), bench.keys().len() as u64);
    let count = |value: u64| value as f64;
    meter::set("scenario.evictions", Unit::Count, Tier::Exact, count(stats.evictions()));
    meter::set("scenario.reclaimed_bytes", Unit::Bytes, Tier::Exact, count(stats.reclaimed_bytes));
    meter::set("scenario.estimated_bytes", Unit::Bytes, Tier::Exact, count(stats.estimated_bytes));
    if stats.sessions + stats.evictions() != known {
        return Err(format!(
            "{} sessions in memory and {} evictions are not the {known} sessions that were read",
            stats.sessions,
            stats.evictions()
        ));
    }
    meter::phase("consume");
    let Visited { digest, events, lost } = bench.visit()?;
    meter::set("scenario.sessions_lost", Unit::Count, Tier::Exact, count(lost));
    // What is lost has no digest; ours loses nothing.
    let digest = (lost == 0 || task.strategy.ingest == Ingest::Append).then_some(digest);
    Ok(Account { digest, events, ..Account::default() })
}
