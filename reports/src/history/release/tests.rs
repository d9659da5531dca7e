//! A release against those before it.

use super::*;
use crate::history::series::Selection;
use crate::history::specimen;

fn of(entries: &[Entry], tag: Option<&str>) -> Report {
    release(&Timeline::of(entries, &Selection::default()), entries, tag, 26.0).unwrap()
}

#[test]
fn the_page_of_a_release_on_the_terminal() {
    insta::assert_snapshot!(page(&of(&specimen::entries(), None)).text());
}

#[test]
fn the_page_of_a_release_as_markdown() {
    insta::assert_snapshot!(page(&of(&specimen::entries(), None)).markdown());
}

#[test]
fn the_first_release_has_none_to_be_compared_with() {
    insta::assert_snapshot!(page(&of(&specimen::entries(), Some("v1.0"))).text());
}

#[test]
fn a_release_is_compared_with_the_last_and_with_that_of_a_year_before() {
    let report = of(&specimen::entries(), Some("v2.0"));
    assert_eq!(report.last.unwrap().than.tag, "v1.2");
    assert_eq!(report.year.unwrap().than.tag, "v1.0");
    let report = of(&specimen::entries(), Some("v1.2"));
    assert_eq!((report.last.unwrap().than.tag.as_str(), report.year), ("v1.1", None));
}

#[test]
fn what_came_after_a_release_says_nothing_of_it() {
    let entries = specimen::entries();
    assert_eq!(of(&entries, Some("v1.1")), of(&entries[..26], Some("v1.1")));
}

#[test]
fn debt_is_the_most_that_each_metric_is_over_and_graver_verdicts_come_first() {
    let mut entries = specimen::entries();
    let judgements = &mut entries[57].cases[0].judgements;
    let mut twice = judgements[0].clone();
    twice.over = Some(100_000.0);
    let mut broken = judgements[0].clone();
    (broken.verdict, broken.waiver, broken.metric) = (Verdict::Regression, None, "rss.peak_bytes".to_owned());
    judgements.extend([twice, broken]);
    let report = of(&entries, Some("v2.0"));
    assert_eq!(report.debt_bytes(), 100_000.0);
    assert_eq!(report.debts.iter().map(|debt| debt.verdict).collect::<Vec<_>>()[0], Verdict::Regression);
    let text = page(&report).text();
    assert!(text.contains("97.7 KiB in 2 waived limits, the next ends on 2026-06-30"), "{text}");
}

/// A release measured twice: the second time on another testbed, or on the same one a day later.
fn twice(target: &str, verdict: Verdict) -> Report {
    let mut entries = specimen::entries();
    let mut again = entries[57].clone();
    again.environment.target = target.to_owned();
    again.time = again.time.replace("T13:", "T14:");
    again.verdict = verdict;
    again.cases[0].judgements.clear();
    entries.push(Entry { id: again.digest(), ..again });
    of(&entries, Some("v2.0"))
}

#[test]
fn of_several_testbeds_none_hides_what_another_did_not_keep() {
    let report = twice("aarch64-apple-darwin", Verdict::Pass);
    assert_eq!((report.verdict, report.debts.len()), (Verdict::Waived, 1));
    assert_eq!(report.debts[0].testbed.target, "x86_64-unknown-linux-gnu");
}

#[test]
fn a_release_that_was_measured_again_is_what_it_was_found_to_be_last() {
    let report = twice("x86_64-unknown-linux-gnu", Verdict::Pass);
    assert_eq!((report.verdict, report.debts.len()), (Verdict::Pass, 0));
}

#[test]
fn a_testbed_that_came_later_changes_no_name() {
    let mut entries = specimen::entries();
    let before = of(&entries, Some("v1.1"));
    let mut other = entries[59].clone();
    other.environment.allocator = "jemalloc".to_owned();
    entries.push(Entry { id: other.digest(), ..other });
    assert_eq!(of(&entries, Some("v1.1")), before);
}
