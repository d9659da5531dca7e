//! Sessions that come, go, are deleted and say much: what is held of them afterwards. All of it on a virtual clock.

use engine::listing::live::{Act, GRACE_MS, Live, QUESTION_GRACE_MS, SWEEP_MS, Sid};
use engine::listing::tombstones::Tombstones;
use harness::meter;
use harness::record::{Tier, Unit};

use super::{Account, Task};

/// Sessions that come and go.
const SESSIONS: u64 = 10_000;
/// Turns of each.
const TURNS: u64 = 3;
/// Of so many sessions one stops an answer, one has no client, and one asks something when its client goes.
const STOPS: u64 = 5;
const WITHOUT_CLIENT: u64 = 4;
const ASKS: u64 = 50;
/// Sessions in use at once: more than are kept idle.
const CROWD: u64 = 600;
/// A day in ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Messages of a session, and bytes of one.
const MESSAGES: usize = 40;
const MESSAGE_BYTES: usize = 5 << 20;
const SMALL_MESSAGES: usize = 10_000;

fn sid(number: u64) -> Sid {
    format!("session-{number}").into()
}

fn set(name: &'static str, value: usize) {
    meter::set(name, Unit::Count, Tier::Exact, value as f64);
}

/// A turn of a session, as its process tells it.
pub(super) fn turn(live: &mut Live, sid: &Sid, number: u64, now: u64) {
    live.act(sid, Act::Say("Please look at the build, and mend what is broken there."), now);
    let start = format!(
        r#"{{"type":"stream_event","event":{{"type":"content_block_start","index":0,"content_block":{{"type":"tool_use","id":"toolu_{number}"}}}}}}"#
    );
    live.act(sid, Act::Message(&start), now);
    for text in [
        r#"{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"partial_json":"{\"command\":\"ls\"}"}}}"#,
        r#"{"type":"stream_event","event":{"type":"content_block_stop","index":0}}"#,
        r#"{"type":"result"}"#,
    ] {
        live.act(sid, Act::Message(text), now);
    }
}

/// A whole session, from its first client to its last.
pub(super) fn come_and_go(live: &mut Live, number: u64, now: u64) {
    let sid = &sid(number);
    let has_client = !number.is_multiple_of(WITHOUT_CLIENT);
    if has_client {
        live.act(sid, Act::Connect(number), now);
        live.act(sid, Act::Model("provider", "model"), now);
    }
    live.act(sid, Act::Starting(true), now);
    live.act(sid, Act::Starting(false), now);
    live.act(sid, Act::StartedIn("/home/dev/project"), now);
    live.act(sid, Act::Process(true), now);
    live.act(sid, Act::Commands(&["help".to_owned(), "goal".to_owned()]), now);
    (0..TURNS).for_each(|turn_number| turn(live, sid, number * TURNS + turn_number, now));
    if number.is_multiple_of(STOPS) {
        live.act(sid, Act::Stop, now);
    }
    if number.is_multiple_of(ASKS) {
        live.act(sid, Act::Question(true), now);
    }
    if has_client {
        live.act(sid, Act::Disconnect(number), now);
    } else {
        live.act(sid, Act::Process(false), now);
    }
}

/// Ten thousand sessions in three hours; then everything has had its grace and two sweeps.
pub(super) fn churn(task: &Task) -> Result<Account, String> {
    let mut live = Live::new(&task.strategy);
    let mut now = 0;
    let (mut most, mut lost) = (0, 0);
    // Somebody looks at this one all the time.
    let used = sid(SESSIONS);
    live.act(&used, Act::Connect(SESSIONS), now);
    turn(&mut live, &used, 0, now);
    meter::phase("come-and-go");
    for number in 0..SESSIONS {
        come_and_go(&mut live, number, now);
        now += 1_000;
        live.tick(now);
        most = most.max(live.entries());
        lost += usize::from(!live.holds(&used));
    }
    meter::phase("rest");
    live.act(&used, Act::Disconnect(SESSIONS), now);
    for _ in 0..=(QUESTION_GRACE_MS + GRACE_MS) / SWEEP_MS + 2 {
        now += SWEEP_MS;
        live.tick(now);
    }
    set("scenario.entries_most", most);
    set("scenario.entries_left", live.entries());
    set("scenario.used_sessions_lost", lost);
    Ok(Account::default())
}

/// More sessions in use than may be kept idle.
pub(super) fn crowd(task: &Task) -> Result<Account, String> {
    let mut live = Live::new(&task.strategy);
    meter::phase("use");
    for number in 0..CROWD {
        live.act(&sid(number), Act::Connect(number), 0);
        turn(&mut live, &sid(number), number, 0);
    }
    (1..=3).for_each(|minute| drop(live.tick(minute * SWEEP_MS)));
    let lost = (0..CROWD).filter(|number| !live.holds(&sid(*number))).count();
    set("scenario.used_sessions_lost", lost);
    Ok(Account::default())
}

/// Ten thousand deletions, and a day in which there is no further one.
pub(super) fn tombstones(task: &Task) -> Result<Account, String> {
    let mut tombstones = Tombstones::new(task.strategy.tombstones);
    meter::phase("delete");
    for number in 0..SESSIONS {
        tombstones.mark(&sid(number), number);
        tombstones.settle(&sid(number), true);
    }
    let last = SESSIONS;
    let mut now = 0;
    while now + SWEEP_MS < DAY_MS {
        now += SWEEP_MS;
        tombstones.sweep(now);
        if tombstones.len() as u64 != SESSIONS || !tombstones.has(&sid(0)) {
            return Err(format!(
                "{} marks are left after {now} ms: they were to stay for a day",
                tombstones.len()
            ));
        }
    }
    meter::phase("rest");
    tombstones.sweep(last + DAY_MS + SWEEP_MS);
    set("scenario.tombstones_left", tombstones.len());
    Ok(Account::default())
}

/// Forty messages of 5 MB, then ten thousand small ones.
pub(super) fn messages(task: &Task) -> Result<Account, String> {
    let mut live = Live::new(&task.strategy);
    let sid = sid(0);
    live.act(&sid, Act::Process(true), 0);
    meter::phase("large");
    let large = format!(r#"{{"type":"user","content":"{}"}}"#, "x".repeat(MESSAGE_BYTES));
    (0..MESSAGES).for_each(|_| live.act(&sid, Act::Message(&large), 0));
    drop(large);
    let ring = live.messages(&sid).ok_or("the process has no messages")?;
    let kept = ring.len();
    meter::set("scenario.kept_bytes", Unit::Bytes, Tier::Exact, ring.bytes() as f64);
    let largest = ring.iter().map(str::len).max().unwrap_or(0);
    meter::set("scenario.largest_message_bytes", Unit::Bytes, Tier::Exact, largest as f64);
    meter::phase("small");
    let small = r#"{"type":"assistant","message":{"role":"assistant","content":[]}}"#;
    (0..SMALL_MESSAGES).for_each(|_| live.act(&sid, Act::Message(small), 0));
    let kept_after = live.messages(&sid).map_or(0, |ring| ring.len());
    if (kept, kept_after) != (MESSAGES, MESSAGES) {
        return Err(format!("{kept} and then {kept_after} messages are kept, not the last {MESSAGES}"));
    }
    Ok(Account::default())
}
