//! A list of events against a vector, and what it holds against a walk of its blocks.

use proptest::prelude::*;

use super::*;
use crate::snapshots::event::{Body, Source};

fn event(number: usize) -> Event {
    Event {
        id: format!("{number}").into(),
        timestamp: "".into(),
        turn: None,
        source: Source { kind: "user".into(), id: Some("x".into()), cursor: number as u64 },
        body: Body::User("text".repeat(number % 7).into()),
    }
}

/// What a list holds, block by block.
fn walked(events: &Events) -> usize {
    let chunks = events.chunks.iter().map(|chunk| {
        let texts: usize = chunk.iter().map(|event| event.heap_bytes() + EVENT_BYTES).sum();
        16 + 24 + chunk.capacity() * 8 + texts
    });
    chunks.sum::<usize>() + events.chunks.capacity() * 8
}

#[test]
fn whoever_holds_a_list_sees_it_as_it_was() {
    let mut events: Events = (0..200).map(event).collect();
    let held = events.clone();
    events.push(event(200));
    events.keep_last(50);
    assert_eq!((held.len(), events.len()), (200, 50));
    assert!(held.iter().map(|event| event.source.cursor).eq(0..200));
    assert!(events.iter().map(|event| event.source.cursor).eq(151..201));
}

#[test]
fn a_deep_clone_is_equal_and_shares_nothing() {
    let events: Events = (0..300).map(event).collect();
    let copy = events.deep_clone();
    assert!(copy == events);
    let addresses = |events: &Events| events.iter().map(std::ptr::from_ref).collect::<Vec<_>>();
    assert!(addresses(&events).iter().all(|address| !addresses(&copy).contains(address)));
}

proptest! {
    /// A vector is the oracle, whatever is appended, dropped and held meanwhile.
    #[test]
    fn it_is_a_list(steps in prop::collection::vec((0usize..300, 0usize..600, any::<bool>()), 0..8)) {
        let (mut events, mut oracle, mut held) = (Events::default(), Vec::new(), Vec::new());
        for (number, (pushed, most, holds)) in steps.into_iter().enumerate() {
            for at in 0..pushed {
                events.push(event(number * 1000 + at));
                oracle.push(event(number * 1000 + at));
            }
            if holds {
                held.push((events.clone(), oracle.clone()));
            }
            let gone = oracle.len().saturating_sub(most);
            prop_assert_eq!(events.keep_last(most), gone);
            oracle.drain(..gone);
            prop_assert!(events.iter().eq(oracle.iter()));
            prop_assert_eq!(events.len(), oracle.len());
            prop_assert_eq!(events.heap_bytes(), walked(&events));
        }
        for (events, oracle) in held {
            prop_assert!(events.iter().eq(oracle.iter()));
            prop_assert_eq!(events.heap_bytes(), walked(&events));
        }
    }
}
