//! Axes: where a value falls, and which round values are named.

use harness::record::Unit;
use maud::{Markup, html};

use super::{Px, text};
use crate::figure;

/// Steps between ticks of days and below, in seconds: those that people count time in.
const TIMES: &[f64] = &[
    60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
    432_000.0,
];

/// A pixel for every value.
pub(crate) struct Axis {
    /// The values at both ends.
    pub(crate) ends: (f64, f64),
    /// The pixels of both ends.
    pixels: (f64, f64),
    is_logarithmic: bool,
    /// The values that are named, with their names.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From the least to the largest of the values, with about so many ticks at round values between.
    pub(crate) fn linear(unit: Unit, ends: (f64, f64), ticks: f64) -> Axis {
        let (from, to) = if ends.1 > ends.0 { ends } else { (ends.0, ends.0 + 1.0) };
        let step = step(unit, (to - from) / ticks);
        let first = (from / step).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        let values = (first..=last).map(|index| index as f64 * step);
        let ticks = values.map(|value| (value, name(value, unit, step))).collect();
        Axis { ends: (from, to), pixels: (0.0, 1.0), is_logarithmic: false, ticks }
    }

    /// Each so many times is as far; both ends must be above zero. Bytes are named by powers of 2, other units by powers of 10.
    pub(crate) fn logarithmic(unit: Unit, (from, to): (f64, f64), ticks: f64) -> Axis {
        let (from, to) = (from.max(f64::MIN_POSITIVE), to.max(from * 2.0).max(f64::MIN_POSITIVE));
        let base: f64 = if unit == Unit::Bytes { 2.0 } else { 10.0 };
        let powers = (to / from).log(base);
        let step = (powers / ticks).ceil().max(1.0) as i32;
        let first = (from.log(base) / f64::from(step)).ceil() as i32;
        let last = (to.log(base) / f64::from(step) + 1e-9).floor() as i32;
        let values = (first..=last).map(|index| base.powi(index * step));
        let ticks = values.map(|value| (value, figure::short(value, unit))).collect();
        Axis { ends: (from, to), pixels: (0.0, 1.0), is_logarithmic: true, ticks }
    }

    /// The pixels of both ends.
    pub(super) fn over(mut self, from: f64, to: f64) -> Axis {
        self.pixels = (from, to);
        self
    }

    /// The pixel of a value; what is beyond an end is put there.
    pub(super) fn at(&self, value: f64) -> f64 {
        let place = |value: f64| if self.is_logarithmic { value.max(self.ends.0).ln() } else { value };
        let (from, to) = (place(self.ends.0), place(self.ends.1));
        let part = ((place(value) - from) / (to - from)).clamp(0.0, 1.0);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    /// The widest name of a tick.
    pub(super) fn name_width(&self) -> f64 {
        self.ticks.iter().map(|(_, name)| text::width(name)).fold(0.0, f64::max)
    }

    /// Lines across the drawing from the top to the axis at the bottom, with names below. Names that would overlap are left out.
    pub(super) fn below(&self, top: f64, bottom: f64, width: f64) -> Markup {
        let lines: String = self
            .ticks
            .iter()
            .map(|(value, _)| format!("M{} {top}V{}", Px(self.at(*value)), Px(bottom)))
            .collect();
        let mut free_from = 0.0;
        let mut named = Vec::new();
        for (value, name) in &self.ticks {
            let Px(middle) = text::centred(name, self.at(*value), width);
            let half = text::width(name) / 2.0;
            if middle - half >= free_from {
                free_from = middle + half + 6.0;
                named.push((Px(middle), name));
            }
        }
        html! {
            path.grid d=(lines) {}
            g.tick.mid transform=(format!("translate(0 {})", Px(bottom + 12.0))) { @for (middle, name) in named { text x=(middle) { (name) } } }
        }
    }

    /// Lines across the drawing from the axis at the left, with names before it.
    pub(super) fn left(&self, left: f64, right: f64) -> Markup {
        let lines: String = self
            .ticks
            .iter()
            .map(|(value, _)| format!("M{} {}H{}", Px(left), Px(self.at(*value)), Px(right)))
            .collect();
        html! {
            path.grid d=(lines) {}
            g.tick.end {
                @for (value, name) in &self.ticks { text x=(Px(left - 5.0)) y=(Px(self.at(*value) + 4.0)) { (name) } }
            }
        }
    }
}

/// A round step that is no smaller than wished.
fn step(unit: Unit, wished: f64) -> f64 {
    match unit {
        Unit::Bytes => 2f64.powf(wished.max(1.0).log2().ceil()),
        Unit::Seconds if wished > 30.0 => TIMES
            .iter()
            .copied()
            .find(|step| *step >= wished)
            .unwrap_or_else(|| decimal(wished / 86_400.0) * 86_400.0),
        Unit::Blocks | Unit::Count => decimal(wished.max(1.0)),
        _ => decimal(wished),
    }
}

/// 1, 2 or 5 times a power of 10.
fn decimal(wished: f64) -> f64 {
    let power = 10f64.powf(wished.max(1e-12).log10().floor());
    let rounds = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    rounds.into_iter().find(|round| *round >= wished * (1.0 - 1e-9)).unwrap_or(wished)
}

/// The name of a tick: all of one axis have the same unit, as far as the unit has a choice.
fn name(value: f64, unit: Unit, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if unit != Unit::Seconds {
        return figure::short(value, unit);
    }
    let (size, word) = match step {
        step if step >= 86_400.0 => (86_400.0, "d"),
        step if step >= 3600.0 => (3600.0, "h"),
        step if step >= 60.0 => (60.0, "min"),
        step if step >= 0.1 => (1.0, "s"),
        _ => (0.001, "ms"),
    };
    format!("{} {word}", (value / size * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn bytes_are_named_at_powers_of_two_times_a_step() {
        let mib = 1_048_576.0;
        let axis = Axis::linear(Unit::Bytes, (0.0, 200.0 * mib), 4.0);
        assert_eq!(names(&axis), ["0", "64 MiB", "128 MiB", "192 MiB"]);
        assert_eq!(names(&Axis::linear(Unit::Bytes, (0.0, 3.0), 4.0)), ["0", "1 B", "2 B", "3 B"]);
    }

    #[test]
    fn time_is_named_in_what_people_count_it_in() {
        let time = |to| Axis::linear(Unit::Seconds, (0.0, to), 4.0);
        assert_eq!(names(&time(0.7)), ["0", "0.2 s", "0.4 s", "0.6 s"]);
        assert_eq!(names(&time(0.09)), ["0", "50 ms"]);
        assert_eq!(names(&time(180.0)), ["0", "1 min", "2 min", "3 min"]);
        assert_eq!(names(&time(10_800.0)), ["0", "1 h", "2 h", "3 h"]);
        assert_eq!(names(&time(30.0 * 86_400.0)), ["0", "10 d", "20 d", "30 d"]);
    }

    #[test]
    fn an_axis_may_reach_below_zero() {
        assert_eq!(names(&Axis::linear(Unit::Count, (-30.0, 12.0), 4.0)), ["-20", "0"]);
    }

    #[test]
    fn the_powers_of_a_logarithmic_axis_are_as_far_from_each_other() {
        let axis = Axis::logarithmic(Unit::Count, (10.0, 1e6), 6.0).over(0.0, 100.0);
        assert_eq!(names(&axis), ["10", "100", "1,000", "10,000", "100,000", "1,000,000"]);
        assert_eq!(
            [10.0, 100.0, 1e6, 1e9, 0.0].map(|value| axis.at(value).round()),
            [0.0, 20.0, 100.0, 100.0, 0.0]
        );
        assert_eq!(
            names(&Axis::logarithmic(Unit::Bytes, (2_000.0, 5e9), 5.0)),
            ["32 KiB", "1 MiB", "32 MiB", "1 GiB"]
        );
    }

    #[test]
    fn what_is_all_zero_has_an_axis_too() {
        let axis = Axis::linear(Unit::Bytes, (0.0, 0.0), 4.0).over(0.0, 50.0);
        assert_eq!(axis.at(0.0), 0.0);
        assert_eq!(names(&axis)[0], "0");
    }
}
