//! By what a workspace is seen to have changed since it was cached.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::discover::{Layout, Workspace, names};
use super::protocol::Skipped;
use super::strategy::FingerprintKind;
use crate::checksum::Checksum;

/// Subagents of subagents are followed this far down.
pub const DEPTH_MAX: usize = 16;

/// 64 bits that change when the workspace does; none when this kind of fingerprint does not look at such a workspace.
pub fn fingerprint(kind: FingerprintKind, home: &Path, workspace: &Workspace) -> Option<u64> {
    let mut checksum = Checksum::new();
    let path = workspace.path(home);
    match (kind, workspace.root.layout) {
        (FingerprintKind::Directories, Layout::VsCode) => {
            for directory in ["chatSessions", "chatEditingSessions"] {
                let directory = path.join(directory);
                let count = names(&directory, "", &mut Skipped::default()).len();
                let time = std::fs::metadata(&directory).map_or(0, |metadata| modified(&metadata));
                checksum.add_number(count as u64);
                checksum.add_number(time);
            }
        }
        (FingerprintKind::Directories, _) => return None,
        (FingerprintKind::Files, _) => files(&mut checksum, &path, DEPTH_MAX),
    }
    Some(checksum.value())
}

fn modified(metadata: &Metadata) -> u64 {
    let time = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    // 64 bits of nanoseconds last until the year 2554.
    time.map_or(0, |time| time.as_nanos() as u64)
}

fn files(checksum: &mut Checksum, directory: &Path, depth: usize) {
    for name in names(directory, "", &mut Skipped::default()) {
        let path = directory.join(&*name);
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        checksum.add_number(name.len() as u64);
        checksum.add(name.as_bytes());
        if metadata.is_dir() {
            // An end mark, so that moving a file out of a directory shows.
            if depth > 0 && !path.is_symlink() {
                files(checksum, &path, depth - 1);
            }
            checksum.add(&[0xFF]);
        } else {
            checksum.add_number(metadata.len());
            checksum.add_number(modified(&metadata));
        }
    }
}

/// One fingerprint of all workspaces together.
pub fn combined(workspaces: &[Workspace], prints: &[Option<u64>]) -> u64 {
    let mut checksum = Checksum::new();
    for (workspace, print) in workspaces.iter().zip(prints) {
        checksum.add(workspace.root.path.as_bytes());
        checksum.add(workspace.name.as_bytes());
        checksum.add_number(print.unwrap_or(0));
    }
    checksum.value()
}

/// When anything in a workspace last changed, ns since 1970.
pub fn newest(home: &Path, workspace: &Workspace) -> u64 {
    fn below(path: &Path, depth: usize) -> u64 {
        let Ok(metadata) = std::fs::metadata(path) else {
            return u64::MAX;
        };
        let own = modified(&metadata);
        if !metadata.is_dir() || depth == 0 {
            return own;
        }
        let names = names(path, "", &mut Skipped::default());
        names.iter().map(|name| below(&path.join(&**name), depth - 1)).fold(own, u64::max)
    }
    below(&workspace.path(home), DEPTH_MAX)
}
