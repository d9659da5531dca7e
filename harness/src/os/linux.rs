//! Linux: `/proc`, and the calls around process trees.
#![expect(unsafe_code, reason = "system calls that neither std nor the rest of the crate can make safely")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

pub(crate) mod cgroup;
mod ledger;
pub(crate) mod trace;

use super::{Capability, Marked, Resident, Usage, own_usage};
use ledger::{MallInfo, Stack};

/// Reads the calling process without allocating: its descriptors are open, its buffers lie on the stack.
#[derive(Debug)]
pub struct SelfProbe {
    status: Option<File>,
    rollup: Option<File>,
    clear_refs: Option<File>,
    stack: Option<Stack>,
    allocator: Option<MallInfo>,
}

impl SelfProbe {
    /// Opens what can be opened.
    pub fn open() -> SelfProbe {
        SelfProbe {
            status: File::open("/proc/self/status").ok(),
            rollup: File::open("/proc/self/smaps_rollup").ok(),
            clear_refs: OpenOptions::new().write(true).open("/proc/self/clear_refs").ok(),
            stack: Stack::find(),
            allocator: MallInfo::find(),
        }
    }

    /// Memory now, and the peak since the process began or [`SelfProbe::reset_peak`] was called.
    pub fn mark(&self) -> Marked {
        let mut buffer = [0_u8; STATUS_BYTES];
        let status = self.status.as_ref().and_then(|file| text_of(file, &mut buffer)).unwrap_or_default();
        let file_bytes = field(status, "RssFile:").zip(field(status, "RssShmem:"));
        let stack_bytes = field(status, "VmStk:");
        Marked {
            peak_bytes: field(status, "VmHWM:"),
            file_bytes: file_bytes.map(|(files, shared)| files + shared),
            stack_bytes: self
                .stack
                .as_ref()
                .zip(stack_bytes)
                .and_then(|(stack, bytes)| stack.resident(bytes)),
            held_bytes: self.allocator.as_ref().map(MallInfo::held_bytes),
        }
    }

    /// Begins a new peak at what is resident now; false when the kernel refuses.
    pub fn reset_peak(&self) -> bool {
        self.clear_refs.as_ref().is_some_and(|file| file.write_at(b"5", 0).is_ok())
    }

    /// Proportional memory now, in bytes.
    pub fn proportional_bytes(&self) -> Option<u64> {
        field_of(self.rollup.as_ref()?, "Pss:")
    }
}

/// Room for `/proc/PID/status` and files like it.
const STATUS_BYTES: usize = 4096;

/// A field of a file of `/proc` that is given in kB, in bytes.
fn field_of(file: &File, name: &str) -> Option<u64> {
    field(text_of(file, &mut [0_u8; STATUS_BYTES])?, name)
}

/// A small file of `/proc`, read anew.
fn text_of<'b>(file: &File, buffer: &'b mut [u8; STATUS_BYTES]) -> Option<&'b str> {
    let length = file.read_at(buffer, 0).ok()?;
    std::str::from_utf8(&buffer[..length]).ok()
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

pub(super) fn usage() -> Option<Usage> {
    let mut usage = Usage::from(own_usage()?);
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for one timespec. The clock is finer than getrusage's.
    if unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) } == 0 {
        usage.cpu = Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.max(0) as u32);
    }
    Some(usage)
}

pub(super) fn resident(pid: u32) -> Option<Resident> {
    let file = File::open(format!("/proc/{pid}/status")).ok()?;
    let mut buffer = [0_u8; 4096];
    let length = file.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    Some(Resident {
        now_bytes: field(text, "VmRSS:")?,
        peak_bytes: field(text, "VmHWM:")?,
        anonymous_bytes: field(text, "RssAnon:")?,
    })
}

pub(super) fn proportional_bytes(pid: u32) -> Option<u64> {
    field_of(&File::open(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
}

pub(super) fn container_limits() -> (Option<u64>, Option<f64>) {
    let limits = cgroup::limits();
    (limits.memory_bytes, limits.cpu_cores)
}

pub(super) fn capabilities() -> Vec<Capability> {
    let probe = SelfProbe::open();
    let resident = probe.mark().peak_bytes.is_some();
    let reset = probe.reset_peak();
    let proportional = probe.proportional_bytes().is_some();
    let children = fs::read_to_string("/proc/self/task/self/children").is_ok()
        || fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id())).is_ok();
    let pidfd = pidfd(std::process::id()).is_ok();
    vec![
        capability(
            "resident memory",
            resident,
            "VmHWM of /proc/PID/status",
            "no resident memory of any process is known",
            "mount /proc",
        ),
        capability(
            "resident memory per phase",
            reset,
            "write to /proc/PID/clear_refs",
            "only the peak of the whole process is known; phases have that of the polls",
            "use a kernel with CONFIG_PROC_PAGE_MONITOR, and a container whose /proc can be written",
        ),
        capability(
            "proportional memory",
            proportional,
            "Pss of /proc/PID/smaps_rollup",
            "shared pages count in full in each process that has them",
            "use a kernel of 4.14 or later with CONFIG_PROC_PAGE_MONITOR",
        ),
        capability(
            "process trees",
            children,
            "children of /proc/PID/task/TID",
            "a tree is its first process",
            "use a kernel with CONFIG_PROC_CHILDREN",
        ),
        capability(
            "peaks at the end of a process",
            trace::is_possible(),
            "ptrace of own children",
            "trees are polled, and a peak in the last milliseconds of a process may be missed",
            "allow ptrace (kernel.yama.ptrace_scope below 3, a container with SYS_PTRACE)",
        ),
        capability(
            "wake-up at exit",
            pidfd,
            "pidfd_open",
            "the end of a process is found by polling",
            "use a kernel of 5.3 or later",
        ),
    ]
}

fn capability(
    name: &'static str,
    available: bool,
    how: &str,
    loss: &'static str,
    remedy: &'static str,
) -> Capability {
    let detail = if available { format!("{how} works") } else { format!("{how} does not work") };
    Capability { name, available, detail, loss, remedy: if available { "" } else { remedy } }
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
    let reaped = unsafe { libc::wait4(pid as libc::pid_t, &mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    if reaped != pid as libc::pid_t {
        return None;
    }
    // SAFETY: all zeros is a valid rusage, and the kernel has filled it.
    let usage = Usage::from(unsafe { usage.assume_init() });
    Some(Ended { status, cpu: usage.cpu })
}

/// Begins a new session, so that the process and its descendants form a group of their own.
pub(crate) fn begin_session() -> io::Result<()> {
    // SAFETY: setsid takes nothing; between fork and exec it is async-signal-safe.
    if unsafe { libc::setsid() } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits until one of the descriptors can be read (or was closed), or the time has passed. Which ones: by index.
pub(crate) fn wait_readable<const N: usize>(descriptors: [Option<i32>; N], time: Duration) -> [bool; N] {
    let mut polled = descriptors.map(|descriptor| libc::pollfd {
        // poll passes over negative descriptors.
        fd: descriptor.unwrap_or(-1),
        events: libc::POLLIN,
        revents: 0,
    });
    let time = time.min(Duration::from_secs(60));
    let time = libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ };
    // SAFETY: the array is valid for its length and the time for its own during the call; no mask of signals is given.
    unsafe { libc::ppoll(polled.as_mut_ptr(), N as libc::nfds_t, &time, std::ptr::null()) };
    polled.map(|descriptor| descriptor.revents != 0)
}

/// Makes reads from a descriptor return at once when there is nothing to read.
pub(crate) fn set_nonblocking(descriptor: i32) -> io::Result<()> {
    // SAFETY: fcntl with these commands takes plain numbers.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(descriptor, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Processes whose parent dies come to us from now on, so that they can still be read and ended.
pub(crate) fn become_subreaper() -> io::Result<()> {
    // SAFETY: this prctl takes plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has the kernel kill the calling process when the thread that made it ends. Async-signal-safe, for use before exec.
pub(crate) fn die_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: this prctl takes plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: getppid takes nothing. The parent may have died before the request was made.
    if unsafe { libc::getppid() } as u32 != parent {
        return Err(io::Error::from_raw_os_error(libc::ECHILD));
    }
    Ok(())
}

/// A descriptor that becomes readable when the process ends.
pub(crate) fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes plain numbers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// A small process that ends a process group when this process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Guard {
    pid: u32,
    alive: Option<OwnedFd>,
}

/// Makes the guard of process group `group`.
pub(crate) fn guard(group: u32) -> io::Result<Guard> {
    let mut ends = [0_i32; 2];
    // SAFETY: the array has room for the two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made these descriptors for us, and nobody else owns them.
    let (read, write) = unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    // SAFETY: the child of a threaded process may call only async-signal-safe functions; `stand_guard` does so and never returns.
    match unsafe { libc::fork() } {
        ..0 => Err(io::Error::last_os_error()),
        0 => stand_guard(read.as_raw_fd(), group),
        pid => Ok(Guard { pid: pid as u32, alive: Some(write) }),
    }
}

/// The guard's whole life: it waits until nobody holds the other end of the pipe.
fn stand_guard(pipe: i32, group: u32) -> ! {
    // SAFETY: all of these are async-signal-safe system calls on plain numbers and one byte on the stack. Closing every other
    // descriptor is right in a process that will use none of them, and lets go of files its parent may be waiting on.
    unsafe {
        // Away from the terminal's process group, so that Ctrl-C does not end the guard first.
        libc::setsid();
        libc::dup2(pipe, 0);
        libc::syscall(libc::SYS_close_range, 1, u32::MAX, 0);
        let mut byte = 0_u8;
        let read = loop {
            let read = libc::read(0, (&raw mut byte).cast(), 1);
            if read >= 0 || *libc::__errno_location() != libc::EINTR {
                break read;
            }
        };
        // A byte means that all went well; the end of the file, that the parent is gone.
        if read == 0 {
            libc::kill(-(group as libc::pid_t), libc::SIGKILL);
        }
        libc::_exit(0)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(alive) = self.alive.take() {
            // SAFETY: the descriptor is open, and the byte lives during the call.
            unsafe { libc::write(alive.as_raw_fd(), b"x".as_ptr().cast(), 1) };
        }
        // SAFETY: the pid is a child of ours that nobody else waits for; it ends at once.
        unsafe { libc::waitpid(self.pid as libc::pid_t, std::ptr::null_mut(), 0) };
    }
}

/// Children of a process, of all its threads.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

/// Fields of `/proc/PID/stat` after the name, which may itself hold spaces and parentheses.
fn stat_field(pid: u32, index: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(index)?.parse().ok()
}

/// When a process started, in clock ticks since boot: with its pid a name that is never used twice.
pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    stat_field(pid, 19)
}

/// The session that a process belongs to.
pub(crate) fn session(pid: u32) -> Option<u32> {
    stat_field(pid, 3).map(|session| session as u32)
}

/// What a process or thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The process that a thread belongs to; of a process itself, its own id.
    pub(crate) process: u32,
    /// The process that collects it.
    pub(crate) parent: u32,
}

/// What the process or thread with this id is; None when it is gone.
pub(crate) fn identity(id: u32) -> Option<Identity> {
    let file = File::open(format!("/proc/{id}/status")).ok()?;
    let mut buffer = [0_u8; 4096];
    let length = file.read_at(&mut buffer, 0).ok()?;
    let text = String::from_utf8_lossy(&buffer[..length]);
    let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Identity { process: number("Tgid:")?, parent: number("PPid:")? })
}

/// Begins a new peak of another process at what it has resident now; false when the kernel refuses.
pub(crate) fn reset_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), b"5").is_ok()
}

/// Lets a descriptor stay open in the program that the calling process becomes. Async-signal-safe, for use before exec.
pub(crate) fn keep_open(descriptor: i32) -> io::Result<()> {
    // SAFETY: fcntl with this command takes plain numbers.
    if unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Writes the calling process's id to one descriptor, and waits for a byte from the other. Async-signal-safe, for use before exec.
pub(crate) fn announce(to: i32, from: i32) -> io::Result<()> {
    // SAFETY: getpid takes nothing.
    let pid = (unsafe { libc::getpid() } as u32).to_ne_bytes();
    // SAFETY: the bytes live during the call.
    let written = unsafe { libc::write(to, pid.as_ptr().cast(), pid.len()) };
    let mut byte = 0_u8;
    // SAFETY: the byte lives during the call.
    let read = unsafe { libc::read(from, (&raw mut byte).cast(), 1) };
    if written != pid.len() as isize || read != 1 {
        return Err(io::Error::from_raw_os_error(libc::EPIPE));
    }
    Ok(())
}

/// The name of a process's program.
pub(crate) fn command(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The command line of a process, its arguments separated by spaces; empty of a process that has ended.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " "))
}

/// Times that an empty environment is read again, a millisecond apart.
const ENVIRONMENT_READS: u32 = 20;

/// Whether `entry` (`NAME=VALUE`) stands in the environment that a process was started with.
///
/// While a process becomes another program it has no environment for a moment; so an empty one is read again.
pub(crate) fn is_marked(pid: u32, entry: &[u8]) -> bool {
    for _ in 0..ENVIRONMENT_READS {
        match fs::read(format!("/proc/{pid}/environ")) {
            // One that has ended has no memory and will have no environment again.
            Ok(environment) if environment.is_empty() && resident(pid).is_none() => return false,
            Ok(environment) if environment.is_empty() => std::thread::sleep(Duration::from_millis(1)),
            Ok(environment) => return environment.split(|&byte| byte == 0).any(|found| found == entry),
            Err(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_in_kibibytes_is_read_in_bytes() {
        let text = "Name:\tx\nVmHWM:\t    1904 kB\nVmRSS:\t      12 kB\n";
        assert_eq!(field(text, "VmHWM:"), Some(1904 * 1024));
        assert_eq!(field(text, "Pss:"), None);
    }

    #[test]
    fn this_process_started_and_has_a_session() {
        let own = std::process::id();
        assert!(start_ticks(own).unwrap() > 0);
        assert!(session(own).is_some());
    }
}
