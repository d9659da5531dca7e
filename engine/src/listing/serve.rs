//! The service itself: HTTP and WebSocket on a loopback port, for whoever has the token.
//!
//! One loop serves all connections. What a strategy does on that loop stops everything else, as it does in the real service; ours reads
//! files on a thread of its own.

mod api;
mod hub;
mod lister;
mod socket;
mod state;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::state::State;
use super::catalog::DiskError;
use super::strategy::Strategy;
use crate::http::{Connections, address_of};

pub use crate::http::{ListenError, Times, listen};
pub use lister::Gauges;

/// How a service is made.
pub struct Options {
    /// The home whose sessions are listed.
    pub home: PathBuf,
    /// The choices.
    pub strategy: Strategy,
    /// The token that every request must show.
    pub token: String,
    /// The file of the index, where the strategy has one; none: it is kept in memory only.
    pub index: Option<PathBuf>,
    /// Makes the ids of new sessions.
    pub new_id: Box<dyn Fn() -> String + Send + Sync>,
    /// How long things may take.
    pub times: Times,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot be reached, or by too many.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The token would let anybody in.
    #[error("a token has at least 16 signs")]
    WeakToken,
    /// The index cannot be used.
    #[error(transparent)]
    Index(#[from] DiskError),
}

/// A service that runs.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    ticking: JoinHandle<()>,
    stop_within: Duration,
}

/// Starts a service on a listener; to be called in the runtime that is to serve.
///
/// # Errors
/// When the token is too short, the listener has no address, or the index cannot be used.
pub fn start(listener: TcpListener, options: Options) -> Result<Server, ServeError> {
    let address = address_of(&listener)?;
    if options.token.len() < 16 {
        return Err(ServeError::WeakToken);
    }
    let (stop, stopped) = watch::channel(false);
    let (times, stop_within) = (options.times, options.times.stop);
    let state = Arc::new(State::new(options, address, stopped.clone())?);
    let ticking = tokio::spawn(tick(Arc::clone(&state), times.tick));
    let connections = Connections { router: api::router(&state), times, stopped };
    let accepting = tokio::spawn(connections.accept(listener));
    Ok(Server { address, state, stop, accepting, ticking, stop_within })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does at present.
    pub fn gauges(&self) -> Gauges {
        self.state.lister.gauges()
    }

    /// Stops: nothing new is let in, clients are told, and what is under way has some seconds.
    pub async fn shut_down(self) {
        let _ = self.stop.send(true);
        self.ticking.abort();
        // What is still under way then ends with the runtime.
        let _ = tokio::time::timeout(self.stop_within, self.accepting).await;
        let state = self.state;
        // The thread of the index ends what it has begun, if that is not too much, and leaves its file whole in any case.
        let close = tokio::task::spawn_blocking(move || state.lister.close());
        let _ = tokio::time::timeout(self.stop_within, close).await;
    }
}

/// Does what is due, for ever.
async fn tick(state: Arc<State>, every: Duration) {
    let mut interval = tokio::time::interval(every);
    loop {
        interval.tick().await;
        state.tick();
    }
}
