//! A control group of the tree's own, where one can be made: the kernel's count of its memory, with page cache and kernel memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::os::cgroup;

/// Times that the removal of a group is tried, a millisecond apart: it is taken until the last process is gone.
const REMOVALS: u32 = 100;

/// A group that was made for one tree; removed when dropped.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    peak: PathBuf,
}

impl Group {
    /// Makes a group below our own; None where that is not possible, which is usual without rights.
    pub(super) fn new() -> Option<Group> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let name = format!("highwater-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let places = cgroup::places(&groups, &mounts, "memory");
        places.iter().find_map(|place| Group::below(&place.own, &name))
    }

    fn below(parent: &Path, name: &str) -> Option<Group> {
        let path = parent.join(name);
        remove_left_behind(parent);
        fs::create_dir(&path).ok()?;
        // Version 2 has the one, version 1 the other; neither is there where the memory controller is not.
        let peaks = ["memory.peak", "memory.max_usage_in_bytes"].map(|file| path.join(file));
        match peaks.into_iter().find(|peak| peak.exists()) {
            Some(peak) => Some(Group { path, peak }),
            None => {
                // Nobody has gone into it yet.
                let _ = fs::remove_dir(&path);
                None
            }
        }
    }

    /// Puts a process into the group, and with it all that will come from it.
    pub(super) fn place(&self, pid: u32) -> bool {
        fs::write(self.path.join("cgroup.procs"), pid.to_string()).is_ok()
    }

    /// The peak of the group so far, in bytes.
    pub(super) fn peak_bytes(&self) -> Option<u64> {
        fs::read_to_string(&self.peak).ok()?.trim().parse().ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => return,
            }
        }
    }
}

/// Removes the groups of processes that were killed before they could do so themselves.
fn remove_left_behind(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix("highwater-")?.split('-').next());
        let is_left = owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if is_left {
            // One that still has members stays.
            let _ = fs::remove_dir(entry.path());
        }
    }
}
