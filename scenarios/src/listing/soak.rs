//! A service that stays up: lists, turns, sessions that come and go, and a deletion now and then.

use std::path::Path;

use engine::listing::files::Root;
use engine::listing::live::{Act, Live, Sid};
use engine::listing::row::Query;
use engine::listing::tombstones::Tombstones;
use engine::listing::write;
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::{Bench, rest};
use super::live::{come_and_go, turn};
use super::{Account, Task, lists};
use crate::subject::HOME;

/// Sessions that are looked at all the time.
const SESSIONS: u64 = 10;
/// Sessions that come and go in a minute.
const VISITORS: u64 = 10;
const MINUTE_MS: u64 = 60_000;
/// Minutes before the first that counts: longer than any grace but that of a question, which none of the first visitors has.
const WARM_UP: u32 = 3;

/// What stays up.
struct Running {
    bench: Bench,
    live: Live,
    tombstones: Tombstones,
    root: Root,
    visitors: u64,
    deleted: u32,
}

/// Lets as many minutes pass as the task says.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let home = Path::new(HOME);
    let mut running = Running {
        bench: Bench::new(home, &task.strategy)?,
        live: Live::new(&task.strategy),
        tombstones: Tombstones::new(task.strategy.tombstones),
        root: Root::new(home),
        visitors: SESSIONS,
        deleted: 0,
    };
    for number in 0..SESSIONS {
        running.live.act(&session(number), Act::Connect(number), 0);
    }
    rest();
    meter::phase("start");
    for _ in 0..WARM_UP {
        running.minute()?;
    }
    meter::phase("stay");
    meter::seconds_per_tick(MINUTE_MS as f64 / 1_000.0);
    let mut live: Vec<f64> = Vec::with_capacity(task.ticks as usize);
    let mut before = meter::live_bytes();
    meter::tick();
    for _ in 0..task.ticks {
        running.minute()?;
        meter::tick();
        let after = meter::live_bytes();
        live.extend(before.zip(after).map(|(before, after)| after as f64 - before as f64));
        before = after;
    }
    // A table that doubles is no growth of a tick.
    if let Some(kept) = harness::combine::median(&live) {
        meter::set("scenario.kept_bytes_per_tick", Unit::Bytes, Tier::Exact, kept);
    }
    meter::phase("end");
    for number in 0..SESSIONS {
        if !running.live.holds(&session(number)) {
            return Err(format!("session {number} is in use, and its state was dropped"));
        }
    }
    Ok(Account::default())
}

fn session(number: u64) -> Sid {
    format!("session-{number}").into()
}

impl Running {
    fn minute(&mut self) -> Result<(), String> {
        let query = Query::newest(lists::LIMIT);
        for _ in 0..2 {
            self.bench.send(&query)?;
            self.bench.pass(MINUTE_MS / 2);
        }
        let now = self.bench.now_ms;
        for number in 0..SESSIONS {
            turn(&mut self.live, &session(number), 0, now);
        }
        for _ in 0..VISITORS {
            // None of them asks anything: their numbers are odd, or even and no multiple of fifty.
            self.visitors += if (self.visitors + 1).is_multiple_of(50) { 2 } else { 1 };
            come_and_go(&mut self.live, self.visitors, now);
        }
        self.delete_one(now)?;
        self.live.tick(now);
        self.tombstones.sweep(now);
        Ok(())
    }

    /// A session is made and deleted again.
    fn delete_one(&mut self, now: u64) -> Result<(), String> {
        self.deleted += 1;
        let id = format!("short-{}", self.deleted);
        let time = "2026-01-05T12:00:00.000Z";
        write::create(&self.root, &id, "/home/dev/project", time).map_err(|error| error.to_string())?;
        self.bench.catalog.invalidate();
        self.tombstones.mark(&id, now);
        write::delete(&self.root, &id).map_err(|error| error.to_string())?;
        self.tombstones.settle(&id, true);
        self.bench.catalog.invalidate();
        Ok(())
    }
}
