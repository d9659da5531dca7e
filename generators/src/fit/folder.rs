//! Directories, without following links out of them.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// The deepest directory that is looked into: real histories have half as many levels.
const LEVELS_MAX: usize = 24;

/// What was not read, and why.
pub(super) type Skipped = (PathBuf, String);

/// What can be read at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
}

/// What stands in a directory: its directories and its regular files, each by name.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) directories: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
    /// Links and what else is neither, and what the directory did not tell.
    pub(super) skipped: Vec<Skipped>,
}

/// What is at a path, without following a link there; nothing, where nothing is.
///
/// # Errors
/// The path and the reason why it is not read.
pub(super) fn kind(path: &Path) -> Result<Option<Kind>, Skipped> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => readable(metadata.file_type()).map(Some).map_err(|why| (path.to_owned(), why)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err((path.to_owned(), error.to_string())),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn readable(kind: FileType) -> Result<Kind, String> {
    match kind {
        _ if kind.is_symlink() => Err("a symbolic link, which is not followed".to_owned()),
        _ if kind.is_dir() => Ok(Kind::Directory),
        _ if kind.is_file() => Ok(Kind::File),
        _ => Err("neither a file nor a directory".to_owned()),
    }
}

/// Lists a directory; one that is not there is empty, and one that is a link is not followed.
pub(super) fn list(path: &Path) -> Folder {
    let mut folder = Folder::default();
    match kind(path) {
        Ok(Some(Kind::Directory)) => folder.fill(path),
        Ok(Some(Kind::File)) => folder.skip(path, "not a directory"),
        Ok(None) => {}
        Err(skipped) => folder.skipped.push(skipped),
    }
    folder.directories.sort_unstable();
    folder.files.sort_unstable();
    folder
}

impl Folder {
    fn fill(&mut self, path: &Path) {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            // It was removed a moment ago.
            Err(error) if is_absence(&error) => return,
            Err(error) => return self.skip(path, error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.skip(path, format!("not listed to its end: {error}")),
            };
            let kind = entry.file_type().map_err(|error| error.to_string());
            match kind.and_then(readable) {
                Ok(Kind::Directory) => self.directories.push(entry.path()),
                Ok(Kind::File) => self.files.push(entry.path()),
                Err(why) => self.skip(&entry.path(), why),
            }
        }
    }

    fn skip(&mut self, path: &Path, why: impl ToString) {
        self.skipped.push((path.to_owned(), why.to_string()));
    }
}

/// Tells the size of every regular file below a directory. What cannot be read has none.
pub(super) fn measure(path: &Path, tell: &mut dyn FnMut(u64)) {
    for file in below(path).files {
        tell(fs::symlink_metadata(file).map_or(0, |metadata| metadata.len()));
    }
}

/// All regular files below a directory, by name, and what was not read there.
pub(super) fn below(path: &Path) -> Folder {
    let mut all = Folder::default();
    visit(path, LEVELS_MAX, &mut all);
    all
}

fn visit(path: &Path, levels: usize, all: &mut Folder) {
    let Some(levels) = levels.checked_sub(1) else {
        return all.skip(path, format!("more than {LEVELS_MAX} directories deep"));
    };
    let folder = list(path);
    all.files.extend(folder.files);
    all.skipped.extend(folder.skipped);
    folder.directories.iter().for_each(|directory| visit(directory, levels, all));
}

/// Whether a file's name ends in this.
pub(super) fn ends(path: &Path, ending: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(ending))
}

/// Whether a file's name begins with this.
pub(super) fn begins(path: &Path, beginning: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(beginning))
}
