//! ptrace, as far as it takes to be told of every new process, every new program and every end in a tree.
//!
//! A thread that traces is told of its own tracees only (`__WNOTHREAD`), so that several trees can be watched at once. All
//! calls on a tracee must come from the thread that seized it.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::time::Duration;

use super::super::Usage;

/// What a wait for the tracees gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A tracee is there for the first time, or runs again after it was stopped.
    Attached,
    /// It made a process with this id in its own memory, until that becomes another program.
    Vforked(u32),
    /// It made a process or thread in another way, of which more is heard from that one.
    Made,
    /// It has become another program.
    Executed {
        /// The id of the thread that did it, which is gone when it is not the process's own.
        former: u32,
    },
    /// It is about to end: its memory still stands.
    Ending,
    /// A signal is about to reach it.
    Signal(i32),
    /// It was stopped by a signal, as by Ctrl-Z, and is to stay so.
    Group,
    /// It has ended, with this status of wait; the processor time is its own and that of those it waited for.
    Ended {
        /// As wait gave it.
        status: i32,
        /// User and kernel mode.
        cpu: Duration,
    },
}

const OPTIONS: i32 = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    // When this thread ends in any way, its tracees end.
    | libc::PTRACE_O_EXITKILL;

/// Begins to trace a process, which runs on, and all that will come from it.
///
/// It is not stopped at its end before [`trace_end`]: until it has become the program, its end is its spawner's to hear of.
pub(crate) fn seize(pid: u32) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, pid, OPTIONS as usize)
}

/// Whether a stopped tracee, and what it makes, stops at its end from now on.
pub(crate) fn trace_end(pid: u32, stops: bool) {
    let options = if stops { OPTIONS | libc::PTRACE_O_TRACEEXIT } else { OPTIONS };
    let _ = request(libc::PTRACE_SETOPTIONS, pid, options as usize);
}

/// Lets a stopped tracee run on, and gives it a signal unless that is 0. That it is gone meanwhile is no failure.
pub(crate) fn resume(pid: u32, signal: i32) {
    let _ = request(libc::PTRACE_CONT, pid, signal as usize);
}

/// Leaves a tracee that was stopped by a signal stopped, and hears when it runs again.
pub(crate) fn leave_stopped(pid: u32) {
    let _ = request(libc::PTRACE_LISTEN, pid, 0);
}

/// Lets go of a stopped tracee.
pub(crate) fn let_go(pid: u32) {
    let _ = request(libc::PTRACE_DETACH, pid, 0);
}

/// What ptrace takes as its request, which C libraries disagree about.
#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;
#[cfg(target_env = "musl")]
type Request = libc::c_int;

fn request(request: Request, pid: u32, data: usize) -> io::Result<()> {
    // SAFETY: none of these requests reads or writes memory of the caller.
    let result =
        unsafe { libc::ptrace(request, pid as libc::pid_t, null_mut::<c_void>(), data as *mut c_void) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The message of a tracee's stop: an id.
fn message(pid: u32) -> u32 {
    let mut message: libc::c_ulong = 0;
    // SAFETY: the kernel writes one unsigned long to the pointer, which is valid for one.
    unsafe {
        libc::ptrace(
            libc::PTRACE_GETEVENTMSG,
            pid as libc::pid_t,
            null_mut::<c_void>(),
            (&raw mut message).cast::<c_void>(),
        )
    };
    message as u32
}

/// Waits for a tracee of this thread to stop or to end; None when there is none any more.
pub(crate) fn wait() -> Option<(u32, Stop)> {
    let flags = libc::__WALL | libc::__WNOTHREAD;
    loop {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both pointers are valid for the call, which fills them when it returns an id.
        let pid = unsafe { libc::wait4(-1, &mut status, flags, usage.as_mut_ptr()) };
        if pid > 0 {
            // SAFETY: all zeros is a valid rusage, and the kernel has filled it.
            let cpu = Usage::from(unsafe { usage.assume_init() }).cpu;
            return Some((pid as u32, stop(pid as u32, status, cpu)));
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// Waits for a tracee of this thread to stop. None when one has ended, whose status stays for others to collect, and when there is none.
pub(crate) fn wait_for_stop() -> Option<(u32, Stop)> {
    let flags = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        // SAFETY: the pointer is valid for one siginfo, which the kernel fills or leaves zero.
        if unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags) } == 0 {
            break;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
    // SAFETY: all zeros is a valid siginfo, and the kernel has filled it.
    let code = unsafe { info.assume_init() }.si_code;
    if [libc::CLD_EXITED, libc::CLD_KILLED, libc::CLD_DUMPED].contains(&code) { None } else { wait() }
}

/// Whether an id is that of a process rather than of one of its threads.
pub(crate) fn is_process(id: u32) -> bool {
    let id = id as libc::pid_t;
    // SAFETY: tgkill takes plain numbers; signal 0 only asks.
    unsafe { libc::syscall(libc::SYS_tgkill, id, id, 0) == 0 }
}

fn stop(pid: u32, status: i32, cpu: Duration) -> Stop {
    if !libc::WIFSTOPPED(status) {
        return Stop::Ended { status, cpu };
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        libc::PTRACE_EVENT_VFORK => Stop::Vforked(message(pid)),
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_CLONE => Stop::Made,
        libc::PTRACE_EVENT_EXEC => Stop::Executed { former: message(pid) },
        libc::PTRACE_EVENT_EXIT => Stop::Ending,
        libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => Stop::Attached,
        libc::PTRACE_EVENT_STOP => Stop::Group,
        _ => Stop::Signal(signal),
    }
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.max(0) as u32)
}

/// Whether two processes have one memory, as after vfork; false where the kernel does not say.
pub(crate) fn share_memory(one: u32, other: u32) -> bool {
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: kcmp takes plain numbers.
    unsafe { libc::syscall(libc::SYS_kcmp, one as libc::pid_t, other as libc::pid_t, KCMP_VM, 0, 0) == 0 }
}

/// Whether a process may be traced here: tried on one of our own.
pub(super) fn is_possible() -> bool {
    // SAFETY: the child calls only async-signal-safe functions and never returns.
    let pid = unsafe { libc::fork() };
    match pid {
        ..0 => false,
        // SAFETY: pause and _exit are async-signal-safe.
        0 => unsafe {
            libc::pause();
            libc::_exit(0)
        },
        pid => {
            let works = seize(pid as u32).is_ok();
            // SAFETY: the child is ours, and nobody else waits for it.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, null_mut(), 0);
            }
            works
        }
    }
}
