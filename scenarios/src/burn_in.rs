//! The sample that goes before those that are judged: the first run after a build reads files that no later one has to wait for.

use harness::record::Unit;
use harness::subject::Sample;

/// The figures of a sample that went before, in which a peak shows.
const METRICS: [&str; 3] = ["rss.peak_bytes", "heap.peak_bytes", "time.wall_seconds"];

/// A sample that went before those that count, as a sentence.
pub(crate) fn in_words(sample: Sample) -> String {
    let metrics = harness::combine::combine(&[sample]).metrics;
    let figures = METRICS.iter().filter_map(|name| Some((name, metrics.get(*name)?)));
    let figures = figures.map(|(name, metric)| match metric.unit {
        Unit::Bytes => format!("{name} {:.2} MiB", metric.median / 1_048_576.0),
        _ => format!("{name} {:.3}", metric.median),
    });
    let figures: Vec<String> = figures.collect();
    format!("a first sample was taken and not used: {}", figures.join(", "))
}
