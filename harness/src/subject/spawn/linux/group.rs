//! A control group of the tree's own, where one can be made: the kernel's count of its memory, with page cache and kernel memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

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
        parents(&groups, &mounts).into_iter().find_map(|parent| Group::below(&parent, &name))
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

/// The directories of our own groups that may have a memory controller, version 2 first.
fn parents(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut parents = Vec::new();
    for (kind, controller) in [("cgroup2", ""), ("cgroup", "memory")] {
        let own = groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|name| name == controller).then_some(path)
        });
        let Some(own) = own else { continue };
        parents.extend(mounts.lines().filter_map(|line| mounted(line, kind, controller, own)));
    }
    parents
}

/// Where a group lies by a line of mountinfo, when that is a mount of its kind and holds it.
fn mounted(line: &str, kind: &str, controller: &str, own: &str) -> Option<PathBuf> {
    let (fields, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    let fits = system.next() == Some(kind)
        && system.next_back().is_some_and(|options| {
            controller.is_empty() || options.split(',').any(|option| option == controller)
        });
    let mut fields = fields.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let below = own.strip_prefix(root.trim_end_matches('/'))?;
    fits.then(|| Path::new(point).join(below.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_both_versions_are_found() {
        let groups = "4:cpu,memory:/a/b\n1:cpu:/\n0::/user.slice\n";
        let mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      37 31 0:34 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        let expected = ["/sys/fs/cgroup/unified/user.slice", "/sys/fs/cgroup/memory/a/b"].map(PathBuf::from);
        assert_eq!(parents(groups, mounts), expected);
    }

    #[test]
    fn a_mount_that_does_not_hold_our_group_is_none() {
        assert_eq!(mounted("1 1 0:1 /other /mnt rw - cgroup2 cgroup2 rw", "cgroup2", "", "/own"), None);
        assert_eq!(
            mounted("1 1 0:1 /own /mnt rw - cgroup2 cgroup2 rw", "cgroup2", "", "/own/x"),
            Some(PathBuf::from("/mnt/x"))
        );
    }
}
