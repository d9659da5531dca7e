//! Whether a corpus's files are as they were written.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{MANIFEST, home};
use crate::Error;
use crate::manifest::{FileEntry, Manifest};
use crate::page::file_hasher;
use crate::special::Special;
use crate::write::{Observer, Progress};

/// How many damaged files an error names.
const NAMED_MAX: usize = 5;

/// What a file must be like.
#[derive(Clone, Copy)]
pub(crate) struct Listed<'a> {
    pub(crate) path: &'a str,
    pub(crate) digest: &'a str,
    /// What it is, when it is no regular file.
    pub(crate) kind: Option<&'a Special>,
}

pub(super) fn files_of<'a>(manifest: &'a Manifest) -> Vec<Listed<'a>> {
    let listed =
        |file: &'a FileEntry| Listed { path: &file.path, digest: &file.digest, kind: file.kind.as_ref() };
    manifest.files.iter().map(listed).collect()
}

/// Checks every file of a corpus against its manifest.
///
/// # Errors
/// [`Error::Damaged`] names missing, changed and extra files; [`Error::Manifest`] and [`Error::Io`] when there is nothing to check by.
pub fn verify(
    root: &Path,
    threads: usize,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Manifest, Error> {
    let manifest = Manifest::read(&root.join(MANIFEST))?;
    check(root, &files_of(&manifest), threads, &AtomicBool::new(false), progress)?;
    Ok(manifest)
}

/// Checks that below a corpus's home are these files, by path and digest and in order, and no others.
pub(crate) fn check(
    root: &Path,
    files: &[Listed<'_>],
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<(), Error> {
    let home = home(root);
    let next = AtomicUsize::new(0);
    let damage = Mutex::new(Vec::new());
    let work = || {
        let mut buffer = vec![0; 1 << 20];
        while let Some(listed) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if let Some(wrong) = check_file(&home, listed, &mut buffer, observer)
                && let Ok(mut damage) = damage.lock()
            {
                damage.push(format!("{} ({wrong})", listed.path));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Stopped { before: "all files were checked; nothing was changed" });
    }
    let mut damage = damage.into_inner().unwrap_or_default();
    walk(&home, &home, &mut |_, name| {
        if files.binary_search_by(|file| file.path.cmp(&name)).is_err() {
            damage.push(format!("{name} (extra)"));
        }
    })?;
    if damage.is_empty() {
        return Ok(());
    }
    damage.sort_unstable();
    let count = damage.len() as u64;
    damage.truncate(NAMED_MAX);
    Err(Error::Damaged { root: root.to_path_buf(), count, first: damage })
}

fn check_file(
    home: &Path,
    listed: &Listed<'_>,
    buffer: &mut [u8],
    observer: &Observer<'_>,
) -> Option<String> {
    let path = home.join(listed.path);
    if let Some(special) = listed.kind {
        return special.damage(&path);
    }
    // A pipe that took the file's place would be waited for, and a link leads to somebody else's.
    if fs::symlink_metadata(&path).is_ok_and(|meta| !meta.is_file()) {
        return Some("no longer a regular file".to_owned());
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("missing".to_owned()),
        Err(error) => return Some(error.to_string()),
    };
    let mut hasher = file_hasher();
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.write(&buffer[..count]);
                observer(Progress::Checked { bytes: count as u64 });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Some(error.to_string()),
        }
    }
    (format!("{:016x}", hasher.finish()) != listed.digest).then(|| "changed".to_owned())
}

/// Tells each file below a folder of a home, with its name below the home.
fn walk(home: &Path, folder: &Path, each: &mut dyn FnMut(PathBuf, String)) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            walk(home, &path, each)?;
            continue;
        }
        let name = name_below(home, &path);
        each(path, name);
    }
    Ok(())
}

/// A path's name below a home, as the manifest has it.
pub(crate) fn name_below(home: &Path, path: &Path) -> String {
    let below = path.strip_prefix(home).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
