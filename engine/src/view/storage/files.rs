//! A folder of records, one file each: `<root>/<folder>/.../<id>.json`.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::reader::{Reader, Row};
use super::rule::Record;
use super::skipped::Skipped;
use super::{Reading, StorageError};

/// Characters of an id at most.
const ID_CHARS: usize = 64;

/// Whether an id can be the name of a file, and leads nowhere else.
pub(super) fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=ID_CHARS).contains(&id.len()) && id.bytes().all(is_part)
}

/// Refuses an id that could lead out of its folder.
pub(in crate::view) fn check_id(what: &'static str, id: &str) -> Result<(), StorageError> {
    if is_id(id) {
        return Ok(());
    }
    Err(StorageError::BadId { what, id: id.chars().take(ID_CHARS).collect() })
}

/// The text of an id in a record, checked.
pub(super) fn id_in<'a>(what: &'static str, value: &'a Value, key: &str) -> Result<&'a str, StorageError> {
    let id = value.get(key).and_then(Value::as_str).unwrap_or_default();
    check_id(what, id).map(|()| id)
}

/// What stands in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Folders.
    Folders,
    /// Records.
    Records,
}

/// The folder. Ids that are given to it are checked already.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Folder {
        Folder { root }
    }

    /// Makes the folder, for its owner only: what was said in sessions is in it.
    pub(super) fn make(&self) -> Result<(), StorageError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.root).map_err(about(&self.root))
    }

    fn folder(&self, at: &[&str]) -> PathBuf {
        at.iter().fold(self.root.clone(), |path, name| path.join(name))
    }

    /// The file of a record.
    pub(super) fn file(&self, at: &[&str]) -> PathBuf {
        let mut path = self.folder(at).into_os_string();
        path.push(".json");
        path.into()
    }

    pub(super) fn has(&self, at: &[&str]) -> bool {
        self.file(at).is_file()
    }

    /// Replaces a record at once: whoever reads it gets the old one or the new one.
    pub(super) fn write(&self, at: &[&str], value: &impl Serialize) -> Result<(), StorageError> {
        self.replace(at, |file| {
            let mut writer = BufWriter::new(file);
            serde_json::to_writer(&mut writer, value)?;
            writer.flush()
        })
    }

    /// Replaces a record by a copy of a file.
    pub(super) fn copy(&self, at: &[&str], from: &Path) -> Result<(), StorageError> {
        self.replace(at, |file| io::copy(&mut File::open(from)?, file).map(|_| ()))
    }

    /// Writes beside a record, and renames over it. The name beside it is that of no record, so what a crash leaves is passed over.
    fn replace(
        &self,
        at: &[&str],
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        let path = self.file(at);
        let beside = path.with_extension("tmp");
        let replace = || {
            let mut file = match File::create(&beside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    beside.parent().map_or(Ok(()), fs::create_dir_all)?;
                    File::create(&beside)?
                }
                made => made?,
            };
            write(&mut file)?;
            drop(file);
            fs::rename(&beside, &path)
        };
        replace().map_err(|error| {
            let _ = fs::remove_file(&beside);
            about(&path)(error)
        })
    }

    /// Removes a record, and says whether there was one.
    pub(super) fn remove(&self, at: &[&str]) -> Result<bool, StorageError> {
        let path = self.file(at);
        is_there(fs::remove_file(&path)).map_err(about(&path))
    }

    /// Removes a folder with what is in it.
    pub(super) fn remove_folder(&self, at: &[&str]) -> Result<(), StorageError> {
        let path = self.folder(at);
        is_there(fs::remove_dir_all(&path)).map(|_| ()).map_err(about(&path))
    }

    /// Ids of what is in a folder, in order; none when there is no folder.
    pub(super) fn ids(
        &self,
        at: &[&str],
        names: Names,
        skipped: &mut Skipped,
    ) -> Result<Vec<String>, StorageError> {
        let path = self.folder(at);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(about(&path))?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(about(&path))?.file_name();
            let id = name.to_str().and_then(|name| match names {
                Names::Folders => Some(name),
                Names::Records => name.strip_suffix(".json"),
            });
            match id.filter(|id| is_id(id)) {
                Some(id) => ids.push(id.to_owned()),
                None => skipped.note(format!("{}/{}", at.join("/"), name.display()), "its name is no id"),
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Reads a record; none of one that is not there, or cannot be used, which is noted.
    pub(super) fn read(
        &self,
        reader: &mut Reader<File>,
        (record, reading): (Record, Reading),
        at: &[&str],
        skipped: &mut Skipped,
    ) -> Option<Row> {
        let path = self.file(at);
        let open = || {
            let file = File::open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            // A pipe would be waited for.
            Ok(metadata) if !metadata.is_file() => {
                skipped.note(name(at), "it is not a regular file");
                return None;
            }
            // What cannot be looked at fails where it is opened.
            _ => {}
        }
        let row = reader.read(record, reading, || open().map_err(|error: io::Error| error.to_string()));
        row.map_err(|why| skipped.note(name(at), why)).ok()
    }
}

/// How a record is named where it is passed over.
pub(super) fn name(at: &[&str]) -> String {
    format!("{}.json", at.join("/"))
}

fn is_there(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        result => result.map(|()| true),
    }
}

/// An error of the file system, with the path.
pub(super) fn about(path: &Path) -> impl Fn(io::Error) -> StorageError {
    move |source| StorageError::Io { path: path.display().to_string(), source }
}
