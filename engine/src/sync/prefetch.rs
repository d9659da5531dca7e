//! Reads files ahead: those of the next batch of workspaces on a thread, while the batch before is parsed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::discover::{Layout, Workspace, names};
use super::protocol::Skipped;
use super::strategy::Prefetch;

/// Files that have been read ahead.
#[derive(Default)]
pub struct Prefetcher {
    held: BTreeMap<PathBuf, Vec<u8>>,
    next: Option<JoinHandle<BTreeMap<PathBuf, Vec<u8>>>>,
}

impl Prefetcher {
    /// Called before workspace `at` is parsed. At the start of a batch it takes what has been read for it, and begins to
    /// read the batch after.
    pub fn advance(&mut self, prefetch: Prefetch, home: &Path, workspaces: &[Workspace], at: usize) {
        let Prefetch::Batches { workspaces: batch, .. } = prefetch else {
            return;
        };
        if !at.is_multiple_of(batch) {
            return;
        }
        self.held = match self.next.take() {
            // A reader that died has read nothing ahead; the parse then reads the files itself.
            Some(thread) => thread.join().unwrap_or_default(),
            None => read(prefetch, paths(home, workspaces, at, batch)),
        };
        if at + batch < workspaces.len() {
            let paths = paths(home, workspaces, at + batch, batch);
            self.next = Some(std::thread::spawn(move || read(prefetch, paths)));
        }
    }

    /// A file's content, if it has been read; it is given up.
    pub fn take(&mut self, path: &Path) -> Option<Vec<u8>> {
        self.held.remove(path)
    }
}

fn paths(home: &Path, workspaces: &[Workspace], at: usize, batch: usize) -> Vec<PathBuf> {
    let end = (at + batch).min(workspaces.len());
    let mut paths = Vec::new();
    for workspace in workspaces[at..end].iter().filter(|workspace| workspace.root.layout == Layout::VsCode) {
        let path = workspace.path(home);
        for (directory, file) in [("chatSessions", ""), ("chatEditingSessions", "state.json")] {
            let directory = path.join(directory);
            let names = names(&directory, "", &mut Skipped::default());
            paths.extend(names.iter().map(|name| match file {
                "" => directory.join(&**name),
                file => directory.join(&**name).join(file),
            }));
        }
    }
    paths
}

fn read(prefetch: Prefetch, paths: Vec<PathBuf>) -> BTreeMap<PathBuf, Vec<u8>> {
    let Prefetch::Batches { files, bytes, file_bytes, .. } = prefetch else {
        return BTreeMap::new();
    };
    let mut held = BTreeMap::new();
    let mut sum = 0;
    for path in paths {
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        if held.len() >= files || sum + metadata.len() > bytes {
            break;
        }
        if !metadata.is_file() || metadata.len() > file_bytes {
            continue;
        }
        if let Ok(content) = std::fs::read(&path) {
            sum += content.len() as u64;
            held.insert(path, content);
        }
    }
    held
}
