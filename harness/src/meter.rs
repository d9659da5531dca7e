//! The measured region of a process: its phases, its ticks, and the record it leaves.
//!
//! The region begins last and ends first: all that the meter needs is allocated and opened before, and the record is built after. In
//! between it allocates nothing. A process has one region at a time, so phases are marked by free functions too, and a callback
//! deep inside needs no handle.
//!
//! A program of which the whole run is the region needs no meter: [`phase`](crate::phase) begins it, and its record is left at the end.
//!
//! ```no_run
//! # fn main() -> Result<(), harness::Error> {
//! let meter = harness::meter::Meter::start("parent")?;
//! meter.phase("parse");
//! // ... the work
//! meter.phase("consume");
//! // ... more of it
//! let record = meter.finish()?;
//! # drop(record);
//! # Ok(())
//! # }
//! ```

use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use crate::instrument::{HEAP_LIMIT, INSTRUMENT, Instrument, RECORD_DIR};
use crate::record::{self, Reading, Tier, Unit};
use crate::{Error, alloc, inject, limit};

mod paths;
mod program;
mod region;
mod report;
mod rest;

pub use program::{PHASE_DESCRIPTOR, phase as phase_of_program};
use region::Region;

/// Most phases of one process.
pub const PHASES_MAX: usize = 64;
/// Most metrics that one process may set of its own.
pub const METRICS_MAX: usize = 256;

static REGION: Mutex<Option<Region>> = Mutex::new(None);

fn region() -> MutexGuard<'static, Option<Region>> {
    REGION.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The measured region of this process. Dropped without [`Meter::finish`], it leaves no record.
#[derive(Debug)]
#[must_use = "a region that is never finished leaves no record"]
pub struct Meter {
    only: PhantomData<()>,
}

impl Meter {
    /// Begins the region of this process, which has `role` in its case (`parent`, `worker-1`); the role names the record.
    ///
    /// The environment says how: [`INSTRUMENT`] (unset is `os`), [`RECORD_DIR`] (unset: nothing is written), [`HEAP_LIMIT`] (unset: none),
    /// [`INJECT`](inject::INJECT) (unset: nothing is planted).
    /// To be called in the main thread, before other threads allocate.
    pub fn start(role: &str) -> Result<Meter, Error> {
        prepare(role)?;
        begin();
        Ok(Meter { only: PhantomData })
    }

    /// Ends the present phase and begins `name`; a name used before is continued.
    pub fn phase(&self, name: &'static str) {
        phase(name);
    }

    /// Marks a tick, at rest: churn is what is allocated from one tick to the next, and what is live at the ticks tells a leak.
    pub fn tick(&self) {
        tick();
    }

    /// Says how many seconds of virtual time a tick stands for.
    pub fn seconds_per_tick(&self, seconds: f64) {
        seconds_per_tick(seconds);
    }

    /// Marks an item of the scenario's own kind, such as a session delivered.
    pub fn item(&self) {
        item();
    }

    /// Sets a metric of the scenario's own; the last value stays.
    pub fn set(&self, name: &'static str, unit: Unit, tier: Tier, value: f64) {
        set(name, unit, tier, value);
    }

    /// Ends the region, and leaves its record as `ROLE.json` in the record directory when there is one.
    pub fn finish(self) -> Result<record::Process, Error> {
        let ended = {
            let mut present = region();
            if let Some(region) = present.as_mut() {
                region.end();
            }
            present.take()
        };
        // Only `finish` takes the region, and it takes the meter with it.
        report::of(ended.ok_or(Error::NotCounted)?)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(mut abandoned) = region().take() {
            abandoned.end();
            limit::discard();
        }
    }
}

/// Ends the present phase of this process and begins `name`; a name used before is continued. Nothing happens outside a region.
pub fn phase(name: &'static str) {
    if let Some(region) = region().as_mut() {
        region.enter(name);
    }
}

/// Marks a tick of this process. Nothing happens outside a region.
pub fn tick() {
    if let Some(region) = region().as_mut() {
        region.tick(true);
    }
}

/// Marks a tick at which this process is not at rest, but has taken in what it keeps: it counts for the churn, and nothing is concluded from what is
/// live. Nothing happens outside a region.
pub fn tick_at_work() {
    if let Some(region) = region().as_mut() {
        region.tick(false);
    }
}

/// Says how many seconds of virtual time a tick of this process stands for. Nothing happens outside a region.
pub fn seconds_per_tick(seconds: f64) {
    if let Some(rest) = region().as_mut().and_then(|region| region.rest.as_mut()) {
        rest.seconds_per_tick = Some(seconds);
    }
}

/// Marks an item of the scenario's own kind, such as a session delivered: an injection may plant something at each
/// ([`inject`]). Nothing happens otherwise.
pub fn item() {
    inject::item();
}

/// Bytes of heap that are live now beyond those that were when the region began; 0 when there are fewer. `None` outside a region, and where
/// the heap is not counted.
pub fn live_bytes() -> Option<u64> {
    region().as_ref().and_then(Region::live_bytes)
}

/// Sets a metric of this process; the last value stays. Nothing happens outside a region.
pub fn set(name: &'static str, unit: Unit, tier: Tier, value: f64) {
    if let Some(region) = region().as_mut() {
        region.set(name, Reading { value, unit, tier });
    }
}

/// Makes everything that the region of this process needs.
fn prepare(role: &str) -> Result<(), Error> {
    check_role(role)?;
    let mut present = region();
    if present.is_some() {
        return Err(Error::AlreadyMeasured);
    }
    let instrument = instrument()?;
    let record_dir = record_dir();
    if let Some(limit_bytes) = heap_limit(instrument)? {
        limit::prepare(role, limit_bytes, record_dir.as_deref())?;
    }
    let injection = inject::prepare(role, instrument)?;
    *present = Some(Region::prepare(role, instrument, record_dir, injection)?);
    Ok(())
}

/// Begins the prepared region; to be called last, since what is freed after it counts.
fn begin() {
    if let Some(region) = region().as_mut() {
        region.begin();
    }
}

fn check_role(role: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if role.is_empty() || role.len() > 64 || !role.bytes().all(plain) {
        return Err(Error::BadRole { role: role.to_owned() });
    }
    Ok(())
}

/// Where records are left; None outside of highwater.
fn record_dir() -> Option<PathBuf> {
    std::env::var_os(RECORD_DIR).filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

/// The instrument that was asked for, whether or not it can be had.
fn asked_instrument() -> Result<Instrument, Error> {
    match std::env::var(INSTRUMENT) {
        Ok(name) if !name.is_empty() => name.parse(),
        _ => Ok(Instrument::Os),
    }
}

/// The instrument that was asked for, when the allocator of this process serves it.
fn instrument() -> Result<Instrument, Error> {
    let asked = asked_instrument()?;
    // A Rust program in a tree that is read for its Node or Python programs is read from outside.
    let asked = if asked.reads_rust() { asked } else { Instrument::Os };
    if cfg!(target_env = "msvc") && matches!(asked, Instrument::Jemalloc | Instrument::JemallocCount) {
        return Err(Error::Unavailable {
            instrument: asked,
            why: "jemalloc does not build with MSVC; use a GNU target",
        });
    }
    let served = alloc::is_installed().then(alloc::serves).flatten();
    let fits = match asked {
        Instrument::Os => true,
        Instrument::Count | Instrument::JemallocCount | Instrument::Dhat | Instrument::StatsAlloc => {
            served == Some(asked)
        }
        Instrument::Jemalloc => matches!(served, Some(Instrument::Jemalloc | Instrument::JemallocCount)),
        Instrument::V8 | Instrument::Tracemalloc => false,
    };
    if !fits {
        let why =
            "the program's allocator does not serve it; make harness::alloc::Switch its #[global_allocator]";
        return Err(Error::Unavailable { instrument: asked, why });
    }
    Ok(asked)
}

/// The heap limit that was asked for, when the allocator of this process can enforce it.
fn heap_limit(instrument: Instrument) -> Result<Option<u64>, Error> {
    let text = match std::env::var(HEAP_LIMIT) {
        Ok(text) if !text.is_empty() => text,
        _ => return Ok(None),
    };
    let limit_bytes = text.parse().map_err(|_| Error::BadLimit { text })?;
    if !alloc::counts() {
        let why = "a heap limit needs an allocator that counts; use the instrument count or os with harness::alloc::Switch";
        return Err(Error::Unavailable { instrument, why });
    }
    Ok(Some(limit_bytes))
}
