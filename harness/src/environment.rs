//! Where a measurement takes place, as far as memory figures depend on it.

use std::fs;

use crate::os;
use crate::record::Environment;

/// What only the build of the measured program knows; its build script passes it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// Version of the compiler.
    pub toolchain: String,
    /// Target triple.
    pub target: String,
    /// Digest of `Cargo.lock`.
    pub lockfile: String,
    /// Build profile, `release` or `debug`.
    pub profile: String,
}

/// The present environment. What cannot be found is empty or zero.
pub fn collect(build: Build) -> Environment {
    let (memory_limit_bytes, cpu_limit_cores) = os::container_limits();
    Environment {
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        kernel: os::kernel_release(),
        cpu: processor(),
        cores: std::thread::available_parallelism().map_or(0, |cores| cores.get() as u32),
        memory_bytes: os::memory_bytes(),
        allocator: os::allocator(),
        toolchain: build.toolchain,
        target: build.target,
        lockfile: build.lockfile,
        profile: build.profile,
        page_bytes: os::page_bytes(),
        huge_pages: huge_pages(),
        memory_limit_bytes,
        cpu_limit_cores,
    }
}

/// The first model name of `/proc/cpuinfo`, however the architecture calls it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |name: &str| {
        let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    ["model name", "Model", "uarch", "CPU part"].into_iter().find_map(named).unwrap_or_default()
}

/// The chosen one of `always [madvise] never`.
fn huge_pages() -> String {
    let text = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    chosen.map_or_else(String::new, |(chosen, _)| chosen.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_this_machine() {
        let environment = collect(Build { toolchain: "1.88.0".into(), ..Build::default() });
        assert_eq!(environment.toolchain, "1.88.0");
        assert!(environment.cores > 0);
        if cfg!(target_os = "linux") {
            assert!(environment.memory_bytes > 0 && environment.page_bytes >= 4096, "{environment:?}");
            assert!(!environment.kernel.is_empty());
        }
    }
}
