//! Where a series changes its level for good: the E-divisive method of Matteson and James (arXiv 1306.4933), in the shape that Fleming and
//! others gave it in Hunter (arXiv 2301.03034), now Apache Otava, with that program's defaults.
//!
//! A divergence of two neighbouring pieces, made of the distances between their points (alpha = 1), says where a piece is best cut in two,
//! and a test says whether the cut is a change. As in Hunter the test is Student's t in place of permutations, so that the same series
//! always has the same changes; the search looks at windows that overlap by half; and it takes weak changes too, at ten times the p, which
//! are then tested again between their neighbours and merged away, weakest first.
//!
//! Where this is another method than Otava's:
//!
//! - A level has at least three points, and a change must hold without the two points that speak for it most, one of each side: a
//!   spike of one point is no change, however high it is. Student's t alone would believe it, since one wild point among fifty
//!   does not widen the common variance.
//! - No p is below 1 / (m + n over m), the least that a permutation test of m and n points can give. It is the p of two sides
//!   without any variance, about which t says nothing: an exact series has changes, and a coarse one does not have too many.
//! - Both parts of a cut reach to the ends of their piece. The papers leave the end of the right one free; before a test of means that finds
//!   hardly more steps, and three times as many where there are none (in 1,000 series of 1,000 Gaussian points 196 in place of 55).
//! - A place between two runs of at least three equal points is a weak change, whatever a window says: the five runs that an exact
//!   figure was up before it was put right are too few to move the mean of a window.
//! - Of exact figures such a place is a change for certain, since the same program always has the same figure.
//! - Windows begin at multiples of half a window, wherever changes are found: what is added to a series moves no change that is older than
//!   a few windows. A change is tested on at most a window of points on each side, and in the end put where the divergence of those is
//!   greatest.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewest points of a level.
const LEAST: usize = 3;
/// How much larger the p of a weak change may be.
const WEAKER: f64 = 10.0;

/// What counts as a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Points that are looked at together, on each side of a change at most so many; at least 6.
    pub window: usize,
    /// Largest p of a change.
    pub max_p: f64,
    /// Least change, as a part of the level before it.
    pub min_magnitude: f64,
    /// Whether the figures are exact, so that the same program always has the same: three equal figures and then three others are a
    /// change, of which no test need say how likely it is.
    pub exact: bool,
}

impl Default for Options {
    /// Otava's defaults.
    fn default() -> Options {
        Options { window: 50, max_p: 0.001, min_magnitude: 0.0, exact: false }
    }
}

/// A change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The first point of the new level.
    pub index: usize,
    /// The chance of such a difference of the two levels, if there were none; 0 between runs of equal exact figures.
    pub p: f64,
    /// Mean of the points before it, of a certain one the point before: since the change before it, of at most a window.
    pub before: f64,
    /// Mean of the points from it on, up to the next change, of at most a window.
    pub after: f64,
}

impl Change {
    /// How much larger the level became, as a part of the level before; infinite from a level of 0.
    pub fn part(&self) -> f64 {
        (self.after - self.before) / self.before.abs()
    }
}

/// The changes of a series, first to last. A series of fewer than six points has none.
pub fn changes(series: &[f64], options: &Options) -> Vec<Change> {
    let window = options.window.max(2 * LEAST);
    let options = Options { window, ..*options };
    let mut weak = Vec::new();
    let mut scratch = Within::default();
    for start in (0..series.len()).step_by(window / 2) {
        let end = series.len().min(start + window);
        split(series, (start, end), WEAKER * options.max_p, &mut scratch, &mut weak);
        if end == series.len() {
            break;
        }
    }
    weak.extend((0..series.len()).filter(|at| is_between_runs(series, *at)));
    weak.sort_unstable();
    weak.dedup();
    let found = strong(series, &weak, &options);
    let settled = settled(series, &found, &options, &mut scratch);
    strong(series, &settled, &options)
}

/// Cuts a piece in two where its parts differ most, then those, as long as the parts differ by a p of at most `max_p`.
fn split(series: &[f64], piece: (usize, usize), max_p: f64, scratch: &mut Within, found: &mut Vec<usize>) {
    let (start, end) = piece;
    scratch.fill(&series[start..end]);
    let Some(cut) = scratch.best() else { return };
    let at = start + cut;
    if test(&series[start..at], &series[at..end]).p > max_p {
        return;
    }
    found.push(at);
    split(series, (start, at), max_p, scratch, found);
    split(series, (at, end), max_p, scratch, found);
}

/// Whether three equal points end at a place and three others begin there.
fn is_between_runs(series: &[f64], at: usize) -> bool {
    let is_run = |from: usize| {
        series.get(from..from + LEAST).is_some_and(|run| run.iter().all(|point| *point == run[0]))
    };
    at >= LEAST && is_run(at - LEAST) && is_run(at) && series[at - 1] != series[at]
}

/// The sums of the distances between all points of each part of a piece.
#[derive(Debug, Default)]
struct Within {
    points: usize,
    /// The sum of the part from `a` to `b` stands at `a x (points + 1) + b`.
    sums: Vec<f64>,
}

impl Within {
    fn fill(&mut self, piece: &[f64]) {
        self.points = piece.len();
        let row = piece.len() + 1;
        self.sums.clear();
        self.sums.resize(row * row, 0.0);
        for (last, point) in piece.iter().enumerate() {
            let mut distances = 0.0;
            for first in (0..last).rev() {
                distances += (point - piece[first]).abs();
                self.sums[first * row + last + 1] = self.sums[first * row + last] + distances;
            }
        }
    }

    fn of(&self, from: usize, to: usize) -> f64 {
        self.sums[from * (self.points + 1) + to]
    }

    /// The divergence of the two parts of a cut: how much farther apart the points of different parts are than those of the same, on the
    /// average, weighted by mn / (m + n).
    fn divergence(&self, cut: usize) -> f64 {
        let (left, right) = (self.of(0, cut), self.of(cut, self.points));
        let between = self.of(0, self.points) - left - right;
        let (m, n) = (cut as f64, (self.points - cut) as f64);
        let pairs = |points: f64| points * (points - 1.0) / 2.0;
        m * n / (m + n) * (2.0 * between / (m * n) - left / pairs(m) - right / pairs(n))
    }

    /// The cut of the greatest divergence; none where nothing diverges.
    fn best(&self) -> Option<usize> {
        let cuts = LEAST..(self.points + 1).saturating_sub(LEAST);
        let measured = cuts.map(|cut| (self.divergence(cut), cut)).filter(|(found, _)| *found > 0.0);
        measured.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, cut)| cut)
    }
}

/// What the test says of two neighbouring pieces.
#[derive(Debug, Clone, Copy)]
struct Test {
    p: f64,
    before: f64,
    after: f64,
}

/// Whether two neighbouring pieces have different means: the two-sided p of Student's test, or that without the two points that speak for it
/// most if that is larger.
fn test(left: &[f64], right: &[f64]) -> Test {
    let (a, b) = (Moments::of(left, None), Moments::of(right, None));
    let (before, after) = (a.mean, b.mean);
    if left.len() < LEAST || right.len() < LEAST || before == after {
        return Test { p: 1.0, before, after };
    }
    let up = (after - before).signum();
    let without = (Moments::of(left, farthest(left, -up)), Moments::of(right, farthest(right, up)));
    let p =
        student(&a, &b).max(student(&without.0, &without.1)).max(least_p(left.len() - 1, right.len() - 1));
    Test { p, before, after }
}

/// Number, mean and sum of the squares about the mean.
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of the points, but for the one of that index. Others must be there.
    fn of(points: &[f64], left_out: Option<usize>) -> Moments {
        let kept = || {
            points.iter().enumerate().filter(|(index, _)| Some(*index) != left_out).map(|(_, point)| point)
        };
        // From one of the points on, so that equal points have a variance of exactly 0.
        let level = kept().next().copied().unwrap_or(0.0);
        let count = kept().count() as f64;
        let mean = kept().map(|point| point - level).sum::<f64>() / count;
        let squares = kept().map(|point| (point - level - mean).powi(2)).sum();
        Moments { count, mean: level + mean, squares }
    }
}

/// The index of the greatest point, or of the least where `up` is -1.
fn farthest(points: &[f64], up: f64) -> Option<usize> {
    (0..points.len()).max_by(|a, b| (up * points[*a]).total_cmp(&(up * points[*b])))
}

/// Two-sided p of Student's test with a common variance; 0 of different means without any variance.
fn student(a: &Moments, b: &Moments) -> f64 {
    let freedom = a.count + b.count - 2.0;
    let difference = (b.mean - a.mean).abs();
    let error = ((a.squares + b.squares) / freedom * (1.0 / a.count + 1.0 / b.count)).sqrt();
    if difference == 0.0 {
        return 1.0;
    }
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) if error > 0.0 => 2.0 * student.sf(difference / error),
        _ => 0.0,
    }
}

/// The least p that a permutation test of m and n points can give.
fn least_p(m: usize, n: usize) -> f64 {
    (1..=m.min(n)).map(|k| k as f64 / (m.max(n) + k) as f64).product()
}

/// Tests each place between its neighbours and takes away the weakest until all that are left are changes.
fn strong(series: &[f64], places: &[usize], options: &Options) -> Vec<Change> {
    let mut indices = places.to_vec();
    let tested = |indices: &[usize], which: usize| {
        let (from, to) = around(series, indices, which, options.window);
        let index = indices[which];
        if options.exact && is_between_runs(series, index) {
            // A spike within a level is no part of it.
            return Change { index, p: 0.0, before: series[index - 1], after: series[index] };
        }
        let Test { p, before, after } = test(&series[from..index], &series[index..to]);
        Change { index, p, before, after }
    };
    let mut places: Vec<Change> = (0..indices.len()).map(|which| tested(&indices, which)).collect();
    while let Some(which) = weakest(&places, options) {
        places.remove(which);
        indices.remove(which);
        // What are its neighbours now: the one before it, and the one that came to its place.
        let neighbours = [which.checked_sub(1), Some(which)].into_iter().flatten();
        for near in neighbours.filter(|near| *near < indices.len()) {
            places[near] = tested(&indices, near);
        }
    }
    places
}

/// The piece around a place: up to its neighbours, and at most a window to each side.
fn around(series: &[f64], indices: &[usize], which: usize, window: usize) -> (usize, usize) {
    let index = indices[which];
    let from = which.checked_sub(1).map_or(0, |previous| indices[previous]);
    let to = indices.get(which + 1).copied().unwrap_or(series.len());
    (from.max(index.saturating_sub(window)), to.min(index + window))
}

/// The place of the largest p that is too large, of equal ones that of the smaller step; else that of the smallest step that is too small.
fn weakest(places: &[Change], options: &Options) -> Option<usize> {
    let step = |which: &usize| (places[*which].after - places[*which].before).abs();
    let p = |which: &usize| places[*which].p;
    let by_p = (0..places.len()).filter(|which| p(which) > options.max_p);
    let by_p = by_p.max_by(|a, b| p(a).total_cmp(&p(b)).then(step(b).total_cmp(&step(a))));
    let part = |which: &usize| places[*which].part().abs();
    by_p.or_else(|| {
        let too_small = (0..places.len()).filter(|which| part(which) < options.min_magnitude);
        too_small.min_by(|a, b| part(a).total_cmp(&part(b)))
    })
}

/// Each change where the divergence of the pieces beside it is greatest.
fn settled(series: &[f64], places: &[Change], options: &Options, scratch: &mut Within) -> Vec<usize> {
    let indices: Vec<usize> = places.iter().map(|place| place.index).collect();
    let settle = |which: usize| {
        if places[which].p == 0.0 {
            return indices[which];
        }
        let (from, to) = around(series, &indices, which, options.window);
        scratch.fill(&series[from..to]);
        scratch.best().map_or(indices[which], |cut| from + cut)
    };
    let mut settled: Vec<usize> = (0..indices.len()).map(settle).collect();
    settled.sort_unstable();
    settled.dedup();
    settled
}

#[cfg(test)]
mod tests;
