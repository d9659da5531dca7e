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
