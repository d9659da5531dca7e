//! Comparisons of two moments on a page.

use super::{Comparison, Difference};
use crate::figure;
use crate::history::page::Section;
use crate::history::runs;

/// So many series that are new or gone are named.
const NAMED: usize = 10;

/// A table of those that moved one way.
pub(in crate::history) fn moved(title: &str, comparison: &Comparison, worse: bool, then: &str) -> Section {
    let moved = comparison.moved.iter().filter(|difference| difference.worse == worse);
    let mut moved: Vec<&Difference> = moved.collect();
    // The largest first, on both sides.
    if !worse {
        moved.reverse();
    }
    let titles = ["series", then, "now", "change", "best release", "against the best"];
    Section::new(title).table(&titles, "lrrrlr", moved.into_iter().map(row).collect())
}

fn row(difference: &Difference) -> Vec<String> {
    let shown = |value: f64| figure::short(value, difference.key.unit);
    let best = &difference.best;
    vec![
        difference.name.clone(),
        shown(difference.then.value),
        shown(difference.now.value),
        runs::percent(difference.part),
        format!("{} {}", best.tag, shown(best.value)),
        if best.value == difference.now.value { "equal".to_owned() } else { runs::percent(best.part) },
    ]
}

/// How many series did what, in a sentence.
pub(in crate::history) fn counts(comparison: &Comparison) -> String {
    let worse = comparison.moved.iter().filter(|difference| difference.worse).count();
    let better = comparison.moved.len() - worse;
    format!(
        "{worse} series worse, {better} better, {} within the scatter of their samples, {} the same.",
        comparison.within_scatter, comparison.same
    )
}

/// What stands in the way of the comparison: another environment, and series that only one side has.
pub(in crate::history) fn doubts(comparison: &Comparison) -> Vec<String> {
    let moved: Vec<String> = comparison.environment.iter().map(runs::Moved::in_words).collect();
    let environment = (!moved.is_empty()).then(|| {
        format!("besides the program this changed, so that not all is its doing: {}", moved.join("; "))
    });
    let new = named(&comparison.new, "not measured then, so not compared");
    let gone = named(&comparison.gone, "no longer measured, so not compared");
    environment.into_iter().chain(new).chain(gone).collect()
}

fn named(series: &[String], what: &str) -> Option<String> {
    let shown = &series[..series.len().min(NAMED)];
    let more = series.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!series.is_empty()).then(|| format!("{} series {what}: {}{more}", series.len(), shown.join(", ")))
}
