//! The session files below a home directory: which there are, and which have changed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::mem::size_of;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::event::Provider;
use super::read::{self, Resume};
use super::snapshot::Key;
use crate::checksum::Checksum;

/// Where the tools keep their sessions, below home.
const ROOTS: [&str; 3] = [".claude/projects", ".codex/sessions", ".gemini/tmp"];

/// Directories below directories that are followed.
const DEPTH_MAX: usize = 8;

/// Files and directories that one round of [`Files::look_around`] looks at. So its cost does not depend on how many there are; with a
/// round each five seconds, a thousand sessions are gone through in three minutes. What a watcher tells is not waited for.
const ROUND: usize = 32;

/// Bytes at the beginning of a file, and before the place where reading goes on, by which a rewritten file is told.
const ANCHOR_BYTES: u64 = 256;

/// A file as the file system described it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Bytes.
    pub(crate) len: u64,
    /// ns since 1970.
    modified: u64,
    /// What tells it from another file of the same name; 0 where the system has no such number.
    inode: u64,
}

impl Look {
    pub(crate) fn of(metadata: &fs::Metadata) -> Look {
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = since.map_or(0, |since| since.as_nanos() as u64);
        Look { len: metadata.len(), modified, inode: inode(metadata) }
    }

    /// ms since 1970.
    pub(crate) fn modified_ms(&self) -> i64 {
        (self.modified / 1_000_000) as i64
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// A session file.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path, from where the daemon was told its home is.
    pub(crate) path: Arc<Path>,
    /// Whose it is.
    pub(crate) provider: Provider,
    /// Its session, once that is known.
    pub(crate) session: Option<Key>,
    /// As it was when it was last read.
    pub(crate) look: Option<Look>,
    /// Where reading goes on.
    pub(crate) resume: Resume,
    /// Checksum of the bytes before that place, and of the first ones.
    pub(crate) anchor: u64,
}

impl File {
    pub(crate) fn new(path: Arc<Path>, provider: Provider) -> File {
        File { path, provider, session: None, look: None, resume: Resume::default(), anchor: 0 }
    }

    /// Whether the file still begins as when it was read last, so that reading can go on.
    pub(crate) fn goes_on(&self, opened: &mut fs::File, look: Look) -> io::Result<bool> {
        let before = self.look.filter(|_| self.provider != Provider::Gemini);
        let is_same = before.is_some_and(|before| before.inode == look.inode);
        Ok(is_same && self.resume.offset <= look.len && self.anchor == anchor(opened, self.resume.offset)?)
    }
}

/// Checksum of the beginning of a file and of what stands before an offset.
pub(crate) fn anchor(file: &mut fs::File, offset: u64) -> io::Result<u64> {
    let mut checksum = Checksum::new();
    let mut buffer = [0; ANCHOR_BYTES as usize];
    for from in [0, offset.saturating_sub(ANCHOR_BYTES)] {
        let part = &mut buffer[..(offset - from).min(ANCHOR_BYTES) as usize];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        checksum.add(part);
    }
    Ok(checksum.value())
}

/// A directory that may hold session files, or directories of them.
#[derive(Debug)]
struct Directory {
    path: Arc<Path>,
    depth: usize,
    /// As it was when it was last listed.
    look: Option<Look>,
    /// Whether it was listed once more since. What is made while a directory is listed may leave its time as it is.
    is_settled: bool,
}

/// Every session file below a home directory that is known.
#[derive(Debug)]
pub(crate) struct Files {
    home: Arc<Path>,
    directories: Vec<Directory>,
    files: Vec<Option<File>>,
    places: BTreeMap<Arc<Path>, usize>,
    free: Vec<usize>,
    /// Where the next round begins.
    next: usize,
    /// Directories and files that could not be looked at, and why, since this was last taken.
    pub(crate) unreadable: Vec<(Arc<Path>, io::Error)>,
    held: usize,
}

impl Files {
    pub(crate) fn below(home: &Path) -> Files {
        let root = |root: &&str| home.join(root).into();
        let directories: Vec<Directory> = ROOTS
            .iter()
            .map(|path| Directory { path: root(path), depth: 0, look: None, is_settled: false })
            .collect();
        Files {
            home: home.into(),
            directories,
            files: Vec::new(),
            places: BTreeMap::new(),
            free: Vec::new(),
            next: 0,
            unreadable: Vec::new(),
            held: 0,
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&File> {
        self.files.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut File> {
        self.files.get_mut(place)?.as_mut()
    }

    /// The place of a path, if it is one of a session file; a path that is not known is from now on.
    pub(crate) fn place(&mut self, path: &Path) -> Option<usize> {
        if let Some(place) = self.places.get(path) {
            return Some(*place);
        }
        let provider = read::provider_of(path.strip_prefix(&self.home).ok()?)?;
        let path: Arc<Path> = path.into();
        self.held += bytes_of(&path);
        let file = Some(File::new(Arc::clone(&path), provider));
        let place = self.free.pop().unwrap_or_else(|| {
            self.files.push(None);
            self.files.len() - 1
        });
        self.files[place] = file;
        self.places.insert(path, place);
        Some(place)
    }

    /// Forgets a file.
    pub(crate) fn remove(&mut self, place: usize) -> Option<File> {
        let file = self.files.get_mut(place)?.take()?;
        self.places.remove(&file.path);
        self.held -= bytes_of(&file.path);
        self.free.push(place);
        Some(file)
    }

    /// Looks at everything, and gives the places of what has changed.
    pub(crate) fn look_at_all(&mut self) -> Vec<usize> {
        let mut at = 0;
        while at < self.directories.len() {
            // Those that are found on the way come later.
            let directory = &mut self.directories[at];
            directory.look = fs::metadata(&directory.path).ok().map(|metadata| Look::of(&metadata));
            self.list(at);
            at += 1;
        }
        (0..self.files.len()).filter(|place| self.has_changed(*place)).collect()
    }

    /// Looks at the next few directories and files, and gives the places of what has changed.
    pub(crate) fn look_around(&mut self) -> Vec<usize> {
        let mut changed = Vec::new();
        for _ in 0..ROUND {
            let directories = self.directories.len();
            if self.next >= directories + self.files.len() {
                self.next = 0;
            }
            match self.next.checked_sub(directories) {
                Some(place) if self.has_changed(place) => changed.push(place),
                Some(_) => {}
                None => changed.extend(self.look_at_directory(self.next)),
            }
            self.next += 1;
        }
        changed
    }

    fn has_changed(&self, place: usize) -> bool {
        let Some(file) = self.files.get(place).and_then(Option::as_ref) else { return false };
        match fs::metadata(&file.path) {
            Ok(metadata) => file.look != Some(Look::of(&metadata)),
            Err(_) => true,
        }
    }

    /// Lists a directory if it has changed, and gives the places of the files that are new.
    fn look_at_directory(&mut self, at: usize) -> Vec<usize> {
        let directory = &mut self.directories[at];
        let Ok(metadata) = fs::metadata(&directory.path) else {
            // A root may come later.
            if directory.depth > 0 {
                self.directories.swap_remove(at);
            }
            return Vec::new();
        };
        let look = Some(Look::of(&metadata));
        if look == directory.look && directory.is_settled {
            return Vec::new();
        }
        directory.is_settled = look == directory.look;
        directory.look = look;
        self.list(at)
    }

    /// Takes note of everything in a directory that is not known, and gives the places of new files. Links are not followed: nothing
    /// outside of home is read.
    fn list(&mut self, at: usize) -> Vec<usize> {
        let (path, depth) = (Arc::clone(&self.directories[at].path), self.directories[at].depth);
        let mut names: Vec<(std::ffi::OsString, bool)> = Vec::new();
        let listed = fs::read_dir(&path).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() || kind.is_file() {
                    names.push((entry.file_name(), kind.is_dir()));
                }
            }
            Ok(())
        });
        if let Err(error) = listed
            && error.kind() != io::ErrorKind::NotFound
        {
            self.unreadable.push((Arc::clone(&path), error));
        }
        names.sort_unstable();
        let mut new = Vec::new();
        for (name, is_directory) in names {
            let below = path.join(name);
            if !is_directory {
                let is_known = self.places.contains_key(&*below);
                new.extend(self.place(&below).filter(|_| !is_known));
            } else if depth < DEPTH_MAX && !self.directories.iter().any(|known| *known.path == *below) {
                let path: Arc<Path> = below.into();
                self.directories.push(Directory { path, depth: depth + 1, look: None, is_settled: false });
            }
        }
        new
    }

    /// Bytes of its blocks on the heap, as far as they grow with the files.
    pub(crate) fn heap_bytes(&self) -> usize {
        let maps = self.places.len() * (size_of::<Arc<Path>>() + size_of::<usize>()) * 3 / 2;
        let lists = self.files.capacity() * size_of::<Option<File>>()
            + self.directories.capacity() * size_of::<Directory>();
        self.held + maps + lists
    }
}

fn bytes_of(path: &Arc<Path>) -> usize {
    2 * size_of::<usize>() + path.as_os_str().len()
}
