//! What the thread that watches a tree and the one that traces it know together.

use std::collections::BTreeSet;
use std::io::{PipeWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::os;
use crate::subject::ledger::{Image, Ledger};

/// The state, and a bell that wakes the thread that watches.
pub(super) struct Shared {
    pub(super) began: Instant,
    pub(super) state: Mutex<State>,
    pub(super) ringer: PipeWriter,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    /// Whether members are told by the tracer.
    pub(super) traced: bool,
    /// Whether the tracer has tracees, known or not yet.
    pub(super) follows: bool,
    pub(super) in_group: bool,
    pub(super) root_status: Option<i32>,
    pub(super) cpu: Duration,
    pub(super) tracing: Duration,
    pub(super) doubts: BTreeSet<String>,
}

impl State {
    /// As [`Shared::read`]. Nothing else is told meanwhile, so that no reading is older than what it is told after.
    pub(super) fn read(&mut self, members: &[u32], now: Duration) -> (Vec<u32>, u64) {
        let mut seen = Vec::new();
        let mut sum = 0;
        for &pid in members {
            if let Some(resident) = os::resident(pid) {
                sum += self.ledger.saw(pid, resident, now);
                if self.ledger.image(pid) != Some(Image::Shared) {
                    seen.push(pid);
                }
            }
        }
        self.ledger.sum(sum);
        (seen, sum)
    }
}

impl Shared {
    pub(super) fn new(ringer: PipeWriter) -> Shared {
        Shared { began: Instant::now(), state: Mutex::default(), ringer }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Reads the memory of some members at one moment; gives those that have any, and their sum.
    pub(super) fn read(&self, members: &[u32]) -> (Vec<u32>, u64) {
        self.state().read(members, self.now())
    }

    /// Wakes the thread that waits.
    pub(super) fn ring(&self) {
        // Nobody is left to be woken when this fails.
        let _ = (&self.ringer).write_all(b"!");
    }
}
