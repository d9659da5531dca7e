//! Whether the live heap grows from tick to tick while the program is at rest: a leak and its rate, told from churn.

use harness::record::{Case, Estimate, Process, Run, Ticks, Unit};

use crate::stats::trend;
use crate::{law, metric};

/// Confidence of a rate's interval, as the records say.
const CONFIDENCE: f64 = 0.95;

/// A growth is called a leak where chance alone would show one so steady in at most so many of all series.
const ALPHA: f64 = 0.01;

/// The part of the ticks, from the first, in which caches fill and tables reach their size.
const WARM_UP: usize = 5;

/// Into so many blocks of equal length the other ticks are divided, and of each the least live heap counts: its floor.
///
/// What fills and empties within a block leaves no trace in its floor. What swings more slowly makes floors that rise and fall: with eight
/// even two whole swings are no rise to Mann and Kendall's test, where with 24 they would be one. And a leak of one small entry an hour
/// adds up to two or three entries from floor to floor of a day, while from tick to tick nearly every difference is 0.
const BLOCKS: usize = 8;

const SECONDS_PER_HOUR: f64 = 3600.0;
const HOURS_PER_DAY: f64 = 24.0;

/// Writes the metrics `rate.*` of every case with processes that mark ticks and count their heap, and notes at the case whether it leaks or only
/// churns. Too few ticks are a doubt of the run. To fill a run twice changes nothing.
pub fn fill(run: &mut Run) {
    for case in &mut run.cases {
        let ticking = case.processes.iter().filter(|process| process.instrument == "count");
        let ticking = ticking.filter_map(|process| Some((process, process.ticks.as_ref()?)));
        let rates: Vec<Option<Rate>> =
            ticking.clone().map(|(process, ticks)| Rate::of(process, ticks)).collect();
        if rates.is_empty() {
            continue;
        }
        let Some(rates) = rates.into_iter().collect::<Option<Vec<Rate>>>() else {
            let least = ticking.map(|(_, ticks)| ticks.live_bytes.len()).min().unwrap_or(0);
            let needed = fewest_points();
            let doubt =
                format!("no rate of {}: it has {least} points at rest, and {needed} are needed", case.case);
            push_once(&mut run.doubts, doubt);
            continue;
        };
        write_metrics(case, &rates);
        if let Some(note) = verdict_in_words(case, &rates) {
            push_once(&mut case.notes, note);
        }
    }
}

fn push_once(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}

/// How one process's live heap grows.
struct Rate {
    role: String,
    per_tick: Estimate,
    /// The chance of a rise so steady in a heap that does not grow.
    p: f64,
    seconds_per_tick: Option<f64>,
}

impl Rate {
    /// `None` where there are too few points.
    fn of(process: &Process, ticks: &Ticks) -> Option<Rate> {
        let floors = floors(&ticks.live_bytes);
        let distance = (block(ticks.live_bytes.len()) as u64 * ticks.every) as f64;
        let places: Vec<f64> = (0..floors.len()).map(|index| index as f64 * distance).collect();
        Some(Rate {
            role: process.role.clone(),
            per_tick: trend::theil_sen(&places, &floors, CONFIDENCE)?,
            p: trend::p_rising(&floors),
            seconds_per_tick: ticks.seconds_per_tick.filter(|seconds| *seconds > 0.0),
        })
    }

    fn per_hour(&self) -> Option<Estimate> {
        self.seconds_per_tick.map(|seconds| scaled(self.per_tick, SECONDS_PER_HOUR / seconds))
    }
}

/// Points of a block.
fn block(points: usize) -> usize {
    (points - points / WARM_UP) / BLOCKS
}

/// The least number of points that leaves one for each block.
fn fewest_points() -> usize {
    (0..).find(|points| block(*points) > 0).expect("a block of many points has one")
}

/// The least of each block, of the last points. What does not fill a block counts as warm-up.
fn floors(live_bytes: &[f64]) -> Vec<f64> {
    let block = block(live_bytes.len());
    if block == 0 {
        return Vec::new();
    }
    let settled = &live_bytes[live_bytes.len() - block * BLOCKS..];
    settled.chunks(block).map(|block| block.iter().copied().fold(f64::INFINITY, f64::min)).collect()
}

fn write_metrics(case: &mut Case, rates: &[Rate]) {
    let mut write = |name: &str, estimate: Estimate| {
        case.metrics.insert(name.to_owned(), metric::estimated(Unit::Bytes, estimate));
    };
    write("rate.live_bytes_per_tick", sum(rates.iter().map(|rate| rate.per_tick)));
    let per_hour: Option<Vec<Estimate>> = rates.iter().map(Rate::per_hour).collect();
    if let Some(per_hour) = per_hour {
        write("rate.live_bytes_per_day", scaled(sum(per_hour), HOURS_PER_DAY));
    }
}

/// The sum of several processes. Their ends are added too, which is rather too wide than too narrow.
fn sum(estimates: impl IntoIterator<Item = Estimate>) -> Estimate {
    estimates.into_iter().fold(Estimate { value: 0.0, low: 0.0, high: 0.0 }, |sum, each| Estimate {
        value: sum.value + each.value,
        low: sum.low + each.low,
        high: sum.high + each.high,
    })
}

fn scaled(estimate: Estimate, by: f64) -> Estimate {
    Estimate { value: estimate.value * by, low: estimate.low * by, high: estimate.high * by }
}

/// What the rates say of the case: a leak, churn, or nothing.
fn verdict_in_words(case: &Case, rates: &[Rate]) -> Option<String> {
    // Of several processes each has a chance to look like a leak.
    let leaks = |rate: &&Rate| rate.p * rates.len() as f64 <= ALPHA && rate.per_tick.value > 0.0;
    let leaking: Vec<&Rate> = rates.iter().filter(leaks).collect();
    if !leaking.is_empty() {
        let whose = match rates.len() {
            1 => String::new(),
            _ => leaking.iter().map(|rate| format!(" of {}", rate.role)).collect::<Vec<_>>().join(" and"),
        };
        return Some(format!("live heap{whose} grows by {} at rest: a leak", growth(&leaking)));
    }
    let churn = case.metrics.get("heap.churn_bytes_per_tick")?.median;
    let upper = sum(rates.iter().map(|rate| rate.per_tick)).high;
    let kept = match upper <= 0.0 {
        true => "nothing kept".to_owned(),
        false => format!("no steady growth, at most {} a tick", law::bytes(upper)),
    };
    (churn > 0.0).then(|| format!("churn, not a leak: {} a tick allocated, {kept}", law::bytes(churn)))
}

/// By how much they grow together, in the shortest time in which it is a byte.
fn growth(rates: &[&Rate]) -> String {
    let per_hour: Option<Vec<Estimate>> = rates.iter().map(|rate| rate.per_hour()).collect();
    let per_tick = sum(rates.iter().map(|rate| rate.per_tick)).value;
    match per_hour.map(|all| sum(all).value) {
        Some(bytes) if bytes >= 1.0 => format!("{} an hour", law::bytes(bytes)),
        Some(bytes) => format!("{} a day", law::bytes(bytes * HOURS_PER_DAY)),
        None if per_tick >= 1.0 => format!("{} a tick", law::bytes(per_tick)),
        None => format!("{} in 1,000 ticks", law::bytes(per_tick * 1000.0)),
    }
}

#[cfg(test)]
mod tests;
