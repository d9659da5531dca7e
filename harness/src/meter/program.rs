//! The meter of a whole program: it begins with the first phase, and its record is left when the program ends.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use super::{region, report};
use crate::inject::INJECT;
use crate::instrument::{HEAP_LIMIT, Instrument};
use crate::{Error, os};

/// The environment variable with the number of an open pipe: a line `highwater:phase NAME` in it begins a phase of the whole tree.
pub const PHASE_DESCRIPTOR: &str = "HIGHWATER_PHASE_FD";

/// Most characters of a role that come from the program's name, so that a number fits too.
const NAME_MAX: usize = 40;

static BEGUN: Once = Once::new();
/// The pipe of phases; negative without one.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// The process that began. One that is forked from it and becomes no other program ends with the same handlers.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Ends the present phase of this program and begins `name`; a name used before is continued. Outside of highwater it does nothing.
///
/// The first call begins the measured region, so it belongs in `main`, before other threads start and before the work: what is
/// allocated earlier is not counted. The region ends with the program: when `main` returns, when a panic ends it, and with
/// [`std::process::exit`]. A program that a signal ends, that aborts (as every panic does under `panic = "abort"`) or that calls `_exit`
/// leaves no record; on Windows `std::process::exit` leaves none either.
///
/// Under an instrument that reads the inside of the program the record is named after the program, with a number when several
/// processes of one name leave records. Under `os` it marks phases of the whole process tree instead, where that is read from outside, and
/// leaves no record.
///
/// A record that could not be made says why in its [`end`](crate::record::Process::end).
///
/// ```no_run
/// #[global_allocator]
/// static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;
///
/// fn main() {
///     harness::phase("parse");
///     // ... the work
///     harness::phase("report");
///     // ... more of it
/// }
/// ```
pub fn phase(name: &'static str) {
    BEGUN.call_once(|| {
        if prepare() {
            super::begin();
        }
    });
    let pipe = PIPE.load(Relaxed);
    if pipe >= 0 {
        os::write_pipe(pipe, ["highwater:phase ", name, "\n"]);
    }
    super::phase(name);
}

/// Makes everything ready; returns whether there is a region to begin. What was needed for it is freed before that begins.
fn prepare() -> bool {
    let Some(record_dir) = super::record_dir() else { return false };
    let pipe = std::env::var(PHASE_DESCRIPTOR).ok().and_then(|number| number.parse().ok());
    let pipe = pipe.filter(|&pipe| os::is_pipe(pipe));
    PIPE.store(pipe.unwrap_or(-1), Relaxed);
    if !records(pipe.is_some()) {
        return false;
    }
    // Where not even an empty file can be made there is nowhere to say why.
    let Ok(role) = claim(&record_dir) else { return false };
    let prepared = super::prepare(&role).and_then(|()| {
        OWNER.store(std::process::id(), Relaxed);
        os::at_exit(end)
            .map_err(|source| Error::System { action: "have the record written at the end", source })
    });
    match &prepared {
        // A program that starts its meter itself also finishes it.
        Ok(()) | Err(Error::AlreadyMeasured) => {}
        Err(error) => report::refused(&role, &record_dir, error),
    }
    prepared.is_ok()
}

/// Whether this program leaves a record: not when it is read from outside, and no heap limit or injection needs a region.
fn records(marks_the_tree: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let from_outside = match super::asked_instrument() {
        Ok(Instrument::Os) => marks_the_tree,
        Ok(asked) => !asked.reads_rust(),
        // The meter refuses it with the reason.
        Err(_) => false,
    };
    is_set(HEAP_LIMIT) || is_set(INJECT) || !from_outside
}

/// A role that no other process of the sample has: the program's name, with a number from the second process on.
fn claim(record_dir: &Path) -> io::Result<String> {
    let program = std::env::current_exe()?;
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = name.chars().take(NAME_MAX).map(plain).collect();
    for number in 1_u64.. {
        let role = if number == 1 { name.clone() } else { format!("{name}-{number}") };
        match File::create_new(record_dir.join(format!("{role}.claim"))) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            claimed => return claimed.map(|_| role),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Ends the region and leaves the record.
extern "C" fn end() {
    if OWNER.load(Relaxed) != std::process::id() {
        return;
    }
    let Some(mut ended) = region().take() else { return };
    ended.end();
    let (role, record_dir) = (ended.role.clone(), ended.record_dir.clone());
    if let (Err(error), Some(record_dir)) = (report::of(ended), record_dir) {
        report::refused(&role, &record_dir, &error);
    }
}
