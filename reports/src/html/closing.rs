//! What stands at the end of a report: every verdict, what is waived, doubts, the environment, and how to repeat it.

use harness::record::{Case, Environment, Judgement, Run, Verdict};
use maud::{Markup, html};

use super::parts::{self, Table};
use crate::{debt, real_engine, rows};

/// Up to so many verdicts are shown without being asked for.
const SHOWN: usize = 12;

pub(super) fn sections(run: &Run) -> Markup {
    html! {
        (real(run))
        section aria-labelledby="verdicts" { h2 id="verdicts" { "Verdicts" } (verdicts(run)) }
        (list("waived", "Waived", &debt::lines(run)))
        (list("doubts", "Doubts", &run.doubts))
        section aria-labelledby="environment" { h2 id="environment" { "Environment" } (environment(&run.environment)) }
        (repeat(run))
    }
}

fn list(id: &str, title: &str, items: &[String]) -> Markup {
    if items.is_empty() {
        return html! {};
    }
    html! { section aria-labelledby=(id) { h2 id=(id) { (title) } (parts::list(items)) } }
}

fn repeat(run: &Run) -> Markup {
    let lines = rows::repeat(run);
    if lines.is_empty() {
        return html! {};
    }
    html! { section aria-labelledby="repeat" { h2 id="repeat" { "How to repeat it" } (parts::commands(&lines)) } }
}

fn real(run: &Run) -> Markup {
    let beside = real_engine::beside(run);
    if beside.is_empty() {
        return html! {};
    }
    let titles = ["strategy", "our peak heap", "our worker's peak RSS", "real engine's"];
    let rows = beside
        .into_iter()
        .map(|each| parts::cells([each.strategy.to_owned(), each.heap, each.worker_rss, each.real]));
    let table = Table {
        caption: "Each figure is a part of as-reported's".to_owned(),
        titles: titles.map(parts::cell).to_vec(),
        sides: "lrrr".to_owned(),
        rows: rows.collect(),
    };
    html! {
        section aria-labelledby="real" {
            h2 id="real" { "Ours beside the real engine" }
            (parts::table(&table))
            p.soft { "The " (real_engine::SOURCE) "." }
        }
    }
}

/// Every verdict, the gravest first. Many that are good are closed.
fn verdicts(run: &Run) -> Markup {
    let mut judged: Vec<(&Case, &Judgement)> =
        run.cases.iter().flat_map(|case| case.verdicts.iter().map(move |found| (case, found))).collect();
    if judged.is_empty() {
        return html! { p { "Nothing was judged." } };
    }
    judged.sort_by_key(|(_, found)| std::cmp::Reverse(found.verdict));
    let is_good = |found: &Judgement| matches!(found.verdict, Verdict::Pass | Verdict::Improved);
    let (good, other): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(_, found)| is_good(found));
    let kept = format!("{} kept", rows::counted(good.len(), "limit"));
    html! {
        @if !other.is_empty() { (verdict_table("Limits that were not kept", &other)) }
        @if good.len() > SHOWN { (parts::closed(&kept, &verdict_table("Limits that were kept", &good))) }
        @else if !good.is_empty() { (verdict_table("Limits that were kept", &good)) }
    }
}

fn verdict_table(caption: &str, judged: &[(&Case, &Judgement)]) -> Markup {
    let rows = judged.iter().map(|(case, found)| {
        vec![
            html! { (case.case) },
            html! { (parts::chip(found.verdict, rows::name(found.verdict))) },
            html! { (found.metric) },
            html! { (found.budget) },
            html! { (found.why) },
        ]
    });
    parts::table(&Table {
        caption: caption.to_owned(),
        titles: ["case", "verdict", "metric", "budget", "why"].map(parts::cell).to_vec(),
        sides: "lllww".to_owned(),
        rows: rows.collect(),
    })
}

fn environment(environment: &Environment) -> Markup {
    let rows = rows::environment(environment)
        .into_iter()
        .map(|(what, value)| parts::cells([what.to_owned(), value]));
    parts::table(&Table {
        caption: "Where the run took place".to_owned(),
        titles: ["what", "value"].map(parts::cell).to_vec(),
        sides: "lw".to_owned(),
        rows: rows.collect(),
    })
}
