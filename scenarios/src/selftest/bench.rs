//! Takes samples in a mixed order, each in a directory of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::instrument::Instrument;
use harness::record::Metric;
use harness::subject::Sample;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Options;
use crate::Error;
use crate::runner::Event;
use crate::scratch::Scratch;

/// A sample to be taken.
#[derive(Debug)]
pub(super) struct Job<P> {
    /// Which growth is planted, by its place in the list of all; none is planted without one.
    pub(super) arm: Option<usize>,
    /// Which of the places of that growth.
    pub(super) place: usize,
    /// The plant, as the sample wants it.
    pub(super) plant: P,
}

/// A sample that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) arm: Option<usize>,
    pub(super) place: usize,
    pub(super) metrics: BTreeMap<String, Metric>,
}

/// What takes samples.
pub(super) struct Bench<'a> {
    pub(super) options: &'a Options,
    pub(super) stop: &'a AtomicBool,
    observe: &'a mut dyn FnMut(Event<'_>),
    dice: ChaCha8Rng,
    done: u64,
    of: u64,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        options: &'a Options,
        stop: &'a AtomicBool,
        observe: &'a mut dyn FnMut(Event<'_>),
        of: u64,
    ) -> Bench<'a> {
        Bench { options, stop, observe, dice: ChaCha8Rng::seed_from_u64(options.seed), done: 0, of }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Samples that have been taken.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Says that one sample more begins.
    pub(super) fn tell(&mut self, case: &str) {
        (self.observe)(Event::Case { case, number: self.done, of: self.of.max(self.done) });
        self.done += 1;
    }

    /// A random number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.dice.random_range(0..end.max(1))
    }

    /// Takes every sample, in a mixed order; gives them as they were taken, fewer when the work is to stop.
    pub(super) fn take<P: Sync>(
        &mut self,
        name: &str,
        instrument: Instrument,
        mut jobs: Vec<Job<P>>,
        sample: &(dyn Fn(&Scratch, &P) -> Result<Sample, String> + Sync),
    ) -> Result<Vec<Taken>, Error> {
        let failed = |why| Error::Failed { case: format!("{name} under {instrument}"), why };
        jobs.shuffle(&mut self.dice);
        let mut taken = Vec::with_capacity(jobs.len());
        for together in jobs.chunks(side_by_side(instrument)) {
            if self.is_stopped() {
                return Ok(taken);
            }
            (self.observe)(Event::Case { case: name, number: self.done, of: self.of.max(self.done) });
            let first = self.done;
            self.done += together.len() as u64;
            let root = &self.options.scratch;
            let one = |(number, job): (u64, &Job<P>)| {
                let scratch = root.join(format!("selftest-{number}"));
                let scratch = Scratch::new(scratch).map_err(|error| error.to_string())?;
                sample(&scratch, &job.plant)
            };
            let results: Vec<Result<Sample, String>> = match together {
                [job] => vec![one((first, job))],
                jobs => std::thread::scope(|scope| {
                    let one = &one;
                    let numbered = (first..).zip(jobs);
                    let threads: Vec<_> =
                        numbered.map(|numbered| scope.spawn(move || one(numbered))).collect();
                    let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                        thread.join().unwrap_or_else(|_| Err("its thread ended in a panic".to_owned()))
                    };
                    threads.into_iter().map(join).collect()
                }),
            };
            for (job, result) in together.iter().zip(results) {
                if self.is_stopped() {
                    return Ok(taken);
                }
                let sample = result.map_err(failed)?;
                let metrics = harness::combine::combine(&[sample]).metrics;
                taken.push(Taken { arm: job.arm, place: job.place, metrics });
            }
        }
        Ok(taken)
    }
}

/// Samples that may run at one time: what is counted does not depend on what else the machine does, resident memory does.
fn side_by_side(instrument: Instrument) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if instrument.counts() { cores.min(2) } else { 1 }
}
