//! How a case's memory grows with its corpus: a line and a power fitted to its sweep, the sessions at which a size is reached, and where the
//! lines of two strategies cross.

use harness::record::{Case, Crossing, Estimate, Horizon, Law, LawPoint, Run, SweepPoint, Unit};

use crate::metric;
use crate::stats::line::{self, Line};

mod words;

pub use words::horizon_in_words;
pub(crate) use words::{bytes, crossing_in_words, crossings_in_words, decimal, horizons_in_words, table};

/// Confidence of every interval of a law, as the records say.
const CONFIDENCE: f64 = 0.95;

/// A law needs so many sizes, and a range of so many times the smallest: over less, powers look alike.
const SIZES: usize = 5;
const FOLD: f64 = 32.0;

/// Sizes whose horizon is told: 512 MB, 2 GB and 4 GB, decimal as limits of containers and laptops are sold.
const HORIZONS: [f64; 3] = [512e6, 2e9, 4e9];

/// More sessions than this is never.
const NEVER: f64 = 1e12;

/// Crossings are told from one session to as many as anyone has.
const CROSSINGS: std::ops::RangeInclusive<f64> = 1.0..=1e7;

/// What does not rise by more than such a part of its level, over the whole sweep and by the upper end of its slope, is flat.
const FLAT: f64 = 0.01;

/// Churn is flat where no size churns by more than such a part beyond the smallest: it is exact, and what differs is where vectors happen to double.
/// Over a 32-fold sweep that is an exponent of 0.014 at most.
const FLAT_CHURN: f64 = 0.05;

/// The metric that laws are about first of all.
pub(crate) const HEAP: &str = "heap.peak_bytes";

/// What is allocated from tick to tick, whose law is told by its exponent only.
const CHURN: &str = "heap.churn_bytes_per_tick";

/// What laws are of, unless their sweeps say otherwise.
pub(crate) const SESSIONS: &str = "sessions";

/// Resident memory, whose law is told but has no metrics.
const RESIDENT: &str = "rss.peak_bytes";

/// Fits the laws of every case that has a sweep, writes them as metrics (`law.*`), and finds the crossings. What cannot be fitted is a doubt
/// of the run. To fill a run twice changes nothing.
pub fn fill(run: &mut Run) {
    let mut doubts = Vec::new();
    for case in run.cases.iter_mut().filter(|case| !case.sweep.is_empty()) {
        case.laws.clear();
        case.metrics.retain(|name, _| !name.starts_with("law."));
        match too_small(&case.sweep) {
            Some(why) => doubts.push(format!("no law of {}: {why}", case.case)),
            None => fit_all(case, &mut doubts),
        }
    }
    run.crossings = crossings(&run.cases);
    doubts.retain(|doubt| !run.doubts.contains(doubt));
    run.doubts.append(&mut doubts);
}

/// What the sweep lacks for a law, in words.
fn too_small(sweep: &[SweepPoint]) -> Option<String> {
    let of = word_of(sweep).unwrap_or(SESSIONS);
    let mut sizes = sizes_of(sweep);
    sizes.sort_unstable();
    sizes.dedup();
    let (least, most) = (*sizes.first()?, *sizes.last()?);
    if sizes.len() < SIZES {
        return Some(format!(
            "its sweep has {} different sizes, and at least {SIZES} are needed",
            sizes.len()
        ));
    }
    if least == 0 {
        return Some(format!("its sweep holds a corpus without {of}, whose size is no size"));
    }
    let fold = most as f64 / least as f64;
    // Scales are rounded to whole sessions.
    (fold.round() < FOLD).then(|| {
        format!("its sweep goes from {least} to {most} {of}, {fold:.1}-fold, and {FOLD}-fold is needed")
    })
}

/// What the sizes are sizes of, where that is not sessions.
fn word_of(sweep: &[SweepPoint]) -> Option<&str> {
    let first = sweep.first()?.size.as_ref()?;
    let is_same = |point: &SweepPoint| point.size.as_ref().is_some_and(|size| size.of == first.of);
    sweep.iter().all(is_same).then_some(&first.of)
}

/// The sizes, in what all of them are told in.
fn sizes_of(sweep: &[SweepPoint]) -> Vec<u64> {
    let is_of_sessions = word_of(sweep).is_none();
    let size = |point: &SweepPoint| match &point.size {
        Some(size) if !is_of_sessions => size.count,
        _ => point.corpus.sessions,
    };
    sweep.iter().map(size).collect()
}

fn fit_all(case: &mut Case, doubts: &mut Vec<String>) {
    for name in metrics_of(&case.sweep) {
        let measured = |(point, size): (&SweepPoint, u64)| {
            let bytes = point.metrics.get(&name)?.median;
            Some(LawPoint { sessions: size as f64, bytes })
        };
        let sizes = sizes_of(&case.sweep);
        let points: Vec<LawPoint> = case.sweep.iter().zip(sizes).filter_map(measured).collect();
        if points.len() < case.sweep.len() {
            let (known, all) = (points.len(), case.sweep.len());
            doubts.push(format!("no law of {name} of {}: only {known} of {all} sizes have it", case.case));
            continue;
        }
        let Some((mut law, line)) = fit(&name, points) else { continue };
        law.of = word_of(&case.sweep).map(str::to_owned);
        if name != RESIDENT {
            write_metrics(case, &law, &line, doubts);
        }
        case.laws.push(law);
    }
}

/// The metrics whose laws are looked for: the peaks of heap and resident memory, of the heap in each phase that every size has, and the churn
/// where every size has ticks. The heap's peak
/// is among them even where no size has it, so that its absence is said.
fn metrics_of(sweep: &[SweepPoint]) -> Vec<String> {
    let everywhere = |name: &&String| sweep.iter().all(|point| point.metrics.contains_key(*name));
    let names = sweep.first().into_iter().flat_map(|point| point.metrics.keys());
    let phases = names.filter(|name| name.strip_prefix(HEAP).is_some_and(|rest| rest.starts_with('@')));
    let resident = sweep.iter().any(|point| point.metrics.contains_key(RESIDENT)).then_some(RESIDENT);
    let churn = sweep.iter().all(|point| point.metrics.contains_key(CHURN)).then_some(CHURN);
    let whole = [HEAP].into_iter().chain(churn).chain(resident).map(str::to_owned);
    whole.chain(phases.filter(everywhere).cloned()).collect()
}

fn fit(name: &str, points: Vec<LawPoint>) -> Option<(Law, Line)> {
    let line = line_of(&points)?;
    let (x, y) = columns(&points);
    let law = Law {
        metric: name.to_owned(),
        exponent: line::power(&x, &y, CONFIDENCE),
        bytes_per_session: line.slope,
        intercept_bytes: line.intercept,
        // What is allocated and given back reaches no size.
        horizons: match name {
            CHURN => Vec::new(),
            _ => HORIZONS.map(|bytes| horizon(&line, bytes)).to_vec(),
        },
        of: None,
        points,
    };
    Some((law, line))
}

/// The line through the points of a law, weighted by size.
pub(crate) fn line_of(points: &[LawPoint]) -> Option<Line> {
    let (x, y) = columns(points);
    line::weighted(&x, &y, &line::by_size(&x), CONFIDENCE)
}

fn columns(points: &[LawPoint]) -> (Vec<f64>, Vec<f64>) {
    points.iter().map(|point| (point.sessions, point.bytes)).unzip()
}

/// Where the line, and the ends of the interval about it, first reach a size.
fn horizon(line: &Line, bytes: f64) -> Horizon {
    Horizon {
        bytes,
        sessions: first(|sessions| line.at(sessions).value >= bytes),
        low: first(|sessions| line.at(sessions).high >= bytes),
        high: first(|sessions| line.at(sessions).low >= bytes),
    }
}

/// The fewest sessions, by halving, for which something holds that goes on holding; `None` where it never does.
fn first(holds: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut outside, mut inside) = (0.0, NEVER);
    if holds(outside) {
        return Some(outside);
    }
    if !holds(inside) {
        return None;
    }
    // 2^100 is far beyond the digits that a figure has.
    for _ in 0..100 {
        let middle = (outside + inside) / 2.0;
        if holds(middle) { inside = middle } else { outside = middle }
    }
    Some(inside)
}

fn write_metrics(case: &mut Case, law: &Law, line: &Line, doubts: &mut Vec<String>) {
    let (_, phase) = metric::split(&law.metric);
    let suffix = phase.map(|phase| format!("@{phase}")).unwrap_or_default();
    let mut write = |name: &str, unit: Unit, estimate: Estimate| {
        case.metrics.insert(format!("{name}{suffix}"), metric::estimated(unit, estimate));
    };
    let is_churn = law.metric == CHURN;
    if law.of.is_none() && !is_churn {
        write("law.bytes_per_session", Unit::Bytes, law.bytes_per_session);
        if phase.is_none() {
            write("law.intercept_bytes", Unit::Bytes, law.intercept_bytes);
        }
    }
    let flat = Estimate { value: 0.0, low: 0.0, high: 0.0 };
    // The power that fits best to what only scatters says nothing.
    let exponent = law.exponent.filter(|_| !(is_churn && is_flat(law, line)));
    match exponent.or_else(|| is_flat(law, line).then_some(flat)) {
        Some(exponent) if is_churn => write("law.churn_exponent", Unit::Ratio, exponent),
        Some(exponent) => write("law.exponent", Unit::Ratio, exponent),
        None => doubts.push(format!(
            "no exponent of {} of {}: its figures scatter by more than they grow",
            law.metric, case.case
        )),
    }
}

/// Whether even the upper end of the slope adds next to nothing over the whole sweep.
fn is_flat(law: &Law, line: &Line) -> bool {
    if law.metric == CHURN {
        let smallest = law.points.iter().min_by(|one, other| one.sessions.total_cmp(&other.sessions));
        let most = smallest.map_or(0.0, |point| point.bytes * (1.0 + FLAT_CHURN));
        return law.points.iter().all(|point| point.bytes <= most);
    }
    let sessions = || law.points.iter().map(|point| point.sessions);
    let range = sessions().fold(0.0, f64::max) - sessions().fold(f64::INFINITY, f64::min);
    let level = law.points.iter().map(|point| point.bytes).sum::<f64>() / law.points.len() as f64;
    line.slope.high * range <= FLAT * level
}

/// Where the lines of two cases of one scenario cross, for every two whose crossing is within reach and known at least to one side.
fn crossings(cases: &[Case]) -> Vec<Crossing> {
    let lines = cases.iter().filter_map(|case| {
        let law = case.laws.iter().find(|law| law.metric == HEAP && law.of.is_none())?;
        Some((case.case.as_str(), line_of(&law.points)?))
    });
    let lines: Vec<(&str, Line)> = lines.collect();
    let pairs = lines.iter().enumerate().flat_map(|(index, one)| {
        let others = lines[index + 1..].iter();
        others.filter(|other| scenario(one.0) == scenario(other.0)).map(move |other| (one, other))
    });
    pairs.filter_map(|(one, other)| crossing(one, other)).collect()
}

fn scenario(case: &str) -> &str {
    case.split_once(':').map_or(case, |(scenario, _)| scenario)
}

/// The interval is where the difference of the lines may be zero, cut off at the ends of what is told.
fn crossing(one: &(&str, Line), other: &(&str, Line)) -> Option<Crossing> {
    let (steeper, flatter) =
        if one.1.slope.value > other.1.slope.value { (one, other) } else { (other, one) };
    let difference = steeper.1.minus(&flatter.1);
    let at = -difference.intercept.value / difference.slope.value;
    if !CROSSINGS.contains(&at) {
        return None;
    }
    let (least, most) = (*CROSSINGS.start(), *CROSSINGS.end());
    let low = first(|sessions| difference.at(sessions).high >= 0.0).unwrap_or(least).max(least);
    let high = first(|sessions| difference.at(sessions).low >= 0.0).unwrap_or(most).min(most);
    let known = low > least || high < most;
    known.then(|| Crossing {
        metric: HEAP.to_owned(),
        steeper: steeper.0.to_owned(),
        flatter: flatter.0.to_owned(),
        sessions: Estimate { value: at, low: low.min(at), high: high.max(at) },
    })
}

#[cfg(test)]
mod tests;
