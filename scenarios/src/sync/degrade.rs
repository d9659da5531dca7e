//! Too small a heap: what the user is told, and what is kept.

use engine::sync::Strategy;
use harness::instrument::Instrument;
use harness::record::{Tier, Unit};

use crate::runner::{CaseRun, Runner};
use crate::sync::{Drive, Task};

/// Parts of a free run's worker heap that the starved worker may use.
const SHARE: f64 = 0.5;

/// Runs once free and once starved, and looks at the sentence and at what was kept.
pub(crate) fn measure(runner: &mut Runner<'_>, strategy: Strategy, case: &mut CaseRun) -> Result<(), String> {
    let free = Task { drive: Drive::Cold, strategy, worker_heap_bytes: None, attempts: Some(1) };
    let (sample, answer) = runner.fresh_sample(&case.name, &free, Instrument::Count, None)?;
    runner.check(&answer)?;
    let wanted = answer.last()?.sessions;
    let worker = sample.processes.iter().find(|process| process.role.starts_with("worker"));
    let peak =
        worker.and_then(|worker| worker.metrics.get("heap.peak_bytes")).map_or(0.0, |reading| reading.value);
    let limit = (peak * SHARE) as u64;
    let starved = Task { worker_heap_bytes: Some(limit), attempts: None, ..free };
    let (_, answer) = runner.fresh_sample(&case.name, &starved, Instrument::Count, None)?;
    let pass = answer.last()?;
    let kept = pass.sessions as f64 / wanted.max(1) as f64;
    case.set("degrade.sessions_kept", Unit::Ratio, Tier::Noisy, kept);
    if pass.failures.is_empty() {
        return Err(format!("the worker came through with {limit} bytes at once: it was not starved"));
    }
    let told = match pass.complete {
        true => pass.failures.iter().all(|sentence| sentence.contains("ran out of memory")),
        false => pass.failures.last().is_some_and(|sentence| tells(sentence)),
    };
    case.set("degrade.told", Unit::Count, Tier::Exact, f64::from(u8::from(told)));
    case.notes.push(format!("worker heap limited to {limit} bytes, half of what the free run's worker used"));
    case.notes.push(match pass.complete {
        true => format!(
            "came through after {} attempts; {} of {wanted} sessions",
            pass.failures.len() + 1,
            pass.sessions
        ),
        false => format!("kept {} of {wanted} sessions", pass.sessions),
    });
    case.notes.extend(pass.failures.iter().cloned());
    case.notes.extend(pass.skipped.named.iter().map(|(path, why)| format!("skipped {path}: {why}")));
    Ok(())
}

/// Whether a sentence says what happened, how far it got, and what to do.
fn tells(sentence: &str) -> bool {
    let says = |part| sentence.contains(part);
    says("ran out of memory")
        && says(" workspaces")
        && (says("kept") || says("no session had arrived"))
        && says("clear or exclude old sessions")
}
