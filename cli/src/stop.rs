//! Ctrl-C: the first asks the work to stop and clean up, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

static STOP: AtomicBool = AtomicBool::new(false);

/// What a shell reports of a program that ended on Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Begins to listen; gives what is set when the work is to stop.
pub(crate) fn listen() -> Result<&'static AtomicBool> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("failed to listen for Ctrl-C")?;
    Ok(&STOP)
}

/// Ends the work when it was asked to stop.
pub(crate) fn check() -> Result<()> {
    if STOP.load(Ordering::Relaxed) {
        bail!("stopped on request; nothing half-written was left");
    }
    Ok(())
}
