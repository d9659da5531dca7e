//! What a run that was interrupted left, gone on with.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufReader, Seek as _};
use std::path::Path;

use super::{JOURNAL, SHARD_JOURNAL};
use crate::Error;
use crate::corpus::{home, name_below};
use crate::journal::{self, Header, Journal, Line};
use crate::ours::{create, is_there, remove};

/// A directory that is ready to be written to.
pub(super) struct Begun {
    pub(super) journal: Journal<File>,
    /// Items that are complete, by path.
    pub(super) done: HashSet<String>,
    /// Files of these.
    pub(super) files: u64,
}

/// Goes on with what is there of the same corpus, or begins anew.
pub(super) fn begin(partial: &Path, header: &Header) -> Result<Begun, Error> {
    if let Some(begun) = resume(partial, header)? {
        return Ok(begun);
    }
    remove(partial)?;
    create(partial)?;
    let home = home(partial);
    fs::create_dir(&home).map_err(Error::io("create corpus directory", &home))?;
    let path = partial.join(JOURNAL);
    let journal = File::create(&path).and_then(|file| Journal::begin(file, header));
    let journal = journal.map_err(Error::io("write", &path))?;
    Ok(Begun { journal, done: HashSet::new(), files: 0 })
}

/// Goes on with what an earlier run left, if it is of the same corpus. Files of items that are not complete are removed.
fn resume(partial: &Path, header: &Header) -> Result<Option<Begun>, Error> {
    // Files are removed below: a link that took the place of the home leads to somebody else's.
    if !is_there(partial)? || !is_real_directory(&home(partial)) {
        return Ok(None);
    }
    let (path, complete) = (partial.join(JOURNAL), partial.join(SHARD_JOURNAL));
    // The run ended between the journal's rename and that of the shard.
    if !path.exists() && complete.exists() {
        fs::rename(&complete, &path).map_err(Error::io("rename the journal to", &path))?;
    }
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
        if lines.iter().all(|(line, _)| is_as_noted(&home, line)) {
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
    keep_only(&home, &home, &files)?;
    fs::rename(&fresh, &path).map_err(Error::io("rename the journal to", &path))?;
    Ok(Some(Begun { journal: kept, done, files: files.len() as u64 }))
}

fn is_real_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Whether a line's file is there with its size.
fn is_as_noted(home: &Path, line: &Line) -> bool {
    let Line::File(file) = line else { return true };
    let path = home.join(&file.path);
    if let Some(special) = &file.kind {
        return special.damage(&path).is_none();
    }
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes)
}

/// Removes what is below a folder of a home and is not among the files, empty directories too: an item that is written again makes
/// them itself. Tells whether the folder is empty then.
fn keep_only(home: &Path, folder: &Path, files: &HashSet<String>) -> Result<bool, Error> {
    let mut is_empty = true;
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let (is_directory, is_listed) = (is_real_directory(&path), files.contains(&name_below(home, &path)));
        let is_emptied = !is_directory || keep_only(home, &path, files)?;
        if is_listed || !is_emptied {
            is_empty = false;
            continue;
        }
        let removed = if is_directory { fs::remove_dir(&path) } else { fs::remove_file(&path) };
        removed.map_err(Error::io("remove", &path))?;
    }
    Ok(is_empty)
}
