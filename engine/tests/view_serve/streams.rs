//! What streams say, and to whom.

use std::collections::BTreeSet;

use highwater_engine::view::event;
use highwater_engine::view::pipeline::Pipeline;
use highwater_engine::view::serve::{ClientError, Events, FrameError};
use highwater_engine::view::server::Interest;
use highwater_engine::view::strategy::{self, AS_REPORTED, BOUNDED};

use super::*;

/// The type of an event, and its session.
fn about(frame: &str) -> (String, String) {
    let frame: Value = serde_json::from_str(frame).unwrap();
    let text = |at: &str| frame.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/payload/type"), text("/payload/properties/sessionID"))
}

/// The events of a stream up to the next state of a session, which everybody gets.
async fn until_status(events: &mut Events) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|(kind, _)| kind != event::STATUS) {
        heard.push(about(&tokio::time::timeout(SOON, events.next()).await.unwrap().unwrap()));
    }
    heard
}

#[tokio::test]
async fn a_transcript_is_the_same_streamed_loaded_and_in_one_process() {
    for (name, strategy) in strategy::named() {
        let bench = bench(strategy).await;
        let mut remote = bench.showing(S).await;
        let folder = TempDir::new().unwrap();
        let mut pipeline = Pipeline::new(database(folder.path()), &strategy, DIRECTORY);
        let requests = pipeline.view.open(S);
        pipeline.act(requests, 0).unwrap();
        for number in 0..6 {
            for session in [S, OTHER] {
                let number = 2 * number + usize::from(session == OTHER);
                bench.service.with_server(|server| step(server, session, number));
                step(&mut pipeline.server, session, number);
            }
            pipeline.pump(number as i64 * 1_000).unwrap();
        }
        pipeline.pump(1_000_000).unwrap();
        bench.same(&mut remote, S).await;
        assert_eq!(pipeline.view.transcript(S), remote.view.transcript(S), "{name}");
        assert_eq!(pipeline.view.messages(S).count(), 6, "{name}");
        // It was streamed: the history was asked for once, when there was nothing.
        assert_eq!(remote.traffic().loads, 1, "{name}");
        assert_eq!(bench.service.failure(), None);
    }
}

#[tokio::test]
async fn clients_hear_of_what_interests_them() {
    let bench = bench(BOUNDED).await;
    let (mut one, mut other) =
        (bench.client().events(&[S]).await.unwrap(), bench.client().events(&[OTHER]).await.unwrap());
    let mut all = bench.client().events(&[]).await.unwrap();
    assert_ne!(one.number(), other.number());
    let happens = |number: usize| {
        bench.service.with_server(|server| {
            [S, OTHER].into_iter().enumerate().for_each(|(at, session)| step(server, session, number + at));
        });
    };
    happens(1);
    // Of a session that it has not named a client hears only the state.
    let sessions = |heard: &[(String, String)]| -> BTreeSet<(bool, String)> {
        let sessions = heard.iter().filter(|(_, session)| !session.is_empty());
        sessions.map(|(kind, session)| (event::is_state(kind), session.clone())).collect()
    };
    let of = |session: &str, is_state: bool| (is_state, session.to_owned());
    let mut heard = until_status(&mut one).await;
    assert_eq!(heard[0].0, event::CONNECTED);
    assert_eq!(sessions(&heard), BTreeSet::from([of(S, false), of(S, true)]));
    heard = until_status(&mut one).await;
    assert_eq!(sessions(&heard), BTreeSet::from([of(OTHER, true)]));
    heard = until_status(&mut other).await;
    assert_eq!(sessions(&heard), BTreeSet::from([of(S, true)]));
    heard = until_status(&mut other).await;
    assert_eq!(sessions(&heard), BTreeSet::from([of(OTHER, false), of(OTHER, true)]));
    heard = until_status(&mut all).await;
    heard.extend(until_status(&mut all).await);
    assert_eq!(sessions(&heard).len(), 4);

    let interest = Interest::Of(BTreeSet::from([OTHER.to_owned()]));
    bench.client().set_interest(one.number(), &interest).await.unwrap();
    happens(3);
    heard = until_status(&mut one).await;
    assert_eq!(sessions(&heard), BTreeSet::from([of(S, true)]));
    heard = until_status(&mut one).await;
    assert_eq!(sessions(&heard), BTreeSet::from([of(OTHER, false), of(OTHER, true)]));
}

#[tokio::test]
async fn as_reported_everybody_hears_everything() {
    let bench = bench(AS_REPORTED).await;
    let mut events = bench.client().events(&[S]).await.unwrap();
    bench.service.with_server(|server| step(server, OTHER, 1));
    let heard = until_status(&mut events).await;
    assert_eq!(heard.iter().filter(|(kind, _)| kind == event::DELTA).count(), 4);
}

#[tokio::test]
async fn a_client_that_goes_is_forgotten_soon() {
    let bench = bench(BOUNDED).await;
    let kept = bench.client().events(&[]).await.unwrap();
    let mut gone = bench.client().events(&[S]).await.unwrap();
    gone.next().await.unwrap();
    assert_eq!(bench.clients(), 2);
    drop(gone);
    bench.clients_become(1).await;
    // One that goes in the midst of its request leaves nothing behind.
    for _ in 0..20 {
        let client = bench.client();
        let _ = tokio::time::timeout(Duration::from_micros(300), client.events(&[])).await;
    }
    bench.clients_become(1).await;
    drop(kept);
    bench.clients_become(0).await;
}

#[tokio::test]
async fn a_connection_lives_and_a_silent_one_counts_as_lost() {
    let bench = bench_with(BOUNDED, Duration::from_millis(20)).await;
    let mut events = bench.client().events(&[]).await.unwrap();
    let kinds = [event::CONNECTED, event::HEARTBEAT, event::HEARTBEAT];
    for kind in kinds {
        assert_eq!(about(&events.next().await.unwrap()).0, kind);
    }
    let silence = Duration::from_millis(30);
    let quiet = super::bench(BOUNDED).await;
    let limits = Limits { silence, ..Limits::default() };
    let mut events = Client::new(quiet.service.address(), TOKEN, limits).events(&[]).await.unwrap();
    events.next().await.unwrap();
    assert!(matches!(events.next().await, Err(ClientError::Silent(_))));
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_an_error() {
    let bench = bench(AS_REPORTED).await;
    let limits = Limits { frame: 10_000, ..Limits::default() };
    let mut events = Client::new(bench.service.address(), TOKEN, limits).events(&[]).await.unwrap();
    for bytes in [9_000, 10_000] {
        bench.service.with_server(|server| server.delta(S, "msg_1", "prt_1", "text", &"x".repeat(bytes)));
    }
    assert_eq!(about(&events.next().await.unwrap()).0, event::CONNECTED);
    assert_eq!(about(&events.next().await.unwrap()).0, event::DELTA);
    let refused = events.next().await;
    assert!(matches!(refused, Err(ClientError::Frame(FrameError::TooLarge(10_000)))), "{refused:?}");
}

#[tokio::test]
async fn a_view_finds_its_service_again() {
    let bench = bench(BOUNDED).await;
    bench.service.with_server(|server| step(server, S, 1));
    let mut remote = bench.showing(S).await;
    let Bench { folder, strategy, service } = bench;
    let port = service.address().port();
    service.shut_down().await;

    // What happens while nobody listens is seen, too.
    let mut storage = Storage::database(&folder.path().join("kilo.db")).unwrap();
    let info = json!({"id": "msg_0002", "sessionID": S, "role": "assistant", "time": {"created": 2_000}});
    storage.put_message(&Message::new(info).unwrap()).unwrap();
    let again = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        started(storage, strategy, (serve::HEARTBEAT, Times::default()), port).await
    };
    let found = run_with(&mut remote, || 0, |view| view.messages(S).count() == 2);
    let (service, found) = tokio::join!(again, tokio::time::timeout(SOON, found));
    assert!(found.is_ok(), "{}", remote.host.lost_connections());
    assert!(remote.host.lost_connections() >= 1);
    let bench = Bench { folder, strategy, service };
    bench.same(&mut remote, S).await;
    bench.clients_become(1).await;
}

#[tokio::test]
async fn who_has_the_server_does_not_stop_the_loop() {
    let bench = bench(BOUNDED).await;
    let mut events = bench.client().events(&[]).await.unwrap();
    events.next().await.unwrap();
    bench.service.with_server(|server| step(server, S, 1));
    let held = Duration::from_millis(200);
    let (told, holds) = std::sync::mpsc::channel();
    let service = std::sync::Arc::new(bench);
    let holder = std::sync::Arc::clone(&service);
    let holder = std::thread::spawn(move || {
        let _server = holder.service.server().lock().unwrap();
        told.send(()).unwrap();
        std::thread::sleep(held);
    });
    holds.recv().unwrap();
    // Frames wait for a stream that may look for them only now; others are answered.
    let asked = std::time::Instant::now();
    assert_eq!(service.ask("GET", "/nothing", None).await.0, 404);
    assert!(asked.elapsed() < held / 2, "{:?}", asked.elapsed());
    let heard = until_status(&mut events).await;
    assert!(asked.elapsed() > held / 2);
    assert_eq!(heard.iter().filter(|(kind, _)| kind == event::DELTA).count(), 4);
    holder.join().unwrap();
}
