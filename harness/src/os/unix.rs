//! The calls of POSIX that std does not offer.
#![expect(unsafe_code, reason = "system calls that neither std nor the rest of the crate can make safely")]

use std::mem::MaybeUninit;
use std::time::Duration;

use super::Usage;

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec.max(0) as u64, time.tv_usec.max(0) as u32 * 1000)
}

/// `getrusage` of the calling process.
pub(crate) fn own_usage() -> Option<libc::rusage> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is valid for one rusage, which the kernel fills.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so the struct is filled.
    Some(unsafe { usage.assume_init() })
}

impl From<libc::rusage> for Usage {
    fn from(usage: libc::rusage) -> Usage {
        Usage {
            cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
            minor_faults: usage.ru_minflt.max(0) as u64,
            major_faults: usage.ru_majflt.max(0) as u64,
        }
    }
}

/// Sends SIGKILL to a process, or with a negative number to a process group. Nothing happens when it is gone.
pub(crate) fn kill(target: i32) {
    // A target of 0, 1 or -1 would be ourselves, init or everybody.
    if target.unsigned_abs() > 1 {
        // SAFETY: kill takes plain numbers.
        unsafe { libc::kill(target, libc::SIGKILL) };
    }
}

fn system_figure(name: libc::c_int) -> u64 {
    // SAFETY: sysconf takes a plain number.
    unsafe { libc::sysconf(name) }.max(0) as u64
}

/// Bytes of a memory page.
pub(crate) fn page_bytes() -> u64 {
    system_figure(libc::_SC_PAGESIZE)
}

/// Bytes of physical memory.
pub(crate) fn memory_bytes() -> u64 {
    system_figure(libc::_SC_PHYS_PAGES) * page_bytes()
}

/// Release of the kernel; empty when it does not tell.
pub(crate) fn kernel_release() -> String {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the pointer is valid for one utsname, which the kernel fills.
    if unsafe { libc::uname(names.as_mut_ptr()) } != 0 {
        return String::new();
    }
    // SAFETY: all zeros is a valid utsname, and the kernel has filled it with strings that end in NUL.
    let release = unsafe { std::ffi::CStr::from_ptr(names.assume_init_ref().release.as_ptr()) };
    release.to_string_lossy().into_owned()
}

/// The system's allocator, with the version of the C library where that tells it.
pub(crate) fn allocator() -> String {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: the function takes nothing and returns a constant string that ends in NUL.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        format!("system (glibc {})", version.to_string_lossy())
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    format!("system ({})", if cfg!(target_env = "musl") { "musl" } else { std::env::consts::OS })
}
