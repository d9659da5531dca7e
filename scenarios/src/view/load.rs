//! One long session: what of it is mounted, loaded and held.

use std::collections::BTreeSet;

use harness::meter;

use super::agent::{Plan, START_MS, Script, Tool};
use super::bench::{Bench, bytes, count};
use super::browser::Cost;
use super::{Account, Drive, Task};

/// Turns of the session that is scrolled through, tools of each, and turns that come while it is shown (S7).
const TURNS: usize = 300;
const NEW_TURNS: usize = 50;
/// Parts of one turn (S8).
const PARTS: usize = 400;
/// Bytes of the contents that one message's summary of changes has (S17).
const SUMMARY_BYTES: usize = 22_500_000;
/// Messages that are paged through, at least (S18).
const MESSAGES: usize = 2_000;
/// Times that a person scrolls up at most: a view that never comes to the beginning is not waited for.
const SCROLLS: usize = 5_000;

/// A session of many short turns.
pub(super) fn many_turns(seed: u64) -> Plan {
    short(seed, TURNS, 2 * TURNS)
}

/// A session of one turn with many calls.
pub(super) fn giant_turn(seed: u64) -> Plan {
    short(seed, 1, PARTS)
}

/// A session of 2,000 messages: a person's, and an answer for each of three calls.
pub(super) fn many_messages(seed: u64) -> Plan {
    // A few are taken back, and some steps make more than one call.
    short(seed, MESSAGES * 11 / 40, 3 * MESSAGES * 11 / 40)
}

/// Sessions whose length is in their turns, not in their payloads.
fn short(seed: u64, turns: usize, calls: usize) -> Plan {
    let mix = &[(Tool::Read, 4), (Tool::Edit, 2), (Tool::Bash, 2), (Tool::Grep, 1)];
    Plan { turns, calls, mix, session_bytes: Some(calls as u64 * 3_000), ..Plan::light(seed) }
}

/// A session of 120 messages, to be looked back at.
pub(super) fn older(seed: u64) -> Plan {
    short(seed.wrapping_add(2), 30, 90)
}

/// A session of 90 MB as old versions stored it.
pub(super) fn legacy(seed: u64) -> Plan {
    Plan { large_summary_bytes: SUMMARY_BYTES, ..Plan::legacy(seed) }
}

pub(super) fn run(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Window => window(task),
        Drive::GiantTurn => giant(task),
        Drive::Paging => paging(task),
        _ => old(task),
    }
}

fn mounted_rows(bench: &Bench) -> u64 {
    bench.pipeline.view.window().mounted().count() as u64
}

fn mounted_parts(bench: &Bench) -> u64 {
    bench.pipeline.view.window().mounted().map(|row| row.shapes.len() as u64).sum()
}

/// What is mounted at first, at the beginning, and after more turns.
fn window(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let session = bench.only_session()?;
    meter::phase("open");
    bench.open(&session)?;
    count("scenario.turns_at_open", bench.pipeline.view.window().mounted_turns() as u64);
    count("scenario.rows_at_open", mounted_rows(&bench));
    Cost::of(&bench, &task.browser).set();
    meter::phase("scroll");
    let mut most = mounted_rows(&bench);
    scroll_to_beginning(&mut bench, &session, |bench| most = most.max(mounted_rows(bench)))?;
    let requests = bench.pipeline.view.scroll_to_end();
    bench.act(requests)?;
    bench.settle()?;
    meter::phase("go on");
    let plan = Plan {
        start_ms: bench.now + 1_000,
        call_every_ms: 2_000,
        ..short(task.seed + 1, NEW_TURNS, NEW_TURNS)
    };
    bench.continue_with(Script::new(&plan), &session, |bench| most = most.max(mounted_rows(bench)))?;
    count("scenario.rows_most", most);
    count("scenario.rows_at_end", mounted_rows(&bench));
    count("scenario.turns_at_end", bench.pipeline.view.window().mounted_turns() as u64);
    bench.set_stages();
    Ok(Account::default())
}

/// Scrolls up until nothing older is there.
pub(super) fn scroll_to_beginning(
    bench: &mut Bench,
    session: &str,
    mut each: impl FnMut(&Bench),
) -> Result<(), String> {
    let mut before = None;
    for _ in 0..SCROLLS {
        // No faster than a person.
        bench.pass(500)?;
        let requests = bench.pipeline.view.scroll_up(bench.now);
        bench.act(requests)?;
        bench.settle()?;
        each(bench);
        let view = &bench.pipeline.view;
        let first_row = view.window().mounted().next().map(|row| row.message.clone());
        let place = (view.messages(session).next().map(str::to_owned), first_row, mounted_rows(bench));
        if !view.has_older(session) && before.as_ref() == Some(&place) {
            return Ok(());
        }
        before = Some(place);
    }
    Err(format!("the beginning of {session} was not reached by scrolling up {SCROLLS} times"))
}

/// One turn that is longer than any window of turns.
fn giant(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let session = bench.only_session()?;
    bench.open(&session)?;
    count("scenario.rows_at_open", mounted_rows(&bench));
    count("scenario.parts_at_open", mounted_parts(&bench));
    Cost::of(&bench, &task.browser).set();
    Ok(Account::default())
}

/// Every message of a long session, page by page.
fn paging(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let session = bench.only_session()?;
    bench.open(&session)?;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |bench: &Bench| {
        let held: Vec<&str> = bench.pipeline.view.messages(&session).collect();
        seen.extend(held.into_iter().map(str::to_owned));
    };
    note(&bench);
    meter::phase("page");
    scroll_to_beginning(&mut bench, &session, &mut note)?;
    let traffic = bench.traffic();
    count("scenario.messages_doubled", traffic.loaded_messages.saturating_sub(seen.len() as u64));
    count("scenario.loads", traffic.loads);
    bytes("scenario.loaded_bytes", traffic.loaded_bytes);
    bytes("scenario.view_bytes", bench.view_bytes());
    bench.set_stages();
    // The runner knows how many were written.
    Ok(Account { messages: Some(seen.len() as u64), ..Account::default() })
}

/// A session as old versions left it.
fn old(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::over_tree(task)?;
    bench.begin_at(START_MS + 86_400_000);
    let session = bench.only_session()?;
    meter::phase("open");
    bench.open(&session)?;
    if bench.pipeline.view.messages(&session).next().is_none() {
        return Err("nothing of the session is shown".to_owned());
    }
    bytes("scenario.view_bytes", bench.view_bytes());
    meter::phase("scroll");
    // The message with the long summary is in the middle.
    let mut seen: BTreeSet<String> = BTreeSet::new();
    scroll_to_beginning(&mut bench, &session, |bench| {
        seen.extend(bench.pipeline.view.messages(&session).map(str::to_owned));
    })?;
    bench.set_stages();
    Ok(Account { messages: Some(seen.len() as u64), ..Account::default() })
}
