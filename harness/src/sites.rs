//! Allocation sites: what dhat's profiles say of each stack that allocated, folded so that two builds of a program can be compared.
//!
//! A site is known by the functions on its stack. Addresses, hashes, generic arguments and closures are folded away, so that a rebuild,
//! or a line added elsewhere, makes no other site of it; files and lines are kept for showing. What the allocator and the
//! instrument add inside, and what starts a program outside, is cut off. Sites that are equal then are one.
//!
//! The blocks of a site are those that it first made: dhat leaves a block that grows with the stack that it had at first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::record::{Artifact, Moment};

mod fold;
mod name;
mod origin;
mod saved;

/// Version of a saved profile. It grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What the file of a process's profile ends in, after its role.
const ENDING: &str = ".dhat.json";

/// The sites of one sample of a case, in all its processes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "saved::Saved", try_from = "saved::Saved")]
pub struct Profile {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// `family/scenario:strategy`.
    pub case: String,
    /// Digest of the corpus; none where the case has no corpus, or whoever took the profile did not say.
    pub corpus: Option<String>,
    /// What was profiled, as far as whoever took the profile said.
    pub artifact: Artifact,
    /// One entry for each process that left a profile, by role.
    pub processes: Vec<ProcessSites>,
}

/// The sites of one process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessSites {
    /// What the process is in the case: `parent`, `worker-1`.
    pub role: String,
    /// Its sites: most bytes at the peak first, then most bytes in total.
    pub sites: Vec<Site>,
}

/// All blocks that were first allocated on one stack.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Site {
    /// The stack, innermost first; never empty.
    pub stack: Vec<Frame>,
    /// Bytes live at the process's peak.
    pub peak_bytes: u64,
    /// Blocks live at the process's peak.
    pub peak_blocks: u64,
    /// Bytes ever allocated.
    pub total_bytes: u64,
    /// Blocks ever allocated.
    pub total_blocks: u64,
    /// Bytes live at the end of the region.
    pub retained_bytes: u64,
    /// Blocks live at the end of the region.
    pub retained_blocks: u64,
}

/// One function of a stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// Its name: without hash, generic arguments and closures; without its modules where the debug information has line tables only.
    pub function: String,
    /// Its file: from the program's own root, from `library/` of the standard library, or from the folder of its crate.
    pub file: Option<String>,
    /// The line of the call.
    pub line: Option<u32>,
    /// Whose code it is.
    pub origin: Origin,
}

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The measured program's own.
    Own,
    /// Of another crate: from a registry, a checkout of cargo's, or a vendored folder.
    Crate,
    /// Of the standard library, with what that is built of.
    Library,
    /// Of the instrument.
    Instrument,
    /// Of something without debug information.
    Unknown,
}

impl Site {
    /// What tells it from other sites: the functions on its stack, innermost first.
    pub fn identity(&self) -> Vec<&str> {
        self.stack.iter().map(|frame| frame.function.as_str()).collect()
    }

    /// The frame that the site is named after: the innermost of the program's own code, or the innermost of all where none is the
    /// program's own. Own functions that only copy (`clone`, mostly derived) are passed over: whoever asked for the copy is meant.
    pub fn own(&self) -> Option<&Frame> {
        let mut own = self.stack.iter().filter(|frame| frame.origin == Origin::Own);
        let copies = |frame: &&Frame| matches!(last_segment(&frame.function), "clone" | "clone_from");
        own.clone().find(|frame| !copies(frame)).or_else(|| own.next()).or(self.stack.first())
    }

    /// Its bytes at a moment.
    pub fn bytes(&self, moment: Moment) -> u64 {
        match moment {
            Moment::Peak => self.peak_bytes,
            Moment::Total => self.total_bytes,
            Moment::Retained => self.retained_bytes,
        }
    }

    /// Its blocks at a moment.
    pub fn blocks(&self, moment: Moment) -> u64 {
        match moment {
            Moment::Peak => self.peak_blocks,
            Moment::Total => self.total_blocks,
            Moment::Retained => self.retained_blocks,
        }
    }

    fn add(&mut self, other: &Site) {
        self.peak_bytes += other.peak_bytes;
        self.peak_blocks += other.peak_blocks;
        self.total_bytes += other.total_bytes;
        self.total_blocks += other.total_blocks;
        self.retained_bytes += other.retained_bytes;
        self.retained_blocks += other.retained_blocks;
    }
}

fn last_segment(function: &str) -> &str {
    function.rsplit("::").next().unwrap_or(function)
}

impl ProcessSites {
    /// Bytes of all its sites at a moment.
    pub fn bytes(&self, moment: Moment) -> u64 {
        self.sites.iter().map(|site| site.bytes(moment)).sum()
    }
}

impl Profile {
    /// Bytes of all sites of all processes at a moment; at the peak, each process's own.
    pub fn bytes(&self, moment: Moment) -> u64 {
        self.processes.iter().map(|process| process.bytes(moment)).sum()
    }

    /// Saves it as one line of JSON, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::file("write sites", path, source);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        serde_json::to_writer(io::BufWriter::new(&mut file), self)
            .map_err(io::Error::from)
            .map_err(failed)?;
        file.write_all(b"\n").map_err(failed)?;
        file.persist(path).map(drop).map_err(|error| failed(error.error))
    }

    /// Reads a saved profile.
    ///
    /// # Errors
    /// When the file is not there, is damaged, or is of another version.
    pub fn load(path: &Path) -> Result<Profile, Error> {
        let text = fs::read(path).map_err(|source| Error::file("read sites", path, source))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Record { path: path.to_owned(), reason: error.to_string() })
    }
}

/// The sites that the processes of a sample of `case` left in its record directory, which was taken under
/// [`Instrument::Dhat`](crate::instrument::Instrument::Dhat).
///
/// # Errors
/// When a profile cannot be read, or there is none.
pub fn read(record_dir: &Path, case: &str) -> Result<Profile, Error> {
    let mut processes = Vec::new();
    for (role, path) in profiles(record_dir)? {
        let text = fs::read(&path).map_err(|source| Error::file("read profile", &path, source))?;
        let wrong = |reason: String| Error::Record { path: path.clone(), reason };
        let stacks = fold::stacks(&text).map_err(wrong)?;
        processes.push((role, stacks));
    }
    if processes.is_empty() {
        let reason = "no process left a profile of its allocation sites: only Rust programs whose allocator is harness::alloc::Switch do";
        return Err(Error::Record { path: record_dir.to_owned(), reason: reason.to_owned() });
    }
    shorten_own_paths(&mut processes);
    let processes = processes.into_iter().map(|(role, stacks)| ProcessSites { role, sites: sum(stacks) });
    Ok(Profile {
        schema: SCHEMA,
        case: case.to_owned(),
        processes: processes.collect(),
        ..Profile::default()
    })
}

/// The profiles of a record directory with their roles, sorted by role.
fn profiles(record_dir: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let failed = |source| Error::file("read record directory", record_dir, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(record_dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let role = path.file_name().and_then(|name| name.to_str()?.strip_suffix(ENDING)).map(str::to_owned);
        found.extend(role.map(|role| (role, path)));
    }
    found.sort();
    Ok(found)
}

/// Takes the program's root off the paths of its own files, over all its processes.
fn shorten_own_paths(processes: &mut [(String, Vec<Site>)]) {
    let own = |frame: &&Frame| frame.origin == Origin::Own;
    let frames = processes.iter().flat_map(|(_, stacks)| stacks).flat_map(|site| &site.stack);
    let root = origin::root(frames.filter(own).filter_map(|frame| frame.file.as_deref()));
    let frames = processes.iter_mut().flat_map(|(_, stacks)| stacks).flat_map(|site| &mut site.stack);
    for file in frames.filter_map(|frame| frame.file.as_mut()) {
        if let Some(short) = file.strip_prefix(&root) {
            *file = short.to_owned();
        }
    }
}

/// Sites of equal identity as one, which shows the files and lines of that with the most bytes in total.
fn sum(mut stacks: Vec<Site>) -> Vec<Site> {
    stacks.sort_by(|one, other| {
        other.total_bytes.cmp(&one.total_bytes).then_with(|| one.stack.cmp(&other.stack))
    });
    let mut known: BTreeMap<Vec<String>, Site> = BTreeMap::new();
    for site in stacks {
        let identity = site.identity().into_iter().map(str::to_owned).collect();
        match known.get_mut(&identity) {
            Some(equal) => equal.add(&site),
            None => drop(known.insert(identity, site)),
        }
    }
    let mut sites: Vec<Site> = known.into_values().collect();
    sites.sort_by_key(|site| std::cmp::Reverse((site.peak_bytes, site.total_bytes)));
    sites
}

#[cfg(test)]
mod tests;
