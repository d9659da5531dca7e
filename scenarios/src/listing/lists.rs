//! Lists in a row: while nothing changes, and while a session goes on.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::listing::files::Root;
use engine::listing::row::Query;
use engine::listing::write;
use harness::meter;
use harness::record::{Tier, Unit};

use super::bench::{Bench, listed, rest};
use super::prepare::FEW_TICKS;
use super::{Account, Task, is_timed};
use crate::history::{self, History};
use crate::scratch::Scratch;
use crate::subject::HOME;

/// Rows of the list that the application asks for.
pub(super) const LIMIT: usize = 400;
/// Between two lists of an application that is looked at, ms.
const POLL_MS: u64 = 30_000;
/// Lists before the first that counts.
const WARM_UP: usize = 2;
/// Lists by which the slowest of a hundred is told.
const TIMED: usize = 500;

/// The file in a sample's directory with the lines that a session gets; its first line is the session's id and its file.
const SCRIPT: &str = "script";
/// Lines that another program appends between two lists.
const APPENDS: u32 = 5;

/// A list each 30 seconds, while nothing changes.
pub(super) fn warm(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(Path::new(HOME), &task.strategy)?;
    let query = Query::newest(LIMIT);
    meter::phase("first");
    for _ in 0..WARM_UP {
        bench.send(&query)?;
        bench.pass(POLL_MS);
    }
    meter::phase("stay");
    meter::seconds_per_tick(POLL_MS as f64 / 1_000.0);
    let before = bench.catalog.stats();
    meter::tick();
    for _ in 0..task.ticks {
        bench.send(&query)?;
        bench.pass(POLL_MS);
        meter::tick();
    }
    set_bodies(&bench, before.bodies, task.ticks);
    meter::phase("consume");
    let (page, _) = bench.send(&query)?;
    if is_timed() {
        set_slowest(&mut bench, &query, if task.ticks > FEW_TICKS { TIMED } else { WARM_UP })?;
    }
    let (digest, rows) = listed(&page)?.digest()?;
    Ok(Account { listed: Some(digest), rows, ..Account::default() })
}

fn set_bodies(bench: &Bench, before: u64, ticks: u32) {
    let per_list = (bench.catalog.stats().bodies - before) as f64 / f64::from(ticks);
    meter::set("scenario.bodies_per_list", Unit::Count, Tier::Exact, per_list);
}

/// Sets the time that all but one of a hundred lists stay under.
fn set_slowest(bench: &mut Bench, query: &Query, lists: usize) -> Result<(), String> {
    let mut times: Vec<Duration> = (0..lists)
        .map(|_| {
            bench.pass(POLL_MS);
            Ok(bench.send(query)?.1)
        })
        .collect::<Result<_, String>>()?;
    times.sort_unstable();
    let slow = times[(times.len() * 99 / 100).min(times.len() - 1)];
    meter::set("scenario.list_p99_seconds", Unit::Seconds, Tier::Noisy, slow.as_secs_f64());
    Ok(())
}

/// A list each second, while another program appends to a session, and the service notes something in it, too.
pub(super) fn writes(task: &Task) -> Result<Account, String> {
    let mut script = Script::open()?;
    let root = Root::new(Path::new(HOME));
    let mut bench = Bench::new(Path::new(HOME), &task.strategy)?;
    let query = Query::newest(LIMIT);
    rest();
    meter::phase("first");
    for _ in 0..WARM_UP {
        bench.send(&query)?;
        bench.pass(1_000);
    }
    meter::phase("stay");
    meter::seconds_per_tick(1.0);
    let before = bench.catalog.stats();
    meter::tick_at_work();
    for _ in 0..task.ticks {
        for _ in 0..APPENDS {
            script.append_next()?;
        }
        let meta = serde_json::json!({"type": "session-meta", "permissionMode": "default"});
        write::append(&root, &script.id, &meta).map_err(|error| error.to_string())?;
        bench.catalog.invalidate();
        bench.send(&query)?;
        bench.pass(1_000);
        meter::tick_at_work();
    }
    set_bodies(&bench, before.bodies, task.ticks);
    meter::phase("consume");
    // Upstream's pages stay for five seconds, and another program's appends do not end them.
    bench.pass(10_000);
    let (page, _) = bench.send(&query)?;
    let (digest, rows) = listed(&page)?.digest()?;
    Ok(Account { listed: Some(digest), rows, ..Account::default() })
}

/// Gives a sample its own copy of the oldest session's file, and the lines that it will get; the digest of the list then.
pub(super) fn write_script(history: &History, ticks: u32, scratch: &Scratch) -> Result<String, String> {
    let mut sessions = history.sessions.clone();
    let path = scratch.root.join(SCRIPT);
    let about = |error: std::io::Error| format!("failed to write {}: {error}", path.display());
    let active = sessions.first_mut().ok_or("a history without sessions has none that goes on")?;
    let file = scratch.home().join(&active.path);
    let bytes = fs::read(&file).map_err(about)?;
    fs::remove_file(&file).and_then(|()| fs::write(&file, bytes)).map_err(about)?;
    let mut script = BufWriter::new(fs::File::create(&path).map_err(about)?);
    writeln!(script, "{} {}", active.id, active.path).map_err(about)?;
    for _ in 0..ticks * APPENDS {
        script.write_all(history::next_lines(active).as_bytes()).map_err(about)?;
    }
    script.flush().map_err(about)?;
    let (active, others) = sessions.split_at(1);
    Ok(super::home::digest(active.iter().chain(others.iter().rev())))
}

/// A session's lines to come.
pub(super) struct Script {
    lines: BufReader<fs::File>,
    line: Vec<u8>,
    pub(super) id: String,
    file: PathBuf,
}

impl Script {
    pub(super) fn open() -> Result<Script, String> {
        let about = |error: std::io::Error| format!("failed to read {SCRIPT}: {error}");
        let mut lines = BufReader::new(fs::File::open(SCRIPT).map_err(about)?);
        let mut head = String::new();
        lines.read_line(&mut head).map_err(about)?;
        let (id, path) = head.trim_end().split_once(' ').ok_or("the script has no head")?;
        let (id, file) = (id.to_owned(), Path::new(HOME).join(path));
        Ok(Script { lines, line: Vec::with_capacity(64 * 1024), id, file })
    }

    /// Appends the next line, as the session's tool would.
    pub(super) fn append_next(&mut self) -> Result<(), String> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("the script is at its end".to_owned());
        }
        append(&self.file, &self.line)
    }
}

/// Appends to a file, as another program would.
pub(super) fn append(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let opened = fs::OpenOptions::new().append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| format!("failed to append to {}: {error}", file.display()))
}
