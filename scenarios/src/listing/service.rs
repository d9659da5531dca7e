//! A service that runs in this process, on a loop of its own, and how long that loop stood still.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::listing::Strategy;
use engine::listing::serve::{self, Gauges, Options, Times};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::client::TOKEN;

/// How often the loop is asked whether it goes on.
const BEAT: Duration = Duration::from_millis(1);

/// A service on a thread of its own.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    stalled: Arc<AtomicU64>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Gauges>,
}

/// What a service says when it has ended.
pub(super) struct Ended {
    pub(super) gauges: Gauges,
    /// The longest time in which its loop did nothing else.
    pub(super) stall: Duration,
}

/// A runtime of one thread.
pub(super) fn runtime() -> Result<Runtime, String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("failed to make a runtime: {error}"))
}

/// Runs something to its end on a runtime of its own; what is left then is given up.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(result)
}

/// How a service of a scenario is made. The home is a path below the working directory.
pub(super) fn options(home: &str, strategy: Strategy, times: Times, index: Option<PathBuf>) -> Options {
    let last = AtomicU64::new(0);
    let new_id = move || format!("new-{}", last.fetch_add(1, Ordering::Relaxed));
    Options { home: home.into(), strategy, token: TOKEN.to_owned(), index, new_id: Box::new(new_id), times }
}

/// Any free port of this machine.
pub(super) fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl Service {
    /// Starts one, and waits until it listens.
    pub(super) fn start(options: Options) -> Result<Service, String> {
        let stalled = Arc::new(AtomicU64::new(0));
        let (told, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let worst = Arc::clone(&stalled);
        let thread = std::thread::spawn(move || {
            let served = block_on(async {
                let listener = serve::listen(any_port(), false).await.map_err(|error| error.to_string())?;
                let server = serve::start(listener, options).map_err(|error| error.to_string())?;
                let beat = tokio::spawn(beat(worst, stopped));
                let _ = told.send(server.address());
                let _ = beat.await;
                let gauges = server.gauges();
                server.shut_down().await;
                Ok::<Gauges, String>(gauges)
            });
            served.and_then(|gauges| gauges).unwrap_or_default()
        });
        let address = address.recv().map_err(|_| "the service did not start".to_owned())?;
        Ok(Service { address, stalled, stop, thread })
    }

    /// Ends it.
    pub(super) fn stop(self) -> Result<Ended, String> {
        let _ = self.stop.send(());
        let gauges = self.thread.join().map_err(|_| "the service ended in a panic".to_owned())?;
        Ok(Ended { gauges, stall: Duration::from_micros(self.stalled.load(Ordering::Relaxed)) })
    }
}

/// Notes the longest time from one beat to the next beyond what was asked for, until the service is to stop. The beat in which it is told
/// so counts as well: a loop that was busy hears of its end together with the answer that it was busy with.
async fn beat(worst: Arc<AtomicU64>, mut stopped: oneshot::Receiver<()>) {
    while let Err(oneshot::error::TryRecvError::Empty) = stopped.try_recv() {
        let begun = Instant::now();
        tokio::time::sleep(BEAT).await;
        let late = begun.elapsed().saturating_sub(BEAT);
        worst.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
    }
}
