//! A corpus on disk: made, reused, checked and listed.

mod check;
mod list;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

pub use check::verify;
pub(crate) use check::{Listed, check, name_below};
pub use list::{Listing, Summary, list};

use crate::Error;
use crate::making::Job;
use crate::manifest::Manifest;
use crate::merge::reusable_shard;
use crate::ours::remove;
use crate::profile::Spec;
use crate::shard::Shard;
use crate::write::Progress;

/// The manifest's name in a corpus.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Free space wanted beyond the estimate: the estimate's error, and room for the next command.
const MARGIN_PERCENT: u64 = 15;

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
            match remove(&job.partial()) {
                // Nothing was to be written there.
                Err(Error::NotACorpus { .. }) => {}
                removed => removed?,
            }
            Ok(Some(there))
        }
        Err(stopped @ Error::Stopped { .. }) => Err(stopped),
        Err(error) => {
            (job.observer)(Progress::Rebuilding { why: &error.to_string() });
            Ok(None)
        }
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
    check(&root, &check::files_of(&manifest), job.threads, job.stop, job.observer)?;
    Ok(manifest)
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
