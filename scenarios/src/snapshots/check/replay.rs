//! Files that are read again, that were written anew, or that end in the middle of a line.

use engine::snapshots::Strategy;
use engine::snapshots::store::Limits;

use super::super::bench::Bench;
use super::super::in_words;
use super::edit::{self, Edited};
use super::{Check, unless_equal};
use crate::history::{Digester, Provider, Written};

pub(super) const REPLAY: &[Check] = &[
    Check {
        name: "1: a Codex file that is read a hundred times gives more events each time",
        find: |strategy| replayed(Provider::Codex, strategy),
    },
    Check {
        name: "2: a Claude file that is read a hundred times gives more events each time",
        find: |strategy| replayed(Provider::Claude, strategy),
    },
    Check {
        name: "3: a Gemini file that is read a hundred times gives more events each time",
        find: |strategy| replayed(Provider::Gemini, strategy),
    },
    Check { name: "4: a Gemini file that goes on is wrong", find: gemini_goes_on },
    Check { name: "5: a file that was written anew is not read anew", find: rewritten },
    Check { name: "6: a file that was truncated is not", find: truncated },
    Check { name: "7: a torn last line is taken, or lost when it is completed", find: torn },
];

/// Events of a session.
const EVENTS: usize = 50;
/// Times that a file is read.
const READINGS: usize = 100;

fn load(provider: Provider, strategy: Strategy) -> Result<(Edited, Bench), String> {
    let home = std::path::Path::new("home/replay");
    let _ = std::fs::remove_dir_all(home);
    let file = edit::one_session(home, provider, EVENTS, 5)?;
    let mut bench = Bench::new(home, strategy, Limits::default());
    bench.settle().map_err(in_words)?;
    Ok((file, bench))
}

/// How what the daemon has of the one session differs from what was written.
fn difference(bench: &mut Bench, written: &Written) -> Result<Option<String>, String> {
    let key = super::key_of(bench, &written.id)?;
    let snapshot = bench.fetch(&key)?.ok_or("the session is lost")?;
    let count = unless_equal("events", snapshot.events.len(), written.events.len());
    if count.is_some() {
        return Ok(count);
    }
    let (mut found, mut wanted) = (Digester::default(), Digester::default());
    snapshot.events.iter().for_each(|event| found.event(event.kind(), event.text()));
    written.events.iter().for_each(|said| wanted.said(said));
    Ok((found.finish() != wanted.finish()).then(|| "as many events, but others".to_owned()))
}

fn edited(file: &mut Edited, bench: &mut Bench, edit: edit::Edit) -> Result<(), String> {
    for path in edit(file, bench.now)? {
        bench.notice(&path);
    }
    bench.settle().map_err(in_words)
}

fn replayed(provider: Provider, strategy: Strategy) -> Result<Option<String>, String> {
    let (file, mut bench) = load(provider, strategy)?;
    let key = super::key_of(&bench, &file.written.id)?;
    for _ in 1..READINGS {
        bench.daemon.forget_position(&key, bench.now);
        bench.tick().map_err(in_words)?;
    }
    difference(&mut bench, &file.written)
}

fn gemini_goes_on(strategy: Strategy) -> Result<Option<String>, String> {
    let (mut file, mut bench) = load(Provider::Gemini, strategy)?;
    for _ in 0..5 {
        edited(&mut file, &mut bench, edit::append)?;
    }
    difference(&mut bench, &file.written)
}

fn rewritten(strategy: Strategy) -> Result<Option<String>, String> {
    for provider in [Provider::Claude, Provider::Codex, Provider::Gemini] {
        let (mut file, mut bench) = load(provider, strategy)?;
        edited(&mut file, &mut bench, edit::rewrite)?;
        if let Some(difference) = difference(&mut bench, &file.written)? {
            return Ok(Some(format!("{provider:?}: {difference}")));
        }
    }
    Ok(None)
}

fn truncated(strategy: Strategy) -> Result<Option<String>, String> {
    for provider in [Provider::Claude, Provider::Codex, Provider::Gemini] {
        let (mut file, mut bench) = load(provider, strategy)?;
        edited(&mut file, &mut bench, edit::truncate)?;
        // What is left is what another daemon reads that has seen nothing before.
        let mut other = Bench::new("home/replay", strategy, Limits::default());
        other.settle().map_err(in_words)?;
        let key = super::key_of(&bench, &file.written.id)?;
        let (found, wanted) = (super::events_of(&mut bench, &key)?, super::events_of(&mut other, &key)?);
        if let Some(difference) = unless_equal("events", found, wanted) {
            return Ok(Some(format!("{provider:?}: {difference}")));
        }
    }
    Ok(None)
}

/// Half of a line is there, then all of it, then another one.
fn torn(strategy: Strategy) -> Result<Option<String>, String> {
    for provider in [Provider::Claude, Provider::Codex] {
        let (mut file, mut bench) = load(provider, strategy)?;
        let before = std::fs::read(file.path()).map_err(|error| error.to_string())?;
        edited(&mut file, &mut bench, edit::append)?;
        let whole = std::fs::read(file.path()).map_err(|error| error.to_string())?;
        let (mut other_file, mut other) = load(provider, strategy)?;
        let half = before.len() + (whole.len() - before.len()) / 2;
        edited_bytes(&other_file, &mut other, &whole[..half])?;
        if let Some(difference) = difference(&mut other, &other_file.written)? {
            return Ok(Some(format!("{provider:?}, torn: {difference}")));
        }
        edited_bytes(&other_file, &mut other, &whole)?;
        other_file.written = file.written;
        edited(&mut other_file, &mut other, edit::append)?;
        if let Some(difference) = difference(&mut other, &other_file.written)? {
            return Ok(Some(format!("{provider:?}, completed: {difference}")));
        }
    }
    Ok(None)
}

fn edited_bytes(file: &Edited, bench: &mut Bench, bytes: &[u8]) -> Result<(), String> {
    for path in file.put(bytes, bench.now)? {
        bench.notice(&path);
    }
    bench.settle().map_err(in_words)
}
