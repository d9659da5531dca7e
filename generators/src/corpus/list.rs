//! The corpora of a folder, in short.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::MANIFEST;
use crate::Error;
use crate::assemble::Totals;
use crate::manifest::Manifest;
use crate::merge;
use crate::ours::refuse_stranger;
use crate::profile::Spec;
use crate::shard::Shard;

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

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Corpora and shards, by name.
    pub found: Vec<Summary>,
    /// Directories of corpora and shards that tell nothing of themselves, and why, by name.
    pub damaged: Vec<(PathBuf, Error)>,
}

/// The corpora and shards in `dir`. Files are not checked, and what is not a corpus is passed over.
///
/// # Errors
/// [`Error::Io`] when `dir` exists and cannot be listed.
pub fn list(dir: &Path) -> Result<Listing, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    let mut roots = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", dir))?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && refuse_stranger(&entry.path()).is_ok() {
            roots.push(entry.path());
        }
    }
    roots.sort_unstable();
    let mut listing = Listing::default();
    for root in roots {
        match summary(root.clone()) {
            Ok(summary) => listing.found.push(summary),
            Err(error) => listing.damaged.push((root, error)),
        }
    }
    Ok(listing)
}

fn summary(root: PathBuf) -> Result<Summary, Error> {
    if let Some(shard) = merge::summary(&root)? {
        return Ok(shard);
    }
    let manifest = Manifest::read(&root.join(MANIFEST))?;
    Ok(Summary::of_manifest(root, &manifest))
}
