//! A measurement of criterion that reports peak heap bytes, so that `cargo bench` plots memory beside time.
//!
//! The bench declares `harness::alloc::Counting` as its global allocator, builds its `Criterion` with
//! [`PeakHeap`], and calls [`peak_of`] where it would call `Bencher::iter`.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use criterion::Bencher;
use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};
use harness::heap::{Region, measure};

/// Samples taken so far; criterion makes a new bencher for each.
static SAMPLES: AtomicU32 = AtomicU32::new(0);

/// Most bytes live at once beyond those live before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeakHeap;

/// Reports the peak heap of `work`. Criterion divides by the number of iterations, since it thinks of time; a peak does not add up, so
/// the largest of the iterations is multiplied with their number first.
pub(crate) fn peak_of<T>(bencher: &mut Bencher<'_, PeakHeap>, mut work: impl FnMut() -> T) {
    bencher.iter_custom(|iterations| {
        let peak = (0..iterations).map(|_| peak_bytes(&mut work)).max().unwrap_or(0);
        // Criterion's plots fail on samples that are all equal, as exact figures are: a part in a billion keeps them apart.
        let apart = SAMPLES.fetch_add(1, Relaxed) % 16;
        peak as f64 * iterations as f64 * (1.0 + f64::from(apart) * 1e-9)
    });
}

fn peak_bytes<T>(mut work: impl FnMut() -> T) -> u64 {
    // Criterion cannot divide nothing.
    measure(&mut work).expect("the bench counts its heap").peak_bytes.max(1)
}

impl Measurement for PeakHeap {
    type Intermediate = Region;
    type Value = f64;

    fn start(&self) -> Region {
        Region::begin().expect("the bench counts its heap")
    }

    fn end(&self, region: Region) -> f64 {
        region.end().peak_bytes as f64
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Bytes
    }
}

/// Shows bytes in the unit that fits the typical value.
struct Bytes;

fn unit(typical: f64) -> (f64, &'static str) {
    match typical {
        ..1024.0 => (1.0, "B"),
        ..1_048_576.0 => (1024.0, "KiB"),
        _ => (1_048_576.0, "MiB"),
    }
}

impl ValueFormatter for Bytes {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (divisor, name) = unit(typical);
        values.iter_mut().for_each(|value| *value /= divisor);
        name
    }

    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        // Heap bytes for each byte or element of the input.
        let (amount, name) = match throughput {
            Throughput::Elements(elements) => (*elements, "B/element"),
            Throughput::Bytes(bytes) | Throughput::BytesDecimal(bytes) => (*bytes, "B/byte"),
            _ => (1, "B"),
        };
        values.iter_mut().for_each(|value| *value /= amount.max(1) as f64);
        name
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "bytes"
    }
}
