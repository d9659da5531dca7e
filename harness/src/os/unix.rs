//! The calls of POSIX that std does not offer.
#![expect(
    unsafe_code,
    reason = "system calls that neither std nor the rest of the crate can make safely"
)]

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

/// How a process ended, and the time that it and those it waited for took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) cpu: Duration,
}

/// Collects the exit of a child without waiting; None while it runs, or when it is no child of ours.
pub(crate) fn reap(pid: u32) -> Option<Ended> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for the call, which fills them when it returns a pid.
    let reaped = unsafe {
        libc::wait4(
            pid as libc::pid_t,
            &mut status,
            libc::WNOHANG,
            usage.as_mut_ptr(),
        )
    };
    if reaped != pid as libc::pid_t {
        return None;
    }
    // SAFETY: all zeros is a valid rusage, and the kernel has filled it.
    let usage = Usage::from(unsafe { usage.assume_init() });
    Some(Ended {
        status,
        cpu: usage.cpu,
    })
}

/// Sends SIGKILL to a process, or with a negative number to a process group. Nothing happens when it is gone.
pub(crate) fn kill(target: i32) {
    // A target of 0, 1 or -1 would be ourselves, init or everybody.
    if target.unsigned_abs() > 1 {
        // SAFETY: kill takes plain numbers.
        unsafe { libc::kill(target, libc::SIGKILL) };
    }
}

/// Begins a new session, so that the process and its descendants form a group of their own.
pub(crate) fn begin_session() -> std::io::Result<()> {
    // SAFETY: setsid takes nothing; between fork and exec it is async-signal-safe.
    if unsafe { libc::setsid() } < 0 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Waits until one of the descriptors can be read (or was closed), or the time has passed. Which ones: by index.
pub(crate) fn wait_readable<const N: usize>(
    descriptors: [Option<i32>; N],
    time: Duration,
) -> [bool; N] {
    let mut polled = descriptors.map(|descriptor| libc::pollfd {
        // poll passes over negative descriptors.
        fd: descriptor.unwrap_or(-1),
        events: libc::POLLIN,
        revents: 0,
    });
    let milliseconds = time.as_millis().min(60_000) as i32;
    // SAFETY: the array is valid for its length during the call.
    unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, milliseconds) };
    polled.map(|descriptor| descriptor.revents != 0)
}

/// Makes reads from a descriptor return at once when there is nothing to read.
pub(crate) fn set_nonblocking(descriptor: i32) -> std::io::Result<()> {
    // SAFETY: fcntl with these commands takes plain numbers.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(descriptor, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0
    {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
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
    format!(
        "system ({})",
        if cfg!(target_env = "musl") {
            "musl"
        } else {
            std::env::consts::OS
        }
    )
}
