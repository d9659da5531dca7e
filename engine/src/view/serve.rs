//! The server behind HTTP: what happens as server-sent events, pages of history on request; on a loopback port, for whoever has the token.
//!
//! One loop serves all connections. What reads or writes the storage runs on another thread, one thing at a time. The loop takes a frame
//! from the server where nobody else has it; where somebody has, it looks again a millisecond later, and serves others meanwhile.
//!
//! What waits for a client waits in the server's own queue, which has a limit or not: a stream takes a frame when the one before is on
//! its way into the socket. Beside the queue there are, for each client, one frame, what one connection gathers to write (32 KB), and what
//! the operating system keeps for a socket (some megabytes, and not of this process).

mod api;
mod client;
mod events;
mod frames;
mod remote;
mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use self::state::State;
use super::server::Server;
use crate::http::{Connections, address_of};

pub use crate::http::{ListenError, Times, listen};
pub use client::{Client, ClientError, Events, Limits};
pub use frames::FrameError;
pub use remote::{Noted, Remote};

/// From one sign of life to the next, as the real server has it.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// How a service is made.
pub struct Options {
    /// What is served.
    pub server: Server,
    /// The token that every request must show.
    pub token: String,
    /// How long things may take. What a server holds back is said when it is due, to a [`Times::tick`]; a client whose socket takes nothing
    /// for [`Times::idle`] while something is to be sent is let go. The service's clock is that of the machine.
    pub times: Times,
    /// From one sign of life on an event stream to the next.
    pub heartbeat: Duration,
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
}

/// A service that runs.
pub struct Service {
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
/// When the token is too short, or others than this machine could reach the listener.
pub fn start(listener: TcpListener, options: Options) -> Result<Service, ServeError> {
    let address = address_of(&listener)?;
    if !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback(address).into());
    }
    let Options { server, token, times, heartbeat } = options;
    if token.len() < 16 {
        return Err(ServeError::WeakToken);
    }
    let (stop, stopped) = watch::channel(false);
    let state = Arc::new(State::new(server, &token, address, times, stopped.clone()));
    let ticking = tokio::spawn(tick(Arc::clone(&state), times.tick, heartbeat));
    let connections = Connections { router: api::router(&state), times, stopped };
    let accepting = tokio::spawn(connections.accept(listener));
    Ok(Service { address, state, stop, accepting, ticking, stop_within: times.stop })
}

impl Service {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server, to be looked at. What it is told here is heard only when somebody rings: tell it things by [`Service::with_server`].
    pub fn server(&self) -> &Mutex<Server> {
        self.state.server()
    }

    /// Tells the server something, and lets the streams know. It waits while the storage is read for somebody else.
    pub fn with_server<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        self.state.with_server(work)
    }

    /// Why what was held back could not be said, when that went wrong last; none if it never did.
    pub fn failure(&self) -> Option<String> {
        self.state.failure()
    }

    /// Stops: nothing new is let in, streams end, and what is under way has some seconds.
    pub async fn shut_down(self) {
        let _ = self.stop.send(true);
        self.ticking.abort();
        // What is still under way then ends with the runtime.
        let _ = tokio::time::timeout(self.stop_within, self.accepting).await;
    }
}

/// Says what is due, for ever.
async fn tick(state: Arc<State>, every: Duration, heartbeat: Duration) {
    let least = Duration::from_millis(1);
    let mut due = tokio::time::interval(every.max(least));
    let mut beat = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat.max(least));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {
                let now_ms = state::now_ms();
                let said = state.blocking(move |server| server.tick(now_ms)).await;
                state.note(said.and_then(|said| Ok(said?)));
            }
            _ = beat.tick() => {
                let said = state.blocking(Server::heartbeat).await;
                state.note(said);
            }
        }
    }
}
