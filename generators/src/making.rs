//! A corpus, or a shard of one, in the making: a hidden directory with a journal, until it is complete.

mod resume;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::assemble::{Assembly, Totals};
use crate::corpus::{MANIFEST, check_space, home};
use crate::journal::Header;
use crate::ours::{is_there, lock, refuse_stranger, remove, remove_file};
use crate::plan::Plan;
use crate::profile::Spec;
use crate::shard::Shard;
use crate::write::{Observer, Progress, write};

/// The journal's name in a corpus that is not complete.
const JOURNAL: &str = "journal.jsonl";

/// The journal's name in a shard that is complete.
pub(crate) const SHARD_JOURNAL: &str = "shard.jsonl";

/// What shall be made.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// Where corpora are kept.
    pub(crate) dir: &'a Path,
    pub(crate) spec: &'a Spec,
    /// Which part; none is the whole.
    pub(crate) shard: Option<Shard>,
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) observer: &'a Observer<'a>,
}

impl Job<'_> {
    /// The directory's name.
    fn name(&self) -> String {
        let shard = self.shard.map(|shard| format!(".{}", shard.suffix())).unwrap_or_default();
        format!("{}{shard}", self.spec.name())
    }

    /// Where it will be.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join(self.name())
    }

    /// Where it is until it is complete.
    pub(crate) fn partial(&self) -> PathBuf {
        self.hidden("partial")
    }

    /// Where shards are joined. Not in the place of what an interrupted run left: it can be gone on with.
    pub(crate) fn joined(&self) -> PathBuf {
        self.hidden("merge")
    }

    /// Where an old one is while another takes its place.
    fn old(&self) -> PathBuf {
        self.hidden("old")
    }

    fn hidden(&self, ending: &str) -> PathBuf {
        self.dir.join(format!(".{}.{ending}", self.name()))
    }

    /// Makes sure that no one else makes it, and that nothing else is in its place; puts right what a killed run left.
    pub(crate) fn claim(&self) -> Result<File, Error> {
        self.spec.validate()?;
        let root = self.root();
        refuse_stranger(&root)?;
        fs::create_dir_all(self.dir).map_err(Error::io("create corpus directory", self.dir))?;
        let lock = lock(&self.hidden("lock"), self.stop)?;
        self.recover()?;
        refuse_stranger(&root)?;
        Ok(lock)
    }

    /// Finishes or takes back what a run was killed in. The lock is held.
    fn recover(&self) -> Result<(), Error> {
        let (root, old) = (self.root(), self.old());
        remove(&self.joined())?;
        if is_there(&old)? {
            let is_replaced = fs::symlink_metadata(&root).is_ok();
            if is_replaced || refuse_stranger(&old).is_err() {
                remove(&old)?;
            } else {
                fs::rename(&old, &root).map_err(Error::io("move the old corpus back to", &root))?;
            }
        }
        // The last step of a whole corpus was not done.
        if refuse_stranger(&root).is_ok() { remove_file(&root.join(JOURNAL)) } else { Ok(()) }
    }

    /// Writes what is not yet there, and moves it to its place.
    pub(crate) fn make(&self) -> Result<Totals, Error> {
        let partial = self.partial();
        let begun = resume::begin(&partial, &Header::new(self.spec, self.shard))?;
        if begun.files > 0 {
            (self.observer)(Progress::Resuming { files: begun.files });
        }
        let plan = Plan::new(self.spec).part(self.shard).without(&begun.done);
        drop(begun.done);
        check_space(self.dir, &partial, plan.bytes)?;
        let (home, workspaces) = (home(&partial), plan.workspaces);
        let journal =
            write(plan, self.spec, Some(&home), begun.journal, self.threads, self.stop, self.observer)?;
        journal.end().map(drop).map_err(Error::io("write", &partial.join(JOURNAL)))?;
        if self.shard.is_some() { self.finish_shard() } else { self.finish_whole(workspaces) }
    }

    fn finish_whole(&self, workspaces: u64) -> Result<Totals, Error> {
        let partial = self.partial();
        let assembly = open_assembly(&partial.join(JOURNAL))?;
        let totals = self.finish(&partial, assembly, workspaces)?;
        // Only now, so that there is a journal for as long as the corpus is not in its place.
        remove_file(&self.root().join(JOURNAL))?;
        Ok(totals)
    }

    /// Writes the manifest, and moves the complete corpus to its place.
    pub(crate) fn finish(
        &self,
        partial: &Path,
        assembly: Assembly<File>,
        workspaces: u64,
    ) -> Result<Totals, Error> {
        let manifest = partial.join(MANIFEST);
        let totals = File::create(&manifest).and_then(|file| assembly.write(self.spec, 0, workspaces, file));
        let totals = totals.map_err(Error::io("write", &manifest))?;
        self.move_to_its_place(partial)?;
        Ok(totals)
    }

    fn finish_shard(&self) -> Result<Totals, Error> {
        let partial = self.partial();
        let journal = partial.join(JOURNAL);
        let mut assembly = open_assembly(&journal)?;
        assembly.sort();
        let totals = assembly.totals();
        drop(assembly);
        // A run that ends between the two steps is gone on with by either name.
        let complete = partial.join(SHARD_JOURNAL);
        fs::rename(&journal, &complete).map_err(Error::io("rename the journal to", &complete))?;
        self.move_to_its_place(&partial)?;
        Ok(totals)
    }

    /// Moves what is complete to its place. An old one is put aside first: at every moment one of the two is whole.
    fn move_to_its_place(&self, partial: &Path) -> Result<(), Error> {
        let (root, old) = (self.root(), self.old());
        if fs::symlink_metadata(&root).is_ok_and(|meta| meta.is_symlink()) {
            // What it leads to stays.
            remove_file(&root)?;
        } else if root.exists() {
            fs::rename(&root, &old).map_err(Error::io("put the old corpus aside, to", &old))?;
        }
        fs::rename(partial, &root).map_err(Error::io("move the finished corpus to", &root))?;
        remove(&old)
    }
}

fn open_assembly(journal: &Path) -> Result<Assembly<File>, Error> {
    let mut assembly = Assembly::new();
    let added = File::open(journal).and_then(|file| assembly.add(file, |_| ()));
    added.map_err(Error::io("read", journal))?;
    Ok(assembly)
}
