//! Headroom: when a figure that grows reaches its limit, if it goes on as it does.

use harness::record::{Direction, Estimate};
use serde::Serialize;

use super::{Step, Trend};
use crate::figure;
use crate::history::runs;
use crate::history::series::{Series, Timeline};
use crate::stats::trend::theil_sen;

/// Fewest figures of a growth.
const LEAST_FIGURES: usize = 8;
/// Shortest time that a growth is read from, in weeks.
const LEAST_WEEKS: f64 = 1.0;
/// What lies farther ahead than this, in weeks, is no forecast: ten years.
const FARTHEST_WEEKS: f64 = 520.0;
/// More figures are thinned to so many: 20,000 pairs for each series.
const FIGURES: usize = 200;

/// When a limit is reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headroom {
    /// The limit, in the metric's unit.
    pub limit: f64,
    /// Where the growth stands in the last run, in the metric's unit.
    pub now: f64,
    /// The growth in a week (below zero where more is better), by Theil and Sen, with its interval of 95 %.
    pub per_week: Estimate,
    /// Weeks from the last run until the limit is reached, with the interval that follows from that of the growth.
    pub weeks: Estimate,
    /// The first run that the growth is read from: an index into the runs.
    pub since: usize,
    /// How many figures it is read from.
    pub figures: usize,
}

/// The headroom of a series; none without a limit, without a growth towards it, and beyond it.
///
/// The growth is read from the last `weeks`, and only from figures since the last change of level: a single step is no growth. But where
/// several steps in a row went the worse way they are the growth, and are all read.
pub(super) fn of(timeline: &Timeline, series: &Series, steps: &[Step], weeks: f64) -> Option<Headroom> {
    let limit = series.points.last()?.limit?;
    // As if less were better.
    let sign = if series.key.direction == Direction::Higher { -1.0 } else { 1.0 };
    let timed = series.points[begin(steps)..]
        .iter()
        .filter_map(|point| Some((runs::weeks(&timeline.runs[point.run])?, sign * point.median, point.run)));
    let mut points: Vec<(f64, f64, usize)> = timed.collect();
    let last = points.last()?.0;
    points.retain(|point| point.0 >= last - weeks);
    let (figures, since) = (points.len(), points.first()?.2);
    let enough = figures >= LEAST_FIGURES && last - points.first()?.0 >= LEAST_WEEKS;
    if !enough {
        return None;
    }
    // Thinned from the last one back, which counts most.
    let every = figures.div_ceil(FIGURES);
    let (x, y): (Vec<f64>, Vec<f64>) =
        points.iter().rev().step_by(every).map(|point| (point.0 - last, point.1)).unzip();
    let slope = theil_sen(&x, &y, 0.95).filter(|slope| slope.low > 0.0)?;
    let level: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - slope.value * x).collect();
    let now = crate::stats::middle(&level)?;
    let left = sign * limit - now;
    let reached = |slope: f64| left / slope;
    let weeks = Estimate { value: reached(slope.value), low: reached(slope.high), high: reached(slope.low) };
    if left <= 0.0 || weeks.value > FARTHEST_WEEKS {
        return None;
    }
    let per_week = match sign {
        1.0 => slope,
        _ => Estimate { value: -slope.value, low: -slope.high, high: -slope.low },
    };
    Some(Headroom { limit, now: sign * now, per_week, weeks, since, figures })
}

/// The first figure of the growth that a series is in.
fn begin(steps: &[Step]) -> usize {
    let creeping = steps.iter().rev().take_while(|step| step.worse).count();
    let before = |steps: &[Step]| steps.last().map_or(0, |step| step.at);
    if creeping >= 2 { before(&steps[..steps.len() - creeping]) } else { before(steps) }
}

impl Headroom {
    /// `14 weeks (9 to 31)`.
    pub fn in_words(&self) -> String {
        let Estimate { value, low, high } = self.weeks;
        let high = if high > FARTHEST_WEEKS { "more than 520".to_owned() } else { whole(high) };
        format!("{} ({} to {high})", crate::rows::counted(value.round() as usize, "week"), whole(low))
    }
}

fn whole(weeks: f64) -> String {
    format!("{weeks:.0}")
}

/// The rows of a table of what is left, the soonest first: series, now, limit, growth in a week, weeks.
pub(crate) fn rows(series: &[Trend]) -> Vec<Vec<String>> {
    let mut growing: Vec<(&Trend, &Headroom)> =
        series.iter().filter_map(|trend| Some((trend, trend.headroom.as_ref()?))).collect();
    growing.sort_by(|a, b| a.1.weeks.value.total_cmp(&b.1.weeks.value));
    let row = |(trend, headroom): (&Trend, &Headroom)| {
        let unit = trend.key.unit;
        vec![
            trend.name.clone(),
            figure::short(headroom.now, unit),
            figure::short(headroom.limit, unit),
            figure::change(headroom.per_week.value, unit),
            headroom.in_words(),
        ]
    };
    growing.into_iter().map(row).collect()
}
