//! Lines: series of points on two axes, each named at its end, with limits across and marks at places that mean something.

use maud::{Markup, html};

use super::{Axis, Px, Words, drawing, text};

/// Colours that the style sheet has for series; those beyond are told apart by their dashes.
const COLOURS: usize = 6;
/// Room of the axis below, with the line that names it.
const FOOT: f64 = 32.0;
/// Room above, of one line of marks.
const HEAD: f64 = 8.0;
/// Lines of names of marks, at most: names that find no room stand in the title of their mark only.
const MARK_LINES: usize = 3;
/// From the end of a line to its name.
const LEAD: f64 = 11.0;

/// Series on two axes.
pub(crate) struct Lines<'l> {
    pub(crate) words: Words<'l>,
    pub(crate) x: Axis,
    /// What stands below the axis.
    pub(crate) x_name: &'l str,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    /// Values of y that are held to, or reached.
    pub(crate) limits: Vec<Mark>,
    /// Values of x where something happens: a change point, a crossing.
    pub(crate) marks: Vec<Mark>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// One line, with its points or without.
#[derive(Default)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) line: Vec<(f64, f64)>,
    /// Points that were measured.
    pub(crate) dots: Vec<(f64, f64)>,
    /// Points that are told by the line, drawn as rings, with what is said of each.
    pub(crate) rings: Vec<((f64, f64), String)>,
    /// Where the line may be: x, low, high.
    pub(crate) band: Vec<(f64, f64, f64)>,
}

/// A value of an axis that has a name.
pub(crate) struct Mark {
    pub(crate) at: f64,
    pub(crate) name: String,
}

/// Draws the lines.
pub(crate) fn line(chart: Lines<'_>) -> Markup {
    let Lines { words, x, x_name, y, series, limits, marks, width, height } = chart;
    let named = series.iter().map(|series| text::width(&series.name)).fold(0.0, f64::max);
    let left = y.name_width() + 8.0;
    let right = width - named.min(width * 0.4) - LEAD - 1.0;
    let (placed, lines) = place_marks(marks, &x, left, right);
    let top = HEAD + lines as f64 * text::LINE;
    let bottom = height - FOOT;
    let (x, y) = (x.over(left, right), y.over(bottom, top));
    let mut labels: Vec<text::Place> = series.iter().map(|series| label_of(series, &x, &y, width)).collect();
    // At the bottom, names of ticks stand right below the axis.
    text::apart(&mut labels, (top + 4.0, bottom - 4.0));
    let content = html! {
        (y.left(left, right))
        (x.below(top, bottom, right + 6.0))
        text.tick.end x=(Px(right)) y=(Px(height - 4.0)) { (x_name) }
        (limit_lines(&limits, &y, left, right))
        @for mark in &placed { (mark.draw(&x, bottom)) }
        @for (index, (series, label)) in series.iter().zip(&labels).enumerate() {
            (draw_series(series, index, (&x, &y), (width, label.y)))
        }
    };
    drawing(&words, (width, height), &content)
}

/// Where the line of a series ends, in pixels.
fn end_of(series: &Series, x: &Axis, y: &Axis) -> (f64, f64) {
    let last = series.line.last().or(series.dots.last()).copied().unwrap_or((x.ends.1, y.ends.0));
    (x.at(last.0), y.at(last.1))
}

/// Where the name of a series would like to stand: behind its end.
fn label_of(series: &Series, x: &Axis, y: &Axis, width: f64) -> text::Place {
    let (left, y) = end_of(series, x, y);
    text::Place { left, right: (left + LEAD + text::width(&series.name)).min(width), y }
}

fn draw_series(series: &Series, index: usize, (x, y): (&Axis, &Axis), (width, label): (f64, f64)) -> Markup {
    let class = format!("s{} d{}", index % COLOURS, index / COLOURS % COLOURS);
    let end = end_of(series, x, y);
    let most = (width - end.0 - LEAD).max(20.0);
    let leader = (label - end.1).abs() > 2.0;
    html! {
        g class=(class) {
            @if !series.band.is_empty() { path.band d=(band(&series.band, x, y)) {} }
            @if series.line.len() > 1 { path.line d=(way(&series.line, x, y)) {} }
            @for (at, value) in &series.dots { circle cx=(Px(x.at(*at))) cy=(Px(y.at(*value))) r="3" {} }
            @for ((at, value), said) in &series.rings {
                circle.ring cx=(Px(x.at(*at))) cy=(Px(y.at(*value))) r="4" { title { (said) } }
            }
            @if leader { path.leader d=(format!("M{} {}L{} {}", Px(end.0 + 2.0), Px(end.1), Px(end.0 + 9.0), Px(label))) {} }
            text x=(Px(end.0 + LEAD)) y=(Px(label + 4.0)) { (text::fitted(&series.name, most)) }
        }
    }
}

/// A way through points, one step for each pixel at most.
fn way(points: &[(f64, f64)], x: &Axis, y: &Axis) -> String {
    let mut way = String::new();
    for (at, value) in points {
        let mark = if way.is_empty() { 'M' } else { 'L' };
        way.push_str(&format!("{mark}{} {}", Px(x.at(*at)), Px(y.at(*value))));
    }
    way
}

fn band(points: &[(f64, f64, f64)], x: &Axis, y: &Axis) -> String {
    let there = points.iter().map(|(at, low, _)| (*at, *low));
    let back = points.iter().rev().map(|(at, _, high)| (*at, *high));
    way(&there.chain(back).collect::<Vec<_>>(), x, y) + "z"
}

/// Limits with their names above the line; a name that would stand on the one before is left to the title.
fn limit_lines(limits: &[Mark], y: &Axis, left: f64, right: f64) -> Markup {
    let mut free_below = f64::INFINITY;
    let mut sorted: Vec<&Mark> =
        limits.iter().filter(|limit| (y.ends.0..=y.ends.1).contains(&limit.at)).collect();
    sorted.sort_by(|one, other| one.at.total_cmp(&other.at));
    let drawn = sorted.into_iter().map(|limit| {
        let at = y.at(limit.at);
        let has_room = at <= free_below && at > text::LINE;
        if has_room {
            free_below = at - text::LINE;
        }
        html! {
            path.limit d=(format!("M{} {}H{}", Px(left), Px(at), Px(right))) { title { (limit.name) } }
            @if has_room { text.halo x=(Px(left + 4.0)) y=(Px(at - 3.0)) { (limit.name) } }
        }
    });
    html! { @for limit in drawn { (limit) } }
}

/// A mark with the line of names that its own stands in, none where it has no room.
struct Placed {
    mark: Mark,
    line: Option<usize>,
    middle: Px,
}

/// Puts each name into the first line where it has room. Also gives how many lines are used.
fn place_marks(mut marks: Vec<Mark>, x: &Axis, left: f64, right: f64) -> (Vec<Placed>, usize) {
    let part = |value: f64| x.at(value) * (right - left) + left;
    marks.retain(|mark| (x.ends.0..=x.ends.1).contains(&mark.at));
    marks.sort_by(|one, other| one.at.total_cmp(&other.at));
    let mut free = [0.0; MARK_LINES];
    let placed = marks.into_iter().map(|mark| {
        let half = text::width(&mark.name) / 2.0;
        let Px(middle) = text::centred(&mark.name, part(mark.at), right + 6.0);
        let line = free.iter().position(|from| middle - half >= *from);
        if let Some(line) = line {
            free[line] = middle + half + 6.0;
        }
        Placed { mark, line, middle: Px(middle) }
    });
    let placed: Vec<Placed> = placed.collect();
    let lines = placed.iter().filter_map(|placed| placed.line).max().map_or(0, |line| line + 1);
    (placed, lines)
}

impl Placed {
    fn draw(&self, x: &Axis, bottom: f64) -> Markup {
        let at = x.at(self.mark.at);
        let line = self.line.unwrap_or(0) as f64;
        html! {
            path.mark d=(format!("M{} {}V{}", Px(at), Px(HEAD + line * text::LINE + 6.0), Px(bottom))) { title { (self.mark.name) } }
            @if self.line.is_some() {
                text.halo.mid x=(self.middle) y=(Px(HEAD + line * text::LINE + 3.0)) { (self.mark.name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use harness::record::Unit;

    use super::*;

    fn marks(at: &[f64]) -> Vec<Mark> {
        at.iter().map(|at| Mark { at: *at, name: format!("change at {at}") }).collect()
    }

    fn axis() -> Axis {
        Axis::linear(Unit::Count, (0.0, 100.0), 5.0)
    }

    #[test]
    fn names_of_near_marks_stand_in_lines_of_their_own_as_far_as_there_is_room() {
        let (placed, lines) = place_marks(marks(&[50.0, 51.0, 90.0, 52.0, 53.0, 101.0]), &axis(), 0.0, 400.0);
        let found: Vec<(f64, Option<usize>)> =
            placed.iter().map(|placed| (placed.mark.at, placed.line)).collect();
        let expected = [(50.0, Some(0)), (51.0, Some(1)), (52.0, Some(2)), (53.0, None), (90.0, Some(0))];
        assert_eq!((&found[..], lines), (&expected[..], 3));
    }

    #[test]
    fn a_line_with_a_limit_and_a_change_point() {
        let series = Series {
            name: "bounded".to_owned(),
            line: vec![(0.0, 10.0), (50.0, 10.0), (100.0, 40.0)],
            dots: vec![(100.0, 40.0)],
            band: vec![(0.0, 9.0, 11.0), (100.0, 38.0, 42.0)],
            ..Series::default()
        };
        let chart = line(Lines {
            words: Words { title: "Peak heap by run", about: "One line." },
            x: axis(),
            x_name: "runs",
            y: Axis::linear(Unit::Bytes, (0.0, 64.0), 4.0),
            series: vec![series],
            limits: vec![Mark { at: 50.0, name: "budget".to_owned() }],
            marks: marks(&[50.0]),
            width: 340.0,
            height: 200.0,
        });
        insta::assert_snapshot!(chart.into_string().replace("><", ">\n<"));
    }
}
