//! A bound of the peak heap that holds for every schedule of the threads: `heap.peak_bound_bytes`.
//!
//! The peak of several threads depends on which of them run when: 20 to 40 % between runs. The bound does not, where the work of each
//! thread is known:
//!
//! - **Partitions**: each thread has a fixed share of the work, inside [`partition`]. The bound is the sum of every
//!   partition's own peak of net bytes (allocated less freed by the same thread).
//! - **A pool** of k threads that take tasks: each task runs inside [`Pool::task`]. The bound is the sum of what every task retains,
//!   and the k largest of what tasks need beyond that, since at most k run at once.
//!
//! To either the main thread's own peak outside of them is added, rounded up to 64 KiB, and 4 KiB for each other thread: starting threads
//! takes a little memory, and which thread frees it is chance. A process of one thread is bounded by its peak. Where
//! the bound cannot be said honestly it is absent, never a bad number: when other threads allocate outside of both (producer
//! and consumer, work stealing without tasks), when a task runs inside a task, when more than k run at once, and when
//! results are freed while tasks still begin (then their sum was never live together).

use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::counters::{self, Net};

/// Most threads of a pool.
pub const POOL_MAX: usize = 64;

/// What a thread is granted outside its scopes: to start and end one takes a few hundred bytes, and which thread frees
/// them is chance. Granted whole, so that the bound does not depend on that.
const GRANT_BYTES: i64 = 4096;
/// The main thread's own peak is rounded up to this where there are other threads, for the same reason.
const BASE_QUANTUM_BYTES: i64 = 64 * 1024;
/// Beyond this, work was done outside of scopes.
const UNSCOPED_MAX_BYTES: i64 = 16 * GRANT_BYTES;
/// How far what is live may fall short of what is said to be retained before the sum of retained bytes is called fiction.
const RETAINED_SLACK_BYTES: i64 = 1 << 20;

static BOOK: Mutex<Book> = Mutex::new(Book::new());

fn book() -> MutexGuard<'static, Book> {
    BOOK.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What the finished scopes of a region came to.
#[derive(Debug)]
struct Book {
    honest: bool,
    main: usize,
    /// The number that the next new thread will have.
    first_new: usize,
    /// Bytes live when the region began.
    base: i64,
    partitions: i64,
    retained: i64,
    running: usize,
    pool: usize,
    /// The largest needs of tasks beyond what they retain, largest first.
    largest: [i64; POOL_MAX],
}

impl Book {
    const fn new() -> Book {
        Book {
            honest: true,
            main: 0,
            first_new: 0,
            base: 0,
            partitions: 0,
            retained: 0,
            running: 0,
            pool: 0,
            largest: [0; POOL_MAX],
        }
    }

    fn task_ended(&mut self, net: Net) {
        let retained = net.now.max(0);
        self.retained += retained;
        // The smallest of the largest makes room, when it is smaller.
        let need = net.peak - retained;
        let place = self.largest.partition_point(|&larger| larger >= need);
        if place < POOL_MAX {
            self.largest[place..].rotate_right(1);
            self.largest[place] = need;
        }
        let live = counters::live() - self.base;
        if live + RETAINED_SLACK_BYTES + self.retained / 4 < self.retained {
            self.honest = false;
        }
    }

    fn bound(&self) -> Option<u64> {
        if !self.honest || self.running > 0 {
            return None;
        }
        let (mut own, mut granted) = (0, 0);
        for (thread, net) in counters::nets()? {
            if thread == self.main {
                own = net.peak;
            } else if net.peak > UNSCOPED_MAX_BYTES || net.now < -UNSCOPED_MAX_BYTES {
                return None;
            } else if thread >= self.first_new || net.peak > 0 {
                granted += round_up(net.peak.max(1), GRANT_BYTES);
            }
        }
        let base = if granted > 0 { round_up(own, BASE_QUANTUM_BYTES) } else { own };
        let needs: i64 = self.largest[..self.pool].iter().sum();
        Some((base + granted + self.partitions + self.retained + needs).max(0) as u64)
    }
}

fn round_up(bytes: i64, quantum: i64) -> i64 {
    (bytes + quantum - 1) / quantum * quantum
}

/// Begins the bound of a region, in the main thread.
pub(crate) fn begin() {
    let mut book = book();
    *book = Book::new();
    book.main = counters::own_thread();
    book.first_new = counters::threads_known();
    book.base = counters::live();
    counters::reset_nets();
}

/// The bound of the region, when it can be said.
pub(crate) fn end() -> Option<u64> {
    book().bound()
}

thread_local! {
    static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The net bytes of the calling thread inside a scope; a panic ends the scope too.
struct Scope {
    outside: Option<Net>,
    ended: fn(&mut Book, Net),
}

impl Scope {
    fn begin(pool: Option<usize>, ended: fn(&mut Book, Net)) -> Scope {
        let mut book = book();
        book.running += 1;
        if let Some(threads) = pool {
            let fits = book.pool == 0 || book.pool == threads;
            book.pool = threads.min(POOL_MAX);
            book.honest &= fits && threads <= POOL_MAX && book.running <= threads;
        }
        if INSIDE.replace(true) {
            book.honest = false;
        }
        let outside = counters::swap_own_net(Net::default());
        book.honest &= outside.is_some();
        Scope { outside, ended }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let mut book = book();
        if let Some(inside) = self.outside.and_then(counters::swap_own_net) {
            (self.ended)(&mut book, inside);
        }
        INSIDE.set(false);
        book.running -= 1;
    }
}

/// Runs the fixed share of one thread. Each share must be the same in every run, and shares may all run at once.
pub fn partition<T>(work: impl FnOnce() -> T) -> T {
    let scope = Scope::begin(None, |book, net| book.partitions += net.peak);
    let result = work();
    drop(scope);
    result
}

/// A pool of threads that take tasks: at most so many run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    threads: usize,
}

impl Pool {
    /// A pool of `threads`, at most [`POOL_MAX`] for a bound. A process has pools of one size.
    pub fn new(threads: usize) -> Pool {
        Pool { threads }
    }

    /// Runs one task, which must allocate the same in every run, whichever thread takes it.
    pub fn task<T>(&self, work: impl FnOnce() -> T) -> T {
        let scope = Scope::begin(Some(self.threads), Book::task_ended);
        let result = work();
        drop(scope);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_needs_stay_sorted_and_the_smallest_leaves() {
        let mut book = Book::new();
        for need in [3, 1, 2] {
            book.task_ended(Net { now: 0, peak: need });
        }
        assert_eq!(book.largest[..4], [3, 2, 1, 0]);
        book.pool = 2;
        assert_eq!(book.largest[..book.pool].iter().sum::<i64>(), 5);
    }

    #[test]
    fn a_task_that_frees_older_blocks_retains_nothing() {
        let mut book = Book::new();
        book.task_ended(Net { now: -50, peak: 10 });
        assert_eq!((book.retained, book.largest[0]), (0, 10));
    }
}
