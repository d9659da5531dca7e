//! What a view holds, and what it lets go: the reported one shows its leaks, ours shows none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "view_store/drafts.rs"]
mod drafts;
#[path = "view_store/pages.rs"]
mod pages;
#[path = "view_store/random.rs"]
mod random;
#[path = "view_store/server.rs"]
mod server;
#[path = "view_store/windows.rs"]
mod windows;

use highwater_engine::view::drafts::key;
use highwater_engine::view::store::{Post, PostError, Request};
use highwater_engine::view::strategy::{AS_REPORTED, BOUNDED, Strategy, named};
use highwater_engine::view::{Store, drafts::Image};
use serde_json::json;

use server::{Server, answer, message_id, text_part, tool_part, user};

fn strategy(name: &str) -> Strategy {
    named().into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn post(store: &mut Store, post: serde_json::Value) -> Vec<Request> {
    let requests = store.receive(&post.to_string(), 0).unwrap();
    store.audit().unwrap();
    requests
}

fn part_updated(part: &serde_json::Value) -> serde_json::Value {
    let (session, message) = (&part["sessionID"], &part["messageID"]);
    json!({"type": "partUpdated", "sessionID": session, "messageID": message, "part": part})
}

fn image(bytes: usize) -> Image {
    let data_url = format!("data:image/png;base64,{}", "A".repeat(bytes));
    Image { id: "i".to_owned(), filename: "a.png".to_owned(), mime: "image/png".to_owned(), data_url }
}

/// A store that knows ten sessions of five turns.
fn ten(strategy: &Strategy) -> (Server, Store) {
    let (mut server, mut store) = (Server::default(), Store::new(strategy));
    (0..10).for_each(|number| server.add(&format!("s{number}"), 5, 3, 4));
    store.receive(&server.list(), 0).unwrap();
    (server, store)
}

#[test]
fn each_session_that_is_visited_stays_as_reported_and_goes_in_ours() {
    for (strategy, stay) in [(&AS_REPORTED, 10), (&BOUNDED, 1)] {
        let (mut server, mut store) = ten(strategy);
        let listed = store.ledger().live();
        (0..10).for_each(|number| server.open(&mut store, &format!("s{number}")));
        let held = store.ledger().live() - listed;
        let one = server.bytes("s0");
        assert!(held > stay * one && held < stay * one + stay * one / 4, "{held} of {one} each");
        assert_eq!(store.counts()["messages"], 20 * stay as usize);
    }
}

#[test]
fn going_to_and_fro_holds_no_more_and_shows_the_same() {
    for (name, strategy) in named() {
        let (mut server, mut store) = ten(&strategy);
        server.open(&mut store, "s0");
        let shown = store.transcript("s0").unwrap();
        let mut held = Vec::new();
        for _ in 0..5 {
            server.open(&mut store, "s1");
            server.open(&mut store, "s0");
            held.push(store.ledger().live());
            assert_eq!(store.transcript("s0"), Some(shown), "{name}");
        }
        assert!(held.iter().all(|bytes| *bytes == held[0]), "{name}: {held:?}");
    }
}

/// What a view that shows a session of the cloud still has of the sessions that a list leaves out.
fn left_by_a_list(name: &str) -> (Vec<String>, usize) {
    let (mut server, mut store) = ten(&strategy(name));
    server.add("cloud:1", 1, 1, 1);
    (0..10).for_each(|number| server.open(&mut store, &format!("s{number}")));
    post(&mut store, json!({"type": "todoUpdated", "sessionID": "s5", "todos": []}));
    post(&mut store, json!({"type": "sessionCreated", "session": {"id": "child", "parentID": "s1"}}));
    post(&mut store, json!({"type": "sessionCreated", "session": {"id": "cloud:2"}}));
    server.open(&mut store, "cloud:1");
    let listed: Vec<_> = (0..4).map(|number| json!({"id": format!("s{number}")})).collect();
    post(&mut store, json!({"type": "sessionsLoaded", "sessions": listed, "preserve": ["s9"]}));
    assert!(store.transcript("cloud:1").is_some(), "{name}");
    assert!(store.keys().contains("cloud:2"), "{name}");
    let listed = ["s0", "s1", "s2", "s3", "s9", "child", "cloud:1", "cloud:2"];
    let left = store.keys().into_iter().filter(|id| !listed.contains(&&**id)).collect();
    (left, store.counts()["sessions"])
}

#[test]
fn a_list_sweeps_names_only_or_everything_but_what_is_preserved() {
    let unlisted: Vec<String> = (4..9).map(|number| format!("s{number}")).collect();
    assert_eq!(left_by_a_list("as-reported"), (unlisted, 6));
    assert_eq!(left_by_a_list("bounded"), (Vec::new(), 7));
}

#[test]
fn what_comes_for_an_evicted_session_is_an_orphan_in_the_fix_that_was_refused_only() {
    for (name, orphans) in [("as-proposed", 1), ("bounded", 0)] {
        let (mut server, mut store) = ten(&strategy(name));
        server.open(&mut store, "s0");
        server.open(&mut store, "s1");
        let before = store.counts()["parts"];
        post(&mut store, part_updated(&tool_part("s0", &message_id("s0", 1), 0)));
        server.open(&mut store, "s2");
        post(&mut store, json!({"type": "sessionDeleted", "sessionID": "s0"}));
        assert_eq!(store.counts()["parts"], before + orphans, "{name}");
        assert_eq!(store.keys().contains("s0"), orphans > 0, "{name}");
        assert_eq!(store.skipped().parts, 1 - orphans as u64, "{name}");
    }
}

/// Everything that a view can know of a session.
fn fill(store: &mut Store, session: &str) {
    let ask = |id: &str| json!({"id": format!("{id}_{session}"), "sessionID": session});
    post(store, json!({"type": "todoUpdated", "sessionID": session, "todos": [{"content": "x"}]}));
    post(store, json!({"type": "permissionRequest", "request": ask("per")}));
    post(store, json!({"type": "questionRequest", "request": ask("que")}));
    post(store, json!({"type": "sessionStatus", "sessionID": session, "status": {"type": "busy"}}));
    post(store, json!({"type": "sessionError", "sessionID": session, "error": {"name": "x"}}));
    store.select_agent(session, "code");
    store.override_model(session, "m");
    store.attach_image(&key("prompt", session), image(1000));
    store.send(session, &key("prompt", session), &format!("msg_{session}_9"), 5);
    store.type_draft(&key("prompt", session), "a draft");
    store.attach_image(&key("prompt", session), image(1000));
    store.audit().unwrap();
}

#[test]
fn after_every_session_is_deleted_nothing_is_left_but_as_reported() {
    for (name, is_clean) in [("as-reported", false), ("as-proposed", false), ("bounded", true)] {
        let (mut server, mut store) = ten(&strategy(name));
        post(&mut store, json!({"type": "sessionCreated", "session": {"id": "child", "parentID": "s3"}}));
        server.add("child", 1, 1, 1);
        for id in store.keys() {
            server.open(&mut store, &id);
            fill(&mut store, &id);
        }
        for number in 0..10 {
            let id = format!("s{number}");
            if number < 5 {
                post(&mut store, json!({"type": "sessionDeleted", "sessionID": id}));
            } else {
                assert_eq!(store.delete_session(&id), [Request::DeleteSession { session: id }]);
            }
        }
        let left = store.counts().into_iter().filter(|(_, count)| *count > 0);
        let left: Vec<&str> = left.map(|(map, _)| map).collect();
        assert_eq!((left.is_empty(), store.keys().is_empty()), (is_clean, is_clean), "{name}: {left:?}");
        assert_eq!(store.ledger().live() == 0, is_clean, "{name}");
        assert_eq!(store.window().ledger().live(), 0, "{name}");
        if name == "as-reported" {
            for map in ["loaded", "drafts", "image_drafts", "session_overrides"] {
                assert!(left.contains(&map), "{map} of {left:?}");
            }
        }
    }
}

#[test]
fn what_comes_after_a_deletion_brings_nothing_back_but_as_reported() {
    for (name, is_clean) in
        [("as-reported", false), ("as-proposed", false), ("upstream", false), ("bounded", true)]
    {
        let (mut server, mut store) = ten(&strategy(name));
        let asked = store.open("s0");
        let answer = server.reply(&asked[0]).unwrap();
        server.serve(&mut store, asked);
        post(&mut store, json!({"type": "sessionDeleted", "sessionID": "s0"}));
        assert_eq!(store.current(), None);
        post(&mut store, part_updated(&tool_part("s0", &message_id("s0", 1), 0)));
        post(&mut store, json!({"type": "messageCreated", "info": user("s0", 40)}));
        post(&mut store, json!({"type": "sessionUpdated", "session": {"id": "s0"}}));
        post(&mut store, json!({"type": "sessionStatus", "sessionID": "s0", "status": {"type": "busy"}}));
        fill(&mut store, "s0");
        store.receive(&answer, 50).unwrap();
        store.audit().unwrap();
        assert_eq!(store.keys().contains("s0"), !is_clean, "{name}");
        if is_clean {
            let skipped = store.skipped();
            assert_eq!((skipped.parts, skipped.messages, skipped.answers), (1, 1, 1));
            assert!(skipped.sessions > 5, "{skipped:?}");
        }
    }
}

#[test]
fn what_only_the_view_has_survives_a_switch_in_ours_and_not_in_the_fix_that_was_refused() {
    for (name, survive) in [("as-reported", 1), ("as-proposed", 0), ("bounded", 1)] {
        let (mut server, mut store) = ten(&strategy(name));
        server.open(&mut store, "s0");
        fill(&mut store, "s0");
        server.open(&mut store, "s1");
        assert_eq!((store.unsent("s0").count(), store.queued("s0").count()), (survive, survive), "{name}");
        assert_eq!((store.permissions().count(), store.questions().count()), (1, 1), "{name}");
        assert_eq!(store.draft(&key("prompt", "s0")), Some("a draft"), "{name}");
        assert_eq!(store.images(&key("prompt", "s0")).len(), 1, "{name}");
        let idle = json!({"type": "sessionStatus", "sessionID": "s0", "status": {"type": "idle"}});
        let sent = post(&mut store, idle);
        let is_whole = |request: &Request| matches!(request, Request::SendMessage { parts, .. } if parts.len() == 2 && parts[1].contains("AAAA"));
        assert_eq!(sent.iter().filter(|request| is_whole(request)).count(), survive, "{name}");
        server.open(&mut store, "s0");
        let shown = store.messages("s0").filter(|id| *id == "msg_s0_9").count();
        assert_eq!(shown, survive, "{name}");
    }
}

#[test]
fn a_prompt_of_a_session_that_is_not_shown_goes_when_the_server_has_it() {
    let (mut server, mut store) = ten(&BOUNDED);
    server.open(&mut store, "s0");
    store.send("s0", "prompt:new", "msg_s0_9", 5);
    server.open(&mut store, "s1");
    assert_eq!(store.messages("s0").count(), 1);
    let info = json!({"id": "msg_s0_9", "sessionID": "s0", "role": "user"});
    post(&mut store, json!({"type": "messageCreated", "info": info}));
    assert_eq!((store.messages("s0").count(), store.unsent("s0").count()), (0, 0));
}

#[test]
fn an_answer_for_a_session_that_is_not_shown_any_more_is_not_taken_by_ours() {
    let (mut server, mut store) = ten(&BOUNDED);
    let asked = store.open("s0");
    server.open(&mut store, "s1");
    server.serve(&mut store, asked.clone());
    assert_eq!((store.transcript("s0"), store.skipped().answers), (None, 1));
    // It is shown again, and the answer to the older request comes late.
    let asked_again = store.open("s0");
    server.serve(&mut store, asked);
    assert_eq!((store.transcript("s0"), store.skipped().answers), (None, 2));
    server.serve(&mut store, asked_again);
    assert_eq!(store.messages("s0").count(), 20);
}

#[test]
fn what_comes_while_an_answer_is_on_its_way_stays() {
    let (mut server, mut store) = ten(&BOUNDED);
    let asked = store.open("s0");
    post(&mut store, json!({"type": "messageCreated", "info": user("s0", 20)}));
    let part = text_part("s0", &message_id("s0", 20), 0, "new");
    post(&mut store, part_updated(&part));
    server.serve(&mut store, asked);
    assert_eq!(store.messages("s0").count(), 21);
    assert_eq!(store.window().turns(), 6);
    let newest = store.window().mounted().last().unwrap();
    assert_eq!(newest.shapes[0].visible(), "new");
}

#[test]
fn text_that_streams_is_in_the_end_as_if_it_had_come_whole() {
    for (name, strategy) in named() {
        let (mut server, mut store) = ten(&strategy);
        server.open(&mut store, "s0");
        let id = message_id("s0", 20);
        post(&mut store, json!({"type": "messageCreated", "info": answer("s0", 20, 16)}));
        let part = |text: &str| text_part("s0", &id, 0, text);
        post(&mut store, part_updated(&part("")));
        for piece in ["Hello ", "w\u{00f6}r\"ld", "…"] {
            let delta = json!({"field": "text", "text": piece});
            let part = part("");
            let update = json!({"sessionID": "s0", "messageID": id, "partID": part["id"], "delta": delta});
            let updates = json!([update]);
            post(&mut store, json!({"type": "partsUpdated", "updates": updates}));
        }
        let stats = store.text_stats();
        let text = "Hello w\u{00f6}r\"ld…";
        assert_eq!((stats.deltas, stats.delta_bytes), (3, text.len() as u64), "{name}");
        assert_eq!((stats.wide_bytes, stats.wide_units), (text.len() as u64, 13), "{name}");
        let (appended, held) = (store.transcript("s0"), store.ledger().live());
        post(&mut store, part_updated(&part(text)));
        assert_eq!(store.transcript("s0"), appended, "{name}");
        assert_eq!((store.text_stats().deltas, store.ledger().live()), (0, held + 1), "{name}");
        assert_eq!(store.window().mounted().last().unwrap().shapes.last().unwrap().visible(), text);
    }
}

#[test]
fn parts_that_were_mounted_stay_read_until_they_go() {
    let (mut server, mut store) = ten(&AS_REPORTED);
    server.open(&mut store, "s0");
    server.open(&mut store, "s1");
    let stats = store.text_stats();
    assert_eq!((stats.parts, stats.hydrated_parts), (2 * 65, 2 * 65));
    assert_eq!(stats.text_bytes, server.bytes("s0") + server.bytes("s1"));
    let (mut server, mut store) = ten(&BOUNDED);
    server.open(&mut store, "s0");
    // The last ten of its rows: four turns of a user row, and one row of eight parts and one of four.
    assert_eq!((store.text_stats().hydrated_parts, store.text_stats().parts), (12 * 3 + 3 + 4, 65));
}

#[test]
fn after_events_were_lost_everything_is_asked_for_anew() {
    let (mut server, mut store) = ten(&BOUNDED);
    server.open(&mut store, "s0");
    fill(&mut store, "s0");
    let before = store.transcript("s0");
    let asked = post(&mut store, json!({"type": "resync"}));
    assert_eq!(asked[..2], [Request::LoadSessions, Request::LoadStates]);
    assert!(matches!(&asked[2], Request::LoadMessages { session, .. } if session == "s0"));
    let counts = store.counts();
    assert_eq!((counts["messages"], counts["permissions"], counts["status"]), (1, 0, 0));
    server.serve(&mut store, asked);
    assert_eq!(store.transcript("s0"), before);
}

#[test]
fn answers_to_what_is_asked_are_given_once() {
    let (_, mut store) = ten(&BOUNDED);
    fill(&mut store, "s0");
    let replied = store.reply_permission("per_s0", "once");
    assert!(matches!(&replied[..], [Request::ReplyPermission { session, .. }] if session == "s0"));
    let replied = store.reply_question("que_s0", "yes");
    assert!(matches!(&replied[..], [Request::ReplyQuestion { session, .. }] if session == "s0"));
    assert!(store.reply_permission("per_s0", "once").is_empty());
    fill(&mut store, "s1");
    let resolved = json!({"type": "permissionResolved", "sessionID": "s1", "requestID": "per_s1"});
    post(&mut store, resolved);
    let resolved = json!({"type": "questionResolved", "sessionID": "s1", "requestID": "que_s1"});
    post(&mut store, resolved);
    assert_eq!((store.permissions().count(), store.questions().count()), (0, 0));
}

#[test]
fn a_message_or_a_part_that_is_removed_is_gone() {
    let (mut server, mut store) = ten(&BOUNDED);
    server.open(&mut store, "s0");
    let (message, other) = (message_id("s0", 19), message_id("s0", 18));
    let part = &tool_part("s0", &other, 0)["id"];
    let gone = json!({"type": "partRemoved", "sessionID": "s0", "messageID": other, "partID": part});
    post(&mut store, gone);
    post(&mut store, json!({"type": "messageRemoved", "sessionID": "s0", "messageID": message}));
    assert_eq!((store.counts()["messages"], store.counts()["parts"]), (19, 65 - 5));
}

#[test]
fn posts_are_written_as_they_are_read() {
    let text = r#"{"type":"partUpdated","sessionID":"s","messageID":"m","partID":"p","delta":{"field":"text","text":"x"}}"#;
    assert_eq!(serde_json::to_string(&Post::read(text).unwrap()).unwrap(), text);
    let text = concat!(
        r#"{"type":"messagesLoaded","sessionID":"s","mode":"prepend","messages":[{"info":{"id" :1},"parts":[[ ]]}],"#,
        r#""before":null,"hasMore":true,"request":7}"#
    );
    assert_eq!(serde_json::to_string(&Post::read(text).unwrap()).unwrap(), text);
    assert_eq!(serde_json::to_string(&Post::Resync).unwrap(), r#"{"type":"resync"}"#);
}

#[test]
fn a_post_that_cannot_be_read_says_which_and_records_without_ids_are_counted() {
    let mut store = Store::new(&BOUNDED);
    let error = |text: &str| Post::read(text).unwrap_err().to_string();
    assert!(error("{").starts_with("a post cannot be read: EOF"), "{}", error("{"));
    assert!(error(r#"{"type":"resolved"}"#).contains(r#"the type "resolved""#));
    assert!(error(r#"{"type":"sessionDeleted"}"#).starts_with("a post of type sessionDeleted cannot"));
    assert!(matches!(store.receive("[]", 0), Err(PostError::Unreadable { .. })));
    post(&mut store, json!({"type": "sessionsLoaded", "sessions": [{"title": "x"}, {"id": "s"}]}));
    post(&mut store, json!({"type": "messageCreated", "info": {"id": "", "sessionID": "s", "role": "user"}}));
    assert_eq!((store.skipped().malformed, store.counts()["sessions"]), (2, 1));
}
