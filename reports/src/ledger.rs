//! The ledger of resident memory: how much of a case's peak is heap, and how much is what the heap's allocator holds beside it, stacks,
//! file pages, and the rest.
//!
//! The lines come from samples of different instruments, and from peaks that need not fall together. So the last line is a remainder, which
//! can be below zero: then the other lines say more than was resident at once.

use harness::record::{Case, Unit};

use crate::figure::{self, short};

/// What a growth of the heap may be at most, as a part of the growth of resident memory, for that to be called fragmentation.
const HEAP_PART: f64 = 0.1;
/// What the allocator's slack must be at least, as a part of the growth of resident memory, for that to be called fragmentation.
const SLACK_PART: f64 = 0.5;

/// What the resident memory of a case is made of, in bytes at the peak. A line that was not measured is absent and part of the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ledger {
    /// All resident memory: `rss.peak_bytes`.
    pub rss_bytes: f64,
    /// What the program asked for: `heap.peak_bytes`, exact, from samples of another instrument.
    pub heap_bytes: f64,
    /// What the allocator holds beyond the heap: `allocator.held_bytes` without the heap.
    pub slack_bytes: Option<f64>,
    /// Stacks: `rss.stack_bytes`.
    pub stack_bytes: Option<f64>,
    /// Pages of files, the program's own code among them: `rss.file_bytes`.
    pub file_bytes: Option<f64>,
    /// What is left; below zero it is what the lines say too much.
    pub other_bytes: f64,
}

/// How a ledger changed from a base to a head: the head's lines without the base's. A line that only one side has is part of the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change(pub Ledger);

/// The ledger of a case; none where resident memory or the heap was not measured.
pub fn of(case: &Case) -> Option<Ledger> {
    let median = |name: &str| case.metrics.get(name).map(|metric| metric.median);
    let (rss_bytes, heap_bytes) = (median("rss.peak_bytes")?, median("heap.peak_bytes")?);
    let slack_bytes = median("allocator.held_bytes").map(|held| held - heap_bytes);
    Some(balanced(rss_bytes, heap_bytes, slack_bytes, median("rss.stack_bytes"), median("rss.file_bytes")))
}

/// How the ledger changed from a base to a head; none where one of them has none.
pub fn change(base: &Case, head: &Case) -> Option<Change> {
    let (base, head) = (of(base)?, of(head)?);
    let line = |base: Option<f64>, head: Option<f64>| Some(head? - base?);
    Some(Change(balanced(
        head.rss_bytes - base.rss_bytes,
        head.heap_bytes - base.heap_bytes,
        line(base.slack_bytes, head.slack_bytes),
        line(base.stack_bytes, head.stack_bytes),
        line(base.file_bytes, head.file_bytes),
    )))
}

fn balanced(rss: f64, heap: f64, slack: Option<f64>, stack: Option<f64>, file: Option<f64>) -> Ledger {
    let measured: f64 = [slack, stack, file].into_iter().flatten().sum();
    Ledger {
        rss_bytes: rss,
        heap_bytes: heap,
        slack_bytes: slack,
        stack_bytes: stack,
        file_bytes: file,
        other_bytes: rss - heap - measured,
    }
}

impl Ledger {
    /// The lines that were measured, and what is left, each with its name.
    fn lines(&self) -> Vec<(&'static str, f64)> {
        let other = if self.other_bytes < 0.0 { "unexplained" } else { "other" };
        let measured = [
            ("heap", Some(self.heap_bytes)),
            ("allocator slack", self.slack_bytes),
            ("stacks", self.stack_bytes),
            ("file pages", self.file_bytes),
            (other, Some(self.other_bytes)),
        ];
        measured.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))).collect()
    }

    /// The ledger in one line: `RSS 40 MiB: heap 30 MiB, allocator slack 6 MiB, other 4 MiB`.
    pub fn in_words(&self) -> String {
        let lines: Vec<String> = self
            .lines()
            .into_iter()
            .map(|(name, bytes)| format!("{name} {}", short(bytes, Unit::Bytes)))
            .collect();
        format!("RSS {}: {}", short(self.rss_bytes, Unit::Bytes), lines.join(", "))
    }
}

impl Change {
    /// Whether resident memory grew and the heap did not: at least half of the growth is allocator slack, and the heap grew by less than
    /// a tenth of it.
    pub fn is_fragmentation(&self) -> bool {
        let grown = self.0.rss_bytes;
        grown > 0.0
            && self.0.heap_bytes < grown * HEAP_PART
            && self.0.slack_bytes.is_some_and(|slack| slack >= grown * SLACK_PART)
    }

    /// The change in one line: `RSS +30 MiB: heap 0 B, allocator slack +29.6 MiB, other +410 KiB: fragmentation`.
    pub fn in_words(&self) -> String {
        let signed = |bytes: f64| figure::change(bytes, Unit::Bytes);
        // A rest that shrank is a change like any other.
        let name = |name| if name == "unexplained" { "other" } else { name };
        let lines: Vec<String> = self
            .0
            .lines()
            .into_iter()
            .map(|(line, bytes)| format!("{} {}", name(line), signed(bytes)))
            .collect();
        let called = if self.is_fragmentation() { ": fragmentation" } else { "" };
        format!("RSS {}: {}{called}", signed(self.0.rss_bytes), lines.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use harness::record::{Metric, Tier};

    use super::*;

    const MIB: f64 = 1_048_576.0;

    fn case(metrics: &[(&str, f64)]) -> Case {
        let metric = |mib: f64| Metric {
            tier: Tier::Noisy,
            unit: Unit::Bytes,
            direction: harness::record::Direction::Lower,
            median: mib * MIB,
            samples: vec![mib * MIB],
            demoted: false,
            interval: None,
        };
        let metrics = metrics.iter().map(|(name, mib)| ((*name).to_owned(), metric(*mib))).collect();
        Case { metrics, ..Case::default() }
    }

    const WHOLE: &[(&str, f64)] = &[
        ("rss.peak_bytes", 40.0),
        ("heap.peak_bytes", 20.0),
        ("allocator.held_bytes", 26.0),
        ("rss.stack_bytes", 1.0),
        ("rss.file_bytes", 9.0),
    ];

    /// By hand: 40 - 20 - (26 - 20) - 1 - 9 = 4.
    #[test]
    fn what_no_line_explains_is_the_rest() {
        assert_eq!(
            of(&case(WHOLE)).unwrap().in_words(),
            "RSS 40 MiB: heap 20 MiB, allocator slack 6 MiB, stacks 1 MiB, file pages 9 MiB, other 4 MiB"
        );
    }

    #[test]
    fn a_line_that_was_not_measured_is_part_of_the_rest() {
        let ledger = of(&case(&WHOLE[..2])).unwrap();
        assert_eq!(ledger.in_words(), "RSS 40 MiB: heap 20 MiB, other 20 MiB");
        assert_eq!(of(&case(&WHOLE[1..])), None);
        assert_eq!(of(&case(&WHOLE[..1])), None);
    }

    #[test]
    fn lines_that_say_too_much_leave_something_unexplained() {
        let ledger = of(&case(&[("rss.peak_bytes", 40.0), ("heap.peak_bytes", 43.0)])).unwrap();
        assert_eq!(ledger.in_words(), "RSS 40 MiB: heap 43 MiB, unexplained -3 MiB");
    }

    #[test]
    fn resident_memory_that_grows_without_the_heap_is_called_fragmentation() {
        let grown = |rss: f64, heap: f64, held: f64| {
            let mut metrics = WHOLE.to_vec();
            (metrics[0].1, metrics[1].1, metrics[2].1) = (40.0 + rss, 20.0 + heap, 26.0 + held);
            change(&case(WHOLE), &case(&metrics)).unwrap()
        };
        assert_eq!(
            grown(30.0, 0.0, 29.0).in_words(),
            "RSS +30 MiB: heap 0 B, allocator slack +29 MiB, stacks 0 B, file pages 0 B, other +1 MiB: fragmentation"
        );
        // The slack is what the heap did not take: with a heap of +2 of +30 it still is, with +3 it no longer is.
        assert!(grown(30.0, 2.0, 17.0).is_fragmentation());
        assert!(!grown(30.0, 3.0, 29.0).is_fragmentation());
        assert!(grown(30.0, 0.0, 15.0).is_fragmentation());
        assert!(!grown(30.0, 0.0, 14.0).is_fragmentation());
        assert!(!grown(-1.0, 0.0, 29.0).is_fragmentation());
    }

    #[test]
    fn a_line_that_one_side_lacks_is_part_of_the_rest_of_the_change() {
        let changed = change(&case(&WHOLE[..4]), &case(WHOLE)).unwrap();
        assert_eq!(changed.0.file_bytes, None);
        assert!(!changed.is_fragmentation());
        assert!(change(&case(&[]), &case(WHOLE)).is_none());
    }
}
