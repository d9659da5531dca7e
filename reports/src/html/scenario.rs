//! One scenario: its strategies side by side, as charts and as a table of figures.

use harness::record::{Case, Metric, Run, Ticks, Unit};
use maud::{Markup, html};

use super::chart::{Axis, Bar, Bars, Lines, NARROW, Row, Series, Words, bars, line, shows_limits};
use super::parts::{self, Table};
use super::{Detail, law, tree};
use crate::judge::interval;
use crate::rows::{self, Group};
use crate::{figure, foreign};

/// Up to so many figures that only a scenario has are in its table; of more only those that are judged.
const OWN_FIGURES: usize = 8;
/// Most points of one line: more do not fit into its pixels.
const POINTS: usize = 120;

/// Up to so many notes of a case are shown without being asked for.
const NOTES: usize = 6;

/// The heaps that a bar can be of, the first that is known, with the word beside its figure.
const HEAPS: &[(&str, &str)] = &[
    ("heap.peak_bytes", "heap"),
    ("v8.heap_peak_bytes", "V8 heap"),
    ("tracemalloc.peak_bytes", "tracemalloc"),
];

/// The section of a scenario.
pub(super) fn section(run: &Run, group: &Group<'_>, index: usize, detail: Detail) -> Markup {
    let id = format!("s{index}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (group.scenario) }
            @if let Some(corpus) = group.cases.iter().find_map(|case| case.corpus.as_ref()) {
                p.soft { "Corpus: " (rows::corpus_in_words(corpus)) @if !corpus.digest.is_empty() { ", digest " code { (corpus.digest) } } "." }
            }
            div.charts { (peaks(group)) (ticks(group)) (figures(group)) (law::chart(run, group)) @for case in &group.cases { (tree::figure(case)) } }
            @for case in &group.cases { (said(case)) }
            @if detail == Detail::Full { (parts::closed("Phases, with the strategies side by side", &phases(group))) }
            (parts::closed("Each process apart", &processes(group)))
            (law::tables(run, group))
            (others(group))
        }
    }
}

/// The strategies' peaks: of the heap, and of resident memory with its interval.
fn peaks(group: &Group<'_>) -> Markup {
    let row = |case: &&Case| Row { name: rows::parts(&case.case).1.to_owned(), bars: peaks_of(case) };
    let rows: Vec<Row> = group.cases.iter().map(row).filter(|row| !row.bars.is_empty()).collect();
    let kinds = |kind: &str| rows.iter().flat_map(|row| &row.bars).any(|bar| bar.kind == kind);
    let (has_heap, has_rss) = (kinds("heap"), kinds("rss"));
    let limited = shows_limits(&rows);
    let title = format!("Peak memory of {}", group.scenario);
    let chart = bars(&Bars {
        words: Words {
            title: &title,
            about: "One bar for each strategy and kind of memory; the table below has the figures.",
        },
        unit: Unit::Bytes,
        ends: None,
        rows,
        width: NARROW,
    });
    let caption = html! {
        b { "Peak memory" } " "
        @if has_heap { span.swatch.heap {} "heap " }
        @if has_rss { span.swatch.rss {} "resident (interval) " }
        @if limited { "| dashes: its limit" }
    };
    parts::figure(&caption, &chart)
}

fn peaks_of(case: &Case) -> Vec<Bar> {
    let heap = HEAPS.iter().find_map(|(name, word)| Some((name, word, case.metrics.get(*name)?)));
    let heap = heap.map(|(name, word, metric)| Bar {
        kind: "heap",
        to: metric.median,
        interval: Some(interval::ends(metric)),
        limit: limit_of(case, name),
        said: format!("{word} {}", figure::short(metric.median, Unit::Bytes)),
        ..Bar::default()
    });
    let tree = |name: &str| case.metrics.get(name).map(|metric| metric.median);
    let rss = case.metrics.get("rss.peak_bytes");
    let high = tree("tree.peak_high_bytes").or(rss.map(|metric| metric.median));
    let ends = match (tree("tree.peak_low_bytes"), tree("tree.peak_high_bytes")) {
        (Some(low), Some(high)) => Some((low, high)),
        _ => rss.map(interval::ends),
    };
    let rss = high.map(|high| Bar {
        kind: "rss",
        to: high,
        interval: ends,
        limit: limit_of(case, "tree.peak_high_bytes").or(limit_of(case, "rss.peak_bytes")),
        said: format!("RSS {}", rows::peak_rss(case, "")),
        ..Bar::default()
    });
    heap.into_iter().chain(rss).collect()
}

/// The lowest absolute limit of a metric.
fn limit_of(case: &Case, metric: &str) -> Option<f64> {
    let limits = case.verdicts.iter().filter(|found| found.metric == metric).filter_map(|found| found.limit);
    limits.min_by(f64::total_cmp)
}

/// What is live at ticks, one line for each strategy.
fn ticks(group: &Group<'_>) -> Markup {
    let recorded = |case: &&Case| {
        let ticks = case.processes.iter().find_map(|process| process.ticks.as_ref())?;
        (ticks.live_bytes.len() > 1).then(|| (rows::parts(&case.case).1.to_owned(), ticks.clone()))
    };
    let recorded: Vec<(String, Ticks)> = group.cases.iter().filter_map(recorded).collect();
    if recorded.is_empty() {
        return html! {};
    }
    let in_time = recorded.iter().all(|(_, ticks)| ticks.seconds_per_tick.is_some());
    let per_tick =
        |ticks: &Ticks| ticks.every as f64 * ticks.seconds_per_tick.filter(|_| in_time).unwrap_or(1.0);
    let series: Vec<Series> = recorded
        .iter()
        .map(|(name, ticks)| Series {
            name: name.clone(),
            line: thinned(&ticks.live_bytes, per_tick(ticks)),
            ..Series::default()
        })
        .collect();
    let points = || series.iter().flat_map(|series| &series.line);
    let most = points().map(|point| point.1).fold(0.0, f64::max);
    let least = points().map(|point| point.1).fold(0.0, f64::min);
    let last = points().map(|point| point.0).fold(0.0, f64::max);
    let title = format!("Bytes live at ticks of {}", group.scenario);
    let unit = if in_time { Unit::Seconds } else { Unit::Count };
    let chart = line(Lines {
        words: Words {
            title: &title,
            about: "One line for each strategy, of what the heap holds at rest after each tick.",
        },
        x: Axis::linear(unit, (0.0, last), 5.0),
        x_name: if in_time { "simulated time" } else { "ticks" },
        y: Axis::linear(Unit::Bytes, (least, most * 1.05), 5.0),
        series,
        limits: Vec::new(),
        marks: Vec::new(),
        width: NARROW,
        height: 220.0,
    });
    let caption = html! { b { "Live at ticks" } " heap at rest, beyond what was live when the region began" };
    parts::figure(&caption, &chart)
}

/// The points of a line, the first tick at 1. Of more than fit, the largest of several stands for them.
fn thinned(values: &[f64], step: f64) -> Vec<(f64, f64)> {
    let size = values.len().div_ceil(POINTS);
    let points = values.chunks(size).enumerate().map(|(index, chunk)| {
        let last = index * size + chunk.len();
        (last as f64 * step, chunk.iter().copied().fold(f64::MIN, f64::max))
    });
    points.collect()
}

/// Every figure that the tables of other reports show, with one column for each strategy.
fn figures(group: &Group<'_>) -> Markup {
    let (own, _) = own_figures(group);
    let row = |title: &str, cell: &dyn Fn(&Case) -> Markup| {
        let first = html! { (title) };
        [first].into_iter().chain(group.cases.iter().map(|case| cell(case))).collect::<Vec<_>>()
    };
    let columns = group.columns().iter().filter(|column| column.is_known(group));
    let mut rows: Vec<Vec<Markup>> =
        columns.map(|column| row(column.title, &|case| html! { ((column.cell)(group, case)) })).collect();
    rows.extend(own.iter().map(|name| row(&rows::word_of(name), &|case| figure_of(case, name))));
    rows.push(row("verdict", &parts::verdict_of));
    strategies_table(group, "Figures", rows)
}

fn figure_of(case: &Case, name: &str) -> Markup {
    html! { (rows::cell(case, name)) }
}

/// A table with one column for each strategy of a scenario.
fn strategies_table(group: &Group<'_>, what: &str, rows: Vec<Vec<Markup>>) -> Markup {
    let names = group.cases.iter().map(|case| parts::cell(rows::parts(&case.case).1));
    parts::table(&Table {
        caption: format!("{what} of {}", group.scenario),
        titles: [parts::cell("figure")].into_iter().chain(names).collect(),
        sides: format!("l{}", "r".repeat(group.cases.len())),
        rows,
    })
}

/// The figures that only this scenario has: those that everyone should see, and the others.
fn own_figures<'g>(group: &Group<'g>) -> (Vec<&'g str>, Vec<&'g str>) {
    let mut names: Vec<&str> = Vec::new();
    for name in group.cases.iter().flat_map(|case| rows::special_names(case)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() <= OWN_FIGURES {
        return (names, Vec::new());
    }
    let is_judged =
        |name: &&str| group.cases.iter().any(|case| case.verdicts.iter().any(|found| found.metric == *name));
    names.into_iter().partition(is_judged)
}

fn others(group: &Group<'_>) -> Markup {
    let (_, others) = own_figures(group);
    if others.is_empty() {
        return html! {};
    }
    let rows = others.iter().map(|name| {
        let cells = group.cases.iter().map(|case| figure_of(case, name));
        [html! { (rows::word_of(name)) }].into_iter().chain(cells).collect()
    });
    let summary = format!("{} more", rows::counted(others.len(), "figure"));
    parts::closed(&summary, &strategies_table(group, "More figures", rows.collect()))
}

/// What is noted of a case, how its command ended, and why it has no measurement.
fn said(case: &Case) -> Markup {
    let (_, strategy) = rows::parts(&case.case);
    let mut lines: Vec<String> = Vec::new();
    if let Some(command) = &case.command {
        lines.extend(foreign::ends(command));
        lines.extend(foreign::sampled(case));
        lines.extend(foreign::cost(case));
    }
    lines.extend(case.notes.iter().cloned());
    if lines.is_empty() && case.error.is_none() && case.command.is_none() {
        return html! {};
    }
    if case.command.is_none() && case.error.is_none() {
        return html! { p { span.code { (strategy) } ": " (lines.join("; ")) "." } };
    }
    html! {
        h3 { span.code { (strategy) } }
        @if let Some(command) = &case.command { pre { code { (foreign::command_line(&command.line)) } } }
        (notes(&lines))
        @if let Some(error) = &case.error { p { "It has no measurement:" } pre { (error) } }
    }
}

/// Sentences; of many those beyond the first few are closed.
fn notes(lines: &[String]) -> Markup {
    let (first, more) = lines.split_at(lines.len().min(NOTES));
    let summary = rows::counted(more.len(), "more note");
    html! { (parts::list(first)) (parts::closed(&summary, &parts::list(more))) }
}

/// A chart for each phase, all on one scale.
fn phases(group: &Group<'_>) -> Markup {
    let metric = ["heap.peak_bytes", "rss.peak_bytes"];
    let known = |metric: &&&str| {
        let prefix = format!("{metric}@");
        group.cases.iter().any(|case| case.metrics.keys().any(|name| name.starts_with(&prefix)))
    };
    let Some(metric) = metric.iter().find(known) else { return html! {} };
    let mut names: Vec<&str> = Vec::new();
    for phase in group.cases.iter().flat_map(|case| foreign::phase_names(case)) {
        if !names.contains(&phase) {
            names.push(phase);
        }
    }
    let all =
        names.iter().flat_map(|phase| group.cases.iter().filter_map(|case| of_phase(case, metric, phase)));
    let most = all.map(|metric| interval::ends(metric).1).fold(0.0, f64::max);
    let what = if metric.starts_with("heap") { "peak heap" } else { "peak RSS" };
    html! {
        p.soft { "The " (what) " in each phase, all on one scale." }
        div.charts { @for phase in names { (phase_figure(group, metric, phase, most)) } }
        @for case in &group.cases { (phases_of_command(case)) }
    }
}

fn of_phase<'c>(case: &'c Case, metric: &str, phase: &str) -> Option<&'c Metric> {
    case.metrics.get(&format!("{metric}@{phase}"))
}

fn phase_figure(group: &Group<'_>, metric: &str, phase: &str, most: f64) -> Markup {
    let row = |case: &&Case| {
        let measured = of_phase(case, metric, phase)?;
        let bar = Bar {
            kind: if metric.starts_with("heap") { "heap" } else { "rss" },
            to: measured.median,
            interval: Some(interval::ends(measured)),
            said: figure::short(measured.median, measured.unit),
            ..Bar::default()
        };
        Some(Row { name: rows::parts(&case.case).1.to_owned(), bars: vec![bar] })
    };
    let title = format!("Phase {phase} of {}", group.scenario);
    let chart = bars(&Bars {
        words: Words { title: &title, about: "" },
        unit: Unit::Bytes,
        ends: Some((0.0, most)),
        rows: group.cases.iter().filter_map(row).collect(),
        width: NARROW,
    });
    parts::figure(&html! { b { (phase) } }, &chart)
}

/// The phases of a foreign command, with all that is known of them.
fn phases_of_command(case: &Case) -> Markup {
    let Some(phases) = foreign::phases(case).filter(|_| case.command.is_some()) else { return html! {} };
    parts::table(&Table {
        caption: format!("Phases of {}", case.case),
        titles: phases.titles.iter().copied().map(parts::cell).collect(),
        sides: phases.sides,
        rows: phases.rows.into_iter().map(parts::cells).collect(),
    })
}

/// The processes of every case that has several.
fn processes(group: &Group<'_>) -> Markup {
    if group.is_foreign() {
        return html! { @for case in &group.cases { (tree::tables(case)) } };
    }
    let several =
        group.cases.iter().map(|case| (case, rows::roles(case))).filter(|(_, roles)| roles.len() > 1);
    let rows: Vec<Vec<Markup>> = several
        .flat_map(|(case, roles)| {
            let strategy = rows::parts(&case.case).1.to_owned();
            let each = roles.iter().map(|role| {
                let name =
                    rows::ends(role).map_or(role.name.to_owned(), |end| format!("{} ({end})", role.name));
                let peaks = ["heap.peak_bytes", "rss.peak_bytes"].map(|metric| role.cell(None, metric));
                parts::cells([strategy.clone(), name].into_iter().chain(peaks))
            });
            let together = [rows::cell(case, "heap.peak_bytes"), rows::peak_rss(case, "")];
            let together = [strategy.clone(), "together".to_owned()].into_iter().chain(together);
            each.chain([parts::cells(together)]).collect::<Vec<_>>()
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    parts::table(&Table {
        caption: format!("Processes of {}", group.scenario),
        titles: ["strategy", "process", "peak heap", "peak RSS"].map(parts::cell).to_vec(),
        sides: "llrr".to_owned(),
        rows,
    })
}
