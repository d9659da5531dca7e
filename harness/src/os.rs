//! What the operating system knows of a process: resident memory, faults, time; and which of it can be had here.
//!
//! Linux tells most: the peak of resident memory since a moment of our choosing (`VmHWM`, reset by a write to `clear_refs`), and
//! proportional memory. macOS and Windows tell the peak since the process began. What cannot be read is None, never zero.

use std::time::Duration;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use elsewhere as platform;

mod own;
pub(crate) use own::{at_exit, is_pipe, write_pipe};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    announce, become_subreaper, begin_session, cgroup, children, command, command_line, die_with_parent,
    guard, identity, is_marked, keep_open, pidfd, reap, reset_peak, session, set_nonblocking, start_ticks,
    trace::{
        Stop, is_process, leave_stopped, let_go, resume, seize, share_memory, thread_cpu, trace_end, wait,
        wait_for_stop,
    },
    wait_readable,
};

#[cfg(not(unix))]
pub(crate) use elsewhere::{allocator, kernel_release, memory_bytes, page_bytes};

pub use platform::SelfProbe;

/// Time and faults of the calling process since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all its threads, in user and kernel mode.
    pub cpu: Duration,
    /// Page faults served without reading from a disk.
    pub minor_faults: u64,
    /// Page faults that read from a disk.
    pub major_faults: u64,
}

/// Time and faults of the calling process; None where they cannot be read.
pub fn usage() -> Option<Usage> {
    platform::usage()
}

/// Resident memory of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resident {
    /// Bytes resident now.
    pub now_bytes: u64,
    /// Most bytes resident at once since the process began or its peak was reset.
    pub peak_bytes: u64,
    /// Bytes resident now that belong to no file.
    pub anonymous_bytes: u64,
}

/// Resident memory of process `pid`; None when it is gone, is a zombie, or cannot be read here.
pub fn resident(pid: u32) -> Option<Resident> {
    platform::resident(pid)
}

/// Proportional memory (PSS) of process `pid`, in bytes: shared pages count by their share. Costs milliseconds for a large process.
pub fn proportional_bytes(pid: u32) -> Option<u64> {
    platform::proportional_bytes(pid)
}

/// Memory of the calling process at a mark, in bytes; what cannot be told here is None.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marked {
    /// Most bytes resident at once since the process began or its peak was reset; within 64 KiB on Linux.
    pub peak_bytes: Option<u64>,
    /// Resident pages of files and of memory shared with others: the program and its libraries among them.
    pub file_bytes: Option<u64>,
    /// Resident pages of the main thread's stack. The stacks of other threads cannot be told from other memory.
    pub stack_bytes: Option<u64>,
    /// What the C library's allocator has from the system: in use, or kept for later.
    pub held_bytes: Option<u64>,
}

/// The limits of the container that this process runs in: bytes of memory, and processor time in cores. None where nothing is limited.
pub fn container_limits() -> (Option<u64>, Option<f64>) {
    platform::container_limits()
}

/// One thing that can or cannot be measured here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// What would be measured.
    pub name: &'static str,
    /// Whether it works here.
    pub available: bool,
    /// What was found.
    pub detail: String,
    /// What is not known, or is known less well, without it.
    pub loss: &'static str,
    /// What to do when it does not work; empty when it does.
    pub remedy: &'static str,
}

/// Tries everything that measuring rests on.
pub fn capabilities() -> Vec<Capability> {
    let mut capabilities = platform::capabilities();
    let jemalloc = cfg!(not(target_env = "msvc"));
    capabilities.push(Capability {
        name: "jemalloc",
        available: jemalloc,
        detail: if jemalloc { "built in".into() } else { "jemalloc does not build with MSVC".into() },
        loss: "no figures of jemalloc's own, and no use of it as the allocator",
        remedy: if jemalloc {
            ""
        } else {
            "use the instruments os, count, dhat and stats-alloc, or a GNU target"
        },
    });
    capabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time() {
        if let Some(usage) = usage() {
            assert!(usage.minor_faults > 0 || cfg!(windows));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_resident_and_a_missing_one_is_not() {
        let own = resident(std::process::id()).unwrap();
        assert!(own.peak_bytes >= own.anonymous_bytes && own.now_bytes > 0, "{own:?}");
        assert!(proportional_bytes(std::process::id()).unwrap() > 0);
        assert_eq!(resident(u32::MAX), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn everything_that_is_unavailable_has_a_remedy() {
        for capability in capabilities() {
            assert_eq!(capability.available, capability.remedy.is_empty(), "{capability:?}");
        }
    }
}
