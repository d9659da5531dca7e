//! State of live sessions, by both ways of holding it.

use super::*;
use crate::listing::strategy::{AS_REPORTED, BOUNDED, with_fixes};

const MINUTE: u64 = 60_000;

fn sid(number: usize) -> Sid {
    format!("s{number}").into()
}

/// A session that a client uses and leaves.
fn use_and_leave(live: &mut Live, number: usize, now: u64) {
    let sid = sid(number);
    live.act(&sid, Act::Connect(number as u64), now);
    live.act(&sid, Act::Starting(true), now);
    live.act(&sid, Act::Starting(false), now);
    live.act(&sid, Act::StartedIn("/w"), now);
    live.act(&sid, Act::Process(true), now);
    live.act(&sid, Act::Say("hello"), now);
    live.act(&sid, Act::Message(r#"{"type":"assistant"}"#), now);
    live.act(&sid, Act::Stop, now);
    live.act(&sid, Act::Disconnect(number as u64), now);
}

#[test]
fn an_owned_session_leaves_nothing_and_a_scattered_one_its_stop_mark() {
    for (strategy, left) in [(BOUNDED, 0), (AS_REPORTED, 1)] {
        let mut live = Live::new(&strategy);
        use_and_leave(&mut live, 1, 0);
        assert!(live.entries() > 0);
        assert!(live.tick(GRACE_MS - 1).is_empty());
        assert!(live.holds("s1"));
        assert_eq!(live.tick(GRACE_MS), [sid(1)], "its process is to be ended");
        assert!(!live.holds("s1"));
        assert_eq!(live.entries(), left, "{:?}", live.containers());
    }
}

#[test]
fn what_was_only_touched_goes_too() {
    let touches: [Act<'_>; 5] =
        [Act::Commands(&[]), Act::Model("p", "m"), Act::Say("x"), Act::StartedIn("/w"), Act::Prewarm];
    for (strategy, is_left) in [(BOUNDED, false), (AS_REPORTED, true), (with_fixes(2), true)] {
        let mut live = Live::new(&strategy);
        for (number, act) in touches.into_iter().enumerate() {
            live.act(&sid(number), act, 0);
        }
        for minute in 1..=7 {
            live.tick(minute * MINUTE);
        }
        assert_eq!(live.entries() > 0, is_left, "{:?}", live.containers());
    }
}

#[test]
fn sessions_in_use_stay_however_many_they_are() {
    let count = |strategy| {
        let mut live = Live::new(&strategy);
        for number in 0..600 {
            live.act(&sid(number), Act::Connect(number as u64), 0);
            live.act(&sid(number), Act::Message(r#"{"type":"assistant"}"#), 0);
        }
        live.tick(MINUTE);
        live.tick(2 * MINUTE);
        (0..600).filter(|number| live.holds(&sid(*number))).count()
    };
    assert_eq!(count(BOUNDED), 600);
    assert_eq!(count(with_fixes(2)), IDLE_MAX, "the proposed cap drops what is in use");
}

#[test]
fn of_idle_sessions_the_ones_that_were_not_used_for_longest_make_room() {
    let mut live = Live::new(&BOUNDED);
    for number in 0..=IDLE_MAX {
        use_and_leave(&mut live, number, number as u64);
    }
    assert!(!live.holds("s0") && live.holds("s1"));
    assert_eq!(live.tick(1_000), [sid(0)], "the process of the one that made room is ended");
}

#[test]
fn a_question_keeps_its_session_for_half_an_hour() {
    for strategy in [BOUNDED, AS_REPORTED] {
        let mut live = Live::new(&strategy);
        let sid = sid(1);
        live.act(&sid, Act::Connect(1), 0);
        live.act(&sid, Act::Process(true), 0);
        live.act(&sid, Act::Message("{}"), 0);
        live.act(&sid, Act::Question(true), 0);
        live.act(&sid, Act::Disconnect(1), 0);
        live.tick(QUESTION_GRACE_MS - 1);
        assert!(live.holds("s1"));
        live.tick(QUESTION_GRACE_MS);
        assert!(!live.holds("s1"));
    }
}

#[test]
fn a_process_that_nobody_looks_at_is_in_use() {
    let mut live = Live::new(&BOUNDED);
    live.act(&sid(1), Act::Process(true), 0);
    live.tick(100 * MINUTE);
    assert!(live.holds("s1"));
    live.act(&sid(1), Act::Process(false), 100 * MINUTE);
    live.tick(101 * MINUTE);
    assert_eq!(live.entries(), 0);
}

#[test]
fn a_process_that_comes_before_the_old_one_has_gone_is_there() {
    let mut live = Live::new(&BOUNDED);
    live.act(&sid(1), Act::Process(true), 0);
    live.act(&sid(1), Act::Process(true), 0);
    live.act(&sid(1), Act::Process(false), 0);
    live.tick(100 * MINUTE);
    assert!(live.state("s1").unwrap().has_process);
}

#[test]
fn what_a_process_says_does_not_keep_a_session_that_was_left() {
    let mut live = Live::new(&BOUNDED);
    live.act(&sid(1), Act::Connect(1), 0);
    live.act(&sid(1), Act::Process(true), 0);
    live.act(&sid(1), Act::Disconnect(1), 0);
    for second in 1..40 {
        live.act(&sid(1), Act::Message("{}"), second * 1_000);
    }
    assert_eq!(live.tick(GRACE_MS), [sid(1)]);
    // Also of what made room and came back is nothing ended.
    for number in 0..=IDLE_MAX {
        use_and_leave(&mut live, number, GRACE_MS + number as u64);
    }
    live.act(&sid(0), Act::Connect(7), 2 * GRACE_MS - 1);
    assert!(!live.tick(2 * GRACE_MS - 1).contains(&sid(0)));
}

#[test]
fn messages_are_kept_within_bounds() {
    for (strategy, bytes) in [(BOUNDED, 512 * 1024), (AS_REPORTED, 40 * 5 * 1024 * 1024)] {
        let mut live = Live::new(&strategy);
        live.act(&sid(1), Act::Process(true), 0);
        let message = format!(r#"{{"type":"user","content":"{}"}}"#, "x".repeat(5 * 1024 * 1024 - 28));
        assert_eq!(message.len(), 5 * 1024 * 1024);
        (0..45).for_each(|_| live.act(&sid(1), Act::Message(&message), 0));
        let ring = live.messages("s1").unwrap();
        let (kept, count) = (ring.bytes(), ring.len());
        assert!(kept <= bytes && count == 40, "{kept} bytes of {count}");
        assert_eq!(kept == bytes, strategy == AS_REPORTED);
    }
    let mut live = Live::new(&BOUNDED);
    live.act(&sid(1), Act::Process(true), 0);
    live.act(&sid(1), Act::Message(&format!(r#"{{"type":"user","content":"{}"}}"#, "x".repeat(70_000))), 0);
    let stub: serde_json::Value =
        serde_json::from_str(live.messages("s1").unwrap().iter().next().unwrap()).unwrap();
    assert_eq!(stub, serde_json::json!({"type": "user", "truncated": true, "originalBytes": 70_028}));
}

#[test]
fn tools_without_results_are_forgotten_with_their_turn() {
    for (strategy, awaited) in [(BOUNDED, 0), (AS_REPORTED, 1)] {
        let mut live = Live::new(&strategy);
        let say = |live: &mut Live, text: &str| live.act(&sid(1), Act::Message(text), 0);
        say(
            &mut live,
            r#"{"type":"stream_event","event":{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t1"}}}"#,
        );
        say(
            &mut live,
            r#"{"type":"stream_event","event":{"type":"content_block_delta","index":1,"delta":{"partial_json":"{\"a\":"}}}"#,
        );
        assert_eq!(live.state("s1").unwrap().awaited_tools, 1);
        say(&mut live, r#"{"type":"result","error":"no \"way\""}"#);
        let state = live.state("s1").unwrap();
        assert_eq!((state.awaited_tools, state.last_error.as_deref()), (awaited, Some("no \"way\"")));
    }
}
