//! A cold parse on corpora of five sizes, which differ in nothing but the number of their sessions.

use engine::sync::Strategy;

use crate::runner::{CaseRun, Input, Runner};

/// Takes the samples of every size; the case itself is the largest.
pub(crate) fn measure(runner: &mut Runner<'_>, strategy: Strategy, case: &mut CaseRun) -> Result<(), String> {
    let inputs = runner.steady.sweep.clone();
    let (largest, smaller) = inputs.split_last().ok_or("the corpora of the sweep were not made")?;
    let mut sizes: Vec<CaseRun> = smaller.iter().map(|input| CaseRun::on(&case.name, input)).collect();
    sizes.push(CaseRun::on(&case.name, largest));
    for instrument in runner.rounds() {
        let mut left: Vec<(&Input, &mut CaseRun)> = inputs.iter().zip(&mut sizes).collect();
        for together in left.chunks_mut(Runner::side_by_side(instrument, true)) {
            runner.cold_samples(strategy, instrument, together)?;
        }
    }
    *case = sizes.pop().ok_or("a sweep has a largest size")?;
    case.smaller = sizes;
    Ok(())
}
