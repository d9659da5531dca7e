//! How the engine's `sync` family is driven.

pub(crate) mod degrade;
pub(crate) mod idle;
pub(crate) mod incremental;
pub(crate) mod law;
pub(crate) mod metamorphic;
pub(crate) mod sampled;
pub(crate) mod stale;
pub(crate) mod survive;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::path::Path;

use engine::session::hex;
use engine::sync::cache::fragment;
use engine::sync::cache::monolith::{self, Meta};
use engine::sync::protocol::Piece;
use engine::sync::strategy::{AS_REPORTED, End, Strategy};
use engine::sync::{Event, Host, Library};
use harness::meter;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Pass};
use crate::runner::{CaseRun, Runner};
use crate::subject::{CACHE, HOME, heap_death, worker_command};

/// How the cases of a scenario are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By samples of each instrument.
    Sampled(Drive),
    /// By a search for the least heap with which the work is done.
    Searched,
    /// By one run with too small a heap.
    Starved,
    /// By a series of checks on a small corpus that changes.
    Checked,
    /// By samples of each instrument on corpora of several sizes.
    Swept,
    /// By variants of a small corpus that should take the same.
    Transformed,
}

/// Measures a case that takes its samples in a way of its own.
///
/// # Errors
/// Says what failed.
pub(crate) fn measure(
    kind: Kind,
    strategy: Strategy,
    runner: &mut Runner<'_>,
    case: &mut CaseRun,
) -> Result<(), String> {
    match kind {
        Kind::Sampled(_) => Err("its samples are taken with those of other cases".to_owned()),
        Kind::Searched => survive::measure(runner, strategy, case),
        Kind::Starved => degrade::measure(runner, strategy, case),
        Kind::Checked => stale::measure(runner, strategy, case),
        Kind::Swept => law::measure(runner, strategy, case),
        Kind::Transformed => metamorphic::measure(runner, strategy, case),
    }
}

/// What a subject does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// How the engine is driven.
    pub drive: Drive,
    /// With which choices.
    pub strategy: Strategy,
    /// Limit of the workers' heap; the first attempt's.
    pub worker_heap_bytes: Option<u64>,
    /// Attempts at most, when fewer than the strategy's.
    pub attempts: Option<u32>,
}

/// What a subject does with its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drive {
    /// Brings it up to date once, with whatever cache there is.
    Cold,
    /// Twice: from the cache on disk, then from memory.
    Warm,
    /// Once, after something has changed.
    Incremental,
    /// Twice: from an older cache, then with a cache whose version is another one.
    Migrate,
    /// Again and again over a day, while hardly anything changes.
    Idle,
}

impl Drive {
    /// The strategy as this drive runs it. The reported engine loses its cache to a race, so that chance would say how much a
    /// host that stays up reads anew.
    pub(crate) fn settled(self, strategy: Strategy) -> Strategy {
        if self == Drive::Idle { Strategy { end: End::Wait, ..strategy } } else { strategy }
    }

    /// The strategy with which the cache is made before the measured run; none when that begins with an empty one.
    pub(crate) fn primed_by(self, strategy: Strategy) -> Option<Strategy> {
        match self {
            Drive::Cold | Drive::Idle => None,
            // The reported engine loses its cache to a race; a test of what it does with one must have one.
            Drive::Warm | Drive::Incremental => Some(Strategy { end: End::Wait, ..strategy }),
            Drive::Migrate => Some(Strategy { end: End::Wait, ..AS_REPORTED }),
        }
    }
}

/// Drives the engine as a task says.
///
/// # Errors
/// Says what failed, other than workers: what became of those is in the answer.
pub(crate) fn drive(task: &Task) -> Result<Answer, String> {
    let mut command = |attempt| worker_command(task, attempt);
    let mut observe = |event: Event<'_>| {
        if let Event::Phase(name) = event {
            meter::phase(name);
        }
    };
    let mut host =
        Host::new(Path::new(HOME), Path::new(CACHE), task.strategy, &mut command, &heap_death, &mut observe);
    if let Some(attempts) = task.attempts {
        host.attempts = attempts;
    }
    let mut answer = Answer::default();
    let changing = (task.drive == Drive::Idle).then(idle::Changing::read).transpose()?;
    answer.passes.push(pass(&mut host)?);
    match task.drive {
        Drive::Cold | Drive::Incremental => {}
        Drive::Idle => {
            if let Some(changing) = changing {
                answer.passes.push(idle::stay(&mut host, changing)?);
            }
        }
        Drive::Warm => answer.passes.push(pass(&mut host)?),
        Drive::Migrate => {
            change_version(Path::new(CACHE))
                .map_err(|error| format!("failed to change the cache's version: {error}"))?;
            drop(host);
            let mut host = Host::new(
                Path::new(HOME),
                Path::new(CACHE),
                task.strategy,
                &mut command,
                &heap_death,
                &mut observe,
            );
            answer.passes.push(pass(&mut host)?);
        }
    }
    Ok(answer)
}

fn pass(host: &mut Host<'_>) -> Result<Pass, String> {
    let outcome = host.sync().map_err(|error| format!("failed to use the cache folder {CACHE}: {error}"))?;
    meter::phase("consume");
    let mut pass = Pass::of(&outcome);
    if let Some(library) = host.library() {
        consume(library, &mut pass)?;
    }
    Ok(pass)
}

/// Visits everything once, as every user of the engine does: sums by workspace, day and model, and the digest; then asks for one
/// session by its id.
fn consume(library: &Library, pass: &mut Pass) -> Result<(), String> {
    let mut sums = Sums::default();
    let visit = |piece: Piece<'_>| {
        if matches!(piece, Piece::Session(..)) {
            meter::item();
        }
        sums.add(piece);
    };
    let tally = library.visit(visit).map_err(|error| error.to_string())?;
    if let Some((id, requests)) = sums.first {
        let fetched = library.fetch(&id).map_err(|error| error.to_string())?;
        if fetched.is_none_or(|session| session.requests.len() as u64 != requests) {
            return Err(format!("session {id} is not what it was when it was visited"));
        }
    }
    pass.digest = hex(&tally.digest());
    (pass.sessions, pass.requests) = (tally.sessions, tally.requests);
    pass.tokens = sums.by_workspace.values().fold(0, |sum, tokens| sum.saturating_add(*tokens));
    pass.groups = [sums.by_workspace.len() as u64, sums.by_day.len() as u64, sums.by_model.len() as u64];
    Ok(())
}

/// Tokens by workspace, day and model.
#[derive(Default)]
struct Sums {
    /// Id of the first session, and its requests.
    first: Option<(Box<str>, u64)>,
    /// The workspace of the session that is visited.
    workspace: Box<str>,
    by_workspace: BTreeMap<Box<str>, u64>,
    by_day: BTreeMap<i64, u64>,
    by_model: BTreeMap<Box<str>, u64>,
}

impl Sums {
    fn add(&mut self, piece: Piece<'_>) {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        match piece {
            Piece::Session(head, requests) => {
                self.first.get_or_insert_with(|| (head.id.clone(), requests));
                if self.workspace != head.workspace {
                    self.workspace.clone_from(&head.workspace);
                }
                add_to(&mut self.by_workspace, &head.workspace, 0);
            }
            Piece::Request(request) => {
                let tokens = request.prompt_tokens.saturating_add(request.completion_tokens);
                add(self.by_day.entry(request.timestamp.div_euclid(DAY_MS)).or_default(), tokens);
                add_to(&mut self.by_model, &request.model, tokens);
                add_to(&mut self.by_workspace, &self.workspace, tokens);
            }
            Piece::Edits(_) => {}
        }
    }
}

fn add_to(sums: &mut BTreeMap<Box<str>, u64>, name: &str, more: u64) {
    match sums.get_mut(name) {
        Some(sum) => add(sum, more),
        None => drop(sums.insert(name.into(), more)),
    }
}

/// Counts may be as large as a damaged file says.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

/// Turns the version of every file of a cache into another one, as an older program would have written it.
fn change_version(cache: &Path) -> Result<(), String> {
    if let Some(meta) = monolith::meta(cache) {
        let older = Meta { version: monolith::VERSION - 1, ..meta };
        let bytes = serde_json::to_vec(&older).map_err(|error| error.to_string())?;
        std::fs::write(cache.join(monolith::META), bytes).map_err(|error| error.to_string())?;
    }
    let Ok(entries) = std::fs::read_dir(fragment::directory(cache)) else { return Ok(()) };
    for entry in entries.flatten() {
        fragment::set_version(&entry.path(), fragment::VERSION - 1).map_err(|error| error.to_string())?;
    }
    Ok(())
}
