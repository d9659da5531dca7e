//! What each proposed fix is worth, alone and with the others: every combination of them, measured once.

use harness::instrument::Instrument;

use crate::runner::{Event, Runner};
use crate::{Error, Work, listing, snapshots, sync, view};

/// The fixes of a scenario, which can be combined.
#[derive(Debug)]
pub struct Lattice {
    /// The scenario.
    pub scenario: &'static str,
    /// Names of the fixes; bit i of a combination is fix i.
    pub names: &'static [&'static str],
    /// The metrics by which their worth is told, of the instrument `count`.
    pub metrics: &'static [&'static str],
    /// What is measured with a combination of the fixes.
    work: fn(u32) -> Work,
}

/// Every scenario whose fixes can be combined.
pub const LATTICES: &[Lattice] = &[
    Lattice {
        scenario: "sync/cold",
        names: &engine::sync::strategy::FIXES,
        metrics: &["heap.peak_bytes"],
        work: |fixes| {
            Work::Sync(sync::Kind::Sampled(sync::Drive::Cold), engine::sync::strategy::with_fixes(fixes))
        },
    },
    Lattice {
        scenario: "snapshots/idle",
        names: &engine::snapshots::strategy::FIXES,
        metrics: &["heap.churn_bytes_per_tick"],
        work: |fixes| {
            let strategy = engine::snapshots::strategy::with_fixes(fixes);
            Work::Snapshots(snapshots::Kind::Sampled(snapshots::Drive::Idle), strategy)
        },
    },
    Lattice {
        scenario: "listing/soak",
        names: &LISTING_FIXES,
        metrics: &["heap.peak_bytes", "heap.churn_bytes_per_tick", "scenario.kept_bytes_per_tick"],
        work: |fixes| {
            let strategy = engine::listing::strategy::with_fixes(fixes);
            Work::Listing(listing::Kind::Sampled(listing::Drive::Soak), strategy)
        },
    },
    Lattice {
        scenario: "listing/supervised",
        names: LISTING_FIXES.split_at(IN_SERVICE).1,
        metrics: &["scenario.undetected"],
        work: |fixes| {
            let strategy = engine::listing::strategy::with_fixes(fixes << IN_SERVICE);
            Work::Listing(listing::Kind::Once(listing::Drive::Supervised), strategy)
        },
    },
    Lattice {
        scenario: "listing/tree",
        names: LISTING_FIXES.split_at(IN_SERVICE).1,
        metrics: &["scenario.survivors"],
        work: |fixes| {
            let strategy = engine::listing::strategy::with_fixes(fixes << IN_SERVICE);
            Work::Listing(listing::Kind::Once(listing::Drive::Tree), strategy)
        },
    },
    Lattice {
        scenario: "view/minutes",
        names: &engine::view::strategy::FIXES,
        metrics: &[
            "scenario.view_bytes",
            "scenario.wire_bytes",
            "scenario.host_entries",
            "scenario.model_bytes",
            "heap.peak_bytes",
        ],
        work: |fixes| Work::View(view::Drive::Minutes, engine::view::strategy::with_fixes(fixes)),
    },
];

const LISTING_FIXES: [&str; 5] = engine::listing::strategy::FIXES;
/// The first three of them are about the service itself, the others about its supervisor.
const IN_SERVICE: usize = 3;

/// The lattice of a scenario.
pub fn of(scenario: &str) -> Option<&'static Lattice> {
    LATTICES.iter().find(|lattice| lattice.scenario == scenario)
}

/// Each metric of every combination of fixes, each answer checked like any other sample's.
///
/// # Errors
/// Says which combination failed.
pub fn measure(runner: &mut Runner<'_>, lattice: &Lattice) -> Result<Vec<Vec<f64>>, Error> {
    let combinations = 1u32 << lattice.names.len();
    let mut values = vec![Vec::new(); lattice.metrics.len()];
    for fixes in 0..combinations {
        let case = format!("{}:fixes-{fixes:0width$b}", lattice.scenario, width = lattice.names.len());
        runner.tell(Event::Case { case: &case, number: u64::from(fixes), of: u64::from(combinations) });
        let found = counted(runner, lattice.metrics, &case, (lattice.work)(fixes));
        let found = found.map_err(|why| Error::Failed { case, why })?;
        values.iter_mut().zip(found).for_each(|(values, value)| values.push(value));
    }
    Ok(values)
}

/// Metrics of one sample that counts, each summed over its processes, if its answer is right.
pub(crate) fn counted(
    runner: &mut Runner<'_>,
    metrics: &[&str],
    case: &str,
    work: Work,
) -> Result<Vec<f64>, String> {
    let ready = runner.ready(case, work)?;
    let (sample, answer) = runner.sample(&ready.scratch, ready.task.clone(), Instrument::Count, None)?;
    runner.check_sample(&ready, &answer)?;
    let sum = |metric: &&str| {
        let processes = sample.processes.iter();
        let readings: Vec<f64> =
            processes.filter_map(|process| Some(process.metrics.get(*metric)?.value)).collect();
        if readings.is_empty() {
            return Err(format!("no process counted {metric}"));
        }
        Ok(readings.iter().sum())
    };
    metrics.iter().map(sum).collect()
}
