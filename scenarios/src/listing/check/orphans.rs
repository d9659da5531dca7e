//! Sessions that were only touched: each way leaves an entry in another container, and none may stay.

use engine::listing::Strategy;
use engine::listing::live::{Act, Live, SWEEP_MS, Sid};

use super::Check;

/// Longer than any grace but that of a question.
const MINUTES: u64 = 8;

pub(super) const ORPHANS: &[Check] = &[
    Check { name: "commands that were asked for", find: |strategy| left(strategy, Act::Commands(&[])) },
    Check {
        name: "a model that was chosen",
        find: |strategy| left(strategy, Act::Model("provider", "model")),
    },
    Check {
        name: "something said before anybody was connected",
        find: |strategy| left(strategy, Act::Say("hello")),
    },
    Check { name: "an answer that was stopped", find: stopped },
    Check {
        name: "a session that was started and not used",
        find: |strategy| left(strategy, Act::StartedIn("/home/dev/project")),
    },
    Check { name: "a session that was made ready", find: |strategy| left(strategy, Act::Prewarm) },
    Check { name: "a process without clients that ended", find: ended },
];

/// What is left of a session of which one thing happened.
fn left(strategy: Strategy, act: Act<'_>) -> Result<Option<String>, String> {
    let mut live = Live::new(&strategy);
    live.act(&sid(), act, 0);
    Ok(after_some_minutes(live))
}

fn stopped(strategy: Strategy) -> Result<Option<String>, String> {
    let mut live = Live::new(&strategy);
    live.act(&sid(), Act::Connect(1), 0);
    live.act(&sid(), Act::Stop, 0);
    live.act(&sid(), Act::Disconnect(1), 0);
    Ok(after_some_minutes(live))
}

fn ended(strategy: Strategy) -> Result<Option<String>, String> {
    let mut live = Live::new(&strategy);
    live.act(&sid(), Act::Process(true), 0);
    live.act(&sid(), Act::Message(r#"{"type":"assistant"}"#), 0);
    live.act(&sid(), Act::Process(false), 0);
    Ok(after_some_minutes(live))
}

fn sid() -> Sid {
    "session".into()
}

fn after_some_minutes(mut live: Live) -> Option<String> {
    (1..=MINUTES).for_each(|minute| drop(live.tick(minute * SWEEP_MS)));
    let left: Vec<String> = live
        .containers()
        .iter()
        .filter(|(_, entries)| *entries > 0)
        .map(|(name, entries)| format!("{name} has {entries}"))
        .collect();
    (!left.is_empty()).then(|| left.join(", "))
}
