//! Bars: the name of each row above its bars, the figures in a column at the right, so that neither can run into the other.

use std::collections::BTreeMap;

use harness::record::Unit;
use maud::{Markup, html};

use super::{Axis, Px, Words, drawing, text};

/// Height of a bar with the room below it, and of a bar alone.
const SLOT: f64 = 13.0;
const THICK: f64 = 9.0;
/// Room between two rows.
const BETWEEN: f64 = 7.0;
/// Room of the axis below.
const FOOT: f64 = 18.0;

/// Rows of bars on one axis.
pub(crate) struct Bars<'b> {
    pub(crate) words: Words<'b>,
    pub(crate) unit: Unit,
    /// Both ends of the axis, where it has to be the same as that of other charts.
    pub(crate) ends: Option<(f64, f64)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) width: f64,
}

/// One thing with its bars.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// One bar: from a value, which is mostly zero, to another.
#[derive(Default)]
pub(crate) struct Bar {
    /// The style sheet's name of what is measured: `heap`, `rss`, `bad`, `plain`.
    pub(crate) kind: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Between which values the truth lies.
    pub(crate) interval: Option<(f64, f64)>,
    /// What the value is held to.
    pub(crate) limit: Option<f64>,
    /// Other values to compare with, each as a ring.
    pub(crate) rings: Vec<f64>,
    /// The figure, as it stands at the right.
    pub(crate) said: String,
}

/// Draws the bars; nothing where there are none.
pub(crate) fn bars(chart: &Bars<'_>) -> Markup {
    let all = || chart.rows.iter().flat_map(|row| &row.bars);
    if all().next().is_none() {
        return html! {};
    }
    let column = all().map(|bar| text::width(&bar.said)).fold(0.0, f64::max).min(chart.width * 0.45) + 6.0;
    let room = chart.width - column;
    // A ring at an end is seen whole.
    let inset = if all().any(|bar| !bar.rings.is_empty()) { 5.0 } else { 1.0 };
    let ends = chart.ends.unwrap_or_else(|| ends(&chart.rows));
    let axis = Axis::linear(chart.unit, ends, (room / 75.0).max(2.0)).over(inset, room - inset);
    let height = |row: &Row| text::LINE + row.bars.len() as f64 * SLOT + BETWEEN;
    let bottom: f64 = chart.rows.iter().map(height).sum();
    let tops = chart.rows.iter().scan(0.0, |next, row| {
        let top = *next;
        *next += height(row);
        Some((top, row))
    });
    let tops: Vec<(f64, &Row)> = tops.collect();
    let content = html! {
        (axis.below(0.0, bottom, chart.width))
        path.zero d=(format!("M{} 0V{}", Px(axis.at(0.0)), Px(bottom))) {}
        // Below the bars, whose upper edges their light edges would touch.
        g.name { @for (top, row) in &tops { (draw_name(&row.name, *top, chart.width)) } }
        (draw_bars(&tops, &axis))
        g.end transform=(format!("translate({})", Px(chart.width))) {
            @for (top, row) in &tops {
                @for (index, bar) in row.bars.iter().enumerate() { text y=(Px(bar_top(*top, index) + THICK)) { (bar.said) } }
            }
        }
    };
    drawing(&chart.words, (chart.width, bottom + FOOT), &content)
}

fn bar_top(top: f64, index: usize) -> f64 {
    top + text::LINE + index as f64 * SLOT
}

fn draw_name(name: &str, top: f64, width: f64) -> Markup {
    let fitted = text::fitted(name, width);
    html! { text y=(Px(top + 10.0)) { (fitted) @if fitted != name { title { (name) } } } }
}

/// The ends of an axis that holds every bar. A limit far beyond all bars is not worth their being small.
fn ends(rows: &[Row]) -> (f64, f64) {
    let all = || rows.iter().flat_map(|row| &row.bars);
    let values = all().flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.from, bar.to));
        [bar.from, bar.to, low, high].into_iter().chain(bar.rings.iter().copied())
    });
    let (least, most) =
        values.fold((0.0, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)));
    let limits = all().filter_map(|bar| bar.limit).filter(|limit| *limit <= most * 1.5);
    (least, limits.fold(most, f64::max))
}

/// Whether a limit of these bars lies on their axis.
pub(crate) fn shows_limits(rows: &[Row]) -> bool {
    let ends = ends(rows);
    rows.iter().flat_map(|row| &row.bars).filter_map(|bar| bar.limit).any(|limit| is_within(limit, ends))
}

fn is_within(limit: f64, ends: (f64, f64)) -> bool {
    limit <= ends.1 && limit > ends.0
}

/// The bars of one kind as one path, and so their whiskers and limits: pages have many.
fn draw_bars(tops: &[(f64, &Row)], axis: &Axis) -> Markup {
    let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
    let (mut whiskers, mut limits, mut rings) = (String::new(), String::new(), Vec::new());
    for (top, row) in tops {
        for (index, bar) in row.bars.iter().enumerate() {
            let top = bar_top(*top, index);
            kinds.entry(bar.kind).or_default().push_str(&bar_path(bar, axis, top));
            whiskers.extend(whisker_path(bar, axis, top));
            let limit = bar.limit.filter(|limit| is_within(*limit, axis.ends));
            limits.extend(
                limit.map(|limit| format!("M{} {}v{}", Px(axis.at(limit)), Px(top - 2.0), THICK + 4.0)),
            );
            rings.extend(bar.rings.iter().map(|ring| (Px(axis.at(*ring)), Px(top + THICK / 2.0))));
        }
    }
    html! {
        @for (kind, way) in kinds { path.(kind) d=(way) {} }
        @if !whiskers.is_empty() { path.whisker d=(whiskers) {} }
        @for (x, y) in rings { circle.ring cx=(x) cy=(y) r="3.5" {} }
        @if !limits.is_empty() { path.limit d=(limits) {} }
    }
}

fn bar_path(bar: &Bar, axis: &Axis, top: f64) -> String {
    let (from, to) = (axis.at(bar.from.min(bar.to)), axis.at(bar.from.max(bar.to)));
    // What is more than nothing is seen, however little it is.
    let length = if bar.from == bar.to { 0.0 } else { (to - from).max(1.0) };
    format!("M{} {}h{}v{THICK}H{}z", Px(from), Px(top), Px(length), Px(from))
}

/// The interval of a bar; none where it is too short to be seen.
fn whisker_path(bar: &Bar, axis: &Axis, top: f64) -> Option<String> {
    let (low, high) = bar.interval.filter(|(low, high)| axis.at(*high) - axis.at(*low) >= 1.0)?;
    let (low, high) = (Px(axis.at(low)), Px(axis.at(high)));
    let (above, below) = (Px(top + 1.5), Px(top + THICK - 1.5));
    Some(format!("M{low} {above}V{below}M{low} {}H{high}M{high} {above}V{below}", Px(top + THICK / 2.0)))
}
