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
