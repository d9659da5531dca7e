//! What resident memory is made of, as far as a process can tell of itself without cost: its stack, and its allocator's share.

use std::fs;

use crate::os::page_bytes;

/// Pages that one call is asked about.
const PAGES_AT_ONCE: usize = 4096;

/// The main thread's stack. It grows downwards from an end that never moves.
#[derive(Debug)]
pub(super) struct Stack {
    end: u64,
    page_bytes: u64,
}

impl Stack {
    /// Finds where it ends; None where `/proc` does not tell.
    pub(super) fn find() -> Option<Stack> {
        let page_bytes = page_bytes();
        let end = end_of_stack(&fs::read_to_string("/proc/self/maps").ok()?)?;
        (page_bytes > 0).then_some(Stack { end, page_bytes })
    }

    /// Bytes of it that are resident, when it has `bytes` (`VmStk`). The kernel's `smaps` tells the same, but walks all memory for it: as
    /// long as the process is large.
    pub(super) fn resident(&self, bytes: u64) -> Option<u64> {
        let mut pages = bytes / self.page_bytes;
        let mut start = self.end.checked_sub(pages * self.page_bytes)?;
        let mut states = [0_u8; PAGES_AT_ONCE];
        let mut resident = 0;
        while pages > 0 {
            let asked = pages.min(PAGES_AT_ONCE as u64);
            // SAFETY: the kernel only looks at the address range, and fills one byte for each of its pages; there is room for as many.
            let answer = unsafe {
                libc::mincore(
                    start as *mut libc::c_void,
                    (asked * self.page_bytes) as usize,
                    states.as_mut_ptr(),
                )
            };
            if answer != 0 {
                return None;
            }
            resident += states[..asked as usize].iter().filter(|&state| state & 1 == 1).count() as u64;
            start += asked * self.page_bytes;
            pages -= asked;
        }
        Some(resident * self.page_bytes)
    }
}

/// The end of the mapping `[stack]` by the text of `/proc/PID/maps`.
fn end_of_stack(maps: &str) -> Option<u64> {
    let line = maps.lines().find(|line| line.ends_with("[stack]"))?;
    let (_, end) = line.split(' ').next()?.split_once('-')?;
    u64::from_str_radix(end, 16).ok()
}

/// `mallinfo2` of the C library, where it has one: glibc from 2.33 on. Looked up when the program runs, so that it also starts with an
/// older one.
#[cfg(target_env = "gnu")]
#[derive(Debug)]
pub(super) struct MallInfo {
    tell: unsafe extern "C" fn() -> libc::mallinfo2,
}

#[cfg(target_env = "gnu")]
impl MallInfo {
    pub(super) fn find() -> Option<MallInfo> {
        // SAFETY: the name ends in NUL.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
        if found.is_null() {
            return None;
        }
        // SAFETY: the symbol of this name is glibc's function, which takes nothing and returns this struct.
        let tell = unsafe {
            std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn() -> libc::mallinfo2>(found)
        };
        Some(MallInfo { tell })
    }

    /// Bytes that it has from the system: its arenas, and the blocks that are mapped one by one.
    pub(super) fn held_bytes(&self) -> u64 {
        // SAFETY: the function takes its own locks and changes nothing.
        let info = unsafe { (self.tell)() };
        (info.arena + info.hblkhd) as u64
    }
}

/// Another C library has none.
#[cfg(not(target_env = "gnu"))]
#[derive(Debug)]
pub(super) enum MallInfo {}

#[cfg(not(target_env = "gnu"))]
impl MallInfo {
    pub(super) fn find() -> Option<MallInfo> {
        None
    }

    pub(super) fn held_bytes(&self) -> u64 {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_ends_where_its_mapping_does() {
        let maps = "7f00-7f01 r-xp 00000000 00:00 0   /lib/x.so\n\
                    7ffc8030d000-7ffc8032e000 rw-p 00000000 00:00 0                          [stack]\n";
        assert_eq!(end_of_stack(maps), Some(0x7ffc_8032_e000));
        assert_eq!(end_of_stack("7f00-7f01 r-xp 00000000 00:00 0   /lib/x.so\n"), None);
    }

    #[test]
    fn a_range_that_is_not_mapped_is_none() {
        let page_bytes = page_bytes();
        assert_eq!(Stack { end: page_bytes * 16, page_bytes }.resident(page_bytes * 16), None);
    }
}
