//! One file a workspace: written beside, renamed when complete, with a checksum over all of it.
//!
//! The first line says whose it is and in which state of the workspace it was made, the last one carries the checksum;
//! between them stand the records, just as they travel.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::{Checksum, hex};
use crate::sync::protocol::{Gatherer, Item, Record, read_record};

/// Version of the records; a fragment of another version is made anew. It rises whenever the same files give other records: 1 was before
/// the reader for what section 2.1 of `docs/answer.md` says of bad input, and before `Trailer::partial`.
pub const VERSION: u32 = 2;

/// Bytes that are read of a fragment at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// The first line. Its numbers have a fixed width, so that every fragment of a workspace begins its records at the same byte.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    fingerprint: String,
    workspace: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Trailer {
    checksum: String,
    /// Whether something could not be read that may be another time: such a fragment serves who has just written it, and counts for no
    /// later state, not even for the same one. It stands here because it is known only at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Name of a workspace's fragment.
pub fn file_name(workspace: &str) -> String {
    let mut checksum = Checksum::new();
    checksum.add(workspace.as_bytes());
    hex(checksum.value()) + ".fragment"
}

/// Name of a fragment while it is written.
pub fn part_name(file_name: &str) -> String {
    format!("{file_name}.part")
}

/// The folder of fragments in a cache.
pub fn directory(cache: &Path) -> PathBuf {
    cache.join("fragments")
}

/// Makes the folder, and removes fragments that were never completed.
///
/// # Errors
/// When the folder cannot be made or read.
pub fn prepare(cache: &Path) -> io::Result<()> {
    let directory = directory(cache);
    std::fs::create_dir_all(&directory).map_err(|error| about(&directory, &error))?;
    remove(cache, &|name| name.ends_with(".part"))
}

/// Removes the fragments of workspaces that are gone.
///
/// # Errors
/// When the folder cannot be read, or a file not removed.
pub fn remove_others(cache: &Path, keep: &dyn Fn(&str) -> bool) -> io::Result<()> {
    remove(cache, &|name| !keep(name))
}

fn remove(cache: &Path, unwanted: &dyn Fn(&str) -> bool) -> io::Result<()> {
    for entry in std::fs::read_dir(directory(cache))? {
        let entry = entry?;
        if entry.file_type()?.is_file() && unwanted(&entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path()).map_err(|error| about(&entry.path(), &error))?;
        }
    }
    Ok(())
}

/// An error that names its file.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A fragment that is being written.
pub struct FragmentWriter {
    file: File,
    checksum: Checksum,
    part: PathBuf,
    path: PathBuf,
    /// Bytes before the first record.
    pub offset: u64,
}

impl FragmentWriter {
    /// Begins the fragment of a workspace.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(cache: &Path, workspace: &str, fingerprint: u64) -> io::Result<FragmentWriter> {
        let name = file_name(workspace);
        let part = directory(cache).join(part_name(&name));
        let mut writer = FragmentWriter {
            file: File::create(&part).map_err(|error| about(&part, &error))?,
            checksum: Checksum::new(),
            path: directory(cache).join(name),
            part,
            offset: 0,
        };
        let header =
            Header { version: VERSION, fingerprint: hex(fingerprint), workspace: workspace.to_owned() };
        let mut line = serde_json::to_vec(&header)?;
        line.push(b'\n');
        writer.append(&line)?;
        writer.offset = line.len() as u64;
        Ok(writer)
    }

    /// Adds whole records.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.checksum.add(records);
        self.file.write_all(records)
    }

    /// Ends the fragment and puts it in place; one that is `partial` is made anew the next time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, partial: bool) -> io::Result<()> {
        self.file.write_all(&trailer(&self.checksum, partial)?)?;
        std::fs::rename(&self.part, &self.path).map_err(|error| about(&self.path, &error))
    }
}

fn trailer(checksum: &Checksum, partial: bool) -> io::Result<Vec<u8>> {
    let trailer = Trailer { checksum: hex(checksum.value()), partial };
    let mut line = serde_json::to_vec(&trailer)?;
    line.push(b'\n');
    Ok(line)
}

/// Why a fragment is not used.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    /// There is none, or it is of another version or state of the workspace, or not all was read that was there.
    #[error("there is no fragment of this state")]
    Stale,
    /// It is damaged.
    #[error("the cache file is damaged: {0}")]
    Damaged(String),
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes a fragment say that it is of another version, as an older program would have written it.
///
/// # Errors
/// When the file cannot be read or written, or is no fragment.
pub fn set_version(path: &Path, version: u32) -> Result<(), FragmentError> {
    let mut lines = Lines::new(File::open(path)?);
    let header = Header { version, ..lines.header()? };
    let mut content = serde_json::to_vec(&header).map_err(io::Error::from)?;
    content.push(b'\n');
    while lines.next()?.is_some() {
        content.extend_from_slice(&lines.line);
    }
    let mut checksum = Checksum::new();
    checksum.add(&content);
    content.extend_from_slice(&trailer(&checksum, lines.partial)?);
    Ok(std::fs::write(path, content)?)
}

/// Whether a whole and undamaged fragment of this state exists; gives where its records begin.
///
/// # Errors
/// Says why not.
pub fn check(cache: &Path, workspace: &str, fingerprint: u64) -> Result<u64, FragmentError> {
    let file = match File::open(directory(cache).join(file_name(workspace))) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(FragmentError::Stale),
        Err(error) => return Err(error.into()),
    };
    let mut lines = Lines::new(file);
    let header = lines.header()?;
    // A damaged header may say anything: what it says counts only when the checksum holds.
    while lines.next()?.is_some() {}
    if header.version != VERSION || header.fingerprint != hex(fingerprint) || lines.partial {
        return Err(FragmentError::Stale);
    }
    if header.workspace != workspace {
        return Err(FragmentError::Damaged("it is another workspace's".to_owned()));
    }
    Ok(lines.offset)
}

/// Reads every record of a fragment, with its place in the file.
///
/// # Errors
/// When the fragment is damaged or cannot be read, or `record` fails.
pub fn read(
    path: &Path,
    mut record: impl FnMut(Record, Span) -> Result<(), FragmentError>,
) -> Result<(), FragmentError> {
    let mut lines = Lines::new(File::open(path)?);
    lines.header()?;
    while let Some(span) = lines.next()? {
        let read = read_record(&lines.line).map_err(|error| FragmentError::Damaged(error.to_string()))?;
        record(read, span)?;
    }
    Ok(())
}

/// Reads every item of a fragment.
///
/// # Errors
/// When the fragment is damaged or cannot be read.
pub fn items(
    path: &Path,
    item: &mut dyn FnMut(Item) -> Result<(), FragmentError>,
) -> Result<(), FragmentError> {
    let mut gatherer = Gatherer::default();
    read(path, |record, _| match gatherer.add(record) {
        Ok(Some(complete)) => item(complete),
        Ok(None) => Ok(()),
        Err(error) => Err(FragmentError::Damaged(error.to_string())),
    })?;
    gatherer.end().map_err(|error| FragmentError::Damaged(error.to_string()))
}

/// Where a record stands in its file.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// First byte.
    pub offset: u64,
    /// Bytes, with the newline.
    pub bytes: u64,
}

/// The lines of a fragment; its checksum is verified when the last one is met.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    checksum: Checksum,
    position: u64,
    offset: u64,
    /// What the last line says, when it has been met.
    partial: bool,
}

impl Lines {
    fn new(file: File) -> Lines {
        Lines {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            line: Vec::with_capacity(4096),
            checksum: Checksum::new(),
            position: 0,
            offset: 0,
            partial: false,
        }
    }

    fn header(&mut self) -> Result<Header, FragmentError> {
        self.fill()?;
        let header =
            serde_json::from_slice(&self.line).map_err(|error| FragmentError::Damaged(error.to_string()))?;
        self.take();
        self.offset = self.position;
        Ok(header)
    }

    /// The next record's line; none after the last one, when the checksum holds.
    fn next(&mut self) -> Result<Option<Span>, FragmentError> {
        self.fill()?;
        if self.line.starts_with(b"{\"checksum\"") {
            let trailer: Trailer = serde_json::from_slice(&self.line)
                .map_err(|error| FragmentError::Damaged(error.to_string()))?;
            if trailer.checksum != hex(self.checksum.value()) {
                return Err(FragmentError::Damaged("its checksum does not hold".to_owned()));
            }
            let mut rest = [0];
            if io::Read::read(&mut self.file, &mut rest)? != 0 {
                return Err(FragmentError::Damaged("something follows its end".to_owned()));
            }
            self.partial = trailer.partial;
            return Ok(None);
        }
        let span = Span { offset: self.position, bytes: self.line.len() as u64 };
        self.take();
        Ok(Some(span))
    }

    fn fill(&mut self) -> Result<(), FragmentError> {
        self.line.clear();
        self.file.read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            _ => Err(FragmentError::Damaged("it ends before its last line".to_owned())),
        }
    }

    fn take(&mut self) {
        self.checksum.add(&self.line);
        self.position += self.line.len() as u64;
    }
}
