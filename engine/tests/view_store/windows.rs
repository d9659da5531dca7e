//! What is mounted: everything, turns, or rows.

use highwater_engine::view::Store;
use highwater_engine::view::strategy::{AS_REPORTED, Paging, Strategy, Window};
use highwater_engine::view::window::{OVERSCAN, RowKind, VISIBLE};
use serde_json::json;

use crate::server::{Server, answer, message_id, tool_part, user};
use crate::{part_updated, post};

fn windowed(window: Window, paging: Paging) -> Store {
    Store::new(&Strategy { window, paging, ..AS_REPORTED })
}

fn opened(window: Window, turns: usize) -> (Server, Store) {
    let (mut server, mut store) = (Server::default(), windowed(window, Paging::Limit));
    server.add("s", turns, 1, 2);
    server.open(&mut store, "s");
    // Everything there is.
    while store.has_older("s") {
        let requests = store.scroll_up(0);
        server.serve(&mut store, requests);
    }
    let store = windowed(window, Paging::Limit);
    reopened(server, store)
}

/// A view that has loaded all messages by other means.
fn reopened(server: Server, mut store: Store) -> (Server, Store) {
    let requests = store.open("s");
    let mut all = Server { sessions: server.sessions.clone(), ..Server::default() };
    let mut limited = requests.clone();
    if let Some(highwater_engine::view::store::Request::LoadMessages { limit, .. }) = limited.first_mut() {
        *limit = 10_000;
    }
    all.serve(&mut store, limited);
    (server, store)
}

fn grow(store: &mut Store, turn: usize) {
    post(store, json!({"type": "messageCreated", "info": user("s", 2 * turn)}));
    post(store, json!({"type": "messageCreated", "info": answer("s", 2 * turn + 1, 2 * turn)}));
    post(store, part_updated(&tool_part("s", &message_id("s", 2 * turn + 1), 0)));
}

#[test]
fn everything_is_mounted_or_ten_turns_and_eight_more_for_each_look_and_each_new_one() {
    let (_, mut store) = opened(Window::All, 300);
    assert_eq!((store.window().mounted_turns(), store.window().turns()), (300, 300));
    grow(&mut store, 300);
    assert_eq!(store.window().mounted_turns(), 301);

    let (_, mut store) = opened(Window::Turns, 300);
    assert_eq!(store.window().mounted_turns(), 10);
    for look in 1..=20 {
        store.scroll_up(look * 1000);
        store.audit().unwrap();
        assert_eq!(store.window().mounted_turns(), 10 + 8 * look as usize);
    }
    (0..50).for_each(|turn| grow(&mut store, 300 + turn));
    assert_eq!(store.window().mounted_turns(), 10 + 8 * 20 + 50);
}

#[test]
fn rows_are_mounted_where_one_looks_however_long_the_transcript_is() {
    let (_, mut store) = opened(Window::Rows, 300);
    let most = VISIBLE + 2 * OVERSCAN;
    assert_eq!((store.window().mounted().count(), store.window().rows()), (VISIBLE + OVERSCAN, 600));
    let bytes = store.window().ledger().live();
    for _ in 0..80 {
        store.scroll_up(0);
        assert!(store.window().mounted().count() <= most);
    }
    store.audit().unwrap();
    assert_eq!(store.window().mounted().next().unwrap().message, message_id("s", 0).into());
    (0..50).for_each(|turn| grow(&mut store, 300 + turn));
    // It stays where one looks.
    assert_eq!(store.window().mounted().next().unwrap().message, message_id("s", 0).into());
    store.scroll_to_end();
    assert_eq!(store.window().mounted().last().unwrap().turn, 349);
    grow(&mut store, 350);
    assert_eq!(store.window().mounted().last().unwrap().turn, 350);
    // Rows go before those are mounted that take their place.
    assert!(store.window().ledger().peak() < 2 * bytes);
}

#[test]
fn one_giant_turn_is_mounted_whole_by_a_window_of_turns_and_in_part_by_rows() {
    for (window, rows, parts) in [(Window::All, 51, 401), (Window::Turns, 51, 401), (Window::Rows, 10, 80)] {
        let (mut server, mut store) = (Server::default(), windowed(window, Paging::Cursor));
        server.add("s", 1, 1, 400);
        server.open(&mut store, "s");
        let mounted: Vec<usize> = store.window().mounted().map(|row| row.shapes.len()).collect();
        assert_eq!((mounted.len(), mounted.iter().sum::<usize>()), (rows, parts));
        assert_eq!(store.text_stats().hydrated_parts, parts as u64);
    }
}

#[test]
fn only_what_changed_is_mounted_again() {
    let (_, mut store) = opened(Window::All, 100);
    let before = store.window().mounts();
    assert_eq!(before, 300);
    post(&mut store, part_updated(&tool_part("s", &message_id("s", 7), 0)));
    assert_eq!(store.window().mounts(), before + 1);
    post(&mut store, part_updated(&tool_part("s", &message_id("s", 7), 5)));
    assert_eq!(store.window().mounts(), before + 2);
    grow(&mut store, 100);
    assert_eq!(store.window().mounts(), before + 3);
}

#[test]
fn turns_of_older_pages_are_revealed_when_they_come() {
    let (mut server, mut store) = (Server::default(), windowed(Window::Turns, Paging::Cursor));
    server.add("s", 100, 3, 1);
    server.open(&mut store, "s");
    // Twenty turns are held; the first look asks ahead, and the next one soon after it does not.
    let requests = store.scroll_up(1000);
    assert_eq!((requests.len(), store.window().mounted_turns()), (1, 18));
    assert!(store.scroll_up(1100).is_empty());
    assert_eq!(store.window().mounted_turns(), 20);
    server.serve(&mut store, requests);
    assert_eq!((store.window().mounted_turns(), store.window().turns()), (20, 40));
    for _ in 0..3 {
        store.scroll_up(0);
    }
    assert_eq!(store.window().mounted_turns(), 40);
    // Nothing older is held: what comes is revealed by a batch.
    let requests = store.scroll_up(1200);
    server.serve(&mut store, requests);
    assert_eq!((store.window().mounted_turns(), store.window().turns()), (48, 60));
}

#[test]
fn a_window_of_turns_begins_anew_when_its_first_turn_is_gone_or_the_session_changes() {
    let (mut server, mut store) = opened(Window::Turns, 30);
    store.scroll_up(0);
    assert_eq!(store.window().mounted_turns(), 18);
    server.add("t", 3, 1, 1);
    server.open(&mut store, "t");
    assert_eq!(store.window().mounted_turns(), 3);
    server.open(&mut store, "s");
    assert_eq!(store.window().mounted_turns(), 10);
    // The last 12 turns remain: the window began at the one with the number 20.
    for turn in 11..30 {
        for number in [2 * turn, 2 * turn + 1] {
            let gone =
                json!({"type": "messageRemoved", "sessionID": "s", "messageID": message_id("s", number)});
            post(&mut store, gone);
        }
    }
    assert_eq!((store.window().turns(), store.window().mounted_turns()), (11, 10));
}

#[test]
fn a_turn_has_rows_for_its_changes_and_its_error() {
    let (mut server, mut store) = (Server::default(), windowed(Window::Rows, Paging::Cursor));
    server.add("s", 1, 2, 5);
    server.open(&mut store, "s");
    let mut told = user("s", 0);
    told["summary"] = json!({"diffs": [{"file": "a.rs"}, {"file": "b.rs"}]});
    post(&mut store, json!({"type": "messageCreated", "info": told}));
    let mut failed = answer("s", 2, 0);
    (failed["error"], failed["summary"]) = (json!({"name": "x"}), json!(true));
    post(&mut store, json!({"type": "messageCreated", "info": failed}));
    let rows: Vec<_> = store.window().mounted().map(|row| (row.kind, row.shapes.len())).collect();
    let answers = [(RowKind::Answer, 8), (RowKind::Answer, 2)];
    assert_eq!(rows[..3], [&[(RowKind::User, 1)][..], &answers[..]].concat());
    assert_eq!(rows[3..], [(RowKind::Diff, 1), (RowKind::Error, 1)]);
    let visible: Vec<&str> = store.window().mounted().skip(3).map(|row| row.shapes[0].visible()).collect();
    assert_eq!(visible, ["a.rs\nb.rs", r#"{"name":"x"}"#]);
    told["summary"] = json!({"diffs": [{"file": "c.rs"}]});
    post(&mut store, json!({"type": "messageCreated", "info": told}));
    assert_eq!(store.window().mounted().nth(3).unwrap().shapes[0].visible(), "c.rs");
}
