//! Notes at build time what the run's record says of the build: compiler, target, lock file, commit.

use std::path::Path;
use std::process::Command;

fn main() {
    let root = Path::new("..");
    println!("cargo:rerun-if-changed=../Cargo.lock");
    let toolchain = output(Command::new(variable("RUSTC")).arg("--version")).unwrap_or_default();
    let lockfile = std::fs::read(root.join("Cargo.lock")).unwrap_or_default();
    set("TOOLCHAIN", toolchain.trim());
    set("TARGET", &variable("TARGET"));
    set("PROFILE", &variable("PROFILE"));
    set("LOCKFILE", &format!("{:016x}", fnv(&lockfile)));
    commit(root);
}

/// The commit, and whether the checkout differs from it; empty when this is no checkout.
fn commit(root: &Path) {
    for file in ["HEAD", "index"] {
        let path = root.join(".git").join(file);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    let git = |arguments: &[&str]| output(Command::new("git").arg("-C").arg(root).args(arguments));
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_default();
    let tag = git(&["describe", "--tags", "--exact-match"]).unwrap_or_default();
    let dirty = git(&["status", "--porcelain"])
        .map_or("", |changes| if changes.trim().is_empty() { "no" } else { "yes" });
    set("COMMIT", commit.trim());
    set("TAG", tag.trim());
    set("DIRTY", dirty);
}

fn set(name: &str, value: &str) {
    println!("cargo:rustc-env=HIGHWATER_BUILD_{name}={value}");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// FNV-1a: enough to tell lock files apart, and needs no dependency at build time.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
