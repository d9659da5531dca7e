//! A corpus on disk: made, reused, checked and listed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fs4::TryLockError;

use crate::Error;
use crate::manifest::{FileEntry, Manifest};
use crate::page::file_hasher;
use crate::plan::Plan;
use crate::profile::Spec;
use crate::write::{Observer, Progress, write};

/// The manifest's name in a corpus.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The file that says a directory is ours, so that it may be written again. The first line also keeps it out of backups.
const TAG: &str = "CACHEDIR.TAG";

/// What stands in [`TAG`].
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a highwater corpus. It is written again when its files no longer match manifest.json.\n";

/// Free space wanted beyond the estimate: the estimate's error, and room for the next command.
const MARGIN_PERCENT: u64 = 15;

/// How long to wait before asking again whether another process has finished the corpus.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// How many damaged files an error names.
const NAMED_MAX: usize = 5;

/// A corpus that matches its manifest.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The corpus's directory.
    pub root: PathBuf,
    /// What is true of it.
    pub manifest: Manifest,
}

impl Corpus {
    /// The home-like tree with the session files.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        home(&self.root)
    }
}

pub(crate) fn home(root: &Path) -> PathBuf {
    root.join("home")
}

/// Makes the corpus of a spec in `dir`, or finds it there.
///
/// A corpus is reused when every file matches its manifest, and written again otherwise. It is written in a hidden directory beside
/// its place and moved there when it is complete. One process at a time writes a corpus; others wait for it.
///
/// # Errors
/// [`Error::NotACorpus`] when something else is in its place, [`Error::Disk`] when it would not fit, [`Error::Stopped`] when `stop`
/// was set, [`Error::Scale`] and [`Error::Io`].
pub fn ensure(
    dir: &Path,
    spec: &Spec,
    threads: usize,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Corpus, Error> {
    spec.validate()?;
    let root = dir.join(spec.name());
    refuse_stranger(&root)?;
    fs::create_dir_all(dir).map_err(Error::io("create corpus directory", dir))?;
    let _lock = lock(&dir.join(format!(".{}.lock", spec.name())), stop)?;
    let partial = dir.join(format!(".{}.partial", spec.name()));
    // Whoever wrote it no longer holds the lock, so it died.
    remove_if_there(&partial)?;
    refuse_stranger(&root)?;
    if root.exists() {
        match reusable(&root, spec, threads, stop, progress) {
            Ok(manifest) => return Ok(Corpus { root, manifest }),
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => progress(Progress::Rebuilding { why: &error.to_string() }),
        }
    }
    let plan = Plan::new(spec);
    check_space(dir, &root, plan.bytes)?;
    let written = write_corpus(&plan, spec, &partial, threads, stop, progress);
    let moved = written.and_then(|manifest| {
        remove_if_there(&root)?;
        fs::rename(&partial, &root).map_err(Error::io("move the finished corpus to", &root))?;
        Ok(manifest)
    });
    match moved {
        Ok(manifest) => Ok(Corpus { root, manifest }),
        Err(error) => {
            remove_if_there(&partial)?;
            Err(error)
        }
    }
}

fn refuse_stranger(root: &Path) -> Result<(), Error> {
    let ours = fs::read_to_string(root.join(TAG)).is_ok_and(|text| text == TAG_TEXT);
    if fs::symlink_metadata(root).is_ok() && !ours {
        return Err(Error::NotACorpus { path: root.to_path_buf() });
    }
    Ok(())
}

/// Waits for the lock, which the operating system frees when its holder dies.
fn lock(path: &Path, stop: &AtomicBool) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::io("create corpus lock", path))?;
    loop {
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if stop.load(Ordering::Relaxed) => {
                return Err(Error::Stopped);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock corpus", path)(error)),
        }
    }
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn reusable(
    root: &Path,
    spec: &Spec,
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<Manifest, Error> {
    let path = root.join(MANIFEST);
    let manifest = Manifest::read(&path)?;
    if !manifest.is_of(spec) {
        return Err(Error::Manifest { path, why: "it is of another generator or corpus".to_owned() });
    }
    check(root, manifest, threads, stop, observer)
}

fn check_space(dir: &Path, root: &Path, bytes: u64) -> Result<(), Error> {
    let available = fs4::available_space(dir).map_err(Error::io("read the free space of", dir))?;
    let needed = bytes + bytes / 100 * MARGIN_PERCENT;
    if available < needed {
        return Err(Error::Disk { path: root.to_path_buf(), needed, available });
    }
    Ok(())
}

fn write_corpus(
    plan: &Plan,
    spec: &Spec,
    partial: &Path,
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<Manifest, Error> {
    let home = home(partial);
    fs::create_dir_all(&home).map_err(Error::io("create corpus directory", &home))?;
    let manifest = write(plan, spec, Some(&home), threads, stop, observer)?;
    put_file(&partial.join(TAG), TAG_TEXT.as_bytes())?;
    put_file(&partial.join(MANIFEST), &manifest.to_json())?;
    Ok(manifest)
}

pub(crate) fn put_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let written = File::create(path).and_then(|mut file| file.write_all(content));
    written.map_err(Error::io("write", path))
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
    check(root, manifest, threads, &AtomicBool::new(false), progress)
}

fn check(
    root: &Path,
    manifest: Manifest,
    threads: usize,
    stop: &AtomicBool,
    observer: &Observer<'_>,
) -> Result<Manifest, Error> {
    let home = home(root);
    let next = AtomicUsize::new(0);
    let damage = Mutex::new(Vec::new());
    let work = || {
        let mut buffer = vec![0; 1 << 20];
        while let Some(file) = manifest.files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if let Some(wrong) = check_file(&home, file, &mut buffer, observer)
                && let Ok(mut damage) = damage.lock()
            {
                damage.push(format!("{} ({wrong})", file.path));
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
        return Err(Error::Stopped);
    }
    let mut damage = damage.into_inner().unwrap_or_default();
    add_extra_files(&home, &home, &manifest.files, &mut damage)?;
    if damage.is_empty() {
        return Ok(manifest);
    }
    damage.sort_unstable();
    let count = damage.len() as u64;
    damage.truncate(NAMED_MAX);
    Err(Error::Damaged { root: root.to_path_buf(), count, first: damage })
}

fn check_file(home: &Path, entry: &FileEntry, buffer: &mut [u8], observer: &Observer<'_>) -> Option<String> {
    if let Some(special) = &entry.kind {
        return special.damage(&home.join(&entry.path));
    }
    let mut file = match File::open(home.join(&entry.path)) {
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
    (format!("{:016x}", hasher.finish()) != entry.digest).then(|| "changed".to_owned())
}

fn add_extra_files(
    home: &Path,
    folder: &Path,
    files: &[FileEntry],
    damage: &mut Vec<String>,
) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            add_extra_files(home, &path, files, damage)?;
            continue;
        }
        let below = path.strip_prefix(home).unwrap_or(&path);
        let name = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        if files.binary_search_by(|file| file.path.as_str().cmp(&name)).is_err() {
            damage.push(format!("{name} (extra)"));
        }
    }
    Ok(())
}

/// A corpus in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The corpus's directory.
    pub root: PathBuf,
    /// The profile's name.
    pub profile: String,
    /// The scale.
    pub scale: f64,
    /// The seed.
    pub seed: u64,
    /// Digest of the corpus.
    pub digest: String,
    /// Sum of the files' sizes.
    pub bytes: u64,
    /// Number of files.
    pub files: u64,
    /// Sessions delivered.
    pub sessions: u64,
}

/// The corpora in `dir`, by name. Files are not checked, and what is not a corpus is passed over.
///
/// # Errors
/// [`Error::Io`] when `dir` exists and cannot be listed, [`Error::Manifest`] when a corpus's manifest is damaged.
pub fn list(dir: &Path) -> Result<Vec<Summary>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut roots = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", dir))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().join(TAG).is_file() && refuse_stranger(&entry.path()).is_ok() {
            roots.push(entry.path());
        }
    }
    roots.sort_unstable();
    roots.into_iter().map(summary).collect()
}

fn summary(root: PathBuf) -> Result<Summary, Error> {
    let manifest = Manifest::read(&root.join(MANIFEST))?;
    Ok(Summary {
        root,
        profile: manifest.profile,
        scale: manifest.scale,
        seed: manifest.seed,
        digest: manifest.digest,
        bytes: manifest.bytes,
        files: manifest.files.len() as u64,
        sessions: manifest.answer.sessions,
    })
}
