//! What is kept of too large a session, of too many, of too long a one; how a session is named; what a reader can break.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use engine::snapshots::Strategy;
use engine::snapshots::store::Limits;

use super::super::bench::Bench;
use super::{Check, events_of, key_of, unless_equal};
use crate::history::{self, Provider, Shape, Texts};

pub(super) const OVERSIZE: &[Check] = &[
    Check { name: "1: the daemon ends", find: oversize_ends_the_daemon },
    Check { name: "2: sessions of usual size are not served", find: others_are_not_served },
    Check { name: "3: nobody is told which session it is, and what to do", find: nobody_is_told },
    Check { name: "4: the store stays above its budget", find: store_stays_above },
    Check { name: "5: it is not taken in when it has become small", find: small_again_is_missed },
];

pub(super) const LIMITS: &[Check] = &[
    Check { name: "1: more than 200 sessions are held", find: too_many_sessions },
    Check { name: "2: more than the last 10,000 events are held, or not counted", find: too_many_events },
    Check { name: "3: a session that was cut loses its first line", find: cut_session_loses_its_line },
];

pub(super) const SNIPPET: &[Check] = &[
    Check { name: "1: a snippet is not what the rule says", find: snippet_is_wrong },
    Check { name: "2: a session that was cut loses its first line", find: cut_session_loses_its_line },
];

pub(super) const ISOLATION: &[Check] = &[
    Check { name: "1: whoever changes what was given changes the store", find: given_is_the_store },
    Check { name: "2: what was given changes when its file goes on", find: given_changes },
];

/// The budget of a store that one session breaks.
const SMALL_BUDGET: Limits = Limits { sessions: 200, events: 10_000, bytes: 1 << 20 };

/// Two small sessions, and one of 1.5 MB whose file comes between theirs.
fn with_oversize(home: &str, strategy: Strategy) -> Result<(Bench, Option<String>), String> {
    let text = |chars: usize| "x".repeat(chars);
    write(home, "a-small", &vec![text(100); 10])?;
    write(home, "b-large", &vec![text(15_000); 100])?;
    write(home, "c-small", &vec![text(100); 10])?;
    let mut bench = Bench::new(home, strategy, SMALL_BUDGET);
    let ended = bench.settle().err().map(|error| error.to_string());
    Ok((bench, ended))
}

fn oversize_ends_the_daemon(strategy: Strategy) -> Result<Option<String>, String> {
    Ok(with_oversize("home/ends", strategy)?.1)
}

fn others_are_not_served(strategy: Strategy) -> Result<Option<String>, String> {
    let (mut bench, ended) = with_oversize("home/others", strategy)?;
    let mut served = Vec::new();
    for key in bench.keys().into_iter().filter(|key| key.id.ends_with("-small")) {
        served.push(events_of(&mut bench, &key)?);
    }
    Ok(ended.or(unless_equal("events of the two small ones", served, vec![Some(10); 2])))
}

fn nobody_is_told(strategy: Strategy) -> Result<Option<String>, String> {
    let (bench, ended) = with_oversize("home/told", strategy)?;
    let told = ended.into_iter().chain(bench.refused.iter().cloned()).next().unwrap_or_default();
    let tells = told.contains("b-large") && told.contains("1048576") && told.contains("raise the budget");
    Ok((!tells).then_some(told))
}

fn store_stays_above(strategy: Strategy) -> Result<Option<String>, String> {
    let (bench, _) = with_oversize("home/above", strategy)?;
    let bytes = bench.daemon.stats().estimated_bytes;
    Ok((bytes > SMALL_BUDGET.bytes).then(|| format!("{bytes} bytes, by its own estimate")))
}

fn small_again_is_missed(strategy: Strategy) -> Result<Option<String>, String> {
    let (mut bench, ended) = with_oversize("home/again", strategy)?;
    if ended.is_some() {
        return Ok(ended);
    }
    let key = key_of(&bench, "b-large")?;
    if bench.fetch(&key).is_ok() {
        return Err("the large session was not refused".to_owned());
    }
    write("home/again", "b-large", &["x".repeat(100)])?;
    bench.notice(&path("home/again", "b-large"));
    bench.settle().map_err(super::super::in_words)?;
    Ok(unless_equal("its events", events_of(&mut bench, &key)?, Some(1)))
}

fn too_many_sessions(strategy: Strategy) -> Result<Option<String>, String> {
    let shape = Shape {
        sessions: 201,
        events: 3,
        texts: Texts::Fixed { chars: 20 },
        providers: &[Provider::Claude],
        seed: 8,
    };
    history::write(Path::new("home/many"), &shape).map_err(|error| error.to_string())?;
    let mut bench = Bench::new("home/many", strategy, Limits::default());
    bench.settle().map_err(super::super::in_words)?;
    let stats = bench.daemon.stats();
    let found = (stats.sessions, stats.evicted_for_sessions, stats.evicted_for_bytes);
    Ok(unless_equal("sessions in memory, evicted for their number, for their size", found, (200, 1, 0)))
}

/// A session of one event more than is kept; the first is the only one that a person can tell.
fn long_session(home: &str, strategy: Strategy) -> Result<Bench, String> {
    let texts: Vec<String> = (0..10_001).map(|number| format!("message {number}")).collect();
    write(home, "long", &texts)?;
    let mut bench = Bench::new(home, strategy, Limits::default());
    bench.settle().map_err(super::super::in_words)?;
    Ok(bench)
}

fn too_many_events(strategy: Strategy) -> Result<Option<String>, String> {
    let mut bench = long_session("home/long", strategy)?;
    let key = key_of(&bench, "long")?;
    let snapshot = bench.fetch(&key)?.ok_or("the session is lost")?;
    let first = snapshot.events.iter().next().map(|event| event.text().to_owned());
    let found = (snapshot.events.len(), snapshot.metadata.truncated(), first);
    Ok(unless_equal("events, dropped ones, the first", found, (10_000, 1, Some("message 1".to_owned()))))
}

fn cut_session_loses_its_line(strategy: Strategy) -> Result<Option<String>, String> {
    let bench = long_session("home/line", strategy)?;
    let shown: Vec<Option<&str>> = bench.daemon.rows().map(|row| row.snippet.as_deref()).collect();
    Ok(unless_equal("shown", shown, vec![Some("message 0")]))
}

fn snippet_is_wrong(strategy: Strategy) -> Result<Option<String>, String> {
    let long = |text: &str, times: usize| text.repeat(times);
    let cases: Vec<(&str, Vec<String>, Option<String>)> = vec![
        ("a-none", vec![" \r\n ".into(), "\n".into()], None),
        ("b-blank-first", vec![" \n".into(), "the first words".into()], Some("the first words".into())),
        ("c-line-ends", vec!["one\r\n\r\ntwo\nthree".into()], Some("one two three".into())),
        ("d-60", vec![long("x", 60)], Some(long("x", 60))),
        ("e-61", vec![long("x", 61)], Some(long("x", 59) + "…")),
        ("f-pairs", vec![long("😀", 31)], Some(long("😀", 29) + "…")),
        ("g-wide", vec![long("漢", 61)], Some(long("漢", 59) + "…")),
    ];
    for (id, texts, _) in &cases {
        write("home/snippet", id, texts)?;
    }
    let mut bench = Bench::new("home/snippet", strategy, Limits::default());
    bench.settle().map_err(super::super::in_words)?;
    for (id, _, wanted) in cases {
        let row = bench.daemon.rows().find(|row| &*row.key.id == id).ok_or(format!("{id} is not shown"))?;
        let found = row.snippet.as_deref().map(str::to_owned);
        if let Some(difference) = unless_equal(id, found, wanted) {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

fn given_is_the_store(strategy: Strategy) -> Result<Option<String>, String> {
    write("home/given", "given", &["one".to_owned(), "two".to_owned()])?;
    let mut bench = Bench::new("home/given", strategy, Limits::default());
    bench.settle().map_err(super::super::in_words)?;
    let key = key_of(&bench, "given")?;
    let mut given = Arc::unwrap_or_clone(bench.fetch(&key)?.ok_or("the session is lost")?);
    given.events.keep_last(1);
    given.metadata.snippet = Some("another".into());
    drop(given);
    let again = bench.fetch(&key)?.ok_or("the session is lost")?;
    let texts: Vec<&str> = again.events.iter().map(|event| event.text()).collect();
    let shown = bench.daemon.rows().next().and_then(|row| row.snippet.as_deref());
    Ok(unless_equal("events and snippet", (texts, shown), (vec!["one", "two"], Some("one"))))
}

fn given_changes(strategy: Strategy) -> Result<Option<String>, String> {
    write("home/held", "held", &["one".to_owned()])?;
    let mut bench = Bench::new("home/held", strategy, Limits::default());
    bench.settle().map_err(super::super::in_words)?;
    let key = key_of(&bench, "held")?;
    let held = bench.fetch(&key)?.ok_or("the session is lost")?;
    write("home/held", "held", &["one".to_owned(), "two".to_owned()])?;
    super::set_time(&path("home/held", "held"), bench.now)?;
    bench.notice(&path("home/held", "held"));
    bench.settle().map_err(super::super::in_words)?;
    let found = (held.events.len(), events_of(&mut bench, &key)?);
    Ok(unless_equal("events held, events given", found, (1, Some(2))))
}

fn path(home: &str, id: &str) -> std::path::PathBuf {
    Path::new(home).join(".claude/projects/-work-project").join(format!("{id}.jsonl"))
}

/// Writes a session in which a person says these texts, in place of what was there.
fn write(home: &str, id: &str, texts: &[String]) -> Result<(), String> {
    let path = path(home, id);
    let mut lines = String::new();
    for (number, text) in texts.iter().enumerate() {
        let text = serde_json::Value::from(text.as_str());
        lines += &format!(
            "{{\"type\":\"user\",\"uuid\":\"{id}-{number}\",\"sessionId\":\"{id}\",\"timestamp\":\"2026-01-05T08:00:00.000Z\",\
             \"message\":{{\"role\":\"user\",\"content\":{text}}}}}\n"
        );
    }
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, lines));
    written.map_err(|error| format!("failed to write {}: {error}", path.display()))
}
