//! Control groups: where our own lie, and what they limit.

use std::fs;
use std::path::{Path, PathBuf};

/// The directory of one of our own groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where its hierarchy is mounted.
    pub(crate) mount: PathBuf,
    /// The group itself, at the mount or below.
    pub(crate) own: PathBuf,
}

/// Our own groups that may have a controller, version 2 first: from the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
pub(crate) fn places(groups: &str, mounts: &str, controller: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for (kind, controller) in [("cgroup2", ""), ("cgroup", controller)] {
        let own = groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|name| name == controller).then_some(path)
        });
        let Some(own) = own else { continue };
        places.extend(mounts.lines().filter_map(|line| mounted(line, kind, controller, own)));
    }
    places
}

/// Where a group lies by a line of mountinfo, when that is a mount of its kind and holds it.
fn mounted(line: &str, kind: &str, controller: &str, own: &str) -> Option<Place> {
    let (fields, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    let fits = system.next() == Some(kind)
        && system.next_back().is_some_and(|options| {
            controller.is_empty() || options.split(',').any(|option| option == controller)
        });
    let mut fields = fields.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let below = Path::new(own).strip_prefix(root).ok()?;
    fits.then(|| Place { mount: point.into(), own: Path::new(point).join(below) })
}

/// What our groups and those above them allow; None where nothing is limited.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Limits {
    /// Most bytes of memory.
    pub(crate) memory_bytes: Option<u64>,
    /// Processor time per time, in cores.
    pub(crate) cpu_cores: Option<f64>,
}

/// The limits of the calling process.
pub(crate) fn limits() -> Limits {
    let text = |path: &Path| fs::read_to_string(path).ok();
    let groups = text(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mounts = text(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    limits_of(&groups, &mounts, text)
}

/// The smallest limits of all groups from our own up to the mount, whose files `read` gives.
fn limits_of(groups: &str, mounts: &str, read: impl Fn(&Path) -> Option<String>) -> Limits {
    let memory = upwards(&places(groups, mounts, "memory"))
        .flat_map(|dir| {
            // Version 2 has the one, version 1 the other.
            ["memory.max", "memory.limit_in_bytes"].map(|file| memory_bytes(&read(&dir.join(file))?))
        })
        .flatten()
        .min();
    let cpu = upwards(&places(groups, mounts, "cpu"))
        .flat_map(|dir| {
            let quota = || cores(&read(&dir.join("cpu.max"))?);
            let older = || {
                let [quota, period] =
                    ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map(|file| read(&dir.join(file)));
                cores(&format!("{} {}", quota?.trim(), period?.trim()))
            };
            [quota(), older()]
        })
        .flatten()
        .min_by(f64::total_cmp);
    Limits { memory_bytes: memory, cpu_cores: cpu }
}

/// The groups and those above them, as far as they are mounted.
fn upwards(places: &[Place]) -> impl Iterator<Item = &Path> {
    places.iter().flat_map(|place| place.own.ancestors().take_while(|dir| dir.starts_with(&place.mount)))
}

/// Version 1 says "no limit" by the largest number of whole pages; no machine has as much.
const UNLIMITED_BYTES: u64 = 1 << 62;

/// The limit in `memory.max` or `memory.limit_in_bytes`.
fn memory_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|&bytes| bytes < UNLIMITED_BYTES)
}

/// The limit in `cpu.max`: a quota of processor time for each period, both in microseconds. Version 1 says "no limit" by -1, version 2 by
/// `max`.
fn cores(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(places: &[Place]) -> Vec<&str> {
        places.iter().map(|place| place.own.to_str().unwrap()).collect()
    }

    #[test]
    fn groups_of_both_versions_are_found() {
        let groups = "4:cpu,memory:/a/b\n1:cpu:/\n0::/user.slice\n";
        let mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      37 31 0:34 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        let places = places(groups, mounts, "memory");
        assert_eq!(paths(&places), ["/sys/fs/cgroup/unified/user.slice", "/sys/fs/cgroup/memory/a/b"]);
        assert_eq!(places[1].mount, Path::new("/sys/fs/cgroup/memory"));
    }

    #[test]
    fn a_mount_that_does_not_hold_our_group_is_none() {
        let at = |root: &str, own: &str| {
            let line = format!("1 1 0:1 {root} /mnt rw - cgroup2 cgroup2 rw");
            mounted(&line, "cgroup2", "", own).map(|place| place.own)
        };
        assert_eq!(at("/other", "/own"), None);
        assert_eq!(at("/own", "/owner"), None);
        assert_eq!(at("/own", "/own/x"), Some("/mnt/x".into()));
        assert_eq!(at("/own", "/own"), Some("/mnt".into()));
    }

    /// The limits where these files are all there is.
    fn limits_in(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Limits {
        limits_of(groups, mounts, |path| {
            let file = files.iter().find(|(known, _)| Path::new(known) == path)?;
            Some(file.1.to_owned())
        })
    }

    const VERSION_2: &str = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_smallest_limit_up_to_the_root_holds() {
        let files = [
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "536870912\n"),
            ("/sys/fs/cgroup/memory.max", "1073741824\n"),
            ("/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"),
            ("/sys/fs/cgroup/a/cpu.max", "max 100000\n"),
            // Above the mount is nothing of ours.
            ("/sys/fs/memory.max", "1\n"),
        ];
        let limits = limits_in("0::/a/b\n", VERSION_2, &files);
        assert_eq!(limits, Limits { memory_bytes: Some(536_870_912), cpu_cores: Some(1.5) });
    }

    #[test]
    fn version_1_limits_as_well() {
        let groups = "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/\n";
        let mounts = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let files = [
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ];
        let limits = limits_in(groups, mounts, &files);
        assert_eq!(limits, Limits { memory_bytes: Some(2 << 30), cpu_cores: Some(0.5) });
    }

    #[test]
    fn no_limit_is_none_in_either_version() {
        assert_eq!(memory_bytes("max\n"), None);
        assert_eq!(memory_bytes("9223372036854771712\n"), None);
        assert_eq!(cores("max 100000\n"), None);
        assert_eq!(cores("-1 100000"), None);
        assert_eq!(cores("100000 0"), None);
        assert_eq!(limits_in("0::/\n", VERSION_2, &[]), Limits::default());
        assert_eq!(limits_in("", "", &[]), Limits::default());
    }
}
