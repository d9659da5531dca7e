//! Restarts, their delays, the circuit, and what must never start anything.

use super::{Action, Event, Policy, Then, Watch, Why};

/// A watch whose first child listens since the time 0.
fn up() -> Watch {
    let mut watch = Watch::new(Policy::default());
    assert_eq!(watch.on(0, Event::Passed), Action::Start(1));
    assert_eq!(watch.on(0, Event::Listening(1)), Action::Nothing);
    watch
}

/// Lets the next probe come due, and answers it; gives what comes of it.
fn probe(watch: &mut Watch, now_ms: &mut u64, answered: bool) -> Action {
    *now_ms = watch.next_ms().unwrap();
    let Action::Probe(generation) = watch.on(*now_ms, Event::Passed) else { panic!("no probe was due") };
    watch.on(*now_ms, if answered { Event::Answered(generation) } else { Event::Unanswered(generation) })
}

/// Starts the child that is due, and lets it go at once; gives what comes of it.
fn start_and_exit(watch: &mut Watch, now_ms: u64) -> Action {
    let Action::Start(generation) = watch.on(now_ms, Event::Passed) else { panic!("no start was due") };
    watch.on(now_ms, Event::Listening(generation));
    watch.on(now_ms, Event::Exited(generation))
}

fn exited(then: Then) -> Action {
    Action::End { why: Why::Exited, then }
}

#[test]
fn five_failures_in_a_row_restart() {
    let (mut watch, mut now_ms) = (up(), 0);
    for _ in 0..4 {
        assert_eq!(probe(&mut watch, &mut now_ms, false), Action::Nothing);
    }
    let end = Action::End { why: Why::Unanswered, then: Then::StartIn(0) };
    assert_eq!(probe(&mut watch, &mut now_ms, false), end);
    assert_eq!(now_ms, 300_000, "five probes, a minute apart");
    assert_eq!(watch.on(now_ms, Event::Passed), Action::Start(2));
}

#[test]
fn four_failures_and_an_answer_never_restart() {
    let (mut watch, mut now_ms) = (up(), 0);
    for round in 0..1_000 {
        let answered = round % 5 == 4;
        assert_eq!(probe(&mut watch, &mut now_ms, answered), Action::Nothing, "probe {round}");
    }
    assert_eq!(watch.current(), Some(1));
}

#[test]
fn one_probe_at_a_time() {
    let mut watch = up();
    assert_eq!(watch.on(59_999, Event::Passed), Action::Nothing);
    assert_eq!(watch.on(60_000, Event::Passed), Action::Probe(1));
    assert_eq!(watch.next_ms(), None);
    assert_eq!(watch.on(200_000, Event::Passed), Action::Nothing);
    watch.on(200_000, Event::Answered(1));
    assert_eq!(watch.on(200_000, Event::Passed), Action::Probe(1));
}

#[test]
fn restarts_wait_longer_each_time_until_the_circuit_opens() {
    let mut watch = Watch::new(Policy::default());
    assert_eq!(start_and_exit(&mut watch, 0), exited(Then::StartIn(0)));
    assert_eq!(start_and_exit(&mut watch, 0), exited(Then::StartIn(250)));
    assert_eq!(watch.on(249, Event::Passed), Action::Nothing);
    assert_eq!(start_and_exit(&mut watch, 250), exited(Then::StartIn(1_000)));
    assert_eq!(watch.on(1_249, Event::Passed), Action::Nothing);
    assert!(!watch.is_open());
    assert_eq!(start_and_exit(&mut watch, 1_250), exited(Then::OpenFor(60_000)));
    assert!(watch.is_open());
    assert_eq!(watch.next_ms(), Some(61_250));
    assert_eq!(watch.on(61_249, Event::Passed), Action::Nothing);
}

#[test]
fn an_open_circuit_lets_one_child_through_at_a_time() {
    let mut watch = Watch::new(Policy { attempts_ms: [0; 3], ..Policy::default() });
    for _ in 0..3 {
        assert_eq!(start_and_exit(&mut watch, 0), exited(Then::StartIn(0)));
    }
    assert_eq!(start_and_exit(&mut watch, 0), exited(Then::OpenFor(60_000)));
    assert_eq!(start_and_exit(&mut watch, 60_000), exited(Then::OpenFor(60_000)));
    assert_eq!(start_and_exit(&mut watch, 120_000), exited(Then::OpenFor(60_000)));
    let Action::Start(generation) = watch.on(180_000, Event::Passed) else { panic!("no start was due") };
    assert!(!watch.is_open());
    watch.on(180_000, Event::Listening(generation));
    assert_eq!(watch.on(240_000, Event::Exited(generation)), exited(Then::StartIn(0)), "it was stable");
}

#[test]
fn a_stable_minute_gives_the_attempts_back() {
    let mut watch = Watch::new(Policy::default());
    start_and_exit(&mut watch, 0);
    start_and_exit(&mut watch, 0);
    let Action::Start(generation) = watch.on(250, Event::Passed) else { panic!("no start was due") };
    watch.on(300, Event::Listening(generation));
    assert_eq!(
        watch.on(60_299, Event::Exited(generation)),
        exited(Then::StartIn(1_000)),
        "a moment short of it"
    );

    let Action::Start(generation) = watch.on(61_299, Event::Passed) else { panic!("no start was due") };
    watch.on(61_299, Event::Listening(generation));
    assert_eq!(watch.on(121_299, Event::Exited(generation)), exited(Then::StartIn(0)));
}

#[test]
fn a_child_that_hangs_from_the_start_is_never_stable() {
    let mut watch = Watch::new(Policy::default());
    let (mut now_ms, mut starts) = (0, 0);
    let open = loop {
        let Action::Start(generation) = watch.on(now_ms, Event::Passed) else { panic!("no start was due") };
        starts += 1;
        watch.on(now_ms, Event::Listening(generation));
        let mut action = Action::Nothing;
        while action == Action::Nothing {
            action = probe(&mut watch, &mut now_ms, false);
        }
        match action {
            Action::End { then: Then::StartIn(wait), .. } => now_ms += wait,
            other => break other,
        }
    };
    assert_eq!(open, Action::End { why: Why::Unanswered, then: Then::OpenFor(60_000) });
    assert_eq!(starts, 4);
}

#[test]
fn a_child_that_never_listens_is_ended() {
    let mut watch = Watch::new(Policy::default());
    assert_eq!(watch.on(10, Event::Passed), Action::Start(1));
    assert_eq!(watch.on(30_009, Event::Passed), Action::Nothing);
    let end = Action::End { why: Why::NeverListened, then: Then::StartIn(0) };
    assert_eq!(watch.on(30_010, Event::Passed), end);
}

#[test]
fn quit_while_a_restart_waits_starts_nothing() {
    let mut watch = Watch::new(Policy::default());
    start_and_exit(&mut watch, 0);
    start_and_exit(&mut watch, 0);
    assert_eq!(watch.next_ms(), Some(250));
    assert_eq!(watch.on(100, Event::Quit), Action::Nothing);
    assert_eq!(watch.next_ms(), None);
    for now_ms in [250, 1_000, 1_000_000] {
        assert_eq!(watch.on(now_ms, Event::Passed), Action::Nothing);
    }
}

#[test]
fn quit_voids_a_start_that_is_under_way() {
    let mut watch = Watch::new(Policy::default());
    assert_eq!(watch.on(0, Event::Passed), Action::Start(1));
    assert_eq!(watch.current(), Some(1));
    assert_eq!(watch.on(0, Event::Quit), Action::End { why: Why::Quit, then: Then::Nothing });
    assert_eq!(watch.current(), None);
    assert_eq!(watch.on(0, Event::Exited(1)), Action::Nothing);
    assert_eq!(watch.on(0, Event::Quit), Action::Nothing, "there is nothing left to end");
}

#[test]
fn events_of_an_older_child_are_ignored() {
    let mut watch = up();
    assert_eq!(watch.on(100, Event::Exited(1)), exited(Then::StartIn(0)));
    assert_eq!(watch.on(100, Event::Exited(1)), Action::Nothing, "told twice");
    assert_eq!(watch.on(100, Event::Passed), Action::Start(2));
    watch.on(100, Event::Listening(2));
    for _ in 0..10 {
        assert_eq!(watch.on(200, Event::Unanswered(1)), Action::Nothing);
        assert_eq!(watch.on(200, Event::Exited(1)), Action::Nothing);
    }
    assert_eq!(watch.current(), Some(2));
}

#[test]
fn who_does_not_answer_is_not_stable() {
    for is_asked_still in [true, false] {
        let mut watch = Watch::new(Policy::default());
        start_and_exit(&mut watch, 0);
        start_and_exit(&mut watch, 0);
        let Action::Start(generation) = watch.on(250, Event::Passed) else { panic!("no start was due") };
        watch.on(250, Event::Listening(generation));
        assert_eq!(watch.on(60_250, Event::Passed), Action::Probe(generation));
        if is_asked_still {
            assert_eq!(watch.on(61_000, Event::Passed), Action::Nothing);
        } else {
            watch.on(61_000, Event::Unanswered(generation));
        }
        assert_eq!(watch.on(62_000, Event::Exited(generation)), exited(Then::StartIn(1_000)));
    }
}
