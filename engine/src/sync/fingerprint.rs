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
        (FingerprintKind::Files, _) => {
            let mut entries = Entries::default();
            sources(home, workspace, &mut |path, metadata| {
                entries.add(path.strip_prefix(home).unwrap_or(path), metadata);
            });
            checksum.add_number(entries.count);
            checksum.add_number(entries.sum);
        }
    }
    Some(checksum.value())
}

/// The state of files and folders that are seen in any order: sorting them would take all of their names at once, and a session can have
/// a million parts.
#[derive(Default)]
struct Entries {
    count: u64,
    /// Of the checksums of each. Equal ones do not cancel each other out, and each covers its whole path, so that a move shows.
    sum: u64,
}

impl Entries {
    fn add(&mut self, path: &Path, metadata: &Metadata) {
        let mut checksum = Checksum::new();
        checksum.add(path.as_os_str().as_encoded_bytes());
        // No path has this byte.
        checksum.add(&[0, u8::from(metadata.is_dir())]);
        if !metadata.is_dir() {
            checksum.add_number(metadata.len());
            checksum.add_number(modified(metadata));
        }
        self.count += 1;
        self.sum = self.sum.wrapping_add(checksum.value());
    }
}

/// Shows everything that the answer of a workspace depends on, in any order, where that is not simply all that stands below its directory.
fn sources(home: &Path, workspace: &Workspace, see: &mut See<'_>) {
    let path = workspace.path(home);
    match workspace.root.layout {
        Layout::VsCode | Layout::CopilotCli | Layout::Claude => {}
        // The directories of days below it are workspaces of their own.
        Layout::Codex => listed(&path, see, &mut |_, _| {}),
        Layout::Gemini => listed(&path.join("chats"), see, &mut |_, _| {}),
        Layout::Tree => {
            let storage = workspace.storage(home);
            listed(&path, see, &mut |session, see| {
                let Some(session) = record_id(session) else { return };
                listed(&storage.join("message").join(session), see, &mut |message, see| {
                    let Some(message) = record_id(message) else { return };
                    listed(&storage.join("part").join(message), see, &mut |_, _| {});
                });
            });
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

/// Is shown a file or folder.
type See<'a> = dyn FnMut(&Path, &Metadata) + 'a;

/// Shows a directory and the regular files in it, and gives the name of everything there, one at a time and as the system has them.
fn listed(directory: &Path, see: &mut See<'_>, name: &mut dyn FnMut(&str, &mut See<'_>)) {
    let Ok(metadata) = std::fs::metadata(directory) else { return };
    see(directory, &metadata);
    // What cannot be listed is named when it is read.
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        // A name that is no UTF-8 is refused.
        let Some(file_name) = file_name.to_str() else { continue };
        let path = entry.path();
        if let Ok(metadata) = std::fs::metadata(&path)
            && metadata.is_file()
        {
            see(&path, &metadata);
        }
        name(file_name, see);
    }
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
