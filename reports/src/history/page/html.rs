//! Pages about a history for the browser: the look of the report of a run.

use maud::{Markup, html};

use super::{Chart, Page, Section, Table};
use crate::figure;
use crate::html::chart::{Axis, Lines, Mark, Series, WIDE, Words, line};
use crate::html::{self, parts};
use crate::plain;

/// Pixels of a chart from top to bottom.
const HEIGHT: f64 = 220.0;
/// A longer series is thinned: of so many stretches only the least and the greatest figure are drawn, so that a spike stays.
const STRETCHES: usize = 150;
/// A limit that is so many times the greatest figure is said and not drawn, since it would press the figures to the ground.
const FAR_LIMIT: f64 = 2.0;
/// Days that are named below a chart, about.
const DAYS: usize = 6;

/// The page as one file.
pub(super) fn page(page: &Page) -> String {
    let content = html! {
        header {
            h1 { (page.title) }
            @for line in &page.lead { p { (line) } }
        }
        main id="main" tabindex="-1" {
            @for (index, part) in page.sections.iter().enumerate() { (section(part, index)) }
        }
    };
    html::page(&format!("{}: highwater", page.title), &content)
}

fn section(section: &Section, index: usize) -> Markup {
    let id = format!("part-{index}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (section.title) }
            @if let Some(shown) = &section.table { (table(shown, &section.title)) }
            (parts::list(&section.items))
            div.charts { @for chart in &section.charts { (drawn(chart)) } }
        }
    }
}

fn table(table: &Table, caption: &str) -> Markup {
    parts::table(&parts::Table {
        caption: caption.to_owned(),
        titles: parts::cells(table.titles.iter().cloned()),
        sides: table.sides.clone(),
        rows: table.rows.iter().map(|row| parts::cells(row.iter().cloned())).collect(),
    })
}

/// The figures over the runs; nothing of fewer than two.
fn drawn(chart: &Chart) -> Markup {
    let [first, .., last] = &chart.values[..] else { return html! {} };
    let short = |value: f64| figure::short(value, chart.unit);
    let said = chart.limit.map_or_else(String::new, |limit| format!(", limit {}", short(limit)));
    let about = format!(
        "{} figures from {} to {}{said}; the table has the changes.",
        chart.values.len(),
        short(*first),
        short(*last)
    );
    let points = thinned(&chart.values);
    let limit = chart.limit.map(|limit| Mark { at: limit, name: format!("limit {}", short(limit)) });
    let changes = chart
        .changes
        .iter()
        .map(|index| Mark { at: *index as f64, name: chart.runs.get(*index).cloned().unwrap_or_default() });
    let drawing = line(Lines {
        words: Words { title: &chart.title, about: &about },
        x: days(chart),
        x_name: "runs, oldest first",
        y: Axis::linear(chart.unit, heights(chart), 4.0),
        series: vec![Series { name: short(*last), line: points, ..Series::default() }],
        limits: limit.into_iter().collect(),
        marks: changes.collect(),
        width: WIDE,
        height: HEIGHT,
    });
    parts::figure(&html! { b { (plain::line(&chart.title)) } " " (about) }, &drawing)
}

/// From the least to the greatest figure with some room, and up to the limit where that is near.
fn heights(chart: &Chart) -> (f64, f64) {
    let least = chart.values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = chart.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let near = |limit: &f64| *limit <= greatest.abs() * FAR_LIMIT && *limit >= least / FAR_LIMIT;
    let limit = chart.limit.filter(near);
    let (low, high) = (limit.unwrap_or(least).min(least), limit.unwrap_or(greatest).max(greatest));
    let room = ((high - low) * 0.08).max(high.abs() * 0.001);
    // What cannot be below zero is not drawn as if it could.
    (if low >= 0.0 { (low - room).max(0.0) } else { low - room }, high + room)
}

/// The axis of the runs, with some of their days.
fn days(chart: &Chart) -> Axis {
    let last = chart.values.len() - 1;
    let mut axis = Axis::linear(harness::record::Unit::Count, (0.0, last as f64), 1.0);
    let step = last.div_ceil(DAYS).max(1);
    let named =
        (0..=last).step_by(step).filter_map(|index| Some((index as f64, chart.days.get(index)?.clone())));
    axis.ticks = named.collect();
    axis
}

/// The points of a line, each with the index of its figure.
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let stretch = if values.len() > 2 * STRETCHES { values.len().div_ceil(STRETCHES) } else { 1 };
    let each = values.chunks(stretch).enumerate().flat_map(|(number, chunk)| {
        let by_size = |a: &usize, b: &usize| chunk[*a].total_cmp(&chunk[*b]);
        let ends = [(0..chunk.len()).min_by(by_size), (0..chunk.len()).max_by(by_size)];
        let mut ends: Vec<usize> = ends.into_iter().flatten().collect();
        ends.sort_unstable();
        ends.dedup();
        let start = number * stretch;
        ends.into_iter().map(move |index| ((start + index) as f64, chunk[index])).collect::<Vec<_>>()
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use harness::record::Unit;

    use super::*;

    fn chart(values: Vec<f64>, limit: Option<f64>) -> Chart {
        let name = |index: usize| format!("run <{index}>");
        Chart {
            title: "a <b>".to_owned(),
            unit: Unit::Bytes,
            runs: (0..values.len()).map(name).collect(),
            days: (0..values.len()).map(|day| format!("day {day}")).collect(),
            changes: vec![values.len() / 2],
            limit,
            values,
        }
    }

    #[test]
    fn a_chart_shows_its_figures_changes_and_limit() {
        let drawn = drawn(&chart([vec![1e6; 20], vec![2e6; 20]].concat(), Some(3e6))).into_string();
        assert!(drawn.contains("<path class=\"line\"") && drawn.contains("run &lt;20&gt;"), "{drawn}");
        assert!(drawn.contains("limit 2.86 MiB</text>") && drawn.contains(">day 35<"), "{drawn}");
        assert!(!drawn.contains("<b>a <b>") && drawn.contains("a &lt;b&gt;"));
    }

    #[test]
    fn a_limit_far_away_does_not_press_the_figures_down() {
        let (low, high) = heights(&chart(vec![1e6, 2e6], Some(5e6)));
        assert!(low < 1e6 && high < 2.1e6);
        assert!(heights(&chart(vec![1e6, 2e6], Some(3e6))).1 > 3e6);
        assert_eq!(heights(&chart(vec![0.0, 0.0], None)), (0.0, 0.0));
    }

    #[test]
    fn a_long_series_is_thinned_and_keeps_its_spikes() {
        let mut values: Vec<f64> = (0..10_000).map(f64::from).collect();
        values[4321] = 1e9;
        let points = thinned(&values);
        assert!(points.len() <= 2 * STRETCHES && points.contains(&(4321.0, 1e9)));
        assert_eq!(thinned(&[3.0, 1.0, 2.0]), [(0.0, 3.0), (1.0, 1.0), (2.0, 2.0)]);
    }

    #[test]
    fn a_figure_alone_is_no_chart() {
        assert_eq!(drawn(&chart(vec![1.0], None)).into_string(), "");
    }
}
