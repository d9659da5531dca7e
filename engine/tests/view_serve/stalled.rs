//! A client that does not read its socket.

use highwater_engine::view::event;
use highwater_engine::view::server::CAP_BYTES;
use highwater_engine::view::strategy::{AS_REPORTED, BOUNDED};

use super::*;

/// Bytes of one event, and how many there are of them: far more than the system keeps for a socket and the server for a client.
const PIECE: usize = 64 << 10;
const PIECES: usize = 640;

/// A part grows and grows. Gives the most bytes that waited.
async fn grow(bench: &Bench) -> u64 {
    let piece = "x".repeat(PIECE);
    let mut most = 0;
    bench.service.with_server(|server| {
        say(server, S, "msg_1", 1);
        put(server, S, "msg_1", "prt_1", json!({"type": "text", "text": ""}), 1);
    });
    for number in 0..PIECES {
        most = most.max(bench.service.with_server(|server| {
            server.delta(S, "msg_1", "prt_1", "text", &piece);
            server.queues_ledger().live()
        }));
        if number % 16 == 0 {
            // What fits goes into the socket.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    bench.service.with_server(|server| {
        put(server, S, "msg_1", "prt_1", json!({"type": "text", "text": "all said"}), 2);
        step(server, S, 2);
    });
    most
}

#[tokio::test]
async fn a_view_that_was_stalled_shows_what_the_server_has_and_cost_it_little() {
    let bench = bench(BOUNDED).await;
    let mut remote = bench.showing(S).await;
    let most = grow(&bench).await;
    assert!(most <= CAP_BYTES, "{most} bytes waited");
    let (live, dropped) =
        bench.service.with_server(|server| (server.queues_ledger().live(), server.dropped()));
    assert!(live < 1_000 && dropped > 0, "{live} bytes wait, {dropped} frames were dropped");
    bench.same(&mut remote, S).await;
    // It asked for everything once more, on the connection that it had.
    assert_eq!((remote.traffic().loads, remote.host.lost_connections()), (2, 0));
    assert_eq!(remote.view.messages(S).count(), 2);
}

#[tokio::test]
async fn who_was_stalled_is_told_that_it_has_missed_something() {
    let bench = bench(BOUNDED).await;
    let mut events = bench.client().events(&[S]).await.unwrap();
    grow(&bench).await;
    let mut frames = 0;
    while !tokio::time::timeout(SOON, events.next()).await.unwrap().unwrap().contains(event::RESYNC) {
        frames += 1;
    }
    assert!(frames < PIECES, "{frames} frames came before the word that some are missing");
    assert_eq!(bench.service.with_server(|server| server.queues_ledger().live()), 0);
    // From then on it hears what happens.
    bench.service.with_server(|server| server.delta(S, "msg_1", "prt_1", "text", "more"));
    let frame = tokio::time::timeout(SOON, events.next()).await.unwrap().unwrap();
    assert!(frame.contains(r#""delta":"more""#), "{frame}");
}

#[tokio::test]
async fn as_reported_everything_waits_for_who_does_not_read() {
    let bench = bench(AS_REPORTED).await;
    let mut remote = bench.showing(S).await;
    let most = grow(&bench).await;
    assert!(most > 2 * CAP_BYTES, "{most} bytes waited");
    bench.same(&mut remote, S).await;
    assert_eq!((remote.traffic().loads, bench.service.with_server(|server| server.dropped())), (1, 0));
    drop(remote);
    bench.clients_become(0).await;
    assert_eq!(bench.service.with_server(|server| server.queues_ledger().live()), 0);
}

#[tokio::test]
async fn who_takes_nothing_for_too_long_is_let_go() {
    let times = Times { idle: Duration::from_millis(100), ..Times::default() };
    let bench = bench_of(AS_REPORTED, serve::HEARTBEAT, times).await;
    let events = bench.client().events(&[S]).await.unwrap();
    grow(&bench).await;
    bench.clients_become(0).await;
    assert_eq!(bench.service.with_server(|server| server.queues_ledger().live()), 0);
    drop(events);
}
