//! Clients that come back while the service has not done what they asked for before.
//!
//! Everything is a hundred times as fast as in the real service, but the list, which takes what it takes: pings each 0.3 s for 30 s, a socket
//! given up after 0.6 s without an answer for 60 s, a list given up after 0.3 s for 30 s, and retries after 10 ms to 0.3 s.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::listing::serve::Times;
use engine::listing::strategy::Cache;
use futures_util::{SinkExt, StreamExt};
use harness::meter;
use harness::record::{Tier, Unit};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::client::{self, Client, Socket};
use super::lists::{self, Script};
use super::service::{self, Service};
use super::{Account, Task};
use crate::subject::HOME;

/// Clients with a WebSocket, and those of them that look at the list.
const CLIENTS: usize = 20;
const POLLERS: usize = 3;
/// How long all this goes on, and how long the service has had to start.
const SPAN: Duration = Duration::from_millis(2_500);
const PING: Duration = Duration::from_millis(300);
const SILENCE: Duration = Duration::from_millis(600);
const ABORT: Duration = Duration::from_millis(300);
const RETRY_FIRST: Duration = Duration::from_millis(10);
const APPEND: Duration = Duration::from_millis(50);
/// Ticks of the script with the lines that are appended: more than there is time for.
pub(super) const TICKS: u32 = 20;

/// What the clients saw.
#[derive(Default)]
struct Seen {
    pongs: AtomicU64,
    missed: AtomicU64,
    reconnects: AtomicU64,
    lists: AtomicU64,
    aborted: AtomicU64,
    appends: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Lets the clients do what they do, and counts what went wrong.
pub(super) fn run(task: &Task) -> Result<Account, String> {
    let times = Times { stop: Duration::from_millis(200), ..Times::default() };
    let index = (task.strategy.cache == Cache::Index).then(|| PathBuf::from("index.sqlite"));
    meter::phase("start");
    let service = Service::start(service::options(HOME, task.strategy, times, index))?;
    meter::phase("storm");
    let seen = Arc::new(Seen::default());
    service::block_on(clients(service.address, Arc::clone(&seen)))??;
    let ended = service.stop()?;
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    for (name, value) in [
        ("scenario.pongs", of(&seen.pongs)),
        ("scenario.missed_pongs", of(&seen.missed)),
        ("scenario.reconnects", of(&seen.reconnects)),
        ("scenario.lists", of(&seen.lists)),
        ("scenario.aborted_lists", of(&seen.aborted)),
        ("scenario.appends", of(&seen.appends)),
        ("scenario.most_scans", ended.gauges.most_scans as f64),
    ] {
        meter::set(name, Unit::Count, Tier::Noisy, value);
    }
    meter::set("scenario.stall_seconds", Unit::Seconds, Tier::Noisy, ended.stall.as_secs_f64());
    if of(&seen.pongs) + of(&seen.missed) == 0.0 || of(&seen.appends) == 0.0 {
        return Err("no client asked, or nothing was written: nothing was measured".to_owned());
    }
    Ok(Account::default())
}

async fn clients(address: SocketAddr, seen: Arc<Seen>) -> Result<(), String> {
    let script = Script::open()?;
    let mut all = JoinSet::new();
    all.spawn(append(script, Arc::clone(&seen)));
    for number in 0..CLIENTS {
        all.spawn(stay_connected(address, number, Arc::clone(&seen)));
    }
    for _ in 0..POLLERS {
        all.spawn(poll(address, Arc::clone(&seen)));
    }
    sleep(SPAN).await;
    all.abort_all();
    Ok(())
}

/// Another program that writes, until it has nothing more to say.
async fn append(mut script: Script, seen: Arc<Seen>) {
    while script.append_next().is_ok() {
        add(&seen.appends);
        sleep(APPEND).await;
    }
}

async fn stay_connected(address: SocketAddr, number: usize, seen: Arc<Seen>) {
    let path = format!("/ws/session-{number}");
    let mut retry = RETRY_FIRST;
    loop {
        if let Ok(Ok(socket)) = timeout(SILENCE, client::open(address, &path)).await {
            retry = RETRY_FIRST;
            ping(socket, &seen).await;
        }
        add(&seen.reconnects);
        sleep(retry).await;
        retry = (retry * 2).min(PING);
    }
}

/// Pings until nothing was heard for too long.
async fn ping(mut socket: Socket, seen: &Seen) {
    let mut heard = Instant::now();
    loop {
        let begun = Instant::now();
        if socket.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
            return add(&seen.missed);
        }
        match timeout(PING, socket.next()).await {
            Ok(Some(Ok(_))) => {
                add(&seen.pongs);
                heard = Instant::now();
            }
            Ok(_) => return add(&seen.missed),
            Err(_) => add(&seen.missed),
        }
        if heard.elapsed() > SILENCE {
            return;
        }
        sleep(PING.saturating_sub(begun.elapsed())).await;
    }
}

async fn poll(address: SocketAddr, seen: Arc<Seen>) {
    let path = format!("/api/sessions?limit={}", lists::LIMIT);
    loop {
        let begun = Instant::now();
        let list = async { Client::connect(address).await?.get(&path).await };
        match timeout(ABORT, list).await {
            Ok(Ok(reply)) if reply.status == 200 => add(&seen.lists),
            _ => add(&seen.aborted),
        }
        sleep(ABORT.saturating_sub(begun.elapsed())).await;
    }
}
