//! The names of metrics that budgets may limit and that other tools may rely on.
//!
//! `docs/metrics.md` says what each means; a test keeps the two equal.

use harness::record::{Direction, Estimate, Metric, Tier, Unit};

/// Every metric name, with its unit. Beside these, a scenario may define names that begin with `scenario.`; and each may stand for
/// one phase, as `NAME@PHASE`.
pub const METRICS: &[(&str, Unit)] = &[
    ("heap.peak_bytes", Unit::Bytes),
    ("heap.peak_bound_bytes", Unit::Bytes),
    ("heap.total_bytes", Unit::Bytes),
    ("heap.total_blocks", Unit::Blocks),
    ("heap.retained_bytes", Unit::Bytes),
    ("heap.churn_bytes_per_tick", Unit::Bytes),
    ("heap.bound_bytes", Unit::Bytes),
    ("rss.peak_bytes", Unit::Bytes),
    ("pss.peak_bytes", Unit::Bytes),
    ("rss.file_bytes", Unit::Bytes),
    ("rss.stack_bytes", Unit::Bytes),
    ("allocator.held_bytes", Unit::Bytes),
    ("tree.peak_low_bytes", Unit::Bytes),
    ("tree.peak_high_bytes", Unit::Bytes),
    ("cgroup.peak_bytes", Unit::Bytes),
    ("watch.cpu_share", Unit::Ratio),
    ("watch.seconds_per_process", Unit::Seconds),
    ("jemalloc.allocated_peak_bytes", Unit::Bytes),
    ("jemalloc.resident_peak_bytes", Unit::Bytes),
    ("v8.heap_peak_bytes", Unit::Bytes),
    ("v8.external_peak_bytes", Unit::Bytes),
    ("tracemalloc.peak_bytes", Unit::Bytes),
    ("time.wall_seconds", Unit::Seconds),
    ("time.cpu_seconds", Unit::Seconds),
    ("faults.minor", Unit::Count),
    ("injected.bytes", Unit::Bytes),
    ("injected.blocks", Unit::Blocks),
    ("law.exponent", Unit::Ratio),
    ("law.churn_exponent", Unit::Ratio),
    ("law.bytes_per_session", Unit::Bytes),
    ("law.intercept_bytes", Unit::Bytes),
    ("rate.live_bytes_per_tick", Unit::Bytes),
    ("rate.live_bytes_per_day", Unit::Bytes),
    ("survive.least_heap_bytes", Unit::Bytes),
    ("stale.defects", Unit::Count),
    ("degrade.sessions_kept", Unit::Ratio),
    ("degrade.told", Unit::Count),
    ("metamorphic.moved_bytes", Unit::Bytes),
    ("engine.sessions", Unit::Count),
    ("engine.requests", Unit::Count),
    ("engine.skipped_lines", Unit::Count),
    ("engine.skipped_files", Unit::Count),
    ("engine.files_read", Unit::Count),
    ("engine.workspaces_cached", Unit::Count),
    ("engine.bytes_read", Unit::Bytes),
];

/// The unit of a metric, also of a phase's; `None` when no metric has that name.
///
/// A scenario's own metric has the unit that its name ends in, else it is a count.
pub fn unit(name: &str) -> Option<Unit> {
    let (plain, phase) = split(name);
    if phase.is_some_and(str::is_empty) {
        return None;
    }
    if let Some(own) = plain.strip_prefix("scenario.") {
        return (!own.is_empty()).then(|| unit_by_ending(own));
    }
    METRICS.iter().find(|(known, _)| *known == plain).map(|(_, unit)| *unit)
}

/// A metric's name without its phase, and the phase: `heap.peak_bytes@parse` is `heap.peak_bytes` in `parse`.
pub fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((plain, phase)) => (plain, Some(phase)),
        None => (name, None),
    }
}

/// The known name that a misspelt one most resembles, if any is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let (plain, _) = split(name);
    let near = METRICS.iter().map(|(known, _)| (edits(plain, known), *known)).min()?;
    (near.0 <= 3).then_some(near.1)
}

/// A metric that is the estimate of a fit: it has one sample, the estimate, and is judged by its interval.
pub(crate) fn estimated(unit: Unit, estimate: Estimate) -> Metric {
    Metric {
        tier: Tier::Noisy,
        unit,
        direction: Direction::Lower,
        median: estimate.value,
        samples: vec![estimate.value],
        demoted: false,
        interval: Some(estimate),
    }
}

fn unit_by_ending(name: &str) -> Unit {
    const ENDINGS: &[(&str, Unit)] = &[
        ("_bytes", Unit::Bytes),
        ("_blocks", Unit::Blocks),
        ("_seconds", Unit::Seconds),
        ("_ratio", Unit::Ratio),
    ];
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map_or(Unit::Count, |(_, unit)| *unit)
}

/// How many letters must be put in, left out or replaced to turn one name into the other.
fn edits(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.bytes().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.bytes().enumerate() {
            let replaced = above[column] + usize::from(a != b);
            current.push(replaced.min(above[column + 1] + 1).min(current[column] + 1));
        }
        above = current;
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_has_the_unit_of_its_metric() {
        assert_eq!(unit("heap.peak_bytes@parse"), Some(Unit::Bytes));
        assert_eq!(unit("heap.peak_bytes@"), None);
        assert_eq!(unit("heap.paek_bytes@parse"), None);
    }

    #[test]
    fn a_scenario_names_its_own_metrics() {
        assert_eq!(unit("scenario.events_cloned"), Some(Unit::Count));
        assert_eq!(unit("scenario.payload_bytes@poll"), Some(Unit::Bytes));
        assert_eq!(unit("scenario.estimate_ratio"), Some(Unit::Ratio));
        assert_eq!(unit("scenario."), None);
    }

    #[test]
    fn a_misspelt_name_leads_to_the_one_that_was_meant() {
        assert_eq!(nearest("heap.paek_bytes"), Some("heap.peak_bytes"));
        assert_eq!(nearest("temperature"), None);
    }

    #[test]
    fn the_page_of_metrics_describes_each_metric_and_no_other() {
        let page = include_str!("../../docs/metrics.md");
        let described: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(name, _)| name)
            .filter(|name| *name != "scenario.*")
            .collect();
        let known: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
        assert_eq!(described, known);
    }
}
