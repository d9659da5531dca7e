//! The verdict of a run at first sight, and where to find what.

use std::collections::BTreeMap;

use harness::record::{Run, Unit, Verdict};
use maud::{Markup, html};

use super::chart::{Axis, Strip};
use super::parts::{self, Table};
use crate::figure;
use crate::judge::{NOTHING, TRIPWIRE};
use crate::rows::{self, Group, counted};

/// Fewer scenarios than these are seen without a table of them.
const SCENARIOS_LEAST: usize = 4;

/// The verdict, what it rests on, and what was measured.
pub(super) fn banner(run: &Run) -> Markup {
    let judged = rows::is_judged(run);
    let tone = if judged { parts::tone(run.verdict) } else { "none" };
    html! {
        div.banner.(tone) {
            h1 {
                @if judged { (parts::chip(run.verdict, rows::name(run.verdict))) } @else { span.chip { "not judged" } }
                " " (headline(run))
            }
            (counts(run))
        }
        (artifact(run))
    }
}

/// What decided the verdict, in a few words.
fn headline(run: &Run) -> String {
    let found = by_verdict(run);
    let of = |verdict: Verdict| found.get(&verdict).copied().unwrap_or(0);
    let limits = found.values().sum::<usize>();
    if run.cases.is_empty() && run.worth.is_empty() {
        return "nothing was measured".to_owned();
    }
    if !rows::is_judged(run) {
        let choices = run.cases.is_empty().then(|| "choices were compared".to_owned());
        return choices.unwrap_or_else(|| format!("{} measured", counted(run.cases.len(), "case")));
    }
    if let Some(why) = rows::unfounded(run) {
        return why.to_owned();
    }
    if limits == 0 {
        return "nothing was judged".to_owned();
    }
    let words = [
        (of(Verdict::Regression), "limit", "broken"),
        (of(Verdict::Error), "case or limit", "failed"),
        (of(Verdict::Inconclusive) + of(Verdict::Unfit), "limit", "could not be judged"),
    ];
    let bad: Vec<String> = words
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, what, how)| match *what {
            "limit" => format!("{} {how}", counted(*count, what)),
            _ => format!("{count} {how}"),
        })
        .collect();
    match (bad.is_empty(), of(Verdict::Waived)) {
        (true, 0) => format!("{} kept", all_of(limits)),
        (true, waived) => format!("{} kept, {waived} excused", counted(limits - waived, "limit")),
        (false, _) => bad.join(", "),
    }
}

fn all_of(limits: usize) -> String {
    if limits == 1 { "the one limit is".to_owned() } else { format!("all {limits} limits are") }
}

/// How many limits have which verdict, the gravest first.
fn counts(run: &Run) -> Markup {
    let found = by_verdict(run);
    let tripwires = run.cases.iter().flat_map(|case| &case.verdicts);
    let tripwires = tripwires.filter(|judgement| judgement.why.starts_with(TRIPWIRE)).count();
    let nothing = run.doubts.iter().filter(|doubt| doubt.starts_with(NOTHING));
    html! {
        ul.counts {
            @for (verdict, count) in found.iter().rev() { li { (parts::chip(*verdict, rows::name(*verdict))) " " (count) } }
            @if tripwires > 0 { li { (tripwires) " of them tripwires, which must break their limits" } }
            @if !found.is_empty() { li { "in " (counted(run.cases.len(), "case")) } }
        }
        @for doubt in nothing { p { (doubt) } }
    }
}

fn by_verdict(run: &Run) -> BTreeMap<Verdict, usize> {
    let mut found = BTreeMap::new();
    for judgement in run.cases.iter().flat_map(|case| &case.verdicts) {
        *found.entry(judgement.verdict).or_insert(0) += 1;
    }
    found
}

fn artifact(run: &Run) -> Markup {
    let artifact = &run.artifact;
    html! {
        p.soft {
            "highwater " (artifact.version)
            @if let Some(commit) = &artifact.commit { "; measured: commit " code { (commit) } }
            @if let Some(tag) = &artifact.tag { ", tag " (tag) }
            @if artifact.dirty == Some(true) { ", with uncommitted changes" }
            "; begun " time datetime=(run.time) { (second(&run.time)) } "."
        }
    }
}

/// A time to its second, as people write it; what is none stays as it is.
fn second(time: &str) -> String {
    let parts = time.strip_suffix('Z').and_then(|time| time.split_once('T'));
    let words = |(day, time): (&str, &str)| format!("{day} {} UTC", time.split('.').next().unwrap_or(time));
    parts.map_or_else(|| time.to_owned(), words)
}

/// The page's parts. Few scenarios are named; of more there is a table.
pub(super) fn contents(run: &Run, groups: &[Group<'_>], has_failures: bool) -> Markup {
    let parts = [
        (has_failures, "#failed", "What failed"),
        (groups.len() >= SCENARIOS_LEAST, "#scenarios", "Scenarios"),
        (!run.worth.is_empty(), "#worth", "What each choice is worth"),
        (true, "#verdicts", "Verdicts"),
        (!run.doubts.is_empty(), "#doubts", "Doubts"),
        (true, "#environment", "Environment"),
        (!rows::repeat(run).is_empty(), "#repeat", "How to repeat it"),
    ];
    let named: Vec<_> =
        if groups.len() < SCENARIOS_LEAST { groups.iter().enumerate().collect() } else { Vec::new() };
    let first = parts.iter().take(1);
    html! {
        nav aria-label="Contents" {
            ul.index {
                @for (_, link, name) in first.filter(|part| part.0) { li { a href=(link) { (name) } } }
                @for (index, group) in named { li { a href=(format!("#s{index}")) { (group.scenario) } } }
                @for (_, link, name) in parts.iter().skip(1).filter(|part| part.0) { li { a href=(link) { (name) } } }
            }
        }
    }
}

/// Every scenario in one line: what its strategies take, from the least to the most.
pub(super) fn scenarios(groups: &[Group<'_>]) -> Markup {
    if groups.len() < SCENARIOS_LEAST {
        return html! {};
    }
    let peaks: Vec<Vec<(f64, &str)>> = groups.iter().map(peaks).collect();
    let all = || peaks.iter().flatten().map(|(bytes, _)| *bytes).filter(|bytes| *bytes > 0.0);
    let ends = (all().fold(f64::INFINITY, f64::min), all().fold(1.0, f64::max));
    let strip = Strip::new(Axis::logarithmic(Unit::Bytes, (ends.0.min(ends.1), ends.1), 4.0));
    let rows = groups.iter().zip(&peaks).enumerate().map(|(index, (group, peaks))| {
        let worst = group.cases.iter().max_by_key(|case| rows::worst(case));
        let said = |peak: &(f64, &str)| format!("{} {}", figure::short(peak.0, Unit::Bytes), peak.1);
        let dots: Vec<(f64, String)> = peaks.iter().map(|peak| (peak.0, said(peak))).collect();
        vec![
            html! { a href=(format!("#s{index}")) { (group.scenario) } },
            html! { (group.cases.len()) },
            html! { @if !dots.is_empty() { (strip.row(&dots)) } },
            html! { (peaks.first().map_or_else(rows::missing, said)) },
            html! { (peaks.last().filter(|_| peaks.len() > 1).map_or_else(rows::missing, said)) },
            worst.map_or_else(|| html! {}, |case| parts::verdict_of(case)),
        ]
    });
    let titles = ["scenario", "cases", "peaks", "least peak", "largest peak", "worst verdict"];
    let table = Table {
        caption: "A dot for each strategy: its peak heap, or peak RSS where no heap was counted. All on one logarithmic axis."
            .to_owned(),
        titles: titles.map(|title| html! { (title) @if title == "peaks" { (strip.head()) } }).to_vec(),
        sides: "lrllll".to_owned(),
        rows: rows.collect(),
    };
    html! { section aria-labelledby="scenarios" { h2 id="scenarios" { "Scenarios" } (parts::table(&table)) } }
}

/// The strategies' peaks, the least first.
fn peaks<'g>(group: &Group<'g>) -> Vec<(f64, &'g str)> {
    let of = |metric: &str| -> Vec<(f64, &'g str)> {
        let known = group.cases.iter().filter_map(|case| {
            let figure = case.metrics.get(metric)?.median;
            Some((figure, rows::parts(&case.case).1))
        });
        known.collect()
    };
    let heap = of("heap.peak_bytes");
    let mut all = if heap.is_empty() { of("rss.peak_bytes") } else { heap };
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all
}
