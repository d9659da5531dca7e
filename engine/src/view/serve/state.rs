//! What all connections share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use axum::http::StatusCode;
use tokio::sync::{Semaphore, watch};

use super::Times;
use crate::http::{Access, Failure};
use crate::view::server::{ClientId, Interest, Server};

/// The state of a service.
pub(super) struct State {
    pub(super) access: Access,
    pub(super) times: Times,
    pub(super) stopped: watch::Receiver<bool>,
    server: Mutex<Server>,
    /// Rung whenever the server may have something for a client.
    bell: watch::Sender<()>,
    /// Who wants the server waits here, and not each on a thread of its own.
    turn: Arc<Semaphore>,
    streams: Mutex<Streams>,
    failure: Mutex<Option<String>>,
}

/// What handlers have.
pub(super) type Shared = Arc<State>;

/// Open event streams by the numbers that their clients were told.
#[derive(Default)]
struct Streams {
    open: BTreeMap<u64, ClientId>,
    last: u64,
}

/// What a client's queue has.
pub(super) enum Next<T> {
    /// This.
    Frame(T),
    /// Nothing.
    Nothing,
    /// Somebody else has the server at the moment.
    Busy,
}

impl State {
    pub(super) fn new(
        server: Server,
        token: &str,
        address: SocketAddr,
        times: Times,
        stopped: watch::Receiver<bool>,
    ) -> State {
        State {
            access: Access::new(token, address),
            times,
            stopped,
            server: Mutex::new(server),
            bell: watch::Sender::new(()),
            turn: Arc::new(Semaphore::new(1)),
            streams: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    pub(super) fn server(&self) -> &Mutex<Server> {
        &self.server
    }

    /// Does something with the server, and then wakes whoever waits for frames.
    pub(super) fn with_server<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        let done = work(&mut lock(&self.server));
        self.bell.send_replace(());
        done
    }

    /// The same away from the loop, to its end, also for a client that has gone away in the midst of it.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Server) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(failed)?;
        let state = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            state.with_server(work)
        });
        work.await.map_err(failed)
    }

    /// The next frame of a client, if that can be said at once.
    pub(super) fn next_frame(&self, client: ClientId) -> Next<Arc<str>> {
        let mut server = match self.server.try_lock() {
            Ok(server) => server,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Next::Busy,
        };
        server.next_frame(client).map_or(Next::Nothing, Next::Frame)
    }

    /// To be waited at for the next ring.
    pub(super) fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// A stream opens; it gets a number.
    pub(super) fn enter(&self, client: ClientId) -> u64 {
        let mut streams = lock(&self.streams);
        streams.last += 1;
        let number = streams.last;
        streams.open.insert(number, client);
        number
    }

    /// A stream has ended.
    pub(super) fn leave(&self, number: u64) {
        let client = lock(&self.streams).open.remove(&number);
        if let Some(client) = client {
            lock(&self.server).unsubscribe(client);
        }
    }

    /// A client names the sessions it shows; says whether its stream is open.
    pub(super) fn set_interest(&self, server: &mut Server, number: u64, interest: Interest) -> bool {
        let client = lock(&self.streams).open.get(&number).copied();
        client.map(|client| server.set_interest(client, interest)).is_some()
    }

    /// Keeps why something went wrong that nobody had asked for.
    pub(super) fn note(&self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            *lock(&self.failure) = Some(failure.why);
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }
}

/// The present time, ms since 1970.
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn failed(error: impl ToString) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "FAILED", error)
}

/// A panic elsewhere leaves what is kept here whole: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
