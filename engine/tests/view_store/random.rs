//! Whatever happens in whatever order: the ledger says what is held, and what was deleted stays away.

use highwater_engine::view::Store;
use highwater_engine::view::drafts::key;
use highwater_engine::view::store::Request;
use highwater_engine::view::strategy::{BOUNDED, Paging, Strategy, Sweep, Switch, Window, named};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::image;
use crate::server::{Server, answer, message_id, text_part, tool_part, user};

/// Something that happens to the session `s`, and to its message or part `n`.
type Step = (u8, u8, usize);

const SESSIONS: u8 = 4;

fn session(number: u8) -> String {
    format!("s{}", number % SESSIONS)
}

/// A post about a session.
fn told(kind: u8, of: &str, n: usize) -> Value {
    let message = message_id(of, n);
    let ids = json!({"sessionID": of, "messageID": message});
    let with = |kind: &str, more: Value| {
        let mut post = ids.clone();
        post["type"] = json!(kind);
        let Value::Object(more) = more else { panic!("{more}") };
        post.as_object_mut().unwrap().extend(more);
        post
    };
    let part = text_part(of, &message, n % 3, "text");
    let ask = json!({"id": format!("per_{of}"), "sessionID": of});
    match kind {
        0 => with(
            "messageCreated",
            json!({"info": if n.is_multiple_of(4) { user(of, n) } else { answer(of, n, n / 4 * 4) }}),
        ),
        1 => with("messageRemoved", json!({})),
        2 => with("partUpdated", json!({"part": part})),
        3 => with("partUpdated", json!({"part": tool_part(of, &message, n % 3)})),
        4 => with("partUpdated", json!({"partID": part["id"], "delta": {"field": "text", "text": "…and"}})),
        5 => with("partRemoved", json!({"partID": part["id"]})),
        6 => with("todoUpdated", json!({"todos": [n]})),
        7 => with("permissionRequest", json!({"request": ask})),
        8 => with("permissionResolved", json!({"requestID": ask["id"]})),
        9 => with(
            "sessionStatus",
            json!({"status": {"type": if n.is_multiple_of(2) { "busy" } else { "idle" }}}),
        ),
        10 => with("sessionError", json!({"error": {}})),
        11 => with("sessionUpdated", json!({"session": {"id": of, "title": "t"}})),
        12 => with("sessionDeleted", json!({})),
        13 => with("questionRequest", json!({"request": ask})),
        14 => with("resync", json!({})),
        _ => {
            let update = json!({"sessionID": of, "messageID": message, "partID": part["id"]});
            let (mut whole, mut delta) = (update.clone(), update);
            whole["part"] = part;
            delta["delta"] = json!({"field": "text", "text": "more"});
            with("partsUpdated", json!({"updates": [delta, whole, delta]}))
        }
    }
}

/// What a person does.
fn done(store: &mut Store, action: u8, of: &str, n: usize) -> Vec<Request> {
    match action {
        0 | 1 => return store.open(of),
        2 => return store.scroll_up(n as i64 * 300),
        3 => return store.scroll_down(),
        4 => return store.scroll_to_end(),
        5 => return store.send(of, &key("prompt", of), &message_id(of, n), n as i64),
        6 => return store.delete_session(of),
        7 => store.type_draft(&key("prompt", of), "draft"),
        8 => store.attach_image(&key("prompt", of), image(n * 100)),
        9 => store.select_agent(of, "code"),
        _ => store.override_model(of, "m"),
    }
    Vec::new()
}

/// Takes a step; requests wait in `asked` until a later step answers one of them.
fn step(server: &mut Server, store: &mut Store, asked: &mut Vec<Request>, (kind, number, n): Step) {
    let of = session(number);
    let requests = match kind {
        0..16 => store.receive(&told(kind, &of, n).to_string(), n as i64).unwrap(),
        16..27 => done(store, kind - 16, &of, n),
        27 => store.receive(&server.list(), 0).unwrap(),
        _ if asked.is_empty() => Vec::new(),
        _ => {
            let request = asked.remove(n % asked.len());
            server.reply(&request).map_or_else(Vec::new, |post| store.receive(&post, 0).unwrap())
        }
    };
    asked.extend(requests);
}

fn strategies() -> Vec<Strategy> {
    let mut all: Vec<Strategy> = named().into_iter().map(|(_, strategy)| strategy).collect();
    for paging in [Paging::Limit, Paging::Cursor] {
        all.push(Strategy { paging, window: Window::Turns, ..BOUNDED });
    }
    all.push(Strategy { switch: Switch::Keep, sweep: Sweep::Orphans, ..BOUNDED });
    all
}

fn server() -> Server {
    let mut server = Server::default();
    server.add("s0", 3, 3, 2);
    server.add("s1", 120, 3, 1);
    server.add("s2", 1, 90, 1);
    server.add("s3", 1, 0, 0);
    server
}

/// Steps of which half answer requests or open sessions, so that there is something that can go wrong.
fn steps() -> impl Strategy_ {
    let kind = prop_oneof![2 => 0..28_u8, 1 => Just(28_u8), 1 => 16..19_u8];
    prop::collection::vec((kind, 0..SESSIONS, 0..40_usize), 1..60)
}

/// What makes steps.
trait Strategy_: proptest::strategy::Strategy<Value = Vec<Step>> {}
impl<T: proptest::strategy::Strategy<Value = Vec<Step>>> Strategy_ for T {}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_ledger_says_what_is_held(steps in steps()) {
        for strategy in strategies() {
            let (mut server, mut store, mut asked) = (server(), Store::new(&strategy), Vec::new());
            store.receive(&server.list(), 0).unwrap();
            for taken in &steps {
                step(&mut server, &mut store, &mut asked, *taken);
                let audit = store.audit();
                prop_assert!(audit.is_ok(), "{audit:?} after {taken:?} by {strategy}");
            }
        }
    }

    #[test]
    fn what_is_deleted_stays_away(before in steps(), after in steps()) {
        for strategy in strategies().into_iter().filter(|strategy| *strategy == BOUNDED) {
            let (mut server, mut store, mut asked) = (server(), Store::new(&strategy), Vec::new());
            store.receive(&server.list(), 0).unwrap();
            before.iter().for_each(|taken| step(&mut server, &mut store, &mut asked, *taken));
            for id in store.keys() {
                let gone = json!({"type": "sessionDeleted", "sessionID": id});
                store.receive(&gone.to_string(), 0).unwrap();
            }
            prop_assert!(store.counts().values().all(|count| *count == 0), "{:?}", store.counts());
            prop_assert_eq!((store.ledger().live(), store.window().ledger().live()), (0, 0));
            // Only a person can open it again, and only a list or the news of it can name it.
            let is_news = |kind: u8| kind == 16 || kind == 17 || kind == 27;
            for taken in after.iter().filter(|(kind, ..)| !is_news(*kind)) {
                step(&mut server, &mut store, &mut asked, *taken);
                prop_assert!(store.keys().is_empty(), "{:?} by {:?}", store.keys(), taken);
                prop_assert_eq!(store.ledger().live(), 0);
            }
        }
    }
}
