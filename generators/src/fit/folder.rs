//! Directories, without following links out of them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// The deepest directory that is looked into: real histories have half as many levels.
const LEVELS_MAX: usize = 24;

/// What stands in a directory: its directories and its regular files, each by name. Links and other things are passed over.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) directories: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// Lists a directory; one that is not there is empty.
pub(super) fn list(path: &Path) -> Result<Folder, Error> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Folder::default());
        }
        Err(error) => return Err(Error::io("list", path)(error)),
    };
    let mut folder = Folder::default();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", path))?;
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            folder.directories.push(entry.path());
        } else if kind.is_file() {
            folder.files.push(entry.path());
        }
    }
    folder.directories.sort_unstable();
    folder.files.sort_unstable();
    Ok(folder)
}

/// Tells the size of every regular file below a directory.
pub(super) fn measure(path: &Path, tell: &mut dyn FnMut(u64)) -> Result<(), Error> {
    visit(path, LEVELS_MAX, &mut |file| tell(fs::metadata(file).map_or(0, |metadata| metadata.len())))
}

/// Visits every regular file below a directory, by name.
pub(super) fn visit(path: &Path, levels: usize, tell: &mut dyn FnMut(&Path)) -> Result<(), Error> {
    let Some(levels) = levels.checked_sub(1) else { return Ok(()) };
    let folder = list(path)?;
    folder.files.iter().for_each(|file| tell(file));
    folder.directories.iter().try_for_each(|directory| visit(directory, levels, tell))
}

/// All regular files below a directory, by name.
pub(super) fn files_below(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    visit(path, LEVELS_MAX, &mut |file| files.push(file.to_path_buf()))?;
    Ok(files)
}

/// Whether a file's name ends in this.
pub(super) fn ends(path: &Path, ending: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(ending))
}

/// Whether a file's name begins with this.
pub(super) fn begins(path: &Path, beginning: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(beginning))
}
