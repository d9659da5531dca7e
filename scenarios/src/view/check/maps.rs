//! What the host remembers of sessions and messages.

use harness::meter;
use serde_json::json;

use crate::view::agent::{Act, Plan, Script, Tool};
use crate::view::bench::{Bench, bytes, count};
use crate::view::wire::begin;
use crate::view::{Account, Task};

/// Sessions with five tasks each (S13).
const SESSIONS: usize = 30;
const TASKS: usize = 5;
/// Messages, of so many sessions, of which half are deleted (S14). The real scenario has five times as many; a map is a map.
const MESSAGES: usize = 10_000;
const OF_SESSIONS: usize = 50;

/// Thirty sessions were shown; all of them go on in the background.
pub(super) fn tracked(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let plan = Plan {
        sessions: SESSIONS,
        turns: 2,
        calls: TASKS,
        mix: &[(Tool::Task, 1)],
        child_calls: 2,
        session_bytes: None,
        permission_every: 0,
        question_every: 0,
        session_every_ms: 0,
        ..Plan::light(task.seed)
    };
    meter::phase("open");
    let mut scripts = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        let mut script = Script::of(&plan, number);
        let id = script.sessions().next().unwrap_or_default().to_owned();
        bench.play_turn(&mut script, &id)?;
        scripts.push(script);
    }
    // The last one is shown; what happens in the others is of no interest.
    let shown = scripts.pop();
    let before = bench.traffic();
    meter::phase("background");
    for script in scripts {
        bench.play_all(script)?;
    }
    let after = bench.traffic();
    count("scenario.tracked", bench.pipeline.host.tracked().len() as u64);
    count("scenario.background_posts", after.posts - before.posts);
    bytes("scenario.background_posted_bytes", after.post_bytes - before.post_bytes);
    bytes("scenario.background_wire_bytes", after.frame_bytes - before.frame_bytes);
    bytes("scenario.view_bytes", bench.view_bytes());
    drop(shown);
    Ok(Account::default())
}

/// Many messages were seen, and half of their sessions are deleted.
pub(super) fn messages(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let mut ids = Vec::with_capacity(OF_SESSIONS);
    meter::phase("see");
    for session in 0..OF_SESSIONS {
        let id = begin(&mut bench, session)?;
        for message in 0..MESSAGES / OF_SESSIONS {
            let number = session * MESSAGES + message;
            let info = json!({"id": format!("msg_{number:026}"), "sessionID": id, "role": "user",
                              "time": {"created": bench.now}});
            bench.now += 1;
            bench.tell(Act::Message(info))?;
            bench.pump()?;
        }
        ids.push(id);
    }
    meter::phase("delete");
    for id in ids.iter().take(OF_SESSIONS / 2) {
        bench.tell(Act::Deleted { session: id.clone() })?;
        bench.pump()?;
    }
    let live = (MESSAGES / 2) as u64;
    let held = bench.pipeline.host.held();
    let entries = held.iter().find(|(name, _)| *name == "messages").map_or(0, |(_, entries)| *entries as u64);
    count("scenario.map_entries", entries);
    count("scenario.entries_of_deleted", entries.saturating_sub(live));
    count("scenario.entries_looked_at", bench.pipeline.host.entries_looked_at());
    Ok(Account::default())
}
