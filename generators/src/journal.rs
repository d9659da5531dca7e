//! The journal of a corpus in the making: which items are complete, and what they held. Another run goes on by it, and the
//! manifest is made of it.
//!
//! Its first line says whose it is. Then come, for each complete item, a line for each file, a line for each place where a reader
//! finds something, and a line that ends the item. They are appended at once and after the item's files are written, so a line
//! never claims what is not there. Lines without their item's end, and everything after a torn line, do not count.
//!
//! Each item's end has a seal of all that stands before it, and so has the last line of a journal that is complete: a journal is
//! believed up to where it was changed, and one that must be complete is refused when it was changed or cut off.

use std::io::{self, BufRead, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::manifest::{EditEntry, FileEntry, GENERATOR, Seal, SessionEntry};
use crate::profile::{Profile, Spec};
use crate::recipe::Recipe;
use crate::shard::Shard;

/// The form of a journal.
const SCHEMA: &str = "highwater-corpus-journal/2";

/// Where something is visited: root, workspace, sessions before edits, name.
pub(crate) type Place = (usize, String, bool, String);

/// Something that a reader answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) place: Place,
    pub(crate) entry: Entry,
}

/// What is visited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    Session(SessionEntry),
    Edits(EditEntry),
}

/// The first line: which corpus, and which part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    journal: String,
    generator: u32,
    profile: String,
    /// The recipe of an own profile, as its file has it: the name alone does not say what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe: Option<String>,
    scale: f64,
    seed: u64,
    /// Which part; none is the whole.
    pub(crate) shard: Option<Shard>,
}

/// Any other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    File(FileEntry),
    Visit(Visit),
    /// Ends the item with this path.
    Item {
        path: String,
        /// Of everything before it, the path included.
        seal: String,
    },
    /// Ends the journal.
    End {
        /// Of everything before it.
        seal: String,
    },
}

/// Where a line stands in its journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    offset: u64,
    bytes: usize,
}

impl Header {
    pub(crate) fn new(spec: &Spec, shard: Option<Shard>) -> Self {
        Header {
            journal: SCHEMA.to_owned(),
            generator: GENERATOR,
            profile: spec.profile.name().to_owned(),
            recipe: spec.profile.recipe().map(Recipe::to_toml),
            scale: spec.scale,
            seed: spec.seed,
            shard,
        }
    }

    /// The corpus, if this generator makes the same.
    pub(crate) fn spec(&self) -> Option<Spec> {
        let profile = match &self.recipe {
            Some(recipe) => Recipe::parse(recipe, Path::new(SCHEMA)).ok()?.into(),
            None => Profile::BUILT_IN.into_iter().find(|profile| profile.name() == self.profile)?,
        };
        let spec = Spec { profile, scale: self.scale, seed: self.seed };
        (*self == Header::new(&spec, self.shard)).then_some(spec)
    }
}

/// Seals of a text that grows: each is of the text since the one before, and of that one.
#[derive(Default)]
struct Chain(Seal);

impl Chain {
    fn add(&mut self, text: &[u8]) {
        self.0.add(text);
    }

    fn seal(&mut self) -> String {
        let seal = std::mem::take(&mut self.0).finish();
        self.0.add(seal.as_bytes());
        seal
    }
}

/// A journal being written, by several threads.
pub(crate) struct Journal<W> {
    open: Mutex<(W, Chain)>,
}

impl<W: Write> Journal<W> {
    /// Begins a journal.
    pub(crate) fn begin(mut out: W, header: &Header) -> io::Result<Self> {
        let (text, mut chain) = (line(header)?, Chain::default());
        out.write_all(&text)?;
        chain.add(&text);
        Ok(Journal { open: Mutex::new((out, chain)) })
    }

    /// Notes that an item is complete: its files and visits.
    pub(crate) fn note<'a>(&self, item: &str, lines: impl Iterator<Item = &'a Line>) -> io::Result<()> {
        let mut text = Vec::new();
        for each in lines {
            text.extend(line(each)?);
        }
        // Nothing panics while it is held.
        let (out, chain) = &mut *self.open.lock().unwrap_or_else(PoisonError::into_inner);
        chain.add(&text);
        chain.add(item.as_bytes());
        text.extend(line(&Line::Item { path: item.to_owned(), seal: chain.seal() })?);
        out.write_all(&text)
    }

    /// Completes the journal, and gives what it was written to.
    pub(crate) fn end(self) -> io::Result<W> {
        let (mut out, mut chain) = self.open.into_inner().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&line(&Line::End { seal: chain.seal() })?)?;
        Ok(out)
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads a journal's first line; none where it is not that of a journal.
pub(crate) fn header(input: &mut impl BufRead) -> io::Result<Option<Header>> {
    Ok(Lines::new(input).next()?.map(|(header, _)| header))
}

/// Reads a journal, an item at a time: its path and its other lines. Tells whether it is complete and as it was written.
pub(crate) fn read<E: From<io::Error>>(
    input: &mut impl BufRead,
    mut each: impl FnMut(String, Vec<(Line, At)>) -> Result<(), E>,
) -> Result<bool, E> {
    let (mut lines, mut chain) = (Lines::new(input), Chain::default());
    if lines.next::<Header>()?.is_none() {
        return Ok(false);
    }
    chain.add(&lines.text);
    let mut item = Vec::new();
    while let Some((line, at)) = lines.next()? {
        match line {
            Line::Item { path, seal } => {
                chain.add(path.as_bytes());
                if chain.seal() != seal {
                    return Ok(false);
                }
                each(path, std::mem::take(&mut item))?;
            }
            Line::End { seal } => return Ok(chain.seal() == seal && lines.is_over()?),
            line => {
                chain.add(&lines.text);
                item.push((line, at));
            }
        }
    }
    Ok(false)
}

/// Reads one line again.
pub(crate) fn again(input: &mut (impl io::Read + Seek), at: At) -> io::Result<Line> {
    let mut text = vec![0; at.bytes];
    input.seek(SeekFrom::Start(at.offset))?;
    input.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

struct Lines<'a, R> {
    input: &'a mut R,
    text: Vec<u8>,
    offset: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    fn new(input: &'a mut R) -> Self {
        Lines { input, text: Vec::new(), offset: 0 }
    }

    /// The next line; none at the end or where it is torn.
    fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, At)>> {
        self.text.clear();
        let bytes = self.input.read_until(b'\n', &mut self.text)?;
        let at = At { offset: self.offset, bytes };
        self.offset += bytes as u64;
        if self.text.last() != Some(&b'\n') {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&self.text).ok().map(|value| (value, at)))
    }

    fn is_over(&mut self) -> io::Result<bool> {
        Ok(self.input.fill_buf()?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec { profile: Profile::Smoke, scale: 0.1, seed: 3 };

    fn file(path: &str) -> FileEntry {
        FileEntry { path: path.to_owned(), bytes: 7, ..FileEntry::default() }
    }

    fn journal() -> Vec<u8> {
        let journal = Journal::begin(Vec::new(), &Header::new(&SPEC, None)).unwrap();
        journal.note("a", [file("a"), file("a2")].map(Line::File).iter()).unwrap();
        journal.note("b", [file("b")].map(Line::File).iter()).unwrap();
        journal.end().unwrap()
    }

    /// The items, and whether the journal is complete.
    fn items(mut text: &[u8]) -> (Vec<(String, usize)>, bool) {
        let mut found = Vec::new();
        let is_complete = read(&mut text, |item, lines| {
            found.push((item, lines.len()));
            Ok::<(), io::Error>(())
        });
        (found, is_complete.unwrap())
    }

    /// How long the journal is up to the end of each line.
    fn ends(text: &[u8]) -> Vec<usize> {
        text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect()
    }

    #[test]
    fn whatever_is_cut_off_an_item_that_is_not_whole_does_not_count() {
        let text = journal();
        // The header, two files and an item's end, a file and an item's end, the journal's end.
        let ends = ends(&text);
        for cut in 0..text.len() {
            let wanted = [ends[3], ends[5]].iter().filter(|end| cut >= **end).count();
            let (found, is_complete) = items(&text[..cut]);
            assert_eq!((found.len(), is_complete), (wanted, false), "{cut} of {}", text.len());
        }
        assert_eq!(items(&text), (vec![("a".to_owned(), 2), ("b".to_owned(), 1)], true));
    }

    #[test]
    fn a_journal_is_believed_up_to_where_it_was_changed() {
        let text = journal();
        let ends = ends(&text);
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            let believed = [ends[3], ends[5]].iter().filter(|end| at >= **end).count();
            let (found, is_complete) = items(&changed);
            assert_eq!((found.len(), is_complete), (believed, false), "byte {at} of {}", text.len());
        }
        let doubled = [&text[..], &text[ends[5]..]].concat();
        let without_first = [&text[..ends[0]], &text[ends[3]..]].concat();
        assert_eq!((items(&doubled).1, items(&without_first)), (false, (vec![], false)));
        // An item that is whole by itself, and stands where it was not written.
        let again = [&text[..ends[5]], &text[ends[3]..]].concat();
        assert_eq!(items(&again), (vec![("a".to_owned(), 2), ("b".to_owned(), 1)], false));
    }

    #[test]
    fn nothing_counts_after_a_line_that_is_none() {
        let mut text = journal();
        let end = ends(&text)[5];
        text[end - 20..end].fill(0);
        assert_eq!(items(&text), (vec![("a".to_owned(), 2)], false));
    }

    #[test]
    fn a_line_is_found_again() {
        let text = journal();
        let mut places = Vec::new();
        read(&mut &text[..], |_, lines| {
            places.extend(lines);
            Ok::<(), io::Error>(())
        })
        .unwrap();
        for (line, at) in places {
            assert_eq!(again(&mut io::Cursor::new(&text), at).unwrap(), line);
        }
    }

    #[test]
    fn a_header_tells_its_corpus_unless_another_generator_wrote_it() {
        let header = header(&mut &journal()[..]).unwrap().unwrap();
        assert_eq!(header.spec(), Some(SPEC));
        assert_eq!(Header { generator: GENERATOR + 1, ..header.clone() }.spec(), None);
        assert_eq!(Header { profile: "unheard-of".to_owned(), ..header }.spec(), None);
    }
}
