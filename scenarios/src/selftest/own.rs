//! Our own subject, `sync/cold:bounded`: growth is planted through its allocator, at random allocations of random phases.

use generators::Corpus;
use harness::inject::{Growth, Injection, Numbers};
use harness::instrument::Instrument;
use harness::record::Process;
use harness::sites::Profile;
use harness::subject::Sample;

use super::bench::{Bench, Job, Taken};
use super::{Kind, Measured, Planted, gather};
use crate::Error;
use crate::answer::Expected;
use crate::runner::{self, Input};
use crate::scratch::Scratch;
use crate::sync::{Drive, Task};

/// The case.
pub(super) const NAME: &str = "sync/cold:bounded";
/// Its strategy.
const STRATEGY: &str = "bounded";

/// What is planted in sizes that are a part of the peak.
pub(super) const KINDS: [Kind; 3] = [Kind::Retained, Kind::Spike, Kind::Each];
/// Each block of at least so many bytes has a copy, until the next one has. How much that adds is measured, not chosen.
pub(super) const COPIES_FROM: [u64; 4] = [1 << 10, 4 << 10, 16 << 10, 64 << 10];
/// One block of so many bytes for each session: what the exact tier must always catch.
pub(super) const LEAST_EACH: u64 = 64;

const COUNTED: [&str; 4] =
    ["heap.peak_bytes", "heap.total_bytes", "heap.total_blocks", "heap.retained_bytes"];
const RESIDENT: [&str; 1] = ["rss.peak_bytes"];

/// Samples of resident memory by which its median is known before growth is planted.
const MEDIAN_SAMPLES: usize = 9;

/// Measures it, counted and by its resident memory.
pub(super) fn measure(bench: &mut Bench<'_>, corpus: &Corpus) -> Result<Measured, Error> {
    let before = bench.done();
    let input = Input::from_corpus(corpus);
    let own = Own::new(bench, &input)?;
    let first =
        bench.take(NAME, Instrument::Count, vec![plain(), plain()], &own.sampling(Instrument::Count))?;
    let peak = figure(&first, "heap.peak_bytes");
    let places = own.places()?;
    let copies = own.copies(bench, peak)?;
    let arms = arms(bench, peak, &copies, input.corpus.sessions);
    let mut metrics = own.counted(bench, &arms, &places)?;
    let jobs = (0..MEDIAN_SAMPLES).map(|_| plain()).collect();
    let few = bench.take(NAME, Instrument::Os, jobs, &own.sampling(Instrument::Os))?;
    let resident = figure(&few, RESIDENT[0]);
    let arms = self::arms(bench, resident, &copies, input.corpus.sessions);
    metrics.splice(0..0, own.resident(bench, &arms, &places)?);
    Ok(Measured { name: NAME, corpus: input.corpus.clone(), runs: bench.done() - before, metrics })
}

fn plain() -> Job<Option<Injection>> {
    Job { arm: None, place: 0, plant: None }
}

/// The median of a metric over some samples; 0 where none has it.
fn figure(taken: &[Taken], metric: &str) -> f64 {
    let figures: Vec<f64> =
        taken.iter().filter_map(|sample| Some(sample.metrics.get(metric)?.median)).collect();
    harness::combine::median(&figures).unwrap_or(0.0)
}

/// Everything that is planted, and how much each of it is of a median.
fn arms(bench: &Bench<'_>, median: f64, copies: &[(u64, f64)], sessions: u64) -> Vec<(Planted, Size)> {
    let percents = &bench.options.percents;
    let sized = KINDS.iter().flat_map(|kind| {
        percents.iter().map(|percent| {
            let planted = Planted::of(*kind, *percent, median);
            let bytes = match kind {
                Kind::Each => planted.bytes / sessions.max(1) as f64,
                _ => planted.bytes,
            };
            (planted, Size((bytes.round() as u64).max(1)))
        })
    });
    let copied = copies.iter().map(|(from, bytes)| {
        let what = format!("blocks from {} KiB", from >> 10);
        let percent = bytes / median * 100.0;
        (Planted { kind: Kind::Copy, what, percent, bytes: *bytes }, Size(*from))
    });
    sized.chain(copied).collect()
}

/// Bytes of one planted block; of copies, the least size that is copied.
#[derive(Debug, Clone, Copy)]
struct Size(u64);

/// Allocations of one phase of one process.
#[derive(Debug, Clone)]
struct Place {
    role: String,
    phase: String,
    blocks: u64,
}

/// What a sample needs.
struct Own<'a> {
    options: &'a super::Options,
    stop: &'a std::sync::atomic::AtomicBool,
    input: &'a Input,
    expected: &'a Expected,
    task: Task,
}

impl<'a> Own<'a> {
    fn new<'b: 'a>(bench: &Bench<'b>, input: &'a Input) -> Result<Own<'a>, Error> {
        let failed = |why: &str| Error::Failed { case: NAME.to_owned(), why: why.to_owned() };
        let strategy = crate::strategy(STRATEGY).ok_or_else(|| failed("its strategy is gone"))?;
        let expected = input.expected.as_ref().ok_or_else(|| failed("its corpus has no answer"))?;
        let task = Task { drive: Drive::Cold, strategy, worker_heap_bytes: None, attempts: None };
        Ok(Own { options: bench.options, stop: bench.stop, input, expected, task })
    }

    fn sampling(
        &self,
        instrument: Instrument,
    ) -> impl Fn(&Scratch, &Option<Injection>) -> Result<Sample, String> + Sync + '_ {
        move |scratch, injection| self.sample(scratch, injection.as_ref(), instrument)
    }

    /// One sample whose answer is right, and in which something was planted when it was asked for.
    fn sample(
        &self,
        scratch: &Scratch,
        injection: Option<&Injection>,
        instrument: Instrument,
    ) -> Result<Sample, String> {
        let home = &self.input.home;
        scratch.borrow_home(home).map_err(|error| format!("failed to use {}: {error}", home.display()))?;
        let mut subject = runner::subject(
            (&self.options.program, self.options.timeout),
            scratch,
            &(&self.task).into(),
            instrument,
        )?;
        subject.env.extend(injection.map(runner::variable));
        let (sample, answer) = runner::run_subject(&subject, scratch, self.stop)?;
        answer.check(self.expected)?;
        match injection {
            Some(injection) if injection.growth != Growth::Nothing && planted_blocks(&sample) == 0.0 => {
                Err(format!("nothing was planted by {injection}"))
            }
            _ => Ok(sample),
        }
    }

    /// Where something can be planted: the allocations of each phase.
    fn places(&self) -> Result<Vec<Place>, Error> {
        let failed = |why| Error::Failed { case: NAME.to_owned(), why };
        let root = self.options.scratch.join("selftest-places");
        let scratch = Scratch::new(root).map_err(|error| failed(error.to_string()))?;
        let sample = self.sample(&scratch, None, Instrument::Count).map_err(failed)?;
        Ok(sample.processes.iter().flat_map(of_process).collect())
    }

    /// The sizes from which copies are made, each with the bytes that they add to the peak; those that add nothing are left out.
    fn copies(&self, bench: &mut Bench<'_>, peak: f64) -> Result<Vec<(u64, f64)>, Error> {
        let jobs = COPIES_FROM.iter().enumerate();
        let jobs = jobs.map(|(place, from)| Job { arm: Some(0), place, plant: Some(copies_from(*from)) });
        let sample = |scratch: &Scratch, injection: &Option<Injection>| {
            let plain = self.sample(scratch, injection.as_ref(), Instrument::Count);
            // No block may be as large as the largest size.
            plain.or_else(|why| match why.starts_with("nothing was planted") {
                true => self.sample(scratch, None, Instrument::Count),
                false => Err(why),
            })
        };
        let taken = bench.take(NAME, Instrument::Count, jobs.collect(), &sample)?;
        let mut copies: Vec<(u64, f64)> = taken
            .iter()
            .filter_map(|sample| {
                let bytes = sample.metrics.get("heap.peak_bytes")?.median - peak;
                (bytes > 0.0).then_some((COPIES_FROM[sample.place], bytes))
            })
            .collect();
        copies.sort_by_key(|(from, _)| *from);
        Ok(copies)
    }

    fn counted(
        &self,
        bench: &mut Bench<'_>,
        arms: &[(Planted, Size)],
        places: &[Place],
    ) -> Result<Vec<super::MetricSamples>, Error> {
        let amounts = bench.options.amounts;
        let mut planted: Vec<Planted> = arms.iter().map(|(planted, _)| planted.clone()).collect();
        let mut jobs: Vec<Job<_>> = (0..amounts.exact).map(|_| plain()).collect();
        for (arm, (planted, size)) in arms.iter().enumerate() {
            for place in 0..amounts.trials as usize {
                let plant = Some(injection(bench, planted.kind, *size, places));
                jobs.push(Job { arm: Some(arm), place, plant });
            }
        }
        let sessions = self.input.corpus.sessions;
        let bytes = (LEAST_EACH * sessions) as f64;
        let what = format!("{LEAST_EACH} B");
        planted.push(Planted { kind: Kind::Each, what, percent: 0.0, bytes });
        let least = Injection::everywhere(Growth::Each { bytes: LEAST_EACH });
        for place in 0..amounts.single as usize {
            jobs.push(Job { arm: Some(arms.len()), place, plant: Some(least.clone()) });
        }
        let taken = bench.take(NAME, Instrument::Count, jobs, &self.sampling(Instrument::Count))?;
        Ok(gather(&taken, &planted, &COUNTED))
    }

    fn resident(
        &self,
        bench: &mut Bench<'_>,
        arms: &[(Planted, Size)],
        places: &[Place],
    ) -> Result<Vec<super::MetricSamples>, Error> {
        let amounts = bench.options.amounts;
        let mut jobs: Vec<Job<_>> = (0..amounts.noisy).map(|_| plain()).collect();
        for (arm, (planted, size)) in arms.iter().enumerate() {
            for place in 0..amounts.places as usize {
                let plant = injection(bench, planted.kind, *size, places);
                let again = (0..amounts.each_place).map(|_| Some(plant.clone()));
                jobs.extend(again.map(|plant| Job { arm: Some(arm), place, plant }));
            }
        }
        let taken = bench.take(NAME, Instrument::Os, jobs, &self.sampling(Instrument::Os))?;
        let planted: Vec<Planted> = arms.iter().map(|(planted, _)| planted.clone()).collect();
        Ok(gather(&taken, &planted, &RESIDENT))
    }
}

/// The sites of the program as it is, then those of so many runs that keep [`LEAST_EACH`] bytes for each session.
pub(super) fn profiles(
    bench: &mut Bench<'_>,
    corpus: &Corpus,
    trials: u32,
) -> Result<Option<(Profile, Vec<Profile>)>, Error> {
    let input = Input::from_corpus(corpus);
    let own = Own::new(bench, &input)?;
    // Told to plant nothing, the base has the frames of what plants, too.
    let nothing = Injection::everywhere(Growth::Nothing);
    let each = Injection::everywhere(Growth::Each { bytes: LEAST_EACH });
    let Some(base) = own.profile(bench, &nothing)? else { return Ok(None) };
    let mut heads = Vec::new();
    for _ in 0..trials {
        let Some(head) = own.profile(bench, &each)? else { return Ok(None) };
        heads.push(head);
    }
    Ok(Some((base, heads)))
}

impl Own<'_> {
    /// The sites of one run; none when the work is to stop.
    fn profile(&self, bench: &mut Bench<'_>, injection: &Injection) -> Result<Option<Profile>, Error> {
        if bench.is_stopped() {
            return Ok(None);
        }
        bench.tell(NAME);
        let failed = |why: String| Error::Failed { case: format!("{NAME} under dhat"), why };
        let root = self.options.scratch.join("selftest-sites");
        let scratch = Scratch::new(root).map_err(|error| failed(error.to_string()))?;
        let planted = Some(injection);
        let sample = self.sample(&scratch, planted, Instrument::Dhat);
        if bench.is_stopped() {
            return Ok(None);
        }
        sample.map_err(failed)?;
        harness::sites::read(&scratch.records(), NAME).map(Some).map_err(|error| failed(error.to_string()))
    }
}

fn planted_blocks(sample: &Sample) -> f64 {
    let of = |process: &Process| process.metrics.get("injected.blocks").map_or(0.0, |reading| reading.value);
    sample.processes.iter().map(of).sum()
}

fn of_process(process: &Process) -> Vec<Place> {
    let phases = process.phases.iter().filter_map(|phase| {
        let blocks = phase.metrics.get("heap.total_blocks")?.value as u64;
        let (role, phase) = (process.role.clone(), phase.name.clone());
        (blocks > 0).then_some(Place { role, phase, blocks })
    });
    phases.collect()
}

/// An injection; where it has a place, at a random allocation of a random phase of a random process.
fn injection(bench: &mut Bench<'_>, kind: Kind, Size(bytes): Size, places: &[Place]) -> Injection {
    match kind {
        Kind::Each => return Injection::everywhere(Growth::Each { bytes }),
        Kind::Copy => return copies_from(bytes),
        Kind::Retained | Kind::Spike => {}
    }
    let place = &places[bench.below(places.len() as u64) as usize];
    let at = Numbers::once(1 + bench.below(place.blocks));
    let growth =
        if kind == Kind::Retained { Growth::Retain { bytes, at } } else { Growth::Spike { bytes, at } };
    Injection { growth, role: Some(place.role.clone()), phase: Some(place.phase.clone()) }
}

fn copies_from(min_bytes: u64) -> Injection {
    Injection::everywhere(Growth::Copy { min_bytes })
}
