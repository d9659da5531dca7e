//! What moved since a release, and what only scatters.

use super::*;
use crate::history::entry::Entry;
use crate::history::series::Selection;
use crate::history::specimen;

fn since(entries: &[Entry], tag: Option<&str>) -> Result<Drift, Error> {
    drift(&Timeline::of(entries, &Selection::default()), tag)
}

#[test]
fn the_page_of_drift_on_the_terminal() {
    insta::assert_snapshot!(page(&since(&specimen::entries(), Some("v1.0")).unwrap()).text());
}

#[test]
fn the_page_of_drift_as_markdown() {
    insta::assert_snapshot!(page(&since(&specimen::entries(), None).unwrap()).markdown());
}

/// By hand: 1.03 ten times is 1.344.
#[test]
fn ten_small_steps_are_one_large_drift() {
    let drift = since(&specimen::entries(), Some("v1.0")).unwrap();
    let worst = &drift.comparison.moved[0];
    assert_eq!(worst.key.metric, "heap.peak_bytes");
    assert!(worst.worse && (worst.part.unwrap() - 0.3439).abs() < 1e-4, "{worst:?}");
    assert_eq!(worst.best.tag, "v1.0");
}

#[test]
fn the_best_release_need_not_be_the_last() {
    let drift = since(&specimen::entries(), Some("v1.2")).unwrap();
    let heap = drift.comparison.moved.iter().find(|each| each.key.metric == "heap.peak_bytes").unwrap();
    assert_eq!((drift.since.tag.as_str(), heap.best.tag.as_str()), ("v1.2", "v1.0"));
    assert!(heap.part.unwrap() < heap.best.part.unwrap());
}

#[test]
fn a_metric_of_which_more_is_better_becomes_better_by_rising() {
    let drift = since(&specimen::entries(), Some("v1.0")).unwrap();
    let best = drift.comparison.moved.last().unwrap();
    assert!(!best.worse && best.key.metric == "degrade.sessions_kept" && best.part.unwrap() > 0.0);
}

#[test]
fn without_a_tag_it_is_since_the_last_release_before_the_newest_run() {
    let entries = specimen::entries();
    assert_eq!(since(&entries, None).unwrap().since.tag, "v2.0");
    assert_eq!(since(&entries[..58], None).unwrap().since.tag, "v1.2");
    assert_eq!(since(&entries[..4], None).unwrap().since.tag, "v1.0");
}

#[test]
fn what_scatters_is_not_called_a_drift() {
    let drift = since(&specimen::entries(), Some("v1.2")).unwrap();
    assert!(drift.comparison.moved.iter().all(|each| each.key.metric != "rss.peak_bytes"));
    assert_eq!(drift.comparison.within_scatter, 1);
}

#[test]
fn a_history_without_releases_says_what_to_do() {
    let said = |error: Result<Drift, Error>| error.unwrap_err().to_string();
    assert_eq!(
        said(since(&specimen::entries()[..2], None)),
        "no run of the history is of a release: add runs of tagged commits"
    );
    assert!(said(since(&[], None)).contains("it is empty"));
    assert_eq!(
        said(since(&specimen::entries(), Some("v9"))),
        "no run of the history has the tag v9; those that are there: v2.0, v1.2, v1.1, v1.0"
    );
}

#[test]
fn what_moved_in_the_first_run_after_a_release_is_seen() {
    let mut entries = specimen::entries();
    entries.truncate(59);
    let last = &mut entries[58];
    let noisy = &mut last.cases[0].points[1];
    noisy.median *= 2.0;
    noisy.range = noisy.range.map(|(low, high)| (2.0 * low, 2.0 * high));
    last.id = last.digest();
    let found = since(&entries, None).unwrap();
    assert_eq!(found.since.tag, "v2.0");
    let moved = found.comparison.moved.iter().find(|moved| moved.key.metric == "rss.peak_bytes").unwrap();
    assert!(moved.worse && moved.part.unwrap() > 0.9, "{moved:?}");
}
