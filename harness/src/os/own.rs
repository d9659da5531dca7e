//! What a program does for its own record: something at its end, and a line on a descriptor that it was given.
#![expect(
    unsafe_code,
    reason = "the C library's exit handlers, and descriptors that are known by number only"
)]

use std::io;

/// Has `handler` called when this process ends: when `main` returns, also after a panic, and by `std::process::exit` (on Windows
/// not by that). It is not called when a signal or `abort` ends the process.
pub(crate) fn at_exit(handler: extern "C" fn()) -> io::Result<()> {
    // SAFETY: the handler is a function of this program, so it exists until the process ends, and it does not unwind, since a panic
    // in an `extern "C"` function aborts.
    match unsafe { libc::atexit(handler) } {
        0 => Ok(()),
        _ => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

/// Whether `descriptor` is open and a pipe. A program in between may have closed the pipe that the environment names, and another file
/// may have its number since.
#[cfg(unix)]
pub(crate) fn is_pipe(descriptor: i32) -> bool {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is valid for one stat, which the kernel fills; a descriptor that is not open is an error.
    if unsafe { libc::fstat(descriptor, status.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so the struct is filled.
    let mode = unsafe { status.assume_init_ref() }.st_mode;
    mode & libc::S_IFMT == libc::S_IFIFO
}

/// Writes parts to a pipe as one piece, without allocating. A pipe that nobody reads any more loses them.
#[cfg(unix)]
pub(crate) fn write_pipe(descriptor: i32, parts: [&str; 3]) {
    let parts =
        parts.map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    // SAFETY: each part is valid for its length and is only read; short writes to a pipe are whole.
    unsafe { libc::writev(descriptor, parts.as_ptr(), parts.len() as libc::c_int) };
}

/// There are no such descriptors here.
#[cfg(not(unix))]
pub(crate) fn is_pipe(_descriptor: i32) -> bool {
    false
}

/// There are no such descriptors here.
#[cfg(not(unix))]
pub(crate) fn write_pipe(_descriptor: i32, _parts: [&str; 3]) {}
