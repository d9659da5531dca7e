//! Directories and locks of ours: nothing else is written to or removed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fs4::TryLockError;

use crate::Error;

/// The file that says a directory is ours, so that it may be written again. The first line also keeps it out of backups.
pub(crate) const TAG: &str = "CACHEDIR.TAG";

/// What stands in [`TAG`].
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a highwater corpus. It is written again when its files no longer match manifest.json.\n";

/// How long to wait before asking again whether another process has finished the corpus.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// What stands in a directory's tag, if it is no longer than ours.
fn tag(directory: &Path) -> Option<String> {
    let path = directory.join(TAG);
    let is_tag = |meta: fs::Metadata| {
        meta.is_file() && usize::try_from(meta.len()).is_ok_and(|len| len <= TAG_TEXT.len())
    };
    // A pipe in its place would be waited for.
    fs::symlink_metadata(&path).is_ok_and(is_tag).then(|| fs::read_to_string(path).ok())?
}

fn is_tagged(directory: &Path) -> bool {
    tag(directory).is_some_and(|text| text == TAG_TEXT)
}

/// Refuses to write where something is that is not ours.
pub(crate) fn refuse_stranger(root: &Path) -> Result<(), Error> {
    if fs::symlink_metadata(root).is_ok() && !is_tagged(root) {
        return Err(Error::NotACorpus { path: root.to_path_buf() });
    }
    Ok(())
}

/// Whether a directory for our work is there; what is there and is not ours, also a link, is refused.
pub(crate) fn is_there(directory: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("look at", directory)(error)),
        Ok(meta) if meta.is_dir() && (is_tagged(directory) || is_bare(directory)?) => Ok(true),
        Ok(_) => Err(Error::NotACorpus { path: directory.to_path_buf() }),
    }
}

/// Whether a directory holds nothing, or a beginning of our tag: what a run leaves that is killed as it begins or removes one.
fn is_bare(directory: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(directory).map_err(Error::io("list", directory))?;
    let is_begun = tag(directory).is_some_and(|text| TAG_TEXT.starts_with(&text));
    Ok(entries.all(|entry| is_begun && entry.is_ok_and(|entry| entry.file_name() == TAG)))
}

/// Makes a directory of ours, the tag first.
pub(crate) fn create(directory: &Path) -> Result<(), Error> {
    is_there(directory)?;
    fs::create_dir_all(directory).map_err(Error::io("create corpus directory", directory))?;
    put_file(&directory.join(TAG), TAG_TEXT.as_bytes())
}

/// Removes a directory of ours, if it is there; the tag last, so that what a broken-off removal leaves is ours still.
pub(crate) fn remove(directory: &Path) -> Result<(), Error> {
    if !is_there(directory)? {
        return Ok(());
    }
    for entry in fs::read_dir(directory).map_err(Error::io("list", directory))? {
        let entry = entry.map_err(Error::io("list", directory))?;
        if entry.file_name() == TAG {
            continue;
        }
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(Error::io("remove", &path))?;
    }
    remove_file(&directory.join(TAG))?;
    fs::remove_dir(directory).map_err(Error::io("remove", directory))
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Writes a small file.
pub(crate) fn put_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let written = File::create(path).and_then(|mut file| file.write_all(content));
    written.map_err(Error::io("write", path))
}

/// Waits for the lock, which the operating system frees when its holder dies.
pub(crate) fn lock(path: &Path, stop: &AtomicBool) -> Result<File, Error> {
    let file = open_lock(path)?;
    loop {
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if stop.load(Ordering::Relaxed) => {
                return Err(Error::Stopped {
                    before: "another run let go of the corpus; nothing was changed",
                });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock corpus", path)(error)),
        }
    }
}

/// Opens a lock's file, or makes it. No link is followed: it leads to somebody else's.
fn open_lock(path: &Path) -> Result<File, Error> {
    let failed = |error| Error::io("open corpus lock", path)(error);
    loop {
        // Nothing is cut off, whatever stands there.
        let opened = match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => return Err(Error::Lock { path: path.to_path_buf() }),
            Ok(_) => File::options().append(true).open(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                File::options().append(true).create_new(true).open(path)
            }
            Err(error) => return Err(failed(error)),
        };
        match opened {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map_err(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join(".x.partial");
        assert!(!is_there(&at).unwrap());
        remove(&at).unwrap();
        create(&at).unwrap();
        fs::create_dir(at.join("home")).unwrap();
        assert!(is_there(&at).unwrap());
        for tag in ["", "Signature: mine", &format!("{TAG_TEXT}.")] {
            fs::write(at.join(TAG), tag).unwrap();
            assert!(matches!(remove(&at), Err(Error::NotACorpus { .. })), "{tag:?}");
            assert!(matches!(create(&at), Err(Error::NotACorpus { .. })), "{tag:?}");
            assert!(at.join("home").is_dir());
        }
        fs::remove_file(at.join(TAG)).unwrap();
        assert!(matches!(remove(&at), Err(Error::NotACorpus { .. })));
        fs::remove_dir(at.join("home")).unwrap();
        assert!(is_there(&at).unwrap(), "a run may be killed before it has written the tag");
        fs::write(at.join(TAG), &TAG_TEXT[..9]).unwrap();
        assert!(is_there(&at).unwrap(), "or while it writes it");
        remove(&at).unwrap();
        assert!(!at.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let (corpus, link) = (dir.path().join("corpus"), dir.path().join("link"));
        create(&corpus).unwrap();
        std::os::unix::fs::symlink(&corpus, &link).unwrap();
        assert!(matches!(remove(&link), Err(Error::NotACorpus { .. })));
        assert!(is_tagged(&corpus));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (dir.path().join(".x.lock"), dir.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let refused = || {
            let error = lock(&path, &AtomicBool::new(false)).unwrap_err();
            assert!(matches!(error, Error::Lock { .. }) && error.to_string().contains(".x.lock is a link"));
        };
        refused();
        assert!(!elsewhere.exists());
        fs::write(&elsewhere, "precious").unwrap();
        refused();
        fs::remove_file(&path).unwrap();
        drop(lock(&path, &AtomicBool::new(false)).unwrap());
        lock(&path, &AtomicBool::new(false)).unwrap();
    }
}
