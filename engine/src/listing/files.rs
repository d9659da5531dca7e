//! The session files below a home, and by what a file is told from what it was.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where Claude Code keeps its sessions, below a home: a directory for each working directory, a file for each session.
const PROJECTS: &str = ".claude/projects";

/// What a file was when it was looked at. Two files that are equal in all of this, and were looked at when they had been at rest
/// for a while, have the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its device.
    pub device: u64,
    /// Its number there; another file gets it when this one is gone.
    pub inode: u64,
    /// Its size.
    pub bytes: u64,
    /// When it was written last, ns since 1970; whoever owns the file can set it.
    pub modified_ns: i64,
    /// When anything of it was changed last, ns since 1970: nobody can set that. Where the system does not tell, when it was made.
    pub changed_ns: i64,
}

impl Stamp {
    /// Of a file's metadata.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Of a file's metadata. There is no identity to be had without opening the file.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: 0,
            inode: 0,
            bytes: metadata.len(),
            modified_ns: metadata.modified().map_or(0, ns_of),
            changed_ns: metadata.created().map_or(0, ns_of),
        }
    }

    /// Of a file, as it is now.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn now(path: &Path) -> io::Result<Stamp> {
        Ok(Stamp::of(&fs::metadata(path)?))
    }

    /// When it was touched last: by what nobody can set, where the system tells that.
    pub fn touched_ns(&self) -> i64 {
        if cfg!(unix) { self.changed_ns } else { self.modified_ns.max(self.changed_ns) }
    }

    /// Its time of modification in whole ms, as the real service has it.
    pub fn modified_ms(&self) -> i64 {
        self.modified_ns.div_euclid(1_000_000)
    }
}

/// A time as ns since 1970.
pub(crate) fn ns_of(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

/// What could not be used, counted, and the first of it named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unusable {
    /// Files and directories.
    pub count: u64,
    /// The first, and why.
    pub first: Option<String>,
}

impl Unusable {
    /// Counts one.
    pub fn add(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(format!("{}: {why}", path.display()));
        }
    }
}

/// Directories that could not be read to their end: what was in them may still be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// That of all projects is one of them.
    pub everything: bool,
    /// Names of the projects.
    pub projects: Vec<String>,
}

impl Missed {
    /// Whether files of a project may have been missed.
    pub fn may_have(&self, project: &str) -> bool {
        self.everything || self.projects.iter().any(|missed| missed == project)
    }
}

/// The session files below a home.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// Below a home directory.
    pub fn new(home: &Path) -> Root {
        Root { path: home.join(PROJECTS) }
    }

    /// The directory of the projects.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a session of a project.
    pub fn file(&self, project: &str, id: &str) -> PathBuf {
        self.path.join(project).join(format!("{id}.jsonl"))
    }

    /// Visits every session file in the order of the file system: project, id, and what it is now. Nothing is allocated for a file that
    /// is not kept by `visit`. Gives what could not be looked into.
    pub fn visit(&self, unusable: &mut Unusable, mut visit: impl FnMut(&str, &str, Stamp)) -> Missed {
        let mut missed = Missed::default();
        let projects = match fs::read_dir(&self.path) {
            Ok(projects) => projects,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return missed,
            Err(error) => {
                unusable.add(&self.path, &error);
                return Missed { everything: true, ..missed };
            }
        };
        for project in projects {
            let Some(project) = usable(project, &self.path, unusable) else {
                missed.everything = true;
                continue;
            };
            let name = project.file_name();
            let Some(name) = name.to_str() else {
                unusable.add(&project.path(), &"its name is no text");
                continue;
            };
            match fs::read_dir(project.path()) {
                Ok(files) => {
                    if !visit_files(files, name, &project.path(), unusable, &mut visit) {
                        missed.projects.push(name.to_owned());
                    }
                }
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotADirectory | io::ErrorKind::NotFound) => {}
                Err(error) => {
                    unusable.add(&project.path(), &error);
                    missed.projects.push(name.to_owned());
                }
            }
        }
        missed
    }

    /// The files of a session: one, unless a session was copied to another project by hand.
    pub fn find(&self, id: &str) -> Vec<PathBuf> {
        let name = format!("{id}.jsonl");
        let projects = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let paths = projects.map(|project| project.path().join(&name));
        paths.filter(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())).collect()
    }
}

fn usable<T>(entry: io::Result<T>, directory: &Path, unusable: &mut Unusable) -> Option<T> {
    entry.map_err(|error| unusable.add(directory, &error)).ok()
}

/// Visits the files of a project; whether all could be.
fn visit_files(
    files: fs::ReadDir,
    project: &str,
    directory: &Path,
    unusable: &mut Unusable,
    visit: &mut impl FnMut(&str, &str, Stamp),
) -> bool {
    let mut is_whole = true;
    for file in files {
        let Some(file) = usable(file, directory, unusable) else {
            is_whole = false;
            continue;
        };
        let name = file.file_name();
        let Some(name) = name.to_str() else {
            unusable.add(&file.path(), &"its name is no text");
            continue;
        };
        let Some(id) = name.strip_suffix(".jsonl") else { continue };
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => visit(project, id, Stamp::of(&metadata)),
            // It went while the directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => unusable.add(&file.path(), &"it is no regular file"),
            Err(error) => {
                unusable.add(&file.path(), &error);
                is_whole = false;
            }
        }
    }
    is_whole
}

/// Whether a text can be the id of a session: it becomes a file's name, so it has no separator, no dot, and 128 bytes at most.
pub fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}
