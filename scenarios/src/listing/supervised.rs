//! A service that dies, stops, spins or flaps, and the supervisor that is to see it: with real processes, on a clock that is a thousand times
//! as fast where nothing real takes time.

#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
pub(super) mod tree;

#[cfg(unix)]
pub(super) use faults::run;

/// Where there are no signals, a process cannot be stopped: nothing is measured, and that is said.
#[cfg(not(unix))]
pub(super) fn run(_: &super::Task) -> Result<super::Account, String> {
    Err("a service can be stopped by signals only, which this system does not have".to_owned())
}

/// The end of a tree of processes elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) mod tree {
    pub(in crate::listing) fn run(_: &super::super::Task) -> Result<super::super::Account, String> {
        Err("whether a process is left over is read from /proc, which this system does not have".to_owned())
    }
}
