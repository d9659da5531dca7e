//! The laws of a scenario: a chart that reaches as far as its horizons, and the figures.

use harness::record::{Case, Law, Run, Unit};
use maud::{Markup, html};

use super::chart::{Axis, Lines, Mark, Series, WIDE, Words, line};
use super::parts::{self, Table};
use crate::law;
use crate::rows::{self, Group};

/// More sessions than this are not drawn.
const FARTHEST: f64 = 1e8;
/// Points of a fitted line; it is straight, but not where both axes are logarithmic.
const STEPS: u32 = 48;

/// The laws of the peak heap, one line for each strategy; nothing where there are none.
pub(super) fn chart(run: &Run, group: &Group<'_>) -> Markup {
    let laws: Vec<(&Case, &Law)> = group
        .cases
        .iter()
        .filter_map(|case| Some((*case, case.laws.iter().find(|law| law.metric == law::HEAP)?)))
        .collect();
    let Some((_, first)) = laws.first() else { return html! {} };
    let of = first.of.as_deref().unwrap_or(law::SESSIONS);
    let (least, most) = range(&laws);
    let series: Vec<Series> = laws.iter().map(|(case, law)| series(case, law, (least, most))).collect();
    let values =
        || series.iter().flat_map(|series| series.line.iter().chain(&series.dots)).map(|point| point.1);
    let bottom = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let top = values().fold(0.0, f64::max);
    let limits =
        first.horizons.iter().map(|horizon| Mark { at: horizon.bytes, name: law::decimal(horizon.bytes) });
    let inside = |case: &str| group.cases.iter().any(|own| own.case == case);
    let crossings = run.crossings.iter().filter(|crossing| inside(&crossing.steeper));
    let marks = crossings.map(|crossing| Mark {
        at: crossing.sessions.value,
        name: format!("{} crosses {}", rows::parts(&crossing.steeper).1, rows::parts(&crossing.flatter).1),
    });
    let title = format!("Laws of {}: peak heap by {of}", group.scenario);
    let chart = Lines {
        words: Words {
            title: &title,
            about: "Measured points with the line fitted to each strategy, drawn on to where it reaches 4 GB; the sentences and the table below have the figures.",
        },
        x: Axis::logarithmic(Unit::Count, (least, most), 8.0),
        x_name: of,
        y: Axis::logarithmic(Unit::Bytes, (bottom.min(top), top * 1.3), 7.0),
        limits: limits.collect(),
        marks: marks.collect(),
        series,
        width: WIDE,
        height: 380.0,
    };
    let caption = html! {
        b { "Law of the peak heap" } " dots were measured; lines are fitted, within 95 %; rings are where a line reaches a size. Both axes are logarithmic."
    };
    html! {
        (parts::figure(&caption, &line(chart)))
    }
}

/// From the smallest corpus to the farthest horizon that can be drawn.
fn range(laws: &[(&Case, &Law)]) -> (f64, f64) {
    let points = || laws.iter().flat_map(|(_, law)| &law.points).map(|point| point.sessions);
    let horizons = laws.iter().flat_map(|(_, law)| &law.horizons).filter_map(|horizon| horizon.sessions);
    let least = points().fold(f64::INFINITY, f64::min).max(1.0);
    let measured = points().fold(0.0, f64::max);
    let farthest = horizons.filter(|sessions| *sessions <= FARTHEST).fold(measured * 4.0, f64::max);
    (least, farthest * 1.2)
}

fn series(case: &Case, law: &Law, (least, most): (f64, f64)) -> Series {
    let fitted = law::line_of(&law.points);
    let step = (most / least).powf(1.0 / f64::from(STEPS));
    let at = (0..=STEPS).map(|index| least * step.powi(index as i32));
    let ceiling = law.horizons.iter().map(|horizon| horizon.bytes).fold(0.0, f64::max) * 1.3;
    let measured = law.points.iter().map(|point| point.bytes).fold(0.0, f64::max);
    // Beyond the last size that is asked for, nothing is told.
    let told: Vec<_> = at.map(|at| (at, fitted.as_ref().map(|line| line.at(at)))).collect();
    let told = told.into_iter().filter_map(|(at, estimate)| Some((at, estimate?)));
    let told: Vec<_> = told.take_while(|(_, estimate)| estimate.value <= ceiling.max(measured)).collect();
    let rings = law.horizons.iter().filter_map(|horizon| {
        let sessions = horizon.sessions.filter(|sessions| (least..=most).contains(sessions))?;
        Some(((sessions, horizon.bytes), law::horizon_in_words(horizon)))
    });
    Series {
        name: rows::parts(&case.case).1.to_owned(),
        line: told.iter().map(|(at, estimate)| (*at, estimate.value)).collect(),
        band: told.iter().map(|(at, estimate)| (*at, estimate.low, estimate.high)).collect(),
        dots: law.points.iter().map(|point| (point.sessions, point.bytes)).collect(),
        rings: rings.collect(),
    }
}

/// Where sizes are reached, where strategies cross, and the laws of cases and phases as figures.
pub(super) fn tables(run: &Run, group: &Group<'_>) -> Markup {
    let own = |text: &str| text.split_once(':').is_some_and(|(scenario, _)| scenario == group.scenario);
    let sentences: Vec<String> = law::horizons_in_words(run).into_iter().filter(|line| own(line)).collect();
    let all = law::table(run, true);
    let [titles, rows @ ..] = &all[..] else { return html! {} };
    let rows: Vec<_> = rows.iter().filter(|row| own(&row[0])).collect();
    if rows.is_empty() {
        return html! {};
    }
    let inside = |case: &str| group.cases.iter().any(|own| own.case == case);
    let crossings = run.crossings.iter().filter(|crossing| inside(&crossing.steeper));
    let crossings: Vec<String> = crossings.map(law::crossing_in_words).collect();
    let table = parts::table(&Table {
        caption: "Peak = what it takes without sessions + sessions x what each takes; in brackets intervals of 95 %".to_owned(),
        titles: titles.iter().map(|title| parts::cell(title)).collect(),
        sides: "llrrr".to_owned(),
        rows: rows.into_iter().map(|row| parts::cells(row.iter().cloned())).collect(),
    });
    html! { (parts::list(&sentences)) (parts::list(&crossings)) (parts::closed("Laws of cases and phases", &table)) }
}
