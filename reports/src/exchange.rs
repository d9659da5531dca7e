//! A run in the formats of other tools: continuous integration, spreadsheets, benchmark services, time series.
//!
//! Each shows the figures and verdicts that are in the run and judges nothing anew. Names and texts of a run may come from a foreign
//! program, so each format is written by its own escaping, of a run whose texts are plain ([`crate::plain_run`]).

pub mod annotations;
pub mod benchmark;
pub mod csv;
pub mod junit;
pub mod openmetrics;

use harness::record::Metric;

/// Least and greatest sample of a metric, or the ends of its interval where it is an estimate.
fn range(metric: &Metric) -> (f64, f64) {
    if let Some(interval) = metric.interval {
        return (interval.low, interval.high);
    }
    let least = metric.samples.iter().copied().fold(metric.median, f64::min);
    (least, metric.samples.iter().copied().fold(metric.median, f64::max))
}

/// A unit as these formats write it.
fn unit(unit: harness::record::Unit) -> &'static str {
    use harness::record::Unit;
    match unit {
        Unit::Bytes => "bytes",
        Unit::Blocks => "blocks",
        Unit::Seconds => "seconds",
        Unit::Count => "count",
        Unit::Ratio => "ratio",
    }
}

#[cfg(test)]
mod tests;
