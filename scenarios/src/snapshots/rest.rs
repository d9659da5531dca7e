//! A daemon that stays up, at rest or while little happens: what it takes from tick to tick.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use engine::snapshots::store::{Limits, Stats};
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::{Bench, Visited};
use super::{Account, Drive, Task, in_words};
use crate::subject::HOME;

/// The file in a sample's directory with the lines that a session gets: its first line is the session file's path.
pub(super) const SCRIPT: &str = "script";

/// Ticks before the first that counts: everything has been read and shown then, and what it took has been given back.
const WARM_UP_TICKS: usize = 6;

/// Ticks after the last that counts.
const LAST_TICKS: usize = 2;

/// Stays up for as many ticks as the task says.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let limits = Limits { sessions: usize::MAX, ..Limits::default() };
    let mut bench = match task.drive {
        Drive::Persistent => Bench::persistent(HOME, task.strategy, limits),
        _ => Bench::new(HOME, task.strategy, limits),
    };
    let mut script = Script::open()?;
    meter::phase("load");
    bench.ticks(WARM_UP_TICKS).map_err(in_words)?;
    meter::phase("stay");
    meter::seconds_per_tick(1.0);
    let before = bench.daemon.stats();
    if script.is_some() {
        meter::tick_at_work()
    } else {
        meter::tick()
    }
    for tick in 1..=task.ticks {
        if let Some(script) = script.as_mut().filter(|script| tick.is_multiple_of(script.every)) {
            script.write_next(&mut bench)?;
        }
        bench.tick().map_err(in_words)?;
        if script.is_some() { meter::tick_at_work() } else { meter::tick() }
    }
    set_work(&before, &bench.daemon.stats(), task.ticks);
    meter::phase("consume");
    // What came in at the last tick rests before it is read.
    bench.ticks(LAST_TICKS).map_err(in_words)?;
    bench.daemon.shut_down(bench.now);
    let Visited { digest, events, lost } = bench.visit()?;
    bench.check_complete()?;
    let rows = bench.daemon.rows().count();
    if lost > 0 || rows != bench.keys().len() {
        return Err(format!("{lost} sessions are lost, and {rows} of {} are shown", bench.keys().len()));
    }
    Ok(Account { digest: Some(digest), events, commands: Some(bench.commands), ..Account::default() })
}

/// Sets what the store did for each tick.
fn set_work(before: &Stats, after: &Stats, ticks: u32) {
    let set = |name, before: u64, after: u64| {
        meter::set(name, Unit::Count, Tier::Exact, (after - before) as f64 / f64::from(ticks));
    };
    set("scenario.events_cloned_per_tick", before.events_cloned, after.events_cloned);
    set("scenario.fetches_per_tick", before.fetches, after.fetches);
    set("scenario.lists_per_tick", before.lists, after.lists);
}

/// A session's lines to come. Nothing is allocated for the next one but the longest.
struct Script {
    lines: BufReader<File>,
    line: Vec<u8>,
    session: PathBuf,
    every: u32,
}

impl Script {
    /// The script of the sample, if it has one.
    fn open() -> Result<Option<Script>, String> {
        let Ok(file) = File::open(SCRIPT) else { return Ok(None) };
        let mut lines = BufReader::new(file);
        let mut head = String::new();
        lines.read_line(&mut head).map_err(|error| format!("failed to read {SCRIPT}: {error}"))?;
        let (every, session) = head.trim_end().split_once(' ').ok_or("the script has no head")?;
        let every = every.parse().map_err(|error| format!("{SCRIPT}: {every}: {error}"))?;
        let session = Path::new(HOME).join(session);
        Ok(Some(Script { lines, line: Vec::with_capacity(64 * 1024), session, every }))
    }

    /// Appends the next line to the session's file, as its tool would, at the daemon's time.
    fn write_next(&mut self, bench: &mut Bench) -> Result<(), String> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("the script is at its end".to_owned());
        }
        let time = UNIX_EPOCH + Duration::from_millis(bench.now.cast_unsigned());
        fs::OpenOptions::new()
            .append(true)
            .open(&self.session)
            .and_then(|mut file| file.write_all(&self.line).and_then(|()| file.set_modified(time)))
            .map_err(|error| format!("failed to write {}: {error}", self.session.display()))?;
        bench.notice(&self.session);
        Ok(())
    }
}
