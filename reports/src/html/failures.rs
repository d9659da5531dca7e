//! What failed, the gravest first: each case with its figures beside their limits, the sites that grew, and the command that repeats it.

use harness::record::{Case, Direction, Judgement, Run, SiteGrowth, Unit, Verdict};
use maud::{Markup, html};

use super::chart::{Bar, Bars, NARROW, Row, Words, bars};
use super::flame::Drawings;
use super::parts::{self, Table};
use crate::judge::interval;
use crate::{figure, foreign, metric, rows, sites};

/// The cases that are neither good nor excused, the gravest first and else in the order of the run.
pub(super) fn of(run: &Run) -> Vec<&Case> {
    let mut failed: Vec<&Case> =
        run.cases.iter().filter(|case| rows::worst(case).is_some_and(is_failure)).collect();
    failed.sort_by_key(|case| std::cmp::Reverse(rows::worst(case)));
    failed
}

fn is_failure(verdict: Verdict) -> bool {
    verdict > Verdict::Waived
}

/// The section; nothing where nothing failed.
pub(super) fn section(run: &Run, failed: &[&Case], drawing: &dyn Fn(&str) -> Option<String>) -> Markup {
    if failed.is_empty() {
        return html! {};
    }
    let mut drawings = Drawings::new(drawing);
    html! {
        section aria-labelledby="failed" {
            h2 id="failed" { "What failed" }
            @if failed.len() > 1 { (summary(failed)) }
            @for (index, case) in failed.iter().enumerate() { (card(run, case, index, &mut drawings)) }
        }
    }
}

/// Every failure in one line.
fn summary(failed: &[&Case]) -> Markup {
    let found = failed.iter().enumerate().flat_map(|(index, case)| {
        let found = case.verdicts.iter().filter(|judgement| is_failure(judgement.verdict));
        found.map(move |judgement| (index, *case, judgement))
    });
    let rows = found.map(|(index, case, judgement)| {
        let unit = metric::unit(&judgement.metric).unwrap_or(Unit::Count);
        let over = judgement.over.map_or_else(rows::missing, |over| figure::change(over, unit));
        let grown = case.growth.iter().find(|growth| growth.metric == judgement.metric);
        vec![
            html! { a href=(format!("#f{index}")) { (case.case) } },
            html! { (judgement.metric) },
            html! { (rows::cell(case, &judgement.metric)) },
            html! { b.grow { (over) } },
            html! { (parts::chip(judgement.verdict, rows::name(judgement.verdict))) },
            html! { (judgement.budget) },
            html! { @if let Some(growth) = grown { (sites::first_line(growth)) } },
        ]
    });
    let titles = ["case", "metric", "measured", "beyond", "verdict", "budget", "largest site"];
    parts::table(&Table {
        caption: "Every limit that failed".to_owned(),
        titles: titles.map(parts::cell).to_vec(),
        sides: "llrrlww".to_owned(),
        rows: rows.collect(),
    })
}

fn card(run: &Run, case: &Case, index: usize, drawings: &mut Drawings<'_>) -> Markup {
    let worst = rows::worst(case).unwrap_or_default();
    let found = case.verdicts.iter().filter(|judgement| is_failure(judgement.verdict));
    html! {
        article.card.(parts::tone(worst)) {
            h3 id=(format!("f{index}")) { (parts::chip(worst, rows::name(worst))) " " span.code { (case.case) } }
            @for judgement in found { (judged(case, judgement)) }
            @if let Some(error) = &case.error { pre { (error) } }
            @for growth in &case.growth { (grown(growth, drawings)) }
            (parts::list(&case.notes))
            (again(run, case))
        }
    }
}

/// One limit: the figure, the budget and the reason, with a bar.
fn judged(case: &Case, judgement: &Judgement) -> Markup {
    let Judgement { metric, budget, why, over, verdict, .. } = judgement;
    let unit = metric::unit(metric).unwrap_or(Unit::Count);
    // An error of the whole case is no figure of a metric.
    if metric == "*" {
        return html! { p { (why.lines().next().unwrap_or_default()) } };
    }
    html! {
        div.judged {
            div {
                dl.facts {
                    dt { "metric" } dd { b { (metric) } }
                    @if let Some(measured) = case.metrics.get(metric) { dt { "measured" } dd { (figure::short(measured.median, measured.unit)) } }
                    dt { "budget" } dd { (budget) }
                    @if let Some(over) = over { dt { @if is_floor(case, judgement) { "too little" } @else { "too much" } } dd { b.grow { (figure::change(*over, unit)) } } }
                    @if rows::worst(case) != Some(*verdict) { dt { "verdict" } dd { (parts::chip(*verdict, rows::name(*verdict))) } }
                }
                p.soft { (why) }
            }
            (bar(case, judgement))
        }
    }
}

/// Whether the limit is the least that is allowed, and not the most.
fn is_floor(case: &Case, judgement: &Judgement) -> bool {
    let direction = case.metrics.get(&judgement.metric).map(|metric| metric.direction);
    direction == Some(Direction::Higher) || judgement.budget.starts_with("at least ")
}

/// The figure as a bar with its limit; nothing where either is not known.
fn bar(case: &Case, judgement: &Judgement) -> Markup {
    let Some(measured) = case.metrics.get(&judgement.metric) else { return html! {} };
    let is_floor = is_floor(case, judgement);
    let beyond = judgement.over.map(|over| measured.median + if is_floor { over } else { -over });
    let Some(limit) = judgement.limit.or(beyond) else { return html! {} };
    let interval = interval::ends(measured);
    let short = |value: f64| figure::short(value, measured.unit);
    let title = format!("{} of {} beside its limit", judgement.metric, case.case);
    let allowed = if is_floor { "at least" } else { "allowed" };
    let about = format!("{} measured, {} {allowed}", short(measured.median), short(limit));
    let row = |name: String, bar: Bar| Row { name, bars: vec![bar] };
    bars(&Bars {
        words: Words { title: &title, about: &about },
        unit: measured.unit,
        ends: Some((0.0, interval.1.max(limit) * 1.02)),
        rows: vec![
            row(
                "measured".to_owned(),
                Bar {
                    kind: "bad",
                    to: measured.median,
                    interval: Some(interval),
                    limit: Some(limit),
                    said: short(measured.median),
                    ..Bar::default()
                },
            ),
            row(allowed.to_owned(), Bar { kind: "quiet", to: limit, said: short(limit), ..Bar::default() }),
        ],
        width: NARROW,
    })
}

/// The sites that grew at one moment, with the flamegraph of the difference.
fn grown(growth: &SiteGrowth, drawings: &mut Drawings<'_>) -> Markup {
    html! {
        h4 { "Where " (growth.metric) " grew" }
        p { (sites::deletion(growth)) "." }
        @if !growth.sites.is_empty() { (parts::table(&sites_table(growth))) }
        @if let Some(more) = sites::more(growth, growth.sites.len()) { p.soft { (more) } }
        (drawings.next(growth))
    }
}

fn sites_table(growth: &SiteGrowth) -> Table {
    let rows = growth.sites.iter().enumerate().map(|(index, site)| {
        let blocks = figure::change(site.head_blocks - site.base_blocks, Unit::Blocks);
        let callers: Vec<&str> = sites::callers(site).collect();
        vec![
            html! { (index + 1) },
            html! { b.grow { (figure::change(sites::growth_of(site), Unit::Bytes)) } },
            html! { (blocks) },
            html! { span.code { (sites::place(site)) } },
            html! { (site.role) },
            html! { span.code { (callers.join(" < ")) } },
        ]
    });
    Table {
        caption: "Allocation sites, largest growth first".to_owned(),
        titles: ["#", "bytes", "blocks", "site", "process", "called by"].map(parts::cell).to_vec(),
        sides: "lrrwlw".to_owned(),
        rows: rows.collect(),
    }
}

/// The command that measures the case again.
fn again(run: &Run, case: &Case) -> Markup {
    let lines = match rows::again(case) {
        Some(line) => vec![line],
        None => {
            let scenario = rows::parts(&case.case).0;
            let group = rows::groups(run).into_iter().find(|group| group.scenario == scenario);
            group.map(|group| foreign::repeat(&group.cases)).unwrap_or_default()
        }
    };
    if lines.is_empty() {
        return html! {};
    }
    html! { h4 { "See it again" } (parts::commands(&lines)) }
}
