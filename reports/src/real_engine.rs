//! How much memory the real engine's worker took under each strategy, to set beside ours.
//!
//! The figures are measurements of the worker process of an AI-coding statistics extension (VmHWM, heap limit 4,096 MB, a cold
//! parse of 347 MB of history in 1,100 sessions), of its original build and of the same build with one fix or two patched in. Ours is
//! another program in another language: what must agree is the order of the strategies, not the megabytes.

use harness::record::Run;

use crate::{figure, rows};

/// The scenario that the measurements are of.
const SCENARIO: &str = "sync/cold";

/// Strategy and peak RSS of the real worker in MB, the largest first. `as-reported` took 995 to 1,069 MB.
pub(crate) const WORKER_RSS_MB: &[(&str, f64)] =
    &[("as-reported", 1_000.0), ("s2-eager-strip", 840.0), ("s4-low-prefetch", 608.0), ("s2-s4", 406.0)];

/// What the figures are, for beneath a table of them.
pub(crate) const SOURCE: &str =
    "real engine: peak RSS of its worker, 1,000 > 840 > 608 > 406 MB, measured on 347 MB of history";

/// One strategy, ours beside the real one, each as a part of `as-reported`.
pub(crate) struct Beside {
    pub(crate) strategy: &'static str,
    /// Ours: peak heap of the case, and peak RSS of its worker where it was read.
    pub(crate) heap: String,
    pub(crate) worker_rss: String,
    /// The real engine's worker RSS.
    pub(crate) real: String,
}

/// Nothing unless the run holds `as-reported` and at least one of the others.
pub(crate) fn beside(run: &Run) -> Vec<Beside> {
    let case = |strategy: &str| run.cases.iter().find(|case| case.case == format!("{SCENARIO}:{strategy}"));
    let heap = |strategy: &str| Some(case(strategy)?.metrics.get("heap.peak_bytes")?.median);
    let rss = |strategy: &str| {
        let roles = rows::roles(case(strategy)?);
        roles.iter().find(|role| role.name.starts_with("worker"))?.figure(None, "rss.peak_bytes")
    };
    let part = |of: &dyn Fn(&str) -> Option<f64>, strategy: &str| match (of(strategy), of("as-reported")) {
        (Some(own), Some(whole)) if whole > 0.0 => figure::ratio(own / whole),
        _ => rows::missing(),
    };
    let present = WORKER_RSS_MB.iter().filter(|(strategy, _)| case(strategy).is_some());
    let lines: Vec<Beside> = present
        .map(|(strategy, real)| Beside {
            strategy,
            heap: part(&heap, strategy),
            worker_rss: part(&rss, strategy),
            real: figure::ratio(real / WORKER_RSS_MB[0].1),
        })
        .collect();
    if lines.len() >= 2 && lines[0].strategy == "as-reported" { lines } else { Vec::new() }
}
