//! Very many sessions: what a page far down costs beside the first one.

use std::path::Path;
use std::time::Duration;

use engine::listing::row::Query;
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::{Bench, listed};
use super::{Account, Task, is_timed};
use crate::subject::HOME;

/// Sessions.
pub(super) const SESSIONS: usize = 10_000;
/// Rows of a page, and those before the hundredth page.
pub(super) const LIMIT: usize = 100;
pub(super) const OFFSET: usize = 99 * LIMIT;
/// Lists of each page.
const LISTS: usize = 10;

/// Lists the first and the hundredth page, when both are known.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(Path::new(HOME), &task.strategy)?;
    let first = Query::newest(LIMIT);
    let hundredth = Query { offset: OFFSET, ..first.clone() };
    meter::phase("first");
    for query in [&first, &hundredth] {
        bench.make(query)?;
    }
    meter::phase("again");
    let before = bench.catalog.stats().bodies;
    let (mut near, mut far) = (Duration::MAX, Duration::MAX);
    for _ in 0..LISTS {
        for (query, shortest) in [(&first, &mut near), (&hundredth, &mut far)] {
            bench.pass(60_000);
            *shortest = bench.make(query)?.1.min(*shortest);
        }
    }
    let bodies = (bench.catalog.stats().bodies - before) as f64 / (2 * LISTS) as f64;
    meter::set("scenario.bodies_per_list", Unit::Count, Tier::Exact, bodies);
    if is_timed() {
        let ratio = far.as_secs_f64() / near.as_secs_f64();
        meter::set("scenario.page_time_ratio", Unit::Ratio, Tier::Noisy, ratio);
        meter::set("scenario.page_seconds", Unit::Seconds, Tier::Noisy, near.as_secs_f64());
    }
    let (page, _) = bench.make(&hundredth)?;
    let (digest, rows) = listed(&page)?.digest()?;
    Ok(Account { listed: Some(digest), rows, ..Account::default() })
}
