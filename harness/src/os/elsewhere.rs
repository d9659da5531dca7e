//! Systems without `/proc`: the peak since the process began, and time.

use super::{Capability, Marked, Resident, Usage};

/// Reads the calling process as far as this system allows.
#[derive(Debug)]
pub struct SelfProbe;

impl SelfProbe {
    /// Prepares the probe.
    pub fn open() -> SelfProbe {
        SelfProbe
    }

    /// Memory now: the peak since the process began, nothing else.
    pub fn mark(&self) -> Marked {
        Marked { peak_bytes: own_peak_bytes(), ..Marked::default() }
    }

    /// A peak cannot be reset here: false.
    pub fn reset_peak(&self) -> bool {
        false
    }

    /// Proportional memory is not known here: None.
    pub fn proportional_bytes(&self) -> Option<u64> {
        None
    }
}

#[cfg(unix)]
fn own_peak_bytes() -> Option<u64> {
    let peak = super::own_usage()?.ru_maxrss.max(0) as u64;
    // Apple counts bytes, the others KiB.
    Some(if cfg!(target_vendor = "apple") { peak } else { peak * 1024 })
}

#[cfg(unix)]
pub(super) fn usage() -> Option<Usage> {
    super::own_usage().map(Usage::from)
}

#[cfg(not(unix))]
fn own_peak_bytes() -> Option<u64> {
    windows::own_peak_bytes()
}

#[cfg(not(unix))]
pub(super) fn usage() -> Option<Usage> {
    None
}

pub(super) fn resident(pid: u32) -> Option<Resident> {
    // Only the own process can be read, and only its peak.
    let _ = pid;
    None
}

pub(super) fn proportional_bytes(pid: u32) -> Option<u64> {
    let _ = pid;
    None
}

pub(super) fn container_limits() -> (Option<u64>, Option<f64>) {
    (None, None)
}

pub(super) fn capabilities() -> Vec<Capability> {
    let remedy = "measure on Linux";
    let peak = own_peak_bytes().is_some();
    vec![
        Capability {
            name: "resident memory",
            available: peak,
            detail: "peak of the whole process".into(),
            loss: "no resident memory of any process is known",
            remedy: if peak { "" } else { remedy },
        },
        Capability {
            name: "resident memory per phase",
            available: false,
            detail: "this system cannot reset a peak".into(),
            loss: "only the peak of the whole process is known",
            remedy,
        },
        Capability {
            name: "proportional memory",
            available: false,
            detail: "this system does not tell it".into(),
            loss: "shared pages count in full in each process that has them",
            remedy,
        },
        Capability {
            name: "process trees",
            available: false,
            detail: "only processes that record themselves are seen".into(),
            loss: "no memory of foreign programs: time, ends, and what processes record of themselves",
            remedy,
        },
    ]
}

#[cfg(not(unix))]
pub(crate) fn page_bytes() -> u64 {
    0
}

#[cfg(not(unix))]
pub(crate) fn memory_bytes() -> u64 {
    0
}

#[cfg(not(unix))]
pub(crate) fn kernel_release() -> String {
    String::new()
}

#[cfg(not(unix))]
pub(crate) fn allocator() -> String {
    format!("system ({})", std::env::consts::OS)
}

#[cfg(windows)]
mod windows {
    #![expect(unsafe_code, reason = "the one call that tells a process its peak")]

    /// `PROCESS_MEMORY_COUNTERS` of psapi.h.
    #[repr(C)]
    #[derive(Default)]
    struct MemoryCounters {
        bytes: u32,
        page_faults: u32,
        peak_working_set_bytes: usize,
        working_set_bytes: usize,
        quotas_and_page_file: [usize; 6],
    }

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentProcess() -> isize;
        fn K32GetProcessMemoryInfo(process: isize, counters: *mut MemoryCounters, bytes: u32) -> i32;
    }

    pub(super) fn own_peak_bytes() -> Option<u64> {
        let bytes = size_of::<MemoryCounters>() as u32;
        let mut counters = MemoryCounters { bytes, ..MemoryCounters::default() };
        // SAFETY: the handle is that of the calling process and needs no closing; the struct is as large as is said.
        let read = unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &mut counters, bytes) };
        (read != 0).then_some(counters.peak_working_set_bytes as u64)
    }
}
