//! One active session among more and more others, and among others that are longer and longer: what a tick costs.

use engine::snapshots::Strategy;
use harness::record;

use super::Drive;
use crate::runner::{CaseRun, Ready, Runner};

/// Sessions of each size, over a hundredfold range.
const SESSIONS: [u64; 5] = [53, 168, 530, 1_676, 5_300];
/// Events of each of ten sessions, over a hundredfold range. All fill the last chunk of a list alike (chunks are of 128), so that the
/// doubling of its vector does not come to one size only.
const EVENTS: [u64; 5] = [29, 157, 285, 925, 2_973];

/// Takes the samples of every size; the case itself is the largest.
pub(crate) fn measure(
    runner: &mut Runner<'_>,
    drive: Drive,
    strategy: Strategy,
    case: &mut CaseRun,
) -> Result<(), String> {
    let sizes = if drive == Drive::AmongEvents { EVENTS } else { SESSIONS };
    let mut runs: Vec<CaseRun> = sizes.iter().map(|_| CaseRun::new(&case.name)).collect();
    for instrument in runner.rounds() {
        let mut left: Vec<(u64, &mut CaseRun)> = sizes.iter().copied().zip(&mut runs).collect();
        for together in left.chunks_mut(Runner::side_by_side(instrument, true)) {
            let mut ready: Vec<Option<Ready>> = Vec::new();
            for (size, run) in together.iter() {
                ready.push(Some(runner.ready_to_snapshot(&run.name, drive, strategy, Some(*size))?));
            }
            let results = runner.together(instrument, &ready);
            for ((size, run), (ready, result)) in together.iter_mut().zip(ready.iter().zip(results)) {
                let (Some(ready), Some(result)) = (ready, result) else { continue };
                let add = |(sample, answer)| runner.take_in(ready, sample, &answer, run);
                result.and_then(add).map_err(|error| format!("size {size}: {error}"))?;
            }
        }
    }
    if drive == Drive::AmongEvents {
        for (size, run) in sizes.iter().zip(&mut runs) {
            run.size = Some(record::Size { of: "events".to_owned(), count: *size });
        }
    }
    *case = runs.pop().ok_or("a sweep has a largest size")?;
    case.smaller = runs;
    Ok(())
}
