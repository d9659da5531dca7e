//! Bars: the name of each row above its bars, the figures in a column at the right, so that neither can run into the other.

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
    let axis = Axis::linear(chart.unit, chart.ends.unwrap_or_else(|| ends(chart)), (room / 75.0).max(2.0))
        .over(1.0, room - 1.0);
    let height = |row: &Row| text::LINE + row.bars.len() as f64 * SLOT + BETWEEN;
    let bottom: f64 = chart.rows.iter().map(height).sum();
    let mut top = 0.0;
    let rows = chart.rows.iter().map(|row| {
        let drawn = draw_row(row, &axis, top, chart.width);
        top += height(row);
        drawn
    });
    let rows: Vec<Markup> = rows.collect();
    let content = html! {
        (axis.below(0.0, bottom, chart.width))
        @for row in rows { (row) }
        path.zero d=(format!("M{} 0V{}", Px(axis.at(0.0)), Px(bottom))) {}
    };
    drawing(&chart.words, (chart.width, bottom + FOOT), &content)
}

/// The ends of an axis that holds every bar. A limit far beyond all bars is not worth their being small.
fn ends(chart: &Bars<'_>) -> (f64, f64) {
    let all = || chart.rows.iter().flat_map(|row| &row.bars);
    let values = all().flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.from, bar.to));
        [bar.from, bar.to, low, high].into_iter().chain(bar.rings.iter().copied())
    });
    let (least, most) =
        values.fold((0.0, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)));
    let limits = all().filter_map(|bar| bar.limit).filter(|limit| *limit <= most * 1.5);
    (least, limits.fold(most, f64::max))
}

fn draw_row(row: &Row, axis: &Axis, top: f64, width: f64) -> Markup {
    let name = text::fitted(&row.name, width);
    html! {
        text.name x="0" y=(Px(top + 10.0)) { (name) @if name != row.name { title { (row.name) } } }
        @for (index, bar) in row.bars.iter().enumerate() {
            (draw_bar(bar, axis, top + text::LINE + index as f64 * SLOT, width))
        }
    }
}

fn draw_bar(bar: &Bar, axis: &Axis, top: f64, width: f64) -> Markup {
    let (from, to) = (axis.at(bar.from.min(bar.to)), axis.at(bar.from.max(bar.to)));
    // What is more than nothing is seen, however little it is.
    let length = if bar.from == bar.to { 0.0 } else { (to - from).max(1.0) };
    let middle = top + THICK / 2.0;
    let whisker =
        bar.interval.filter(|(low, high)| axis.at(*high) - axis.at(*low) >= 1.0).map(|(low, high)| {
            let (low, high) = (Px(axis.at(low)), Px(axis.at(high)));
            let (above, below) = (Px(top + 1.5), Px(top + THICK - 1.5));
            format!("M{low} {above}V{below}M{low} {}H{high}M{high} {above}V{below}", Px(middle))
        });
    let limit = bar.limit.filter(|limit| *limit <= axis.ends.1 && *limit > axis.ends.0);
    html! {
        path.(bar.kind) d=(format!("M{} {}h{}v{THICK}H{}z", Px(from), Px(top), Px(length), Px(from))) {}
        @if let Some(whisker) = whisker { path.whisker d=(whisker) {} }
        @for ring in &bar.rings { circle.ring cx=(Px(axis.at(*ring))) cy=(Px(middle)) r="3.5" {} }
        @if let Some(limit) = limit { path.limit d=(format!("M{} {}v{}", Px(axis.at(limit)), Px(top - 2.0), THICK + 4.0)) {} }
        text.value x=(Px(width)) y=(Px(top + THICK)) { (bar.said) }
    }
}
