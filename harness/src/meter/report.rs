//! The record of a region that has ended.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use super::region::{Churn, Machine, Phase, Region};
use super::rest::Rest;
use super::{METRICS_MAX, PHASES_MAX};
use crate::counters::Totals;
use crate::instrument::{INSTRUMENT, Instrument};
use crate::record::{PhaseReading, Process, Reading, Tier, Unit};
use crate::{Error, inject, limit};

type Readings = BTreeMap<String, Reading>;

/// Builds the record, and writes it when there is a directory for it.
pub(super) fn of(region: Region) -> Result<Process, Error> {
    limit::discard();
    if region.refused_phases {
        return Err(Error::TooMany { what: "phases", limit: PHASES_MAX });
    }
    if region.refused_settings {
        return Err(Error::TooMany { what: "metrics", limit: METRICS_MAX });
    }
    let process = Process {
        role: region.role.clone(),
        instrument: region.instrument.name().to_owned(),
        pid: std::process::id(),
        metrics: of_process(&region),
        phases: region.phases.iter().skip(1).map(|phase| of_phase(phase, &region)).collect(),
        end: None,
        command: None,
        lived: None,
        ticks: region.rest.as_ref().and_then(Rest::ticks),
    };
    if let Some(dir) = &region.record_dir {
        write(&process, dir)?;
    }
    Ok(process)
}

/// Leaves a record without figures that says why it has none. Nothing more can be done where that fails too.
pub(super) fn refused(role: &str, dir: &Path, error: &Error) {
    let process = Process {
        role: role.to_owned(),
        instrument: std::env::var(INSTRUMENT).unwrap_or_default(),
        pid: std::process::id(),
        end: Some(format!("left no figures: {error}")),
        ..Process::default()
    };
    let _ = write(&process, dir);
}

/// Writes a record whole or not at all.
fn write(process: &Process, dir: &Path) -> Result<(), Error> {
    let path = dir.join(format!("{}.json", process.role));
    let failed = |source| Error::file("write record", &path, source);
    let text = serde_json::to_vec_pretty(process).map_err(|error| failed(error.into()))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    file.write_all(&text).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn of_process(region: &Region) -> Readings {
    let mut readings = Readings::new();
    match region.instrument {
        Instrument::Count | Instrument::JemallocCount => heap_of_process(region, &mut readings),
        Instrument::Os => machine_of_process(region, &mut readings),
        Instrument::Jemalloc => jemalloc_of_process(region, &mut readings),
        Instrument::Dhat | Instrument::StatsAlloc | Instrument::V8 | Instrument::Tracemalloc => {}
    }
    opinions(region, &mut readings);
    if region.ticks > 0 {
        put(&mut readings, "ticks", Unit::Count, Tier::Exact, region.ticks as f64);
    }
    if region.injection.is_some() {
        let (bytes, blocks) = inject::planted_so_far();
        put(&mut readings, "injected.bytes", Unit::Bytes, Tier::Exact, bytes as f64);
        put(&mut readings, "injected.blocks", Unit::Blocks, Tier::Exact, blocks as f64);
    }
    for (name, reading) in &region.settings {
        readings.insert((*name).to_owned(), *reading);
    }
    readings
}

fn heap_of_process(region: &Region, readings: &mut Readings) {
    let totals = region.phases.iter().fold(Totals::default(), |sum, phase| sum.plus(phase.heap.totals));
    let peak = region.phases.iter().map(|phase| phase.heap.peak).max().unwrap_or(0);
    let retained = region.phases.iter().map(|phase| phase.heap.retained).sum();
    heap(readings, totals, peak, retained, region.churn);
    if let Some(bound) = region.bound {
        put(readings, "heap.peak_bound_bytes", Unit::Bytes, Tier::Exact, bound as f64);
    }
    if region.instrument == Instrument::JemallocCount {
        put(readings, "jemalloc.requested_class_bytes", Unit::Bytes, Tier::Exact, totals.class_bytes as f64);
    }
}

fn heap(readings: &mut Readings, totals: Totals, peak: i64, retained: i64, churn: Churn) {
    put(readings, "heap.total_bytes", Unit::Bytes, Tier::Exact, totals.bytes as f64);
    put(readings, "heap.total_blocks", Unit::Blocks, Tier::Exact, totals.blocks as f64);
    put(readings, "heap.grown_bytes", Unit::Bytes, Tier::Exact, totals.grown_bytes as f64);
    put(readings, "heap.peak_bytes", Unit::Bytes, Tier::Exact, peak.max(0) as f64);
    put(readings, "heap.retained_bytes", Unit::Bytes, Tier::Exact, retained as f64);
    if churn.intervals > 0 {
        let per_tick = churn.bytes as f64 / churn.intervals as f64;
        put(readings, "heap.churn_bytes_per_tick", Unit::Bytes, Tier::Exact, per_tick);
    }
}

/// How a figure is taken from what the operating system told.
type OfMachine = fn(&Machine) -> Option<u64>;

/// What is read of a process at its marks, and is not a peak since the last: the most that was seen counts.
const AT_MARKS: &[(&str, OfMachine)] = &[
    ("pss.peak_bytes", |machine| machine.proportional_peak),
    ("rss.file_bytes", |machine| machine.file),
    ("rss.stack_bytes", |machine| machine.stack),
    ("allocator.held_bytes", |machine| machine.held),
];

fn machine_of_process(region: &Region, readings: &mut Readings) {
    let machines = || region.phases.iter().map(|phase| &phase.machine);
    if let Some(peak) = machines().filter_map(|machine| machine.resident_peak).max() {
        put(readings, "rss.peak_bytes", Unit::Bytes, Tier::Noisy, peak as f64);
    }
    for (name, of) in AT_MARKS {
        if let Some(most) = machines().filter_map(*of).max() {
            put(readings, name, Unit::Bytes, Tier::Noisy, most as f64);
        }
    }
    let wall: f64 = machines().map(|machine| machine.wall.as_secs_f64()).sum();
    let cpu: f64 = machines().map(|machine| machine.cpu.as_secs_f64()).sum();
    let faults: u64 = machines().map(|machine| machine.minor_faults).sum();
    put(readings, "time.wall_seconds", Unit::Seconds, Tier::Noisy, wall);
    put(readings, "time.cpu_seconds", Unit::Seconds, Tier::Noisy, cpu);
    put(readings, "faults.minor", Unit::Count, Tier::Noisy, faults as f64);
}

fn jemalloc_of_process(region: &Region, readings: &mut Readings) {
    let peak = |of: fn(&Phase) -> u64| region.phases.iter().map(of).max().unwrap_or(0) as f64;
    put(
        readings,
        "jemalloc.allocated_peak_bytes",
        Unit::Bytes,
        Tier::Noisy,
        peak(|phase| phase.jemalloc.allocated_peak),
    );
    put(
        readings,
        "jemalloc.resident_peak_bytes",
        Unit::Bytes,
        Tier::Noisy,
        peak(|phase| phase.jemalloc.resident_peak),
    );
}

/// What the instruments say that know no phases.
fn opinions(region: &Region, readings: &mut Readings) {
    if let Some(bytes) = region.opinions.thread_allocated {
        put(readings, "jemalloc.thread_allocated_bytes", Unit::Bytes, Tier::Exact, bytes as f64);
    }
    if let Some(stats) = &region.opinions.dhat {
        put(readings, "dhat.total_bytes", Unit::Bytes, Tier::Exact, stats.total_bytes as f64);
        put(readings, "dhat.total_blocks", Unit::Blocks, Tier::Exact, stats.total_blocks as f64);
        put(readings, "dhat.peak_bytes", Unit::Bytes, Tier::Exact, stats.max_bytes as f64);
        put(readings, "dhat.retained_bytes", Unit::Bytes, Tier::Exact, stats.curr_bytes as f64);
    }
    if let Some(stats) = &region.opinions.stats_alloc {
        let retained = stats.bytes_allocated as f64 - stats.bytes_deallocated as f64;
        put(readings, "stats_alloc.grown_bytes", Unit::Bytes, Tier::Exact, stats.bytes_allocated as f64);
        put(readings, "stats_alloc.retained_bytes", Unit::Bytes, Tier::Exact, retained);
    }
}

fn of_phase(phase: &Phase, region: &Region) -> PhaseReading {
    let mut readings = Readings::new();
    match region.instrument {
        Instrument::Count | Instrument::JemallocCount => {
            let known = &phase.heap;
            heap(&mut readings, known.totals, known.peak, known.retained, known.churn);
        }
        Instrument::Os => machine_of_phase(phase, region.knows_resident_phases(), &mut readings),
        Instrument::Jemalloc => {
            let known = &phase.jemalloc;
            let (allocated, resident) = (known.allocated_peak as f64, known.resident_peak as f64);
            put(&mut readings, "jemalloc.allocated_peak_bytes", Unit::Bytes, Tier::Noisy, allocated);
            put(&mut readings, "jemalloc.resident_peak_bytes", Unit::Bytes, Tier::Noisy, resident);
        }
        Instrument::Dhat | Instrument::StatsAlloc | Instrument::V8 | Instrument::Tracemalloc => {}
    }
    PhaseReading { name: phase.name.to_owned(), metrics: readings }
}

fn machine_of_phase(phase: &Phase, knows_resident: bool, readings: &mut Readings) {
    let machine = &phase.machine;
    if let (Some(peak), true) = (machine.resident_peak, knows_resident) {
        put(readings, "rss.peak_bytes", Unit::Bytes, Tier::Noisy, peak as f64);
    }
    for (name, of) in AT_MARKS {
        if let Some(most) = of(machine) {
            put(readings, name, Unit::Bytes, Tier::Noisy, most as f64);
        }
    }
    put(readings, "time.wall_seconds", Unit::Seconds, Tier::Noisy, machine.wall.as_secs_f64());
    put(readings, "time.cpu_seconds", Unit::Seconds, Tier::Noisy, machine.cpu.as_secs_f64());
    put(readings, "faults.minor", Unit::Count, Tier::Noisy, machine.minor_faults as f64);
}

fn put(readings: &mut Readings, name: &str, unit: Unit, tier: Tier, value: f64) {
    readings.insert(name.to_owned(), Reading { value, unit, tier });
}
