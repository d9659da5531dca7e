//! Images in drafts: how many copies there are, and when they go.

use highwater_engine::view::Store;
use highwater_engine::view::drafts::{IMAGES_AT_MOST, key};
use highwater_engine::view::store::Request;
use serde_json::json;

use crate::{image, post, strategy};

/// Twelve sessions with two images each.
fn screenshots(name: &str) -> Store {
    let mut store = Store::new(&strategy(name));
    for number in 0..12 {
        let session = format!("s{number}");
        post(&mut store, json!({"type": "sessionCreated", "session": {"id": session}}));
        store.attach_image(&key("prompt", &session), image(2_250_000));
        store.attach_image(&key("prompt", &session), image(1_000_000));
        store.audit().unwrap();
    }
    store
}

#[test]
fn images_that_are_not_sent_stay_for_ever_until_the_session_goes_or_up_to_a_cap() {
    for (name, kept, after) in [("as-reported", 12, 12), ("upstream", 12, 0), ("bounded", 10, 0)] {
        let mut store = screenshots(name);
        let whole = |store: &Store| {
            (0..12).filter(|number| store.images(&key("prompt", &format!("s{number}"))).len() == 2).count()
        };
        assert_eq!(whole(&store), kept, "{name}");
        let dropped: u32 =
            (0..12).map(|number| store.images_dropped(&key("prompt", &format!("s{number}")))).sum();
        assert_eq!(dropped, if name == "bounded" { 3 } else { 0 }, "{name}");
        if name == "bounded" {
            assert!(store.ledger().peak() < IMAGES_AT_MOST as u64 + 2_300_000);
        }
        (0..12).for_each(|number| drop(store.delete_session(&format!("s{number}"))));
        store.audit().unwrap();
        assert_eq!(whole(&store), after, "{name}");
        assert_eq!(store.ledger().live() == 0, after == 0, "{name}");
    }
}

fn copies(store: &Store) -> u64 {
    store.ledger().live() / 1_000_000
}

#[test]
fn a_sent_image_is_held_once_and_ours_leaves_it_to_the_server() {
    for (name, in_the_end) in [("as-reported", 1), ("upstream", 1), ("bounded", 0)] {
        let mut store = Store::new(&strategy(name));
        post(&mut store, json!({"type": "sessionCreated", "session": {"id": "s"}}));
        store.open("s");
        store.attach_image(&key("prompt", "s"), image(1_000_000));
        store.type_draft(&key("prompt", "s"), "look");
        let requests = store.send("s", &key("prompt", "s"), "msg_1", 7);
        store.audit().unwrap();
        let [Request::SendMessage { message, parts, .. }] = &requests[..] else { panic!("{requests:?}") };
        let file: serde_json::Value = serde_json::from_str(&parts[1]).unwrap();
        assert_eq!((&**message, &file["mime"], parts.len()), ("msg_1", &json!("image/png"), 2));
        assert_eq!(file["url"].as_str().unwrap().len(), 1_000_022);
        assert_eq!((copies(&store), store.images(&key("prompt", "s")).len()), (1, 0), "{name}");
        let info = json!({"id": "msg_1", "sessionID": "s", "role": "user", "time": {"created": 7}});
        post(&mut store, json!({"type": "messageCreated", "info": info}));
        assert_eq!((copies(&store), store.unsent("s").count()), (in_the_end, 0), "{name}");
        // The server's own part takes the place of the one that was made here.
        let own = json!({"id": "prt_x", "sessionID": "s", "messageID": "msg_1", "type": "file", "url": "u"});
        let update = json!({"type": "partUpdated", "sessionID": "s", "messageID": "msg_1", "part": own});
        post(&mut store, update);
        assert_eq!((copies(&store), store.counts()["parts"]), (0, 2), "{name}");
    }
}

#[test]
fn an_image_whose_address_needs_escapes_is_sent_as_it_is() {
    let mut store = Store::new(&strategy("bounded"));
    post(&mut store, json!({"type": "sessionCreated", "session": {"id": "s"}}));
    let mut odd = image(0);
    odd.data_url = "data:text/plain,\"\\\n".to_owned();
    let address = odd.data_url.clone();
    store.attach_image("prompt:new", odd);
    let requests = store.send("s", "prompt:new", "msg_1", 7);
    let [Request::SendMessage { parts, .. }] = &requests[..] else { panic!("{requests:?}") };
    let file: serde_json::Value = serde_json::from_str(&parts[1]).unwrap();
    assert_eq!(file["url"], json!(address));
}

#[test]
fn prompts_wait_while_their_session_works_and_go_one_by_one() {
    let mut store = Store::new(&strategy("bounded"));
    post(&mut store, json!({"type": "sessionCreated", "session": {"id": "s"}}));
    let status = |kind: &str| json!({"type": "sessionStatus", "sessionID": "s", "status": {"type": kind}});
    post(&mut store, status("busy"));
    assert!(store.send("s", "prompt:new", "msg_1", 1).is_empty());
    assert!(store.send("s", "prompt:new", "msg_2", 2).is_empty());
    for message in ["msg_1", "msg_2"] {
        let requests = post(&mut store, status("idle"));
        let [Request::SendMessage { message: sent, .. }] = &requests[..] else { panic!("{requests:?}") };
        assert_eq!(sent, message);
        assert!(post(&mut store, status("busy")).is_empty());
    }
    assert!(post(&mut store, status("idle")).is_empty());
}
