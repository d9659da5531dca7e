//! What a host does with nonsense.

use super::super::strategy::named;
use super::*;

#[test]
fn a_server_that_says_nonsense_is_refused_in_words() {
    for (name, strategy) in named() {
        let mut host = Host::new(&strategy);
        for frame in [
            "",
            "[]",
            "{\"payload\":7}",
            "{\"payload\":{\"type\":\"message.part.updated\",\"properties\":\"x\"}}",
            "{\"payload\":{\"type\":\"message.updated\",\"properties\":[1]}}",
            "{\"payload\":{\"type\":\"message.updated\",\"properties\":{\"info\":[],\"sessionID\":\"s\"}}}",
        ] {
            let _ = host.receive(frame, 0);
        }
        let load = Load { session: "s".to_owned(), before: None, limit: 1, mode: Mode::Replace, request: 0 };
        for body in ["", "7", "[7]", "[{\"info\":7,\"parts\":{}}]", "[\"x\"]"] {
            let reply = Reply { body: body.to_owned(), before: None, messages: 0 };
            assert!(host.loaded(&load, reply).is_err(), "{name}: {body}");
        }
        assert_eq!(host.transient_ledger().live(), 0, "{name}");
        assert_eq!((host.next_post(), host.retained_ledger().live()), (None, 0), "{name}");
    }
}

fn event(kind: &str, properties: &Value) -> String {
    json!({"directory": "/d", "project": "p", "payload": {"type": kind, "properties": properties}})
        .to_string()
}

#[test]
fn what_waits_of_a_part_that_is_gone_does_not_bring_it_back() {
    let mut host = Host::new(&super::super::strategy::BOUNDED);
    host.show("ses_1");
    let part =
        json!({"id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "text", "text": "t"});
    host.receive(&event(event::PART, &json!({"sessionID": "ses_1", "part": part})), 0).unwrap();
    let gone = json!({"sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_1"});
    host.receive(&event("message.part.removed", &gone), 1).unwrap();
    host.tick(1_000);
    let posts: Vec<String> = std::iter::from_fn(|| host.next_post()).collect();
    assert!(posts.iter().any(|post| post.contains("partRemoved")), "{posts:?}");
    assert!(!posts.iter().any(|post| post.contains("partsUpdated")), "{posts:?}");
}

#[test]
fn what_waits_of_a_session_is_posted_before_its_older_page_is_asked_for() {
    let mut host = Host::new(&super::super::strategy::BOUNDED);
    host.show("ses_1");
    let part =
        json!({"id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "text", "text": "t"});
    host.receive(&event(event::PART, &json!({"sessionID": "ses_1", "part": part})), 0).unwrap();
    let (session, mode) = ("ses_1".to_owned(), Mode::Prepend);
    host.ask(Request::LoadMessages { session, mode, before: None, limit: 80, request: 1 });
    let posts: Vec<String> = std::iter::from_fn(|| host.next_post()).collect();
    assert!(posts.iter().any(|post| post.contains("partsUpdated")), "{posts:?}");
}
