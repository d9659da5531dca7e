//! Limits, evictions and copies of a store.

use super::*;
use crate::snapshots::event::{Body, Event, Provider, Source};
use crate::snapshots::strategy::{AS_REPORTED, BOUNDED, with_fixes};

const NONE: Limits = Limits { sessions: usize::MAX, events: usize::MAX, bytes: u64::MAX };

fn key(id: &str) -> Key {
    Key { provider: Provider::Claude, id: id.into() }
}

fn session(id: &str, events: usize, text_bytes: usize) -> Snapshot {
    let mut snapshot = Snapshot::new(key(id));
    for number in 0..events {
        let event = Event {
            id: format!("{number}").into(),
            timestamp: "2026-01-05T08:00:00Z".into(),
            turn: None,
            source: Source { kind: "user".into(), id: None, cursor: number as u64 },
            body: Body::User("x".repeat(text_bytes).into()),
        };
        snapshot.metadata.note(&event);
        snapshot.events.push(event);
    }
    snapshot
}

fn filled(strategy: Strategy, limits: Limits, sessions: &[(&str, usize)]) -> Store {
    let mut store = Store::new(strategy, limits);
    for (id, bytes) in sessions {
        store.upsert(session(id, 1, *bytes)).unwrap();
    }
    store
}

fn ids(store: &mut Store) -> Vec<String> {
    store.list_metadata().into_iter().map(|listed| listed.key.id.to_string()).collect()
}

/// What the store says must be what it holds.
fn check_sums(store: &mut Store) {
    let estimates: u64 = store.entries.values().map(|entry| entry.estimate).sum();
    let events: u64 = store.entries.values().map(|entry| entry.snapshot.events.len() as u64).sum();
    let stats = store.stats();
    assert_eq!((stats.estimated_bytes, stats.events), (estimates + store.beside, events));
    assert_eq!(stats.sessions as usize, store.entries.len());
    assert_eq!(store.queue.len(), store.entries.len());
}

#[test]
fn the_one_that_came_in_first_goes_first_and_coming_in_again_counts() {
    let limits = Limits { bytes: 1 << 20, ..NONE };
    let mut store = filled(AS_REPORTED, limits, &[("a", 400_000), ("b", 400_000)]);
    store.upsert(session("a", 1, 400_000)).unwrap();
    // Reading does not count.
    store.get(&key("b")).unwrap();
    store.upsert(session("c", 1, 400_000)).unwrap();
    assert_eq!(ids(&mut store), ["c", "a"]);
    let stats = store.stats();
    assert_eq!((stats.evicted_for_bytes, stats.evicted_for_sessions, stats.evictions()), (1, 0, 1));
    assert!((400_000..401_000).contains(&stats.reclaimed_bytes), "{stats:?}");
    check_sums(&mut store);
}

#[test]
fn ours_keeps_what_is_used() {
    let limits = Limits { bytes: 1 << 20, ..NONE };
    let mut store = filled(BOUNDED, limits, &[("a", 400_000), ("b", 400_000)]);
    store.get(&key("a")).unwrap();
    store.upsert(session("c", 1, 400_000)).unwrap();
    assert_eq!(ids(&mut store), ["c", "a"]);
    check_sums(&mut store);
}

#[test]
fn there_are_so_many_sessions_at_most() {
    for strategy in [AS_REPORTED, BOUNDED] {
        let mut store = Store::new(strategy, Limits { sessions: 200, ..NONE });
        for number in 0..201 {
            store.upsert(session(&format!("{number:03}"), 1, 10)).unwrap();
        }
        let stats = store.stats();
        assert_eq!((stats.sessions, stats.evicted_for_sessions, stats.evicted_for_bytes), (200, 1, 0));
        assert_eq!(ids(&mut store).last().map(String::as_str), Some("001"));
        check_sums(&mut store);
    }
}

#[test]
fn the_last_events_are_kept_and_the_snippet_is_that_of_the_first() {
    let mut store = Store::new(BOUNDED, Limits { events: 100, ..NONE });
    store.upsert(session("a", 101, 10)).unwrap();
    let snapshot = store.get(&key("a")).unwrap();
    assert_eq!((snapshot.metadata.events, snapshot.metadata.truncated()), (100, 1));
    assert_eq!(snapshot.events.iter().next().map(|event| &*event.id), Some("1"));
    assert_eq!(snapshot.metadata.snippet.as_deref(), Some("xxxxxxxxxx"));
}

#[test]
fn one_session_larger_than_the_budget_stops_the_reported_daemon_and_stays() {
    let limits = Limits { bytes: 1 << 20, ..NONE };
    let mut store = filled(AS_REPORTED, limits, &[("a", 1000)]);
    let error = store.upsert(session("b", 1, 1_500_000)).unwrap_err();
    assert_eq!((&error.key, error.budget), (&key("b"), 1 << 20));
    let stats = store.stats();
    assert!(stats.over_budget && stats.estimated_bytes > 1 << 20);
    assert_eq!((ids(&mut store), stats.evictions()), (vec!["b".to_owned()], 1));
}

#[test]
fn ours_refuses_it_and_keeps_the_others() {
    let limits = Limits { bytes: 1 << 20, ..NONE };
    let mut store = filled(BOUNDED, limits, &[("a", 1000), ("b", 2000)]);
    let error = store.upsert(session("b", 1, 1_500_000)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "claude session b takes {} bytes, and the budget of all sessions together is 1048576; raise the budget, or archive the session",
            error.bytes
        )
    );
    // What there was of it is not served either: it would be out of date.
    assert_eq!((ids(&mut store), store.stats().evictions()), (vec!["a".to_owned()], 0));
    check_sums(&mut store);
}

#[test]
fn exactly_the_budget_is_within_it() {
    let bytes = session("a", 1, 1000).estimate(Estimate::Content) as u64;
    let mut store = filled(AS_REPORTED, Limits { bytes, ..NONE }, &[("a", 1000)]);
    assert_eq!(store.stats().evictions(), 0);
    store.upsert(session("b", 1, 999)).unwrap();
    assert_eq!(ids(&mut store), ["b"]);
}

#[test]
fn what_is_held_beside_counts_against_the_budget() {
    let limits = Limits { bytes: 10_000, ..NONE };
    let mut store = filled(BOUNDED, limits, &[("a", 1000), ("b", 1000)]);
    store.set_beside(6_000);
    store.upsert(session("c", 1, 1000)).unwrap();
    assert!(store.stats().evicted_for_bytes > 0);
    check_sums(&mut store);
    // More than everything: the last one stays, so that what is asked for can be given.
    store.set_beside(20_000);
    store.upsert(session("d", 1, 1000)).unwrap();
    assert_eq!(ids(&mut store), ["d"]);
}

#[test]
fn what_was_given_can_be_changed_without_changing_the_store() {
    for strategy in [AS_REPORTED, with_fixes(4), BOUNDED] {
        let mut store = filled(strategy, NONE, &[("a", 10), ("b", 10)]);
        let before = session("a", 1, 10);
        let mut given = Arc::unwrap_or_clone(store.get(&key("a")).unwrap());
        given.events.keep_last(0);
        given.metadata.snippet = None;
        for listed in store.list() {
            let mut listed = Arc::unwrap_or_clone(listed);
            listed.events.push(before.events.iter().next().unwrap().clone());
        }
        let stored = store.get(&key("a")).unwrap();
        assert!(stored.events == before.events);
        assert_eq!(stored.metadata.snippet, before.metadata.snippet);
    }
}

#[test]
fn only_those_that_copy_copy() {
    let cloned = |strategy| {
        let mut store = filled(strategy, NONE, &[]);
        store.upsert(session("a", 7, 10)).unwrap();
        store.list();
        store.get(&key("a"));
        store.list_metadata();
        store.stats().events_cloned
    };
    // In and out again, the list, the session.
    assert_eq!((cloned(AS_REPORTED), cloned(BOUNDED)), (4 * 7, 0));
}

#[test]
fn room_is_made_before_a_session_comes_in_unless_it_can_never_fit() {
    let limits = Limits { bytes: 1 << 20, ..NONE };
    let mut store = filled(BOUNDED, limits, &[("a", 400_000), ("b", 400_000)]);
    store.make_room_for(200_000);
    assert_eq!(store.stats().evictions(), 0);
    store.make_room_for(500_000);
    assert_eq!((ids(&mut store), store.stats().evicted_for_bytes), (vec!["b".to_owned()], 1));
    store.make_room_for(2 << 20);
    assert_eq!(ids(&mut store), ["b"]);
    check_sums(&mut store);
}
