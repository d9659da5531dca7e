//! What reading a session may cost. Tests run beside each other; a budget measures the thread of its own test only.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

use std::fs;
use std::path::PathBuf;

use harness::budget::{Budget, Error};
use highwater_example::{count, read_whole};

#[global_allocator]
static ALLOCATOR: harness::alloc::Counting = harness::alloc::Counting;

/// A session of so many records, each of about 1,000 bytes.
fn session(records: usize) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{records}.jsonl"));
    fs::write(&path, format!("{{\"type\":\"user\",\"text\":\"{}\"}}\n", "x".repeat(970)).repeat(records))
        .unwrap();
    path
}

#[test]
fn counting_takes_a_line_of_memory_whatever_the_session_s_length() {
    let budget = Budget::new().peak_bytes(16 << 10).retained_bytes(0);
    for records in [10, 1000] {
        let session = session(records);
        assert_eq!(budget.assert(|| count(&session).unwrap()), records);
    }
}

#[test]
fn reading_whole_breaks_that_budget() {
    let session = session(1001);
    let broken = Budget::new().peak_bytes(16 << 10).check(|| read_whole(&session).unwrap());
    assert!(matches!(broken, Err(Error::Exceeded { .. })), "{broken:?}");
}
