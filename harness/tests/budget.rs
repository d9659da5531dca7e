//! Budgets in ordinary tests, which run beside each other in one process, with threads that allocate all the time.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use harness::budget::{Budget, Error, Excess, Limit};

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

fn block(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(bytes))
}

/// Says that the noise is over, also when a check fails.
struct Quiet<'a>(&'a AtomicBool);

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Runs `check` while other threads allocate, grow and free.
fn among_noise(check: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _quiet = Quiet(&over);
        for thread in 1..=3 {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    let mut noise = block(thread * 10_000);
                    noise.reserve(500_000);
                    drop(black_box(noise));
                }
            });
        }
        check();
    });
}

/// The tightest budget of [`work`].
fn tight() -> Budget {
    Budget::new().peak_bytes(3000).total_bytes(3500).total_blocks(3).retained_bytes(500)
}

/// Three blocks: 1,000 and 2,000 bytes at one time, then 500 that stay.
fn work() -> Vec<u8> {
    let first = block(1000);
    drop((block(2000), first));
    block(500)
}

#[test]
fn work_that_keeps_its_budget_gives_its_result_whatever_runs_beside() {
    among_noise(|| {
        for _ in 0..20_000 {
            assert_eq!(tight().assert(work).capacity(), 500);
        }
    });
}

#[test]
fn a_byte_or_block_too_many_is_told_whatever_runs_beside() {
    let of = |budget: Budget| match budget.check(work) {
        Err(Error::Exceeded { broken }) => broken,
        other => panic!("{other:?}"),
    };
    among_noise(|| {
        for _ in 0..5_000 {
            let one = |of, limit| vec![Excess { of, limit, figure: limit + 1 }];
            assert_eq!(of(tight().peak_bytes(2999)), one(Limit::PeakBytes, 2999));
            assert_eq!(of(tight().total_bytes(3499)), one(Limit::TotalBytes, 3499));
            assert_eq!(of(tight().total_blocks(2)), one(Limit::TotalBlocks, 2));
            assert_eq!(of(tight().retained_bytes(499)), one(Limit::RetainedBytes, 499));
        }
    });
}

#[test]
fn every_broken_limit_is_named_with_figures_and_what_to_do() {
    let said = Budget::new().peak_bytes(1000).retained_bytes(0).check(work).unwrap_err().to_string();
    assert_eq!(
        said,
        "peak of 3000 bytes is 2000 over its limit of 1000: hold less at once, or raise the limit with peak_bytes(3000); \
         retained rest of 500 bytes is 500 over its limit of 0: free what is not needed after, or raise the limit with retained_bytes(500)"
    );
}

#[test]
fn a_budget_within_another_leaves_it_as_it_is() {
    let outer = Budget::new().peak_bytes(9000 + 3000).total_blocks(4).retained_bytes(9500);
    outer.assert(|| {
        let held = block(9000);
        (tight().assert(work), held)
    });
    let broken = Budget::new().peak_bytes(11_999).check(|| {
        let held = block(9000);
        (tight().assert(work), held)
    });
    let excess = Excess { of: Limit::PeakBytes, limit: 11_999, figure: 12_000 };
    assert_eq!(broken, Err(Error::Exceeded { broken: vec![excess] }));
}

#[test]
fn a_panic_of_the_work_ends_the_stretch() {
    let outer = Budget::new().retained_bytes(100);
    outer.assert(|| {
        let caught = std::panic::catch_unwind(|| {
            Budget::new().peak_bytes(0).assert(|| {
                let held = block(70_000);
                if held.capacity() > 0 {
                    std::panic::resume_unwind(Box::new(()));
                }
            });
        });
        assert!(caught.is_err());
    });
    tight().assert(work);
}

#[test]
fn what_older_blocks_give_back_is_nothing_retained() {
    let mut older = Some(block(5000));
    Budget::new().peak_bytes(0).retained_bytes(0).assert(|| drop(older.take()));
}

#[test]
fn threads_of_the_work_are_not_counted() {
    let spawned = || thread::scope(|scope| scope.spawn(|| block(1_000_000).capacity()).join().unwrap());
    assert_eq!(Budget::new().peak_bytes(100_000).assert(spawned), 1_000_000);
}

#[test]
fn a_budget_without_a_limit_is_refused() {
    assert_eq!(Budget::new().check(|| ()), Err(Error::NoLimit));
}
