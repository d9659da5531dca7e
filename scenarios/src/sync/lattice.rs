//! What each proposed fix is worth, alone and with the others: every combination of them, measured once.

use engine::sync::strategy::{FIXES, with_fixes};
use harness::instrument::Instrument;

use crate::Error;
use crate::runner::{Event, Runner};
use crate::sync::{Drive, Task};

/// Names of the fixes; bit i of a combination is fix i.
pub const NAMES: [&str; 5] = FIXES;

/// The metric of every combination of fixes in a cold parse, checked like any other sample.
///
/// # Errors
/// Says which combination failed.
pub fn measure(runner: &mut Runner<'_>, metric: &str) -> Result<Vec<f64>, Error> {
    let combinations = 1u32 << NAMES.len();
    let mut values = Vec::new();
    for fixes in 0..combinations {
        let case = format!("sync/cold:fixes-{fixes:05b}");
        runner.tell(Event::Case { case: &case, number: u64::from(fixes), of: u64::from(combinations) });
        let task = Task {
            drive: Drive::Cold,
            strategy: with_fixes(fixes),
            worker_heap_bytes: None,
            attempts: Some(1),
        };
        let result =
            runner.fresh_sample(&case, &task, Instrument::Count, None).and_then(|(sample, answer)| {
                runner.check(&answer)?;
                Ok(sample)
            });
        let sample = result.map_err(|why| Error::Failed { case, why })?;
        values.push(
            sample.processes.iter().filter_map(|process| Some(process.metrics.get(metric)?.value)).sum(),
        );
    }
    Ok(values)
}
