//! The least heap with which a cold parse comes through, found by bisection.

use engine::sync::Strategy;
use harness::instrument::Instrument;
use harness::record::{Tier, Unit};

use crate::runner::{CaseRun, Runner};
use crate::sync::{Drive, Task};

/// Bytes below which nothing is tried: less than any process of ours needs to start.
const FLOOR_BYTES: u64 = 64 * 1024;

/// The search ends when the bounds are this close, in parts of the upper one.
const RESOLUTION: u64 = 16;

/// Searches between no heap and the one that a free run needs.
pub(crate) fn measure(runner: &mut Runner<'_>, strategy: Strategy, case: &mut CaseRun) -> Result<(), String> {
    let task = Task { drive: Drive::Cold, strategy, worker_heap_bytes: None, attempts: Some(1) };
    let (sample, answer) = runner.fresh_sample(&case.name, &task, Instrument::Count, None)?;
    runner.check(&answer)?;
    let largest = sample.processes.iter().filter_map(|process| process.metrics.get("heap.peak_bytes"));
    let peak = largest.map(|reading| reading.value as u64).max().unwrap_or(0);
    case.processes = sample.processes;
    // A process's limit counts what lives before its region begins, too: a little more than the measured peak.
    let mut survives = peak + peak / 8 + (256 << 10);
    if !comes_through(runner, case, &task, survives)? {
        return Err(format!(
            "a heap of {survives} bytes does not suffice, though the free run's largest peak was {peak}"
        ));
    }
    // Most programs die just below what they use: the search begins there, and goes down only as far as it must.
    let mut dies = FLOOR_BYTES;
    for part in 1..8 {
        let limit = survives - survives * part / 8;
        if !comes_through(runner, case, &task, limit)? {
            dies = limit;
            break;
        }
        survives = limit;
    }
    while survives - dies > (survives / RESOLUTION).max(4096) {
        let middle = dies + (survives - dies) / 2;
        if comes_through(runner, case, &task, middle)? {
            survives = middle;
        } else {
            dies = middle;
        }
    }
    case.set("survive.least_heap_bytes", Unit::Bytes, Tier::Noisy, survives as f64);
    case.notes.push(format!(
        "the largest heap with which it was seen to die is {dies} bytes; the limit holds for each process"
    ));
    Ok(())
}

fn comes_through(runner: &mut Runner<'_>, case: &CaseRun, task: &Task, limit: u64) -> Result<bool, String> {
    let (_, answer) = runner.fresh_sample(&case.name, task, Instrument::Count, Some(limit))?;
    let complete = answer.passes.last().is_some_and(|pass| pass.complete) && answer.error.is_none();
    if complete {
        // It came through: then its answer must be right.
        runner.check(&answer)?;
    }
    Ok(complete)
}
