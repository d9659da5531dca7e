//! Puts a manifest together from journals: of a corpus made in one go, of one made in several, and of one made in shards.
//!
//! Only an index of the journals is held in memory. The entries stay where they are and are read again one by one as the manifest
//! is written, so that a corpus of many files takes no more memory to make than one of few.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq as _, Serializer};

use crate::answer::{Digest, answer_digest};
use crate::corpus::Listed;
use crate::journal::{self, At, Entry, Line, Place, Visit};
use crate::manifest::is_zero;
use crate::manifest::{
    CorpusDigest, EditEntry, FileEntry, FormatTotals, GENERATOR, SCHEMA, SEAL_TAIL, Seal, SessionEntry,
};
use crate::page::hex;
use crate::profile::Spec;
use crate::special::Special;

/// The journals of a corpus, indexed.
pub(crate) struct Assembly<R> {
    journals: Vec<RefCell<R>>,
    pub(crate) files: Vec<IndexedFile>,
    visits: Vec<IndexedVisit>,
    skipped_lines: u64,
    formats: BTreeMap<String, FormatTotals>,
}

/// A file of a corpus.
pub(crate) struct IndexedFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) digest: String,
    /// What it is, when it is no regular file.
    pub(crate) kind: Option<Special>,
    line: (usize, At),
}

impl IndexedFile {
    /// What the file must be like.
    pub(crate) fn listed(&self) -> Listed<'_> {
        Listed { path: &self.path, digest: &self.digest, kind: self.kind.as_ref() }
    }

    /// Which of the journals, in the order they were added, it stands in.
    pub(crate) fn journal(&self) -> usize {
        self.line.0
    }
}

struct IndexedVisit {
    place: Place,
    digest: Digest,
    requests: u64,
    is_session: bool,
    line: (usize, At),
}

/// Sums over a corpus.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    pub(crate) digest: String,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    pub(crate) sessions: u64,
    pub(crate) requests: u64,
}

impl<R: Read + Seek> Assembly<R> {
    pub(crate) fn new() -> Self {
        Assembly {
            journals: Vec::new(),
            files: Vec::new(),
            visits: Vec::new(),
            skipped_lines: 0,
            formats: BTreeMap::new(),
        }
    }

    /// Adds a journal, and tells each of its items. One that is not complete or was changed is an error of the kind
    /// [`io::ErrorKind::InvalidData`].
    pub(crate) fn add(&mut self, mut input: R, mut each: impl FnMut(String)) -> io::Result<()> {
        let number = self.journals.len();
        input.seek(SeekFrom::Start(0))?;
        let is_complete = journal::read(&mut BufReader::new(&mut input), |item, lines| {
            for (line, at) in lines {
                self.index(line, (number, at))?;
            }
            each(item);
            Ok::<(), io::Error>(())
        })?;
        if !is_complete {
            return Err(changed("the journal was changed or cut off after it was written"));
        }
        self.journals.push(RefCell::new(input));
        Ok(())
    }

    fn index(&mut self, line: Line, at: (usize, At)) -> io::Result<()> {
        match line {
            Line::File(file) => {
                self.skipped_lines += file.skipped_lines;
                self.formats.entry(file.format.clone()).or_default().add(&file);
                self.files.push(IndexedFile {
                    path: file.path,
                    bytes: file.bytes,
                    digest: file.digest,
                    kind: file.kind,
                    line: at,
                });
            }
            Line::Visit(Visit { place, entry }) => {
                let (digest, requests, is_session) = match &entry {
                    Entry::Session(session) => (&session.digest, session.requests, true),
                    Entry::Edits(edits) => (&edits.digest, 0, false),
                };
                let digest = unhex(digest)?;
                self.visits.push(IndexedVisit { place, digest, requests, is_session, line: at });
            }
            Line::Item { .. } | Line::End { .. } => {}
        }
        Ok(())
    }

    /// Puts the files in order of their paths.
    pub(crate) fn sort(&mut self) {
        self.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        self.visits.sort_unstable_by(|a, b| a.place.cmp(&b.place));
    }

    /// Sums over the files, which are in order.
    pub(crate) fn totals(&self) -> Totals {
        let mut digest = CorpusDigest::default();
        self.files.iter().for_each(|file| digest.add(&file.path, file.bytes, &file.digest));
        Totals {
            digest: digest.finish(),
            bytes: self.files.iter().map(|file| file.bytes).sum(),
            files: self.files.len() as u64,
            sessions: self.visits.iter().filter(|visit| visit.is_session).count() as u64,
            requests: self.visits.iter().map(|visit| visit.requests).sum(),
        }
    }

    /// Writes the manifest.
    pub(crate) fn write(
        mut self,
        spec: &Spec,
        step: u64,
        workspaces: u64,
        out: impl Write + Seek,
    ) -> io::Result<Totals> {
        self.sort();
        let totals = self.totals();
        let text = Text {
            schema: SCHEMA,
            generator: GENERATOR,
            profile: spec.profile.name(),
            scale: spec.scale,
            seed: spec.seed,
            step,
            digest: &totals.digest,
            bytes: totals.bytes,
            formats: &self.formats,
            answer: AnswerText {
                digest: hex(&answer_digest(self.visits.iter().map(|visit| &visit.digest))),
                sessions: totals.sessions,
                requests: totals.requests,
                edit_files: self.visits.len() as u64 - totals.sessions,
                workspaces,
                largest_session_requests: self.visits.iter().map(|visit| visit.requests).max().unwrap_or(0),
                skipped_lines: self.skipped_lines,
                sessions_index: List(|| self.sessions()),
                edits_index: List(|| self.edits()),
            },
            files: List(|| self.file_entries()),
            seal: "",
        };
        write_sealed(&text, out)?;
        Ok(totals)
    }

    /// Reads an entry again.
    fn entry<T>(&self, (journal, at): (usize, At), pick: impl FnOnce(Line) -> Option<T>) -> io::Result<T> {
        let line = journal::again(&mut *self.journals[journal].borrow_mut(), at)?;
        pick(line).ok_or_else(|| changed("the journal was changed while it was read"))
    }

    fn file_entries(&self) -> impl Iterator<Item = io::Result<FileEntry>> {
        let pick = |line| if let Line::File(entry) = line { Some(entry) } else { None };
        self.files.iter().map(move |file| self.entry(file.line, pick))
    }

    fn sessions(&self) -> impl Iterator<Item = io::Result<SessionEntry>> {
        let pick = |line| match line {
            Line::Visit(Visit { entry: Entry::Session(entry), .. }) => Some(entry),
            _ => None,
        };
        let sessions = self.visits.iter().filter(|visit| visit.is_session);
        sessions.map(move |visit| self.entry(visit.line, pick))
    }

    fn edits(&self) -> impl Iterator<Item = io::Result<EditEntry>> {
        let mut sessions_before = 0;
        self.visits.iter().filter_map(move |visit| {
            sessions_before += u64::from(visit.is_session);
            let pick = |line| match line {
                Line::Visit(Visit { entry: Entry::Edits(entry), .. }) => {
                    Some(EditEntry { sessions_before, ..entry })
                }
                _ => None,
            };
            (!visit.is_session).then(|| self.entry(visit.line, pick))
        })
    }
}

/// Writes the text with the seal, which is the digest of the text without it.
fn write_sealed(text: &impl Serialize, out: impl Write + Seek) -> io::Result<()> {
    let mut sealing = Sealing { out: io::BufWriter::new(out), seal: Seal::default() };
    serde_json::to_writer_pretty(&mut sealing, text)?;
    sealing.write_all(b"\n")?;
    let Sealing { mut out, seal } = sealing;
    // The text ends with the empty seal: what stands after its first quotation mark is written again.
    out.seek(SeekFrom::Current(-(SEAL_TAIL.len() as i64)))?;
    out.write_all(seal.finish().as_bytes())?;
    out.write_all(SEAL_TAIL)?;
    out.flush()
}

fn unhex(text: &str) -> io::Result<Digest> {
    let number = u128::from_str_radix(text, 16).map_err(|_| changed("a digest in the journal is none"))?;
    Ok(number.to_be_bytes())
}

fn changed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

/// A manifest as it is written: the fields of [`crate::Manifest`], in their order.
#[derive(Serialize)]
struct Text<'a, S, E, F> {
    schema: &'static str,
    generator: u32,
    profile: &'a str,
    scale: f64,
    seed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    step: u64,
    digest: &'a str,
    bytes: u64,
    formats: &'a BTreeMap<String, FormatTotals>,
    answer: AnswerText<S, E>,
    files: F,
    seal: &'static str,
}

/// The fields of [`crate::Answer`], in their order.
#[derive(Serialize)]
struct AnswerText<S, E> {
    digest: String,
    sessions: u64,
    requests: u64,
    edit_files: u64,
    workspaces: u64,
    largest_session_requests: u64,
    skipped_lines: u64,
    sessions_index: S,
    edits_index: E,
}

/// A list whose entries are made while it is written.
struct List<F>(F);

impl<F, I, T> Serialize for List<F>
where
    F: Fn() -> I,
    I: Iterator<Item = io::Result<T>>,
    T: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for entry in (self.0)() {
            list.serialize_element(&entry.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// Writes a text and takes its digest.
struct Sealing<W> {
    out: W,
    seal: Seal,
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.seal.add(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Manifest, Profile, Spec, foresee};

    /// The fields are written out twice, here and there.
    #[test]
    fn a_manifest_is_written_as_it_serializes() {
        let spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };
        let dir = tempfile::tempdir().unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let corpus = crate::ensure(dir.path(), &spec, 1, &stop, &|_| ()).unwrap();
        let text = std::fs::read_to_string(corpus.root.join("manifest.json")).unwrap();
        assert_eq!(serde_json::to_string_pretty(&corpus.manifest).unwrap() + "\n", text);
        assert_eq!(foresee(&spec, 2).unwrap(), corpus.manifest);
        assert!(corpus.manifest.answer.edits_index.iter().any(|edits| edits.sessions_before > 1));
        for (old, new) in [("smoke", "smokf"), ("\"seal\": \"", "\"seal\": \"0"), ("\n}\n", "\n}\n\n")] {
            Manifest::parse(text.replacen(old, new, 1).as_bytes()).unwrap_err();
        }
    }
}
