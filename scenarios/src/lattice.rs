//! What each proposed fix is worth, alone and with the others: every combination of them, measured once.

use harness::instrument::Instrument;

use crate::runner::{Event, Runner};
use crate::{Error, Work, snapshots, sync};

/// The fixes of a scenario, which can be combined.
#[derive(Debug)]
pub struct Lattice {
    /// The scenario.
    pub scenario: &'static str,
    /// Names of the fixes; bit i of a combination is fix i.
    pub names: &'static [&'static str],
    /// The metric by which their worth is told, of the instrument `count`.
    pub metric: &'static str,
    /// What is measured with a combination of the fixes.
    work: fn(u32) -> Work,
}

/// Every scenario whose fixes can be combined.
pub const LATTICES: &[Lattice] = &[
    Lattice {
        scenario: "sync/cold",
        names: &engine::sync::strategy::FIXES,
        metric: "heap.peak_bytes",
        work: |fixes| {
            Work::Sync(sync::Kind::Sampled(sync::Drive::Cold), engine::sync::strategy::with_fixes(fixes))
        },
    },
    Lattice {
        scenario: "snapshots/idle",
        names: &engine::snapshots::strategy::FIXES,
        metric: "heap.churn_bytes_per_tick",
        work: |fixes| {
            let strategy = engine::snapshots::strategy::with_fixes(fixes);
            Work::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Idle), strategy)
        },
    },
];

/// The lattice of a scenario.
pub fn of(scenario: &str) -> Option<&'static Lattice> {
    LATTICES.iter().find(|lattice| lattice.scenario == scenario)
}

/// The metric of every combination of fixes, each answer checked like any other sample's.
///
/// # Errors
/// Says which combination failed.
pub fn measure(runner: &mut Runner<'_>, lattice: &Lattice) -> Result<Vec<f64>, Error> {
    let combinations = 1u32 << lattice.names.len();
    let mut values = Vec::new();
    for fixes in 0..combinations {
        let case = format!("{}:fixes-{fixes:0width$b}", lattice.scenario, width = lattice.names.len());
        runner.tell(Event::Case { case: &case, number: u64::from(fixes), of: u64::from(combinations) });
        let value = value(runner, lattice, &case, (lattice.work)(fixes));
        values.push(value.map_err(|why| Error::Failed { case, why })?);
    }
    Ok(values)
}

fn value(runner: &mut Runner<'_>, lattice: &Lattice, case: &str, work: Work) -> Result<f64, String> {
    let ready = runner.ready(case, work)?;
    let (sample, answer) = runner.sample(&ready.scratch, ready.task.clone(), Instrument::Count, None)?;
    runner.check_sample(&ready, &answer)?;
    let readings: Vec<f64> = sample
        .processes
        .iter()
        .filter_map(|process| Some(process.metrics.get(lattice.metric)?.value))
        .collect();
    if readings.is_empty() {
        return Err(format!("no process counted {}", lattice.metric));
    }
    Ok(readings.iter().sum())
}
