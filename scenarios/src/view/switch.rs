//! Sessions are opened one after the other: what stays of those before.

use harness::meter;
use harness::record::{Tier, Unit};

use super::agent::Plan;
use super::bench::{Bench, bytes, count};
use super::browser::Cost;
use super::{Account, Task};

/// Sizes of ten sessions, in thousandths of their mean. Those after the first are the same forwards and backwards: a line through what the view
/// holds after each visit then tells growth, and not in which order sessions came.
const SIZES: &[u64] = &[1_000, 667, 1_333, 417, 1_250, 1_666, 1_250, 417, 1_333, 667];
/// Turns between two sessions.
const TURNS: usize = 100;
/// Ms from one look at a session to the next.
const EVERY_MS: i64 = 1_080_000;
/// Ms of the same where two are looked at in turn.
const TURN_MS: i64 = 30_000;

/// Ten sessions of 5 to 20 MB.
pub(super) fn ten_sessions(seed: u64) -> Plan {
    Plan { sizes: SIZES, ..Plan::heavy(seed) }
}

/// Two sessions of 0.6 MB.
pub(super) fn two_sessions(seed: u64) -> Plan {
    Plan { sessions: 2, ..hundred_sessions(seed) }
}

/// A hundred sessions of 0.6 MB: a fifth of the real ones, so that they are written in a second.
pub(super) fn hundred_sessions(seed: u64) -> Plan {
    Plan { sessions: 100, turns: 5, calls: 20, session_bytes: Some(600_000), ..Plan::light(seed) }
}

/// What was seen at each visit.
struct Visits {
    /// Bytes that the view held afterwards.
    held: Vec<f64>,
    /// Bytes that came for it.
    came: Vec<f64>,
}

impl Visits {
    /// Room for as many as there will be: what a person counts is none of what a view keeps.
    fn new(visits: usize) -> Visits {
        Visits { held: Vec::with_capacity(visits), came: Vec::with_capacity(visits) }
    }

    /// Opens a session, and notes what came and what is held.
    fn visit(&mut self, bench: &mut Bench, session: &str) -> Result<(), String> {
        let before = bench.traffic().post_bytes;
        bench.open(session)?;
        self.held.push(bench.view_bytes() as f64);
        self.came.push((bench.traffic().post_bytes - before) as f64);
        meter::item();
        meter::tick();
        Ok(())
    }

    /// Bytes by which what is held grows with each visit after the first.
    fn growth(&self) -> f64 {
        slope_of(&self.held[1..])
    }

    /// The same as a part of what came for a session on average.
    fn growth_ratio(&self) -> f64 {
        self.growth() / (self.came.iter().sum::<f64>() / self.came.len() as f64)
    }
}

/// The slope of the line of least squares through points.
pub(super) fn slope(points: &[(f64, f64)]) -> f64 {
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let products: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let squares: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

/// The slope through values at 0, 1, 2...
fn slope_of(values: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(at, value)| (at as f64, *value)).collect();
    slope(&points)
}

/// Ten long sessions, and the first again.
pub(super) fn ten(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let sessions = bench.stored_sessions()?;
    let before = meter::live_bytes();
    let mut visits = Visits::new(sessions.len());
    meter::phase("visit");
    meter::seconds_per_tick(EVERY_MS as f64 / 1_000.0);
    meter::tick();
    for session in &sessions {
        bench.pass(EVERY_MS)?;
        visits.visit(&mut bench, session)?;
        if visits.held.len() == 1 {
            bench.remember(session)?;
        }
    }
    let live = meter::live_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    if let Some(live) = live {
        // What the stages say they hold, beside what the allocator says they do.
        let ratio = live as f64 / bench.held_bytes() as f64;
        meter::set("scenario.heap_per_ledger_ratio", Unit::Ratio, Tier::Exact, ratio);
    }
    bytes("scenario.view_bytes", bench.view_bytes());
    set_growth(&visits);
    Cost::of(&bench, &task.browser).set();
    meter::phase("again");
    bench.open(&sessions[0])?;
    bench.recognise(&sessions[0])?;
    bench.set_stages();
    Ok(Account::default())
}

fn set_growth(visits: &Visits) {
    meter::set("scenario.growth_per_visit_ratio", Unit::Ratio, Tier::Exact, visits.growth_ratio());
    let most = visits.came.iter().copied().fold(0.0, f64::max);
    bytes("scenario.largest_visit_bytes", most as u64);
}

/// Two sessions in turn: a control, since nothing grows in any strategy.
pub(super) fn revisit(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let sessions = bench.stored_sessions()?;
    let mut visits = Visits::new(sessions.len());
    for session in &sessions {
        visits.visit(&mut bench, session)?;
        bench.remember(session)?;
    }
    visits = Visits::new(TURNS);
    meter::phase("visit");
    meter::seconds_per_tick(TURN_MS as f64 / 1_000.0);
    meter::tick();
    for turn in 0..TURNS {
        bench.pass(TURN_MS)?;
        let session = &sessions[turn % sessions.len()];
        visits.visit(&mut bench, session)?;
        bench.recognise(session)?;
    }
    let growth = visits.growth().max(0.0);
    meter::set("scenario.growth_per_visit_bytes", Unit::Bytes, Tier::Exact, growth.round());
    bytes("scenario.reloaded_bytes", visits.came.iter().sum::<f64>() as u64);
    Ok(Account::default())
}

/// A hundred sessions: how many would fill a browser's heap.
pub(super) fn hundred(task: &Task) -> Result<Account, String> {
    let mut bench = Bench::new(task)?;
    let sessions = bench.stored_sessions()?;
    let mut visits = Visits::new(sessions.len());
    meter::phase("visit");
    for session in &sessions {
        bench.pass(EVERY_MS)?;
        visits.visit(&mut bench, session)?;
    }
    set_growth(&visits);
    let growth = visits.growth() * task.browser.read_ratio;
    let projected = task.browser.ceiling_bytes / growth;
    let note = if visits.growth_ratio() > FLAT {
        meter::set("scenario.visits_to_ceiling", Unit::Count, Tier::Modelled, projected.round());
        format!(
            "each visit keeps {:.0} bytes, {:.0} with the proxies of a browser: {projected:.0} visits of sessions of this size fill its {:.1} GiB",
            visits.growth(),
            growth,
            task.browser.ceiling_bytes / f64::from(1u32 << 30),
        )
    } else {
        "visits keep nothing: no number of them fills a browser's heap".to_owned()
    };
    count("scenario.visits", visits.held.len() as u64);
    Ok(Account { notes: vec![note], ..Account::default() })
}

/// Growth per visit, as a part of what came for it, up to which it is none.
const FLAT: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_mean_and_no_trend() {
        let sizes: Vec<f64> = SIZES.iter().map(|size| *size as f64).collect();
        assert!((sizes.iter().sum::<f64>() / 10.0 - 1_000.0).abs() < 1.0);
        assert!(slope_of(&sizes[1..]).abs() < 1e-9);
        assert!((slope_of(&[3.0, 5.0, 7.0]) - 2.0).abs() < 1e-9);
    }
}
