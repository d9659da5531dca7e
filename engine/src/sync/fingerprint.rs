//! By what a workspace is seen to have changed since it was cached.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::discover::{Layout, Workspace, names, record_id};
use super::protocol::Skipped;
use super::strategy::FingerprintKind;
use crate::checksum::Checksum;
use crate::formats::database::{journal, resolved};

/// Subagents of subagents are followed this far down.
pub const DEPTH_MAX: usize = 16;

/// The fingerprint of what is to be read again, whatever has changed: no state of the files has it but by accident.
pub const NO_STATE: u64 = u64::MAX;

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
        (FingerprintKind::Files, Layout::VsCode | Layout::CopilotCli | Layout::Claude) => {
            files(&mut checksum, &path, DEPTH_MAX);
        }
        (FingerprintKind::Files, _) => sources(home, workspace, &mut |path, metadata| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            checksum.add_number(name.len() as u64);
            checksum.add(name);
            if metadata.is_dir() {
                checksum.add(&[0xFF]);
            } else {
                checksum.add_number(metadata.len());
                checksum.add_number(modified(metadata));
            }
        }),
    }
    Some(checksum.value())
}

/// Shows everything that the answer of a workspace depends on, in order, where that is not simply all that stands below its directory.
fn sources(home: &Path, workspace: &Workspace, see: &mut dyn FnMut(&Path, &Metadata)) {
    let path = workspace.path(home);
    match workspace.root.layout {
        Layout::VsCode | Layout::CopilotCli | Layout::Claude => {}
        // The directories of days below it are workspaces of their own.
        Layout::Codex => drop(listed(&path, see)),
        Layout::Gemini => drop(listed(&path.join("chats"), see)),
        Layout::Tree => {
            let storage = workspace.storage(home);
            for session in listed(&path, see).iter().filter_map(|name| record_id(name)) {
                let messages = listed(&storage.join("message").join(session), see);
                for message in messages.iter().filter_map(|name| record_id(name)) {
                    listed(&storage.join("part").join(message), see);
                }
            }
        }
        Layout::Database => {
            // A link that leads nowhere has nothing beside it.
            let path = resolved(&path).unwrap_or(path);
            let journal = journal(&path);
            for path in [path, journal] {
                // An empty journal says no more than none.
                if let Ok(metadata) = std::fs::metadata(&path)
                    && metadata.len() > 0
                {
                    see(&path, &metadata);
                }
            }
        }
    }
}

/// Shows a directory and the regular files in it, and gives the names of everything there.
fn listed(directory: &Path, see: &mut dyn FnMut(&Path, &Metadata)) -> Vec<Box<str>> {
    let Ok(metadata) = std::fs::metadata(directory) else {
        return Vec::new();
    };
    see(directory, &metadata);
    let names = names(directory, "", &mut Skipped::default());
    for name in &names {
        let path = directory.join(&**name);
        if let Ok(metadata) = std::fs::metadata(&path)
            && metadata.is_file()
        {
            see(&path, &metadata);
        }
    }
    names
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
    match workspace.root.layout {
        Layout::VsCode | Layout::CopilotCli | Layout::Claude => below(&workspace.path(home), DEPTH_MAX),
        _ => {
            let mut newest = None;
            sources(home, workspace, &mut |_, metadata| newest = newest.max(Some(modified(metadata))));
            if workspace.root.layout == Layout::Tree {
                // Of a folder that is gone as a whole, only the time of the one in which it was is left.
                let storage = workspace.storage(home);
                let folders = ["message", "part"].map(|folder| storage.join(folder).metadata());
                newest = folders
                    .iter()
                    .flatten()
                    .map(|metadata| Some(modified(metadata)))
                    .fold(newest, Option::max);
            }
            newest.unwrap_or(u64::MAX)
        }
    }
}
