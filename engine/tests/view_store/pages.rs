//! Pages: nothing is lost, nothing comes twice, and as much stays as should.

use std::collections::BTreeSet;

use highwater_engine::view::Store;
use highwater_engine::view::store::{PAGE, Request, SLIDING};
use highwater_engine::view::strategy::{BOUNDED, Paging, Strategy, Window};
use serde_json::json;

use crate::server::{Server, message_id, user};
use crate::{part_updated, post, strategy, text_part};

fn paged(paging: Paging) -> Strategy {
    Strategy { paging, window: Window::Rows, ..BOUNDED }
}

fn opened(paging: Paging, turns: usize, answers: usize, is_silent: bool) -> (Server, Store) {
    let (mut server, mut store) = (Server { is_silent, ..Server::default() }, Store::new(&paged(paging)));
    server.add("s", turns, answers, 1);
    server.open(&mut store, "s");
    (server, store)
}

/// Looks for older messages until there are none; gives all that were held at some time.
fn to_the_start(server: &mut Server, store: &mut Store) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..2000 {
        seen.extend(store.messages("s").map(str::to_owned));
        let requests = store.scroll_up(0);
        let is_end = requests.is_empty() && !store.has_older("s");
        server.serve(store, requests);
        if is_end {
            return seen;
        }
    }
    panic!("there is no end after {} messages", seen.len());
}

#[test]
fn two_thousand_messages_come_once_each_by_a_cursor_told_or_built() {
    for paging in [Paging::Cursor, Paging::Sliding] {
        for is_silent in [false, true] {
            let (mut server, mut store) = opened(paging, 500, 3, is_silent);
            let seen = to_the_start(&mut server, &mut store);
            assert_eq!(seen.len(), 2000);
            assert_eq!(server.sent.iter().sum::<usize>(), 2000, "{paging:?}");
            // Where the server is silent, a full page may be the last one.
            let pages = 2000 / PAGE;
            assert!(server.sent.len() - pages <= usize::from(is_silent), "{paging:?}");
            let held = if paging == Paging::Sliding { SLIDING } else { 2000 };
            assert_eq!(store.messages("s").count(), held);
            assert_eq!(store.messages("s").next().unwrap(), message_id("s", 0));
        }
    }
}

#[test]
fn a_growing_limit_sends_everything_newer_again() {
    let (mut server, mut store) = opened(Paging::Limit, 500, 3, true);
    assert_eq!(to_the_start(&mut server, &mut store).len(), 2000);
    assert_eq!(server.sent, [400, 800, 1200, 1600, 2000, 2000]);
}

#[test]
fn a_page_that_begins_within_a_turn_brings_the_turn() {
    // Turns of seven messages: 80 is no multiple of them.
    for paging in [Paging::Cursor, Paging::Sliding] {
        let (server, store) = opened(paging, 30, 6, false);
        assert_eq!(server.sent, [80, 80], "{paging:?}");
        assert_eq!(store.messages("s").count(), 160);
    }
    // A turn that is longer than what slides is not asked for to its beginning: its end would have to go.
    let (server, store) = opened(Paging::Sliding, 1, 999, false);
    assert_eq!((server.sent.len(), store.messages("s").last()), (4, Some(&*message_id("s", 999))));
    let (server, _) = opened(Paging::Cursor, 1, 999, false);
    assert_eq!(server.sent.iter().sum::<usize>(), 1000);
}

#[test]
fn while_old_pages_are_shown_what_is_new_is_counted_and_comes_when_the_end_is_looked_for() {
    let (mut server, mut store) = opened(Paging::Sliding, 200, 3, false);
    to_the_start(&mut server, &mut store);
    let missed = store.missed("s");
    assert_eq!(missed, 800 - SLIDING as u64);
    let new = user("s", 800);
    server.sessions.get_mut("s").unwrap().push((new.clone(), Vec::new()));
    post(&mut store, json!({"type": "messageCreated", "info": new}));
    post(&mut store, part_updated(&text_part("s", &message_id("s", 800), 0, "new")));
    assert_eq!((store.missed("s"), store.messages("s").count()), (missed + 1, SLIDING));
    let requests = store.scroll_to_end();
    server.serve(&mut store, requests);
    assert_eq!((store.missed("s"), store.messages("s").last()), (0, Some(&*message_id("s", 800))));
    // The page began within a turn.
    assert_eq!(store.messages("s").count(), 2 * PAGE);
    assert!(store.scroll_to_end().is_empty());
}

#[test]
fn going_down_from_old_pages_leads_to_the_newest_one() {
    let (mut server, mut store) = opened(Paging::Sliding, 200, 3, false);
    to_the_start(&mut server, &mut store);
    let requests = (0..100).map(|_| store.scroll_down()).find(|requests| !requests.is_empty());
    server.serve(&mut store, requests.unwrap());
    assert_eq!(store.messages("s").last().unwrap(), message_id("s", 799));
    assert!(store.window().is_at_end());
}

#[test]
fn a_transcript_that_grows_loses_its_oldest_messages_which_can_be_asked_for_again() {
    let (mut server, mut store) = opened(Paging::Sliding, 80, 3, false);
    to_the_start(&mut server, &mut store);
    store.scroll_to_end();
    assert_eq!((store.messages("s").count(), store.has_older("s")), (SLIDING, false));
    for number in SLIDING..SLIDING + 100 {
        let new = user("s", number);
        server.sessions.get_mut("s").unwrap().push((new.clone(), Vec::new()));
        post(&mut store, json!({"type": "messageCreated", "info": new}));
    }
    assert_eq!(
        (store.messages("s").next(), store.messages("s").count()),
        (Some(&*message_id("s", 100)), SLIDING)
    );
    assert!(store.has_older("s"));
    assert_eq!(to_the_start(&mut server, &mut store).len(), SLIDING + 100);
}

#[test]
fn a_session_that_is_shown_again_is_asked_for_its_newest_page_where_it_was_kept() {
    let mut store = Store::new(&strategy("upstream"));
    let mut server = Server::default();
    server.add("s", 25, 3, 1);
    server.add("t", 1, 1, 1);
    server.open(&mut store, "s");
    let requests = store.scroll_up(0);
    server.serve(&mut store, requests);
    server.open(&mut store, "t");
    // Meanwhile one message goes, and one comes, and the view is told neither.
    let messages = server.sessions.get_mut("s").unwrap();
    messages.remove(90);
    messages.push((user("s", 100), Vec::new()));
    let requests = store.open("s");
    assert!(matches!(&requests[..], [Request::Focus { session, .. }] if session == "s"));
    server.serve(&mut store, requests);
    let held: Vec<&str> = store.messages("s").collect();
    let told: Vec<String> = (0..=100).filter(|number| *number != 90).map(|id| message_id("s", id)).collect();
    assert_eq!(held, told[told.len() - held.len()..]);
}

#[test]
fn a_newest_page_that_has_nothing_of_what_is_held_takes_its_place() {
    let mut store = Store::new(&strategy("upstream"));
    let mut server = Server::default();
    server.add("s", 10, 3, 1);
    server.add("t", 1, 1, 1);
    server.open(&mut store, "s");
    server.open(&mut store, "t");
    server.add("s", 50, 3, 1);
    server.open(&mut store, "s");
    assert_eq!(store.messages("s").next().unwrap(), message_id("s", 120));
    assert!(store.has_older("s"));
}
