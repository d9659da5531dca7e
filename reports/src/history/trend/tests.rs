//! Changes of level in series of histories, and what is said of them.

use harness::record::Unit;

use super::*;
use crate::history::entry::Entry;
use crate::history::series::Selection;
use crate::history::specimen::{self, COMPILER, IMPROVED, MIB};

fn timeline(entries: &[Entry]) -> Timeline {
    Timeline::of(entries, &Selection::default())
}

fn all(entries: &[Entry]) -> Trends {
    trends(&timeline(entries), &Options::default(), 26.0)
}

fn of<'t>(trends: &'t Trends, metric: &str) -> &'t Trend {
    trends.series.iter().find(|trend| trend.key.metric == metric).unwrap()
}

/// The specimen with another heap: `figure` gives it by the week, in MiB.
fn with_heap(figure: impl Fn(usize) -> f64) -> Trends {
    let mut entries = specimen::entries();
    for (week, entry) in entries.iter_mut().enumerate() {
        entry.cases[0].points[0].median = figure(week) * MIB;
    }
    all(&entries)
}

fn headroom(trends: &Trends) -> Option<&Headroom> {
    of(trends, "heap.peak_bytes").headroom.as_ref()
}

#[test]
fn the_page_of_trends_on_the_terminal() {
    insta::assert_snapshot!(page(&all(&specimen::entries())).text());
}

#[test]
fn the_page_of_trends_as_markdown() {
    insta::assert_snapshot!(page(&all(&specimen::entries())).markdown());
}

#[test]
fn a_new_compiler_is_named_where_a_noisy_figure_steps() {
    let trends = all(&specimen::entries());
    let [step] = &of(&trends, "rss.peak_bytes").steps[..] else { panic!("{trends:?}") };
    assert!(step.worse && step.first_after.abs_diff(COMPILER) <= 3, "{step:?}");
    let moved = Moved {
        what: "toolchain".to_owned(),
        before: "rustc 1.89.0".to_owned(),
        after: "rustc 1.90.0".to_owned(),
    };
    assert_eq!(step.moved.len(), 1);
    assert_eq!(step.moved[0].moved, moved);
    assert_eq!(step.first_after as i64 + step.moved[0].runs_off, COMPILER as i64);
}

#[test]
fn an_improvement_has_its_commits_and_no_other_cause() {
    let trends = all(&specimen::entries());
    let [step] = &of(&trends, "degrade.sessions_kept").steps[..] else { panic!("{trends:?}") };
    assert!(!step.worse && step.moved.is_empty());
    assert_eq!((step.last_before, step.first_after), (IMPROVED - 1, IMPROVED));
    let seven = |run: usize| trends.runs[run].commit.as_ref().unwrap()[..7].to_owned();
    assert_eq!(step.commits, Some(format!("{}..{}", seven(IMPROVED - 1), seven(IMPROVED))));
}

#[test]
fn another_corpus_is_a_cause_as_well() {
    let mut entries = specimen::entries();
    for entry in &mut entries[IMPROVED..] {
        entry.cases[1].corpus.as_mut().unwrap().digest = "88bb".to_owned();
    }
    let trends = all(&entries);
    let moved = &of(&trends, "degrade.sessions_kept").steps[0].moved;
    assert_eq!(moved[0].moved.in_words(), "corpus 77aa -> 88bb");
    assert!(
        page(&trends)
            .text()
            .contains("not to be blamed on a commit while this changed too: corpus 77aa -> 88bb")
    );
}

#[test]
fn one_commit_measured_twice_is_not_to_blame() {
    let mut entries = specimen::entries();
    entries[IMPROVED].artifact.commit = entries[IMPROVED - 1].artifact.commit.clone();
    let trends = all(&entries);
    assert_eq!(of(&trends, "degrade.sessions_kept").steps[0].commits, None);
    assert!(page(&trends).text().contains("none: the same commit"));
}

#[test]
fn runs_without_the_figure_are_among_those_between() {
    let mut entries = specimen::entries();
    for entry in &mut entries[IMPROVED..IMPROVED + 3] {
        entry.cases.remove(1);
    }
    let trends = all(&entries);
    let step = &of(&trends, "degrade.sessions_kept").steps[0];
    assert_eq!((step.last_before, step.first_after), (IMPROVED - 1, IMPROVED + 3));
    let text = page(&trends).text();
    assert!((41..=43).all(|week| text.contains(&format!("change number {week} ("))), "{text}");
}

/// By hand: from 3 MiB by 0.02 MiB a week it is at 4.18 in week 59, and 0.82 are left up to 5: 41 weeks.
#[test]
fn a_steady_growth_reaches_its_limit_when_it_is_said() {
    let trends = with_heap(|week| 3.0 + 0.02 * week as f64);
    let Headroom { limit, now, per_week, weeks, .. } = headroom(&trends).unwrap().clone();
    assert_eq!(limit, 5.0 * MIB);
    assert!((now / MIB - 4.18).abs() < 1e-6 && (per_week.value / MIB - 0.02).abs() < 1e-6);
    assert!((weeks.value - 41.0).abs() < 1e-3, "{weeks:?}");
    assert_eq!(headroom(&trends).unwrap().in_words(), "41 weeks (41 to 41)");
}

#[test]
fn a_rough_growth_reaches_its_limit_within_an_interval() {
    let rough = |week: usize| 3.0 + 0.02 * week as f64 + 0.1 * (((week * 7919) % 101) as f64 / 101.0 - 0.5);
    let trends = with_heap(rough);
    let weeks = headroom(&trends).unwrap().weeks;
    assert!(
        weeks.low < weeks.value && weeks.value < weeks.high && weeks.low < 41.0 && weeks.high > 41.0,
        "{weeks:?}"
    );
}

#[test]
fn steps_in_a_row_are_a_growth_and_one_step_is_none() {
    let creeping = with_heap(|week| 3.0 * 1.02_f64.powi((week / 5) as i32));
    let found = headroom(&creeping).unwrap();
    // 2 % of 3.7 MiB in five weeks.
    assert!((found.per_week.value / MIB - 0.0145).abs() < 0.002, "{found:?}");
    assert_eq!(headroom(&with_heap(|week| if week < 50 { 3.0 } else { 4.0 })), None);
}

#[test]
fn without_a_limit_a_growth_or_room_there_is_no_headroom() {
    assert_eq!(headroom(&with_heap(|_| 3.0)), None);
    assert_eq!(headroom(&with_heap(|week| 4.0 - 0.01 * week as f64)), None);
    assert_eq!(headroom(&with_heap(|week| 4.9 + 0.02 * week as f64)), None);
    // In more than ten years.
    assert_eq!(headroom(&with_heap(|week| 3.0 + 1e-4 * week as f64)), None);
    let trends = all(&specimen::entries());
    assert!(trends.series.iter().all(|trend| trend.limit.is_some() || trend.headroom.is_none()));
}

#[test]
fn where_more_is_better_the_limit_is_reached_from_above() {
    let mut entries = specimen::entries();
    for (week, entry) in entries.iter_mut().enumerate() {
        let kept = &mut entry.cases[1].points[0];
        (kept.median, kept.limit) = (0.99 - 0.001 * week as f64, Some(0.9));
    }
    let trends = all(&entries);
    let found = of(&trends, "degrade.sessions_kept").headroom.clone().unwrap();
    // By hand: at 0.931 in week 59, 0.031 are left.
    assert!(
        (found.weeks.value - 31.0).abs() < 1e-3 && (found.per_week.value + 0.001).abs() < 1e-9,
        "{found:?}"
    );
}

#[test]
fn the_data_are_json_with_the_schema_first() {
    let json = serde_json::to_string(&all(&specimen::entries())).unwrap();
    assert!(json.starts_with(r#"{"schema":1,"runs":[{"id":""#), "{json}");
    assert!(json.contains(r#""metric":"rss.peak_bytes""#) && json.contains(r#""what":"toolchain""#));
}

#[test]
fn a_chart_has_a_run_and_a_day_for_each_figure() {
    let page = drawn(&all(&specimen::entries()));
    let chart = &page.sections.last().unwrap().charts[0];
    assert!(chart.unit == Unit::Bytes && chart.values.len() == 60);
    assert!(chart.runs.len() == 60 && chart.days.len() == 60);
    assert_eq!((chart.runs[3].as_str(), chart.days[3].as_str()), ("v1.0", "2025-01-27"));
    assert_eq!(chart.limit, Some(5.0 * MIB));
    let html = page.html();
    assert!(
        html.matches("<svg").count() == 6 && !html.contains("<script") && html.contains("&lt;script&gt;")
    );
}

#[test]
fn few_runs_have_no_trend() {
    let entries = specimen::entries();
    insta::assert_snapshot!(page(&all(&entries[..1])).text());
    assert!(page(&all(&[])).text().contains("0 runs, too few"));
}
