//! A corpus, or a shard of one, in the making: a hidden directory with a journal, until it is complete.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::assemble::{Assembly, Totals};
use crate::corpus::{
    MANIFEST, TAG, TAG_TEXT, check_space, home, lock, put_file, refuse_stranger, remove_if_there, walk,
};
use crate::journal::{self, Header, Journal, Line};
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
        self.dir.join(format!(".{}.partial", self.name()))
    }

    /// Makes sure that no one else makes it, and that nothing else is in its place.
    pub(crate) fn claim(&self) -> Result<File, Error> {
        self.spec.validate()?;
        let root = self.root();
        refuse_stranger(&root)?;
        fs::create_dir_all(self.dir).map_err(Error::io("create corpus directory", self.dir))?;
        let lock = lock(&self.dir.join(format!(".{}.lock", self.name())), self.stop)?;
        refuse_stranger(&root)?;
        Ok(lock)
    }

    /// Writes what is not yet there, and moves it to its place.
    pub(crate) fn make(&self) -> Result<Totals, Error> {
        let partial = self.partial();
        let begun = begin(&partial, &Header::new(self.spec, self.shard))?;
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
        let journal = self.root().join(JOURNAL);
        fs::remove_file(&journal).map_err(Error::io("remove", &journal))?;
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
        // A run that ends between the two steps leaves a directory without a journal, which is made again.
        let complete = partial.join(SHARD_JOURNAL);
        fs::rename(&journal, &complete).map_err(Error::io("rename the journal to", &complete))?;
        self.move_to_its_place(&partial)?;
        Ok(totals)
    }

    fn move_to_its_place(&self, partial: &Path) -> Result<(), Error> {
        let root = self.root();
        remove_if_there(&root)?;
        fs::rename(partial, &root).map_err(Error::io("move the finished corpus to", &root))
    }
}

fn open_assembly(journal: &Path) -> Result<Assembly<File>, Error> {
    let mut assembly = Assembly::new();
    let added = File::open(journal).and_then(|file| assembly.add(file, |_| ()));
    added.map_err(Error::io("read", journal))?;
    Ok(assembly)
}

/// A directory that is ready to be written to.
struct Begun {
    journal: Journal<File>,
    /// Items that are complete, by path.
    done: HashSet<String>,
    /// Files of these.
    files: u64,
}

fn begin(partial: &Path, header: &Header) -> Result<Begun, Error> {
    if let Some(begun) = resume(partial, header)? {
        return Ok(begun);
    }
    remove_if_there(partial)?;
    let home = home(partial);
    fs::create_dir_all(&home).map_err(Error::io("create corpus directory", &home))?;
    put_file(&partial.join(TAG), TAG_TEXT.as_bytes())?;
    let path = partial.join(JOURNAL);
    let journal = File::create(&path).and_then(|file| Journal::begin(file, header));
    let journal = journal.map_err(Error::io("write", &path))?;
    Ok(Begun { journal, done: HashSet::new(), files: 0 })
}

/// Goes on with what an earlier run left, if it is of the same corpus. Files of items that are not complete are removed.
fn resume(partial: &Path, header: &Header) -> Result<Option<Begun>, Error> {
    // Files are removed below: a link that took the place of a directory leads to somebody else's.
    if ![partial, &home(partial)].into_iter().all(is_real_directory) {
        return Ok(None);
    }
    let path = partial.join(JOURNAL);
    let failed = |error| Error::io("read", &path)(error);
    let Ok(file) = File::open(&path) else { return Ok(None) };
    let mut old = BufReader::new(file);
    if journal::header(&mut old).map_err(failed)?.as_ref() != Some(header) {
        return Ok(None);
    }
    old.rewind().map_err(failed)?;
    let (home, fresh) = (home(partial), partial.join("journal.new"));
    let failed = |error| Error::io("write", &fresh)(error);
    let kept = File::create(&fresh).and_then(|file| Journal::begin(file, header)).map_err(failed)?;
    let (mut done, mut files) = (HashSet::new(), HashSet::new());
    journal::read(&mut old, |item, lines| {
        if lines.iter().all(|(line, _)| is_there(&home, line)) {
            kept.note(&item, lines.iter().map(|(line, _)| line))?;
            files.extend(lines.into_iter().filter_map(|(line, _)| match line {
                Line::File(file) => Some(file.path),
                _ => None,
            }));
            done.insert(item);
        }
        Ok(())
    })
    .map_err(failed)?;
    drop(old);
    remove_others(&home, &files)?;
    fs::rename(&fresh, &path).map_err(Error::io("rename the journal to", &path))?;
    Ok(Some(Begun { journal: kept, done, files: files.len() as u64 }))
}

fn is_real_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Whether a line's file is there with its size.
fn is_there(home: &Path, line: &Line) -> bool {
    let Line::File(file) = line else { return true };
    let path = home.join(&file.path);
    if let Some(special) = &file.kind {
        return special.damage(&path).is_none();
    }
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes)
}

fn remove_others(home: &Path, files: &HashSet<String>) -> Result<(), Error> {
    let mut others = Vec::new();
    walk(home, home, &mut |path, name| {
        if !files.contains(&name) {
            others.push(path);
        }
    })?;
    for path in others {
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(())
}
