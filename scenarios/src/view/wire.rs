//! What goes over the wire, and what waits for it.

use engine::view::event;
use engine::view::server::{ClientId, Interest};
use harness::meter;
use harness::record::{Tier, Unit};
use serde_json::{Value, json};

use super::agent::{Act, FileState, Payload, Plan, Script, Spread, TOOLS, Tool, Touch, Width, tool_call};
use super::bench::{Bench, PROJECT, bytes, count, in_words};
use super::{Account, Drive, Task};
use crate::answer::Defect;

/// Edits, and the median bytes of a file that is edited (S9).
const EDITS: usize = 240;
const EDITED_BYTES: usize = 20_000;
/// What a command says, and in how many pieces, one each 20 ms (S10).
const SAID_BYTES: usize = 400_000;
const PIECES: usize = 2_000;
const PIECE_MS: i64 = 20;
/// Files of a diff, bytes of each, turns and sessions (S11).
const FILES: usize = 10;
const FILE_BYTES: usize = 50 * 1024;
const TURNS: usize = 20;
const SESSIONS: usize = 10;
/// The most files that one session changes, one more each turn.
const MANY_FILES: usize = 60;
/// What a tool gives, and is attached to it (S12).
const OUTPUT_BYTES: usize = 200_000;
const ATTACHED_BYTES: usize = 1_500_000;
/// What it gives beside an attachment.
const SHORT_BYTES: usize = 500;
/// Bytes that the view may get of a call: arguments, output and metadata with twice the cap of an output each, and three times the cap of a
/// patch where it has one.
const TOOL_BYTES: u64 = 3 * 2 * 4_000;
const PATCH_BYTES: u64 = 3 * 64_000;
/// How long a client does not read, and what is told meanwhile (S19): 2 MB in a second.
const STALL_MS: i64 = 60_000;
const TOLD: usize = 1_200;
const TOLD_BYTES: usize = 100_000;
/// Attempts to connect, one in a second for eight hours, of which one in a minute succeeds.
const ATTEMPTS: usize = 8 * 3_600;
const SUCCEEDS_EVERY: usize = 60;
/// Bytes of what is logged of each: that many had the text of the real report.
const LOGGED_BYTES: usize = 1_338;

pub(super) fn run(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Edits => edits(task),
        Drive::Bash => bash(task),
        Drive::Diff => diff(task),
        Drive::Tools => tools(task),
        _ => stalled(task),
    }
}

/// A second client, that reads every event and keeps nothing.
struct Tap {
    client: ClientId,
    /// Bytes of events about parts, and of diffs.
    parts: u64,
    diffs: u64,
    largest_diff: u64,
    /// Bytes of whole files in them.
    contents: u64,
    /// The last event about a part.
    last_part: String,
}

impl Tap {
    fn new(bench: &mut Bench) -> Tap {
        let client = bench.pipeline.server.subscribe(Interest::All);
        Tap { client, parts: 0, diffs: 0, largest_diff: 0, contents: 0, last_part: String::new() }
    }

    fn read(&mut self, bench: &mut Bench) -> Result<(), String> {
        while let Some(frame) = bench.pipeline.server.next_frame(self.client) {
            let head: event::Head<'_> = serde_json::from_str(&frame).map_err(in_words)?;
            let bytes = frame.len() as u64;
            match &*head.payload.kind {
                event::PART => {
                    self.parts += bytes;
                    let properties = serde_json::from_str(head.payload.properties.get()).map_err(in_words)?;
                    self.contents += contents(&properties);
                    self.last_part = frame.to_string();
                }
                event::DIFF => {
                    self.diffs += bytes;
                    self.largest_diff = self.largest_diff.max(bytes);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Bytes of whole files in a value: what stands under `before` and `after`.
fn contents(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "before" || key == "after" => text.len() as u64,
                value => contents(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(contents).sum(),
        _ => 0,
    }
}

/// A session of edits alone.
fn edits(task: &Task) -> Result<Account, String> {
    let plan = Plan {
        turns: EDITS / 6,
        calls: EDITS,
        mix: &[(Tool::Edit, 1)],
        file_bytes: EDITED_BYTES,
        spread: Spread::LogNormal,
        touch: Touch::Any(40),
        session_bytes: None,
        permission_every: 0,
        question_every: 0,
        ..Plan::light(task.seed)
    };
    let mut bench = Bench::new(task)?;
    let mut tap = Tap::new(&mut bench);
    let script = Script::new(&plan);
    meter::phase("stream");
    let mut is_open = false;
    for step in script {
        bench.now = bench.now.max(step.at_ms);
        let session = session_of(&step.act);
        // Diffs have a scenario of their own.
        if !matches!(step.act, Act::Diff { .. }) {
            bench.tell(step.act)?;
        }
        if let (false, Some(session)) = (is_open, session) {
            bench.open(&session)?;
            is_open = true;
        }
        bench.pump()?;
        tap.read(&mut bench)?;
    }
    bench.settle()?;
    tap.read(&mut bench)?;
    bytes("scenario.part_wire_bytes", tap.parts);
    bytes("scenario.contents_wire_bytes", tap.contents);
    let ratio = tap.parts as f64 / bench.view_bytes().max(1) as f64;
    meter::set("scenario.wire_per_kept_ratio", Unit::Ratio, Tier::Exact, ratio);
    bench.set_stages();
    Ok(Account::default())
}

/// The id of a session that begins.
fn session_of(act: &Act) -> Option<String> {
    match act {
        Act::Session(info) => info["id"].as_str().map(str::to_owned),
        _ => None,
    }
}

/// One call of a command.
fn bash(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let mut tap = Tap::new(&mut bench);
    let payload = Payload { chunks: PIECES, ..Payload::of(task.seed, SAID_BYTES) };
    let mut final_bytes = 0;
    meter::phase("stream");
    for act in tool_call(Tool::Bash, &payload) {
        let session = session_of(&act);
        if let Act::Part(part) = &act {
            final_bytes = part.to_string().len();
        }
        bench.tell(act)?;
        match session {
            Some(session) => bench.open(&session)?,
            None => bench.pass(PIECE_MS)?,
        }
        tap.read(&mut bench)?;
    }
    bench.settle()?;
    tap.read(&mut bench)?;
    bytes("scenario.part_wire_bytes", tap.parts);
    let amplification = tap.parts as f64 / final_bytes.max(1) as f64;
    meter::set("scenario.amplification_ratio", Unit::Ratio, Tier::Exact, amplification);
    bench.set_stages();
    Ok(Account::default())
}

/// Ten sessions that change ten files over and over, and one that changes more and more.
fn diff(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let mut tap = Tap::new(&mut bench);
    let file = |number: usize, turn: usize| {
        let seed = task.seed.wrapping_add(turn as u64);
        FileState::edited(format!("src/module_{number:02}/file.rs"), seed, FILE_BYTES, Width::Ascii)
    };
    meter::phase("ten");
    for session in 0..SESSIONS {
        let id = begin(&mut bench, session)?;
        for turn in 0..TURNS {
            let files = (0..FILES).map(|number| file(number, turn)).collect();
            bench.tell(Act::Diff { session: id.clone(), files })?;
            bench.pass(1_000)?;
            tap.read(&mut bench)?;
        }
    }
    bytes("scenario.diff_wire_bytes", tap.diffs);
    bytes("scenario.diff_event_bytes", tap.largest_diff);
    meter::phase("more");
    let id = begin(&mut bench, SESSIONS)?;
    for turn in 1..=MANY_FILES {
        let files = (0..turn).map(|number| file(number, turn)).collect();
        bench.tell(Act::Diff { session: id.clone(), files })?;
        bench.pass(1_000)?;
        tap.read(&mut bench)?;
    }
    bytes("scenario.largest_diff_event_bytes", tap.largest_diff);
    bench.set_stages();
    Ok(Account::default())
}

/// A session of which nothing is said yet, which is shown.
pub(super) fn begin(bench: &mut Bench, number: usize) -> Result<String, String> {
    // The newest sorts first.
    let id = format!("ses_{:012x}{:014}", 0xffff_ffff_ffff_u64 - number as u64, 0);
    let time = json!({"created": bench.now, "updated": bench.now});
    let info = json!({"id": id, "slug": "bench", "projectID": PROJECT, "directory": "/home/dev/project",
                      "title": format!("Session {number}"), "version": "1.0.0", "time": time});
    bench.tell(Act::Session(info))?;
    bench.open(&id)?;
    Ok(id)
}

/// Every tool once: which of them come to the view uncut is found, not told.
fn tools(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let mut defects = Vec::new();
    let mut worst = 0;
    meter::phase("call");
    for (tool, id) in TOOLS {
        let seed = task.seed.wrapping_add(tool as u64);
        let long = Payload::of(seed, OUTPUT_BYTES);
        let attached = Payload { attachment_bytes: ATTACHED_BYTES, ..Payload::of(!seed, SHORT_BYTES) };
        let has_patch = matches!(tool, Tool::Edit | Tool::Multiedit | Tool::Write | Tool::ApplyPatch);
        let allowed = TOOL_BYTES + if has_patch { PATCH_BYTES } else { 0 };
        for (what, payload) in [("texts", long), ("attachments", attached)] {
            let posted = posted_of_last(&mut bench, tool_call(tool, &payload))?;
            let found =
                (posted > allowed).then(|| format!("{posted} bytes of one call, {allowed} are allowed"));
            defects.push(Defect { name: format!("{what} of {id} are cut"), found });
            worst = worst.max(posted);
        }
    }
    bytes("scenario.largest_call_bytes", worst);
    let uncut = |of: &str| {
        let found = defects.iter().filter(|defect| defect.found.is_some());
        found.filter(|defect| defect.name.starts_with(of)).count() as u64
    };
    count("scenario.tools_uncut", uncut("texts"));
    count("scenario.attachments_uncut", uncut("attachments"));
    Ok(Account { defects, ..Account::default() })
}

/// Bytes that are posted for the last state of a call.
fn posted_of_last(bench: &mut Bench, acts: Vec<Act>) -> Result<u64, String> {
    let mut posted = 0;
    for act in acts {
        let session = session_of(&act);
        let is_part = matches!(act, Act::Part(_));
        let before = bench.traffic().post_bytes;
        bench.tell(act)?;
        bench.settle()?;
        if is_part {
            posted = bench.traffic().post_bytes - before;
        }
        if let Some(session) = session {
            bench.open(&session)?;
        }
    }
    Ok(posted)
}

/// A client that does not read for a minute, and one whose connection fails for eight hours.
fn stalled(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let session = begin(&mut bench, 0)?;
    let (message, part) = (format!("msg_{:026}", 1), format!("prt_{:026}", 1));
    let user = json!({"id": format!("msg_{:026}", 0), "sessionID": session, "role": "user",
                      "time": {"created": bench.now}});
    bench.tell(Act::Message(user))?;
    let answer = json!({"id": message, "sessionID": session, "role": "assistant", "parentID": format!("msg_{:026}", 0),
                        "time": {"created": bench.now}});
    bench.tell(Act::Message(answer))?;
    bench.pump()?;
    // The model's answer, told whole each time that it has grown.
    let answer_of = |number: usize| {
        let text = format!("{number} {}", "the answer goes on. ".repeat(TOLD_BYTES / 20));
        json!({"id": part, "messageID": message, "sessionID": session, "type": "text", "text": text})
    };
    meter::phase("stall");
    for number in 1..=TOLD {
        bench.now += STALL_MS / TOLD as i64;
        bench.tell(Act::Part(answer_of(number)))?;
    }
    bytes("scenario.waiting_bytes", bench.ledgers().server_queues.live());
    meter::phase("read");
    bench.settle()?;
    let fresh = bench.seen_anew(&session)?;
    if bench.pipeline.view.transcript(&session) != fresh {
        return Err(
            "what the client shows after it did not read for a minute is not what the server has".to_owned()
        );
    }
    meter::phase("storm");
    let why = "fetch failed: connect ECONNREFUSED 127.0.0.1:4096; ".repeat(LOGGED_BYTES / 49 + 1);
    for attempt in 1..=ATTEMPTS {
        bench.now += 1_000;
        bench.lose(&why[..LOGGED_BYTES])?;
        if attempt % SUCCEEDS_EVERY == 0 {
            // What is told while nobody listens is asked for.
            bench.tell(Act::Part(answer_of(attempt)))?;
            bench.find()?;
        }
    }
    bench.settle()?;
    let fresh = bench.seen_anew(&session)?;
    if bench.pipeline.view.transcript(&session) != fresh {
        return Err("what was told while the connection was lost is not shown".to_owned());
    }
    let lost = bench.pipeline.host.lost_connections();
    if lost != ATTEMPTS as u64 {
        return Err(format!("{lost} lost connections are counted, of {ATTEMPTS}"));
    }
    count("scenario.listeners", bench.pipeline.server.clients() as u64);
    bytes("scenario.kept_of_storm_bytes", bench.ledgers().host_retained.live());
    count("scenario.frames_dropped", bench.pipeline.server.dropped());
    bench.set_stages();
    Ok(Account::default())
}
