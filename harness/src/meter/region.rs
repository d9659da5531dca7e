//! A region while it lasts: what is noted at each mark. Nothing here allocates between `begin` and `end`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::rest::Rest;
use super::{METRICS_MAX, PHASES_MAX, paths};
use crate::counters::{self, Totals};
use crate::inject::{self, Injection};
use crate::instrument::Instrument;
use crate::os::{self, SelfProbe, Usage};
use crate::record::Reading;
use crate::{Error, alloc, bound, limit};

/// Most frames of a stack that dhat keeps. Its default of 10 loses the program's own functions below a deep parse; a stack costs as
/// much as it is deep, so that the limit itself costs nothing. `sync/cold` is at most 16 deep, and takes a sixth longer than with 10.
const FRAMES_MAX: usize = 256;

/// What is known of one phase, or of the time outside all named phases.
#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) heap: Heap,
    pub(super) machine: Machine,
    pub(super) jemalloc: Jemalloc,
}

/// Exact counts; peaks and retained bytes are relative to the beginning of the region.
#[derive(Debug, Default)]
pub(super) struct Heap {
    pub(super) totals: Totals,
    pub(super) peak: i64,
    pub(super) retained: i64,
    pub(super) churn: Churn,
}

/// Bytes allocated from one tick to the next.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Churn {
    pub(super) bytes: u64,
    pub(super) intervals: u64,
}

/// What the operating system told.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) resident_peak: Option<u64>,
    pub(super) proportional_peak: Option<u64>,
    pub(super) file: Option<u64>,
    pub(super) stack: Option<u64>,
    pub(super) held: Option<u64>,
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    pub(super) minor_faults: u64,
}

/// Largest readings of jemalloc's statistics.
#[derive(Debug, Default)]
pub(super) struct Jemalloc {
    pub(super) allocated_peak: u64,
    pub(super) resident_peak: u64,
}

/// Where the present stay in a phase began.
#[derive(Debug)]
struct Stay {
    totals: Totals,
    live: i64,
    wall: Instant,
    usage: Option<Usage>,
    /// Total bytes at the last tick within this stay.
    ticked: Option<u64>,
}

/// What the other instruments said at the end.
#[derive(Debug, Default)]
pub(super) struct Opinions {
    pub(super) dhat: Option<dhat::HeapStats>,
    pub(super) stats_alloc: Option<stats_alloc::Stats>,
    pub(super) thread_allocated: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Region {
    pub(super) role: String,
    pub(super) instrument: Instrument,
    pub(super) record_dir: Option<PathBuf>,
    /// The first holds what lies outside all named phases.
    pub(super) phases: Vec<Phase>,
    pub(super) settings: Vec<(&'static str, Reading)>,
    pub(super) refused_phases: bool,
    pub(super) refused_settings: bool,
    pub(super) ticks: u64,
    pub(super) churn: Churn,
    /// What was live at the ticks, where the heap is counted.
    pub(super) rest: Option<Rest>,
    pub(super) bound: Option<u64>,
    pub(super) opinions: Opinions,
    /// What is planted, where the process was told to.
    pub(super) injection: Option<Injection>,
    profile: Option<PathBuf>,
    profiler: Option<dhat::Profiler>,
    probe: SelfProbe,
    present: usize,
    base: i64,
    stay: Stay,
    last_tick: Option<u64>,
    resettable: bool,
    stats_before: stats_alloc::Stats,
    thread_allocated_before: Option<u64>,
}

impl Region {
    /// Makes everything that the region will need.
    pub(super) fn prepare(
        role: &str,
        instrument: Instrument,
        record_dir: Option<PathBuf>,
        injection: Option<Injection>,
    ) -> Result<Region, Error> {
        if matches!(instrument, Instrument::Jemalloc) && !arm_jemalloc() {
            return Err(Error::Unavailable { instrument, why: "jemalloc was built without statistics" });
        }
        let mut phases = Vec::with_capacity(PHASES_MAX + 1);
        phases.push(Phase::default());
        let probe = SelfProbe::open();
        Ok(Region {
            role: role.to_owned(),
            instrument,
            phases,
            settings: Vec::with_capacity(METRICS_MAX),
            refused_phases: false,
            refused_settings: false,
            ticks: 0,
            churn: Churn::default(),
            rest: instrument.counts().then(Rest::new),
            bound: None,
            opinions: Opinions::default(),
            injection,
            profile: record_dir.as_ref().map(|dir| dir.join(format!("{role}.dhat.json"))),
            record_dir,
            profiler: None,
            resettable: probe.reset_peak(),
            probe,
            present: 0,
            base: 0,
            stay: Stay {
                totals: Totals::default(),
                live: 0,
                wall: Instant::now(),
                usage: os::usage(),
                ticked: None,
            },
            last_tick: None,
            stats_before: alloc::STATS.stats(),
            thread_allocated_before: None,
        })
    }

    /// Begins the region; what comes after is measured.
    pub(super) fn begin(&mut self) {
        if self.instrument == Instrument::Dhat {
            let builder = dhat::Profiler::builder().trim_backtraces(Some(FRAMES_MAX));
            self.profiler = Some(match &self.profile {
                Some(file) => builder.file_name(file).build(),
                None => builder.testing().build(),
            });
        }
        self.thread_allocated_before = thread_allocated(self.instrument);
        self.stats_before = alloc::STATS.stats();
        bound::begin();
        self.base = counters::live();
        counters::restart_peak();
        self.arrive();
        limit::enforce(self.base);
        self.inject();
    }

    /// Ends the region; what comes after is not measured.
    pub(super) fn end(&mut self) {
        inject::arm(false);
        limit::lift();
        if self.profiler.is_some() {
            self.opinions.dhat = Some(dhat::HeapStats::get());
        }
        if self.instrument == Instrument::StatsAlloc {
            self.opinions.stats_alloc = Some(alloc::STATS.stats() - self.stats_before);
        }
        let thread_allocated = thread_allocated(self.instrument);
        self.leave();
        self.bound = if self.instrument.counts() { bound::end() } else { None };
        self.opinions.thread_allocated =
            thread_allocated.zip(self.thread_allocated_before).map(|(after, before)| after - before);
        // Dropping it writes the profile of the sites.
        if self.profiler.take().is_some()
            && let Some(profile) = &self.profile
        {
            // Without whole paths the profile is still good; its readers then tell crates by what is left of the paths.
            let _ = paths::complete(profile);
        }
    }

    /// Goes on to another phase.
    pub(super) fn enter(&mut self, name: &'static str) {
        let known = self.phases.iter().position(|phase| phase.name == name);
        let next = match known {
            Some(index) => index,
            None if self.phases.len() <= PHASES_MAX => {
                self.phases.push(Phase { name, ..Phase::default() });
                self.phases.len() - 1
            }
            None => {
                self.refused_phases = true;
                return;
            }
        };
        self.leave();
        self.present = next;
        self.arrive();
        self.inject();
    }

    /// Has the injection planted in the present phase, when it is for that one.
    fn inject(&self) {
        if let Some(injection) = &self.injection {
            inject::arm(injection.admits_phase(self.phases[self.present].name));
        }
    }

    pub(super) fn tick(&mut self, at_rest: bool) {
        self.ticks += 1;
        match self.instrument {
            Instrument::Count | Instrument::JemallocCount => {
                let total = counters::totals().bytes;
                advance(&mut self.churn, &mut self.last_tick, total);
                advance(&mut self.phases[self.present].heap.churn, &mut self.stay.ticked, total);
                if let Some(rest) = self.rest.as_mut().filter(|_| at_rest) {
                    rest.note(counters::live() - self.base);
                }
            }
            Instrument::Jemalloc => sample_jemalloc(),
            _ => {}
        }
    }

    pub(super) fn live_bytes(&self) -> Option<u64> {
        self.rest.as_ref().map(|_| u64::try_from(counters::live() - self.base).unwrap_or(0))
    }

    pub(super) fn set(&mut self, name: &'static str, reading: Reading) {
        let known = self.settings.iter().position(|(known, _)| *known == name);
        match known {
            Some(index) => self.settings[index].1 = reading,
            None if self.settings.len() < METRICS_MAX => self.settings.push((name, reading)),
            None => self.refused_settings = true,
        }
    }

    /// Notes where a stay in the present phase begins.
    fn arrive(&mut self) {
        self.stay.ticked = None;
        match self.instrument {
            Instrument::Count | Instrument::JemallocCount => {
                self.stay.totals = counters::totals();
                self.stay.live = counters::live();
            }
            Instrument::Os => {
                self.probe.reset_peak();
                self.stay.usage = os::usage();
                self.stay.wall = Instant::now();
            }
            Instrument::Jemalloc => {
                take_jemalloc_peaks();
                sample_jemalloc();
            }
            Instrument::Dhat | Instrument::StatsAlloc | Instrument::V8 | Instrument::Tracemalloc => {}
        }
    }

    /// Notes what the stay in the present phase came to.
    fn leave(&mut self) {
        match self.instrument {
            Instrument::Count | Instrument::JemallocCount => self.leave_heap(),
            Instrument::Os => self.leave_machine(),
            Instrument::Jemalloc => {
                sample_jemalloc();
                let (allocated, resident) = take_jemalloc_peaks();
                let known = &mut self.phases[self.present].jemalloc;
                known.allocated_peak = known.allocated_peak.max(allocated);
                known.resident_peak = known.resident_peak.max(resident);
            }
            Instrument::Dhat | Instrument::StatsAlloc | Instrument::V8 | Instrument::Tracemalloc => {}
        }
    }

    fn leave_heap(&mut self) {
        let totals = counters::totals().since(self.stay.totals);
        let peak = counters::restart_peak() - self.base;
        let live = counters::live();
        let heap = &mut self.phases[self.present].heap;
        heap.totals = heap.totals.plus(totals);
        heap.peak = heap.peak.max(peak);
        heap.retained += live - self.stay.live;
    }

    fn leave_machine(&mut self) {
        // The clocks stop first, so that reading memory is not in the time.
        let wall = self.stay.wall.elapsed();
        let usage = os::usage();
        let marked = self.probe.mark();
        let proportional = self.probe.proportional_bytes();
        let machine = &mut self.phases[self.present].machine;
        machine.wall += wall;
        if let (Some(after), Some(before)) = (usage, self.stay.usage) {
            machine.cpu += after.cpu.saturating_sub(before.cpu);
            machine.minor_faults += after.minor_faults.saturating_sub(before.minor_faults);
        }
        machine.resident_peak = machine.resident_peak.max(marked.peak_bytes);
        machine.file = machine.file.max(marked.file_bytes);
        machine.stack = machine.stack.max(marked.stack_bytes);
        machine.held = machine.held.max(marked.held_bytes);
        machine.proportional_peak = machine.proportional_peak.max(proportional);
    }

    /// Whether resident peaks belong to their phases, rather than to the process up to then.
    pub(super) fn knows_resident_phases(&self) -> bool {
        self.resettable
    }
}

/// Adds what was allocated since the last tick, when there was one.
fn advance(churn: &mut Churn, last: &mut Option<u64>, total: u64) {
    if let Some(before) = last.replace(total) {
        churn.bytes += total - before;
        churn.intervals += 1;
    }
}

#[cfg(not(target_env = "msvc"))]
mod jemalloc_here {
    use super::Instrument;
    use crate::alloc::jemalloc;

    pub(super) use jemalloc::{
        arm as arm_jemalloc, sample as sample_jemalloc, take_peaks as take_jemalloc_peaks,
    };

    pub(super) fn thread_allocated(instrument: Instrument) -> Option<u64> {
        matches!(instrument, Instrument::Jemalloc | Instrument::JemallocCount)
            .then(jemalloc::thread_allocated)
            .flatten()
    }
}

#[cfg(target_env = "msvc")]
mod jemalloc_here {
    use super::Instrument;

    pub(super) fn arm_jemalloc() -> bool {
        false
    }

    pub(super) fn sample_jemalloc() {}

    pub(super) fn take_jemalloc_peaks() -> (u64, u64) {
        (0, 0)
    }

    pub(super) fn thread_allocated(instrument: Instrument) -> Option<u64> {
        let _ = instrument;
        None
    }
}

use jemalloc_here::{arm_jemalloc, sample_jemalloc, take_jemalloc_peaks, thread_allocated};
