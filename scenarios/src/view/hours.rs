//! Three hours of work: sessions one after the other, others in the background, switches, drafts, a lost connection.

mod multipliers;

use engine::view::drafts;
use harness::meter;
use harness::record::{Tier, Unit};

use super::agent::{Act, Family, PATCHING, Plan, START_MS as FIRST_MS, Script, Touch};
use super::bench::{Bench, bytes, count};
use super::browser::Cost;
use super::check::image;
use super::load::scroll_to_beginning;
use super::switch::slope;
use super::{Account, Drive, Task};

const SECOND_MS: i64 = 1_000;
/// When it begins: a day after the sessions that are stored.
const START_MS: i64 = FIRST_MS + 86_400 * SECOND_MS;
const HOUR_MS: f64 = 3_600_000.0;
/// Ms from one look at what is held to the next.
const LOOK_MS: i64 = 60 * SECOND_MS;
/// Sessions in which a draft with an image is left: the first ones, so that the last hour shows what else grows.
const DRAFTS: usize = 3;
/// Pieces of text in a second. The real ones are forty, of a quarter of the length; that is the same text in fewer events.
const DELTAS_PER_S: i64 = 10;

/// How long, and how much of it.
struct Setting {
    /// Sessions one after the other, each shown as long as it is worked on.
    shown: Plan,
    /// Sessions in the background, all the time.
    background: Plan,
    /// When it ends.
    end_ms: i64,
    /// Characters of an image in a draft.
    image_chars: usize,
}

impl Setting {
    fn of(task: &Task) -> Setting {
        let (sessions, every_ms, calls, mean, others, image_chars) = match task.drive {
            Drive::Minutes => (5, 120 * SECOND_MS, 12, 1_000_000, 2, 200_000),
            _ => (10, 1_080 * SECOND_MS, 120, 12_000_000, 5, 2_250_000),
        };
        let shown = Plan {
            sessions,
            start_ms: START_MS,
            turns: (calls / 6).max(2),
            calls,
            session_every_ms: every_ms,
            session_bytes: Some(mean),
            call_every_ms: every_ms / calls as i64,
            deltas_per_s: DELTAS_PER_S,
            child_calls: 1,
            ..Plan::heavy(task.seed)
        };
        let end_ms = START_MS + every_ms * sessions as i64;
        let background = Plan {
            sessions: others,
            start_ms: START_MS,
            turns: 8,
            calls: calls / 2,
            session_every_ms: SECOND_MS,
            session_bytes: Some(mean / 6),
            // They edit by patches, and touch one more file in each turn.
            family: Family::Gpt,
            mix: PATCHING,
            touch: Touch::NewEachTurn(60),
            call_every_ms: (end_ms - START_MS) / (calls as i64 / 2 + 1),
            deltas_per_s: DELTAS_PER_S,
            ..Plan::light(task.seed.wrapping_add(1))
        };
        Setting { shown, background, end_ms, image_chars }
    }
}

/// What was seen of the time.
#[derive(Default)]
struct Looks {
    /// Ms since the beginning, and bytes that are held, after each switch.
    at_switch: Vec<(f64, f64)>,
    most: u64,
}

pub(super) fn run(task: &Task) -> Result<Account, String> {
    let setting = Setting::of(task);
    let mut bench = Bench::new(task)?;
    bench.begin_at(START_MS);
    let mut shown = Script::new(&setting.shown);
    let mut background = Script::new(&setting.background);
    let names: Vec<String> = shown.sessions().map(str::to_owned).collect();
    let mut looks = Looks::default();
    let mut look_ms = START_MS + LOOK_MS;
    meter::phase("work");
    meter::seconds_per_tick(LOOK_MS as f64 / 1_000.0);
    meter::tick_at_work();
    loop {
        let (next, other) = (shown.next_ms(), background.next_ms());
        let Some(at_ms) = next.into_iter().chain(other).min().filter(|at_ms| *at_ms < setting.end_ms) else {
            break;
        };
        while look_ms <= at_ms {
            bench.now = bench.now.max(look_ms);
            bench.pump()?;
            looks.most = looks.most.max(bench.held_bytes());
            meter::tick_at_work();
            look_ms += LOOK_MS;
        }
        let is_other = next.is_none_or(|next| other.is_some_and(|other| other < next));
        let script = if is_other { &mut background } else { &mut shown };
        let Some(step) = script.next() else { break };
        bench.now = bench.now.max(step.at_ms);
        let begins = begins(&step.act, &names);
        bench.tell(step.act)?;
        bench.pump()?;
        // A session's record changes later, too.
        if let Some(number) = begins.filter(|number| *number == looks.at_switch.len()) {
            switch(&mut bench, &names, number, setting.image_chars)?;
            looks.at_switch.push(((bench.now - START_MS) as f64, bench.held_bytes() as f64));
        }
    }
    bench.now = bench.now.max(setting.end_ms);
    bench.settle()?;
    if task.drive == Drive::Minutes {
        look_back(&mut bench, &names)?;
    }
    looks.most = looks.most.max(bench.held_bytes());
    report(task, &bench, &looks, &setting)
}

/// The number of the session that begins with an act.
fn begins(act: &Act, names: &[String]) -> Option<usize> {
    let Act::Session(info) = act else { return None };
    names.iter().position(|name| Some(name.as_str()) == info["id"].as_str())
}

/// The next session is opened, once; what was typed into the one before may stay behind, and the connection is lost for a moment.
fn switch(bench: &mut Bench, names: &[String], number: usize, image_chars: usize) -> Result<(), String> {
    if let Some(before) = number.checked_sub(1).filter(|before| *before < DRAFTS) {
        let key = drafts::key("prompt", &names[before]);
        bench.pipeline.view.attach_image(&key, image(number, image_chars));
    }
    bench.open(&names[number])?;
    bench.lose("the stream of events ended")?;
    bench.find()
}

/// An older session is opened and scrolled to its beginning, and one of those before is deleted, with the draft that was left in it.
fn look_back(bench: &mut Bench, names: &[String]) -> Result<(), String> {
    let old = bench.only_session()?;
    bench.open(&old)?;
    scroll_to_beginning(bench, &old, |_| {})?;
    let requests = bench.pipeline.view.delete_session(&names[0]);
    bench.act(requests)?;
    bench.settle()
}

fn report(task: &Task, bench: &Bench, looks: &Looks, setting: &Setting) -> Result<Account, String> {
    let end_ms = (setting.end_ms - START_MS) as f64;
    if looks.at_switch.len() != setting.shown.sessions {
        let found = looks.at_switch.len();
        return Err(format!("{found} of {} sessions were opened", setting.shown.sessions));
    }
    let last_hour: Vec<(f64, f64)> =
        looks.at_switch.iter().copied().filter(|(at, _)| *at >= end_ms - HOUR_MS).collect();
    let per_hour = slope(&last_hour) * HOUR_MS;
    bytes("scenario.held_each_minute_bytes", looks.most);
    bytes("scenario.view_bytes", bench.view_bytes());
    let host = bench.pipeline.host.held().iter().map(|(_, entries)| *entries as u64).sum();
    count("scenario.host_entries", host);
    bench.set_stages();
    let cost = Cost::of(bench, &task.browser);
    cost.set();
    let garbage = bench.ledgers().host_transient.peak() as f64;
    let raw = setting.shown.session_bytes.unwrap_or_default() as f64;
    let notes = if task.drive == Drive::Minutes {
        Vec::new()
    } else {
        meter::set("scenario.slope_per_hour_bytes", Unit::Bytes, Tier::Exact, per_hour.max(0.0).round());
        let base =
            multipliers::Base { cost, garbage, raw, sessions: setting.shown.sessions as f64, per_hour };
        multipliers::report(&base, &task.browser)
    };
    Ok(Account { notes, ..Account::default() })
}
