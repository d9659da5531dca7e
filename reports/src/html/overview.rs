//! The verdict of a run at first sight, and where to find what.

use std::collections::BTreeMap;

use harness::record::{Run, Unit, Verdict};
use maud::{Markup, html};

use super::parts::{self, Table};
use crate::figure;
use crate::judge::{NOTHING, TRIPWIRE};
use crate::rows::{self, Group, counted};

/// Fewer scenarios than these are seen without a table of them.
const SCENARIOS_LEAST: usize = 4;

/// The verdict, what it rests on, and what was measured.
pub(super) fn banner(run: &Run) -> Markup {
    let judged = is_judged(run);
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

/// Commands that nobody wanted judged have no verdict.
fn is_judged(run: &Run) -> bool {
    !rows::summary(run).starts_with("not judged")
}

/// What decided the verdict, in a few words.
fn headline(run: &Run) -> String {
    let found = by_verdict(run);
    let of = |verdict: Verdict| found.get(&verdict).copied().unwrap_or(0);
    let limits = found.values().sum::<usize>();
    if run.cases.is_empty() && run.worth.is_empty() {
        return "nothing was measured".to_owned();
    }
    if !is_judged(run) {
        return format!("{} measured", counted(run.cases.len(), "case"));
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
            li { "in " (counted(run.cases.len(), "case")) }
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
            @if let Some(commit) = &artifact.commit { ", commit " code { (commit) } }
            @if let Some(tag) = &artifact.tag { ", tag " (tag) }
            @if artifact.dirty == Some(true) { ", with uncommitted changes" }
            "; begun " time { (run.time) } "."
        }
    }
}

/// The page's parts, and its scenarios by family.
pub(super) fn contents(run: &Run, groups: &[Group<'_>], has_failures: bool) -> Markup {
    let parts = [
        (has_failures, "#failed", "What failed"),
        (groups.len() >= SCENARIOS_LEAST, "#scenarios", "Scenarios"),
        (!run.worth.is_empty(), "#worth", "What each choice is worth"),
        (true, "#verdicts", "Verdicts"),
        (!run.doubts.is_empty(), "#doubts", "Doubts"),
        (true, "#environment", "Environment"),
        (true, "#repeat", "How to repeat it"),
    ];
    let mut families: Vec<(&str, Vec<(usize, &str)>)> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let (family, name) = group.scenario.split_once('/').unwrap_or(("", group.scenario));
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, members)) => members.push((index, name)),
            None => families.push((family, vec![(index, name)])),
        }
    }
    html! {
        nav aria-label="Contents" {
            ul.index { @for (_, link, name) in parts.iter().filter(|part| part.0) { li { a href=(link) { (name) } } } }
            @for (family, members) in families {
                p { (family) }
                ul.index { @for (index, name) in members { li { a href=(format!("#s{index}")) { (name) } } } }
            }
        }
    }
}

/// Every scenario in one line: which strategy takes least and which most.
pub(super) fn scenarios(groups: &[Group<'_>]) -> Markup {
    if groups.len() < SCENARIOS_LEAST {
        return html! {};
    }
    let rows = groups.iter().enumerate().map(|(index, group)| {
        let worst = group.cases.iter().max_by_key(|case| rows::worst(case));
        let (least, most) = extremes(group);
        vec![
            html! { a.code href=(format!("#s{index}")) { (group.scenario) } },
            html! { (group.cases.len()) },
            html! { (least) },
            html! { (most) },
            worst.map_or_else(|| html! {}, |case| parts::verdict_of(case)),
        ]
    });
    let titles = ["scenario", "strategies", "least peak", "largest peak", "worst verdict"];
    let table = Table {
        caption: "Peaks are of the heap, or of resident memory where no heap was counted.".to_owned(),
        titles: titles.map(str::to_owned).to_vec(),
        sides: "lrlll".to_owned(),
        rows: rows.collect(),
    };
    html! { section aria-labelledby="scenarios" { h2 id="scenarios" { "Scenarios" } (parts::table(&table)) } }
}

/// The strategies with the least and the largest peak, with their figures.
fn extremes(group: &Group<'_>) -> (String, String) {
    let peaks = |metric: &str| -> Vec<(f64, &str)> {
        let known = group.cases.iter().filter_map(|case| {
            let figure = case.metrics.get(metric)?.median;
            Some((figure, rows::parts(&case.case).1))
        });
        known.collect()
    };
    let heap = peaks("heap.peak_bytes");
    let mut all = if heap.is_empty() { peaks("rss.peak_bytes") } else { heap };
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let said = |peak: Option<&(f64, &str)>| {
        peak.map_or_else(rows::missing, |(figure, name)| {
            format!("{} {name}", figure::short(*figure, Unit::Bytes))
        })
    };
    (said(all.first()), said(all.last().filter(|_| all.len() > 1)))
}
