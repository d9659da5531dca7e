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
use crate::assemble::Totals;
use crate::making::Job;
use crate::manifest::{FileEntry, Manifest};
use crate::merge::{self, reusable_shard};
use crate::page::file_hasher;
use crate::profile::Spec;
use crate::shard::Shard;
use crate::special::Special;
use crate::write::{Observer, Progress};

/// The manifest's name in a corpus.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The file that says a directory is ours, so that it may be written again. The first line also keeps it out of backups.
pub(crate) const TAG: &str = "CACHEDIR.TAG";

/// What stands in [`TAG`].
pub(crate) const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
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

/// The home below a corpus's directory.
pub(crate) fn home(root: &Path) -> PathBuf {
    root.join("home")
}

/// Makes the corpus of a spec in `dir`, or finds it there.
///
/// A corpus is reused when every file matches its manifest, and written again otherwise. It is written in a hidden directory beside
/// its place and moved there when it is complete; what an interrupted run left there is kept, and only the rest is written. One
/// process at a time writes a corpus; others wait for it.
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
    let job = Job { dir, spec, shard: None, threads, stop, observer: progress };
    let _lock = job.claim()?;
    let root = job.root();
    let manifest = match found(&job, reusable)? {
        Some(manifest) => manifest,
        None => {
            job.make()?;
            Manifest::read(&root.join(MANIFEST))?
        }
    };
    Ok(Corpus { root, manifest })
}

/// Makes a corpus or a shard of one in `dir`, or finds it there, as [`ensure`] does, and tells of it in short: the manifest of a
/// corpus with many files is large, and is not held in memory unless one is there to be checked.
///
/// # Errors
/// As [`ensure`].
pub fn generate(
    dir: &Path,
    spec: &Spec,
    shard: Option<Shard>,
    threads: usize,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Summary, Error> {
    let job = Job { dir, spec, shard, threads, stop, observer: progress };
    let _lock = job.claim()?;
    let there = found(&job, |job| match shard {
        Some(shard) => reusable_shard(job, shard),
        None => reusable(job).map(|manifest| Summary::of_manifest(job.root(), &manifest)),
    })?;
    match there {
        Some(summary) => Ok(summary),
        None => Ok(Summary::new(job.root(), spec, shard, job.make()?)),
    }
}

/// What is in its place already, if it is as it should be; an older run may have begun to write it again.
fn found<T>(job: &Job<'_>, check: impl FnOnce(&Job<'_>) -> Result<T, Error>) -> Result<Option<T>, Error> {
    if !job.root().exists() {
        return Ok(None);
    }
    match check(job) {
        Ok(there) => {
            remove_if_there(&job.partial())?;
            Ok(Some(there))
        }
        Err(Error::Stopped) => Err(Error::Stopped),
        Err(error) => {
            (job.observer)(Progress::Rebuilding { why: &error.to_string() });
            Ok(None)
        }
    }
}

/// Refuses to write where something is that is not ours.
pub(crate) fn refuse_stranger(root: &Path) -> Result<(), Error> {
    let ours = fs::read_to_string(root.join(TAG)).is_ok_and(|text| text == TAG_TEXT);
    if fs::symlink_metadata(root).is_ok() && !ours {
        return Err(Error::NotACorpus { path: root.to_path_buf() });
    }
    Ok(())
}

/// Waits for the lock, which the operating system frees when its holder dies.
pub(crate) fn lock(path: &Path, stop: &AtomicBool) -> Result<File, Error> {
    // Nothing is cut off, whatever stands there.
    let opened = File::options().create(true).append(true).open(path);
    let file = opened.map_err(Error::io("create corpus lock", path))?;
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

/// Removes a directory with all that is in it.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The corpus that is there, checked.
pub(crate) fn reusable(job: &Job<'_>) -> Result<Manifest, Error> {
    let root = job.root();
    let path = root.join(MANIFEST);
    let manifest = Manifest::read(&path)?;
    if !manifest.is_of(job.spec) {
        return Err(Error::Manifest { path, why: "it is of another generator or corpus".to_owned() });
    }
    check(&root, &files_of(&manifest), job.threads, job.stop, job.observer)?;
    Ok(manifest)
}

fn files_of<'a>(manifest: &'a Manifest) -> Vec<Listed<'a>> {
    let listed =
        |file: &'a FileEntry| Listed { path: &file.path, digest: &file.digest, kind: file.kind.as_ref() };
    manifest.files.iter().map(listed).collect()
}

/// What a file must be like.
#[derive(Clone, Copy)]
pub(crate) struct Listed<'a> {
    pub(crate) path: &'a str,
    pub(crate) digest: &'a str,
    /// What it is, when it is no regular file.
    pub(crate) kind: Option<&'a Special>,
}

/// Refuses to write more than there is space for.
pub(crate) fn check_space(dir: &Path, root: &Path, bytes: u64) -> Result<(), Error> {
    let available = fs4::available_space(dir).map_err(Error::io("read the free space of", dir))?;
    let needed = bytes + bytes / 100 * MARGIN_PERCENT;
    if available < needed {
        return Err(Error::Disk { path: root.to_path_buf(), needed, available });
    }
    Ok(())
}

/// Writes a small file.
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
        return Err(Error::Stopped);
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
pub(crate) fn walk(home: &Path, folder: &Path, each: &mut dyn FnMut(PathBuf, String)) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            walk(home, &path, each)?;
            continue;
        }
        let below = path.strip_prefix(home).unwrap_or(&path);
        let name = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        each(path, name);
    }
    Ok(())
}

/// A corpus, or a shard of one, in short.
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
    /// Which part of the corpus it is; none is the whole.
    pub shard: Option<Shard>,
    /// Digest of the corpus; of a shard, of its files.
    pub digest: String,
    /// Sum of the files' sizes.
    pub bytes: u64,
    /// Number of files.
    pub files: u64,
    /// Sessions delivered.
    pub sessions: u64,
    /// Requests in them.
    pub requests: u64,
}

impl Summary {
    pub(crate) fn new(root: PathBuf, spec: &Spec, shard: Option<Shard>, totals: Totals) -> Self {
        let Totals { digest, bytes, files, sessions, requests } = totals;
        let (profile, scale, seed) = (spec.profile.name().to_owned(), spec.scale, spec.seed);
        Summary { root, profile, scale, seed, shard, digest, bytes, files, sessions, requests }
    }
}

/// The corpora and shards in `dir`, by name. Files are not checked, and what is not a corpus is passed over.
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
    if let Some(shard) = merge::summary(&root)? {
        return Ok(shard);
    }
    let manifest = Manifest::read(&root.join(MANIFEST))?;
    Ok(Summary::of_manifest(root, &manifest))
}
