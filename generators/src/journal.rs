//! The journal of a corpus in the making: which items are complete, and what they held. Another run goes on by it, and the
//! manifest is made of it.
//!
//! Its first line says whose it is. Then come, for each complete item, a line for each file, a line for each place where a reader
//! finds something, and a line that ends the item. They are appended at once and after the item's files are written, so a line
//! never claims what is not there. Lines without their item's end, and everything after a torn line, do not count.

use std::fs::File;
use std::io::{self, BufRead, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::manifest::{EditEntry, FileEntry, GENERATOR, SessionEntry};
use crate::profile::{Profile, Spec};
use crate::recipe::Recipe;
use crate::shard::Shard;

/// The form of a journal.
const SCHEMA: &str = "highwater-corpus-journal/1";

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
    Item(String),
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

/// A journal being written, by several threads.
pub(crate) struct Journal<W> {
    out: Mutex<W>,
}

impl<W: Write> Journal<W> {
    /// Begins a journal.
    pub(crate) fn begin(mut out: W, header: &Header) -> io::Result<Self> {
        out.write_all(&line(header)?)?;
        Ok(Journal { out: Mutex::new(out) })
    }

    /// Notes that an item is complete: its files and visits.
    pub(crate) fn note<'a>(&self, item: &str, lines: impl Iterator<Item = &'a Line>) -> io::Result<()> {
        let mut text = Vec::new();
        for each in lines {
            text.extend(line(each)?);
        }
        text.extend(line(&Line::Item(item.to_owned()))?);
        // Nothing panics while it is held.
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)
    }

    /// What it was written to.
    pub(crate) fn end(self) -> W {
        self.out.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal<File> {
    /// Goes on with a journal.
    pub(crate) fn append(path: &Path) -> io::Result<Self> {
        Ok(Journal { out: Mutex::new(File::options().append(true).open(path)?) })
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

/// Reads a journal, an item at a time: its path and its other lines.
pub(crate) fn read<E: From<io::Error>>(
    input: &mut impl BufRead,
    mut each: impl FnMut(String, Vec<(Line, At)>) -> Result<(), E>,
) -> Result<(), E> {
    let mut lines = Lines::new(input);
    if lines.next::<Header>()?.is_none() {
        return Ok(());
    }
    let mut item = Vec::new();
    while let Some((line, at)) = lines.next()? {
        match line {
            Line::Item(path) => each(path, std::mem::take(&mut item))?,
            line => item.push((line, at)),
        }
    }
    Ok(())
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
        journal.end()
    }

    fn items(mut text: &[u8]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        read(&mut text, |item, lines| {
            found.push((item, lines.len()));
            Ok::<(), io::Error>(())
        })
        .unwrap();
        found
    }

    #[test]
    fn whatever_is_cut_off_an_item_that_is_not_whole_does_not_count() {
        let text = journal();
        let second = text.len() - b"{\"item\":\"b\"}\n".len() - line(&Line::File(file("b"))).unwrap().len();
        for cut in 0..=text.len() {
            let whole = items(&text[..cut]);
            let wanted = if cut == text.len() { 2 } else { usize::from(cut >= second) };
            assert_eq!(whole.len(), wanted, "{cut} of {}", text.len());
        }
        assert_eq!(items(&text), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }

    #[test]
    fn nothing_counts_after_a_line_that_is_none() {
        let mut text = journal();
        let at = text.len() - 20;
        text[at..].fill(0);
        text.extend(line(&Line::Item("c".to_owned())).unwrap());
        assert_eq!(items(&text).len(), 1);
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
