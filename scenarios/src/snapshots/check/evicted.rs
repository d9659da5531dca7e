//! A session that was evicted, and whose file then changes, beside one that was never evicted.

use std::path::Path;

use engine::snapshots::Strategy;
use engine::snapshots::event::Event;
use engine::snapshots::store::Limits;

use super::super::bench::Bench;
use super::super::in_words;
use super::Check;
use super::edit::{self, Edit, Edited};
use crate::history::{self, Provider, Shape, Texts};

pub(super) const TOUCH: &[Check] = &[
    Check {
        name: "1: an event is appended, and the rest is lost",
        find: |strategy| after(&[edit::append], strategy),
    },
    Check {
        name: "2: the same twice, the second while it is asked for by nobody",
        find: |strategy| after(&[edit::append, edit::append], strategy),
    },
    Check { name: "3: its file is renamed", find: |strategy| after(&[edit::rename], strategy) },
    Check {
        name: "4: its file is renamed and goes on",
        find: |strategy| after(&[edit::rename, edit::append], strategy),
    },
    Check { name: "5: its file is truncated", find: |strategy| after(&[edit::truncate], strategy) },
    Check { name: "6: its file is written anew", find: |strategy| after(&[edit::rewrite], strategy) },
    Check { name: "7: its file is deleted", find: |strategy| after(&[edit::delete], strategy) },
    Check { name: "8: nothing happens to it", find: |strategy| after(&[], strategy) },
];

/// Events of the session.
const EVENTS: usize = 40;

/// Makes edits to a session of each tool, once evicted and once never, and compares the two event for event.
fn after(edits: &[Edit], strategy: Strategy) -> Result<Option<String>, String> {
    for provider in [Provider::Claude, Provider::Codex, Provider::Gemini] {
        let kept = events_after(edits, strategy, provider, Limits::default())?;
        let evicted = events_after(edits, strategy, provider, Limits { sessions: 2, ..Limits::default() })?;
        if kept != evicted {
            return Ok(Some(format!("{provider:?}: {}, not {}", counts(&evicted), counts(&kept))));
        }
    }
    Ok(None)
}

fn counts(sessions: &[Option<Vec<Event>>]) -> String {
    let of_one = |session: &Option<Vec<Event>>| match session {
        Some(events) => format!("{} events", events.len()),
        None => "a session that cannot be had".to_owned(),
    };
    let all: Vec<String> = sessions.iter().map(of_one).collect();
    if all.is_empty() { "no session".to_owned() } else { all.join(" and ") }
}

/// What can be had of the session of a tool after the edits; other sessions have pushed it out before, where the limits are narrow.
fn events_after(
    edits: &[Edit],
    strategy: Strategy,
    provider: Provider,
    limits: Limits,
) -> Result<Vec<Option<Vec<Event>>>, String> {
    let home = Path::new("home/touch");
    let _ = std::fs::remove_dir_all(home);
    let mut file = edit::one_session(home, provider, EVENTS, 7)?;
    let mut bench = Bench::new(home, strategy, limits);
    bench.settle().map_err(in_words)?;
    let others = push_out(&mut bench, home)?;
    let evictions = bench.daemon.stats().evictions();
    if (evictions > 0) != (limits != Limits::default()) {
        return Err(format!("{evictions} evictions"));
    }
    for edit in edits {
        apply(*edit, &mut file, &mut bench)?;
    }
    let mut sessions = Vec::new();
    for key in bench.keys().into_iter().filter(|key| others.iter().all(|other| **other != *key.id)) {
        let snapshot = bench.fetch(&key)?;
        sessions.push(snapshot.map(|snapshot| snapshot.events.iter().cloned().collect()));
    }
    Ok(sessions)
}

fn apply(edit: Edit, file: &mut Edited, bench: &mut Bench) -> Result<(), String> {
    for path in edit(file, bench.now)? {
        bench.notice(&path);
    }
    bench.settle().map_err(in_words)
}

/// Lets two more sessions come in; gives their ids.
fn push_out(bench: &mut Bench, home: &Path) -> Result<Vec<String>, String> {
    let texts = Texts::Realistic { mean_bytes: 300 };
    let shape = Shape { sessions: 2, events: 5, texts, providers: &[Provider::Claude], seed: 8 };
    let history = history::write(home, &shape).map_err(|error| error.to_string())?;
    for session in &history.sessions {
        bench.notice(&home.join(&session.path));
    }
    bench.settle().map_err(in_words)?;
    Ok(history.sessions.into_iter().map(|session| session.id).collect())
}
