//! Sessions that are not listed any more, or deleted: nothing of them stays, and nothing comes back.

use std::collections::BTreeMap;

use engine::view::drafts::{self, Image};
use engine::view::event;
use engine::view::host::Call;
use engine::view::server::Interest;
use harness::meter;
use serde_json::{Value, json};

use crate::answer::Defect;
use crate::view::agent::{Act, Mix, Plan, Script, Tool};
use crate::view::bench::{Bench, bytes, count, in_words};
use crate::view::{Account, Task};

/// Sessions that are opened, and those of them that are listed afterwards (S4).
const SESSIONS: usize = 10;
const LISTED: usize = 4;
/// Characters of an image that was pasted into each (S5).
const IMAGE_CHARS: usize = 300_000;

/// Tools that are called in them: a third of the calls are tasks, whose sessions go with those that began them.
const MIX: Mix = &[(Tool::Read, 3), (Tool::Edit, 2), (Tool::Bash, 1), (Tool::Todowrite, 2), (Tool::Task, 4)];

/// Sessions that an agent has written, of 0.2 MB each, with those of their tasks.
fn plan(seed: u64) -> Plan {
    Plan {
        sessions: SESSIONS,
        turns: 3,
        calls: 12,
        mix: MIX,
        child_calls: 2,
        session_bytes: Some(200_000),
        session_every_ms: 120_000,
        ..Plan::light(seed)
    }
}

/// Lets sessions be worked on while they are shown. Gives their ids, without those of tasks.
fn work(bench: &mut Bench, seed: u64) -> Result<Vec<String>, String> {
    let mut ids = Vec::with_capacity(SESSIONS);
    let plan = Plan { start_ms: bench.now, ..plan(seed) };
    for number in 0..plan.sessions {
        let script = Script::of(&plan, number);
        let id = script.sessions().next().unwrap_or_default().to_owned();
        bench.play_shown(script, &id)?;
        ids.push(id);
    }
    Ok(ids)
}

/// A draft with an image in each session, a mode and a model chosen for each; a prompt under way and one that waits, a permission and a question that
/// nobody answers, and a call that runs.
fn draft(bench: &mut Bench, ids: &[String]) -> Result<(), String> {
    for (number, id) in ids.iter().enumerate() {
        leave_open(bench, number, id)?;
        let view = &mut bench.pipeline.view;
        let key = drafts::key("prompt", id);
        view.type_draft(&key, "and then");
        view.attach_image(&key, image(number, IMAGE_CHARS));
        view.select_agent(id, "plan");
        view.override_model(id, "large");
    }
    Ok(())
}

fn leave_open(bench: &mut Bench, number: usize, id: &str) -> Result<(), String> {
    // Ids of now, which no message before has.
    let message = |which: usize| format!("msg_z{:025}", 10 * number + which);
    bench.tell(Act::Permission(
        json!({"id": format!("per_{number}"), "sessionID": id, "patterns": ["a.rs"]}),
    ))?;
    bench.tell(Act::Question(json!({"id": format!("que_{number}"), "sessionID": id, "questions": [{}]})))?;
    bench.tell(Act::Status { session: id.to_owned(), status: json!({"type": "busy"}) })?;
    let answer =
        json!({"id": message(0), "sessionID": id, "role": "assistant", "time": {"created": bench.now}});
    bench.tell(Act::Message(answer))?;
    let call = json!({"id": format!("prt_z{number:025}"), "sessionID": id, "messageID": message(0), "type": "tool",
                      "tool": "bash", "callID": "c", "state": {"status": "pending", "input": {}, "raw": ""}});
    bench.tell(Act::Part(call))?;
    let view = &mut bench.pipeline.view;
    let key = drafts::key("prompt", id);
    for which in [1, 2] {
        view.type_draft(&key, "do it");
        // It never comes to the server.
        drop(view.send(id, &key, &message(which), bench.now));
    }
    bench.settle()
}

/// An image of so many characters of a `data:` URL.
pub(in crate::view) fn image(number: usize, chars: usize) -> Image {
    let head = "data:image/png;base64,";
    let sign = char::from(b'A' + (number % 26) as u8);
    let data_url = head.to_owned() + &sign.to_string().repeat(chars.saturating_sub(head.len()));
    Image {
        id: format!("image-{number}"),
        filename: format!("{number}.png"),
        mime: "image/png".to_owned(),
        data_url,
    }
}

/// Sessions that the list does not name any more.
pub(super) fn sweep(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    meter::phase("work");
    let ids = work(&mut bench, task.seed)?;
    let shown = bench.pipeline.view.current().map(str::to_owned);
    let sessions = bench.pipeline.server.sessions().map_err(in_words)?;
    let is_listed = |id: &str| ids.iter().take(LISTED).any(|listed| listed == id);
    let all = sessions.clone();
    let listed: Vec<_> =
        sessions.into_iter().filter(|info| info["id"].as_str().is_some_and(is_listed)).collect();
    meter::phase("sweep");
    let before = bench.view_bytes();
    bench.pipeline.host.listed(&listed);
    bench.settle()?;
    // Sessions of tasks stay with those that began them.
    let parents: BTreeMap<String, String> = parents(&all);
    let root = |id: &str| parents.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let is_orphan = |id: &String| !is_listed(&root(id)) && Some(root(id)) != shown;
    let orphans = bench.pipeline.view.keys().into_iter().filter(is_orphan).count();
    count("scenario.orphans", orphans as u64);
    bytes("scenario.swept_bytes", before - bench.view_bytes().min(before));
    bytes("scenario.view_bytes", bench.view_bytes());
    Ok(Account::default())
}

/// The session that began each session of a task.
fn parents(sessions: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    sessions.iter().filter_map(|info| Some((text(&info["id"])?, text(&info["parentID"])?))).collect()
}

/// Sessions that are deleted, some by the person and some by another client.
pub(super) fn delete(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    meter::phase("warm");
    // Tables that stay when they are empty are there after the first time.
    come_and_go(&mut bench, task.seed)?;
    let before = meter::live_bytes();
    meter::phase("work");
    come_and_go(&mut bench, task.seed.wrapping_add(1))?;
    let after = meter::live_bytes();
    if let Some((before, after)) = before.zip(after) {
        bytes("scenario.left_bytes", after.saturating_sub(before));
    }
    let ledgers = bench.ledgers();
    let mut defects: Vec<Defect> = [
        ("view heap", ledgers.view_heap),
        ("view window", ledgers.view_window),
        ("host retained", ledgers.host_retained),
        ("host transient", ledgers.host_transient),
        ("server queues", ledgers.server_queues),
        ("server rows", ledgers.server_rows),
    ]
    .into_iter()
    .map(|(name, ledger)| of(format!("the ledger {name} is empty"), ledger.live()))
    .collect();
    let (host, server) = (bench.pipeline.host.held(), bench.pipeline.server.held());
    let maps = bench.pipeline.view.counts();
    let of_stage =
        |stage: &str, (name, entries)| of(format!("the {stage}'s map {name} is empty"), entries as u64);
    let found = maps.into_iter().map(|map| of_stage("view", map));
    let found = found.chain(host.into_iter().map(|map| of_stage("host", map)));
    let found = found.chain(server.into_iter().map(|map| of_stage("server", map)));
    let (full, empty): (Vec<Defect>, Vec<Defect>) = found.partition(|defect| defect.found.is_some());
    defects.extend(full);
    defects.push(of(format!("{} more maps are empty", empty.len()), 0));
    count("scenario.not_empty", defects.iter().filter(|defect| defect.found.is_some()).count() as u64);
    Ok(Account { defects, ..Account::default() })
}

fn of(name: String, found: u64) -> Defect {
    Defect { name, found: (found > 0).then(|| format!("it has {found}")) }
}

/// Ten sessions are worked on, and deleted.
fn come_and_go(bench: &mut Bench, seed: u64) -> Result<(), String> {
    let ids = work(bench, seed)?;
    draft(bench, &ids)?;
    for (number, id) in ids.iter().enumerate() {
        if number % 2 == 0 {
            let requests = bench.pipeline.view.delete_session(id);
            bench.act(requests)?;
        } else {
            bench.tell(Act::Deleted { session: id.clone() })?;
        }
        bench.settle()?;
    }
    Ok(())
}

/// What was under way for a session arrives when it is deleted already.
pub(super) fn late(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let ids = work(&mut bench, task.seed)?;
    let id = ids.last().cloned().unwrap_or_default();
    let tap = bench.pipeline.server.subscribe(Interest::All);
    let parts = parts_of(&mut bench, &id)?;
    // What a second client was told is what this one is told too late.
    let mut frames = Vec::new();
    for part in parts {
        bench.tell(Act::Part(part))?;
    }
    while let Some(frame) = bench.pipeline.server.next_frame(tap) {
        let head: event::Head<'_> = serde_json::from_str(&frame).map_err(in_words)?;
        if head.payload.kind == event::PART {
            frames.push(frame);
        }
    }
    bench.pipeline.server.unsubscribe(tap);
    bench.settle()?;
    // Another session is opened, this one again, and its messages are on their way when it is deleted.
    bench.open(&ids[0])?;
    let requests = bench.pipeline.view.open(&id);
    requests.into_iter().for_each(|request| bench.pipeline.host.ask(request));
    let mut replies = Vec::new();
    while let Some(call) = bench.pipeline.host.next_call() {
        if let Call::Messages(load) = call {
            let reply = bench.pipeline.server.messages(&load.session, None, load.limit).map_err(in_words)?;
            replies.push((load, reply));
        }
    }
    meter::phase("delete");
    bench.tell(Act::Deleted { session: id.clone() })?;
    bench.pump()?;
    bench.pass(1)?;
    for frame in &frames {
        bench.pipeline.host.receive(frame, bench.now).map_err(in_words)?;
    }
    bench.pass(50)?;
    let answers = replies.len();
    for (load, reply) in replies {
        bench.pipeline.host.loaded(&load, reply).map_err(in_words)?;
    }
    bench.settle()?;
    if frames.is_empty() || answers == 0 {
        return Err("nothing was under way when the session was deleted, so nothing was seen".to_owned());
    }
    let view = &bench.pipeline.view;
    let is_back = view.keys().contains(&id) || view.messages(&id).next().is_some();
    let orphans = view.orphan_parts() as u64;
    count("scenario.resurrected", u64::from(is_back) + orphans);
    Ok(Account::default())
}

/// The parts of a session as they are stored, to be told once more.
fn parts_of(bench: &mut Bench, session: &str) -> Result<Vec<serde_json::Value>, String> {
    let reply = bench.pipeline.server.messages(session, None, 0).map_err(in_words)?;
    let entries: Vec<serde_json::Value> = serde_json::from_str(&reply.body).map_err(in_words)?;
    let texts = entries.into_iter().flat_map(|mut entry| match entry["parts"].take() {
        serde_json::Value::Array(parts) => parts,
        _ => Vec::new(),
    });
    Ok(texts.filter(|part| part["type"] == "text").collect())
}
