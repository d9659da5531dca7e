//! What all connections share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

use super::hub::{Hub, Role};
use super::lister::Lister;
use super::{Options, ServeError, Times};
use crate::http::Access;
use crate::listing::Now;
use crate::listing::catalog::Catalog;
use crate::listing::files::{Root, ns_of};
use crate::listing::live::{Live, SWEEP_MS, Sid};
use crate::listing::tombstones::Tombstones;

/// The state of a service.
pub(super) struct State {
    pub(super) root: Root,
    pub(super) access: Access,
    pub(super) times: Times,
    pub(super) lister: Lister,
    pub(super) new_id: Box<dyn Fn() -> String + Send + Sync>,
    pub(super) stopped: watch::Receiver<bool>,
    /// Held by whoever writes a session: the service's own writers do not come between each other.
    pub(super) writes: Mutex<()>,
    clock: Clock,
    live: Mutex<Live>,
    tombstones: Mutex<(Tombstones, u64)>,
    hub: Mutex<Hub>,
}

/// The time since the service started, and that of the files.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    pub(super) fn now(self) -> Now {
        Now { monotonic_ms: self.started.elapsed().as_millis() as u64, wall_ns: ns_of(SystemTime::now()) }
    }
}

impl State {
    pub(super) fn new(
        options: Options,
        address: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) -> Result<State, ServeError> {
        let Options { home, strategy, token, index, new_id, times } = options;
        let catalog = Catalog::new(&home, &strategy, index.as_deref())?;
        let clock = Clock { started: Instant::now() };
        Ok(State {
            root: Root::new(&home),
            access: Access::new(&token, address),
            times,
            lister: Lister::new(catalog, &strategy, clock),
            new_id,
            stopped,
            writes: Mutex::default(),
            clock,
            live: Mutex::new(Live::new(&strategy)),
            tombstones: Mutex::new((Tombstones::new(strategy.tombstones), 0)),
            hub: Mutex::default(),
        })
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        lock(&self.hub)
    }

    /// Does something with the marks of deleted sessions.
    pub(super) fn tombstones<T>(&self, work: impl FnOnce(&mut Tombstones, u64) -> T) -> T {
        let now = self.now().monotonic_ms;
        work(&mut lock(&self.tombstones).0, now)
    }

    /// Does what is due.
    pub(super) fn tick(&self) {
        let now = self.now().monotonic_ms;
        let over: Vec<Sid> = self.live().tick(now);
        for sid in over {
            self.hub().close_all(&sid, Role::Process);
        }
        let mut tombstones = lock(&self.tombstones);
        if now >= tombstones.1 + SWEEP_MS {
            tombstones.0.sweep(now);
            tombstones.1 = now;
        }
    }
}

/// What is behind a lock is whole also where a thread that held it ended in a panic: each change is one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What handlers have.
pub(super) type Shared = Arc<State>;
