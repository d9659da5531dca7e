//! The files of two services that keep benchmarks: Bencher's metric format, and the custom input of github-action-benchmark.

use std::collections::BTreeMap;

use harness::record::{Case, Direction, Metric, Run};
use serde::Serialize;

use super::{range, unit};
use crate::{Error, rows};

/// A measure of Bencher: the figure, and where it lies for certain.
#[derive(Serialize)]
struct Measure {
    value: f64,
    lower_value: f64,
    upper_value: f64,
}

/// Longest names that Bencher takes, in bytes: of a benchmark, and of a measure (`MAX_BENCHMARK_NAME_LEN` and `MAX_LEN` in
/// its crate `bencher_valid`). Of a file with a longer one, or one with blanks around it, nothing is taken.
const NAMES_MAX: [usize; 2] = [1024, 64];

fn is_named(case: &Case, metric: &str) -> bool {
    let [benchmark, measure] = NAMES_MAX;
    let fits = |name: &str, most| !name.is_empty() && name.len() <= most && name == name.trim();
    fits(&case.case, benchmark) && fits(metric, measure)
}

/// Bencher Metric Format (BMF): benchmark, measure, values. A case is a benchmark, a metric a measure. Figures with names
/// that Bencher refuses are left out, and [`refused_by_bencher`] counts them.
///
/// # Errors
/// When a figure is no number that JSON can hold.
pub fn bmf(run: &Run) -> Result<String, Error> {
    let run = &crate::plain_run(run);
    let measures = |case: &Case| -> BTreeMap<String, Measure> {
        let each = |(name, metric): (&String, &Metric)| {
            let (lower_value, upper_value) = range(metric);
            (name.clone(), Measure { value: metric.median, lower_value, upper_value })
        };
        case.metrics.iter().filter(|(name, _)| is_named(case, name)).map(each).collect()
    };
    let benchmarks = run.cases.iter().map(|case| (case.case.as_str(), measures(case)));
    let benchmarks: BTreeMap<&str, _> = benchmarks.filter(|(_, measures)| !measures.is_empty()).collect();
    pretty("Bencher's metric format", &benchmarks)
}

/// How many figures [`bmf`] leaves out, because Bencher would refuse their names and with them the file.
pub fn refused_by_bencher(run: &Run) -> usize {
    let run = &crate::plain_run(run);
    let refused = |case: &Case| case.metrics.keys().filter(|name| !is_named(case, name)).count();
    run.cases.iter().map(refused).sum()
}

/// One entry of github-action-benchmark's `customSmallerIsBetter`.
#[derive(Serialize)]
struct Entry<'r> {
    name: String,
    unit: &'static str,
    value: f64,
    range: String,
    extra: &'r str,
}

/// The input of github-action-benchmark for `tool: customSmallerIsBetter`: what more of is better has no place in it, and
/// [`larger_is_better`] counts it.
///
/// # Errors
/// When a figure is no number that JSON can hold.
pub fn github(run: &Run) -> Result<String, Error> {
    let run = &crate::plain_run(run);
    let entries = run.cases.iter().flat_map(|case| {
        let extra = rows::worst(case).map_or("", rows::name);
        let smaller = case.metrics.iter().filter(|(_, metric)| metric.direction == Direction::Lower);
        smaller.map(move |(name, metric)| {
            let (low, high) = range(metric);
            let width = (high - metric.median).max(metric.median - low);
            Entry {
                name: format!("{} {name}", case.case),
                unit: unit(metric.unit),
                value: metric.median,
                range: if width > 0.0 { format!("± {width}") } else { "± 0".to_owned() },
                extra,
            }
        })
    });
    pretty("the input of github-action-benchmark", &entries.collect::<Vec<_>>())
}

/// How many figures [`github`] leaves out, because more of them is better.
pub fn larger_is_better(run: &Run) -> usize {
    let metrics = run.cases.iter().flat_map(|case| case.metrics.values());
    metrics.filter(|metric| metric.direction == Direction::Higher).count()
}

fn pretty(what: &'static str, value: &impl Serialize) -> Result<String, Error> {
    let written = serde_json::to_string_pretty(value);
    written.map(|text| text + "\n").map_err(|error| Error::Text { what, why: error.to_string() })
}
