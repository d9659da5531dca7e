//! Lists the sessions of a home, and remembers what it has found in their files.
//!
//! A list is made in three steps, so that whoever runs a loop decides when files are read: [`Catalog::begin`] looks at all files and
//! takes the rows that are known, [`Catalog::read`] (or `supply`) brings those that are not, [`Catalog::end`] makes the page.

mod answers;
mod disk;
mod index;
mod pages;
mod sliding;

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
pub use disk::DiskError;

use self::disk::Disk;
use self::index::Index;
use self::pages::Pages;
use self::sliding::Sliding;
use super::Now;
use super::files::{Root, Stamp, Unusable};
use super::row::{Page, Places, Query, Row};
use super::strategy::{Cache, Read, Strategy};
use super::summary::{Summariser, Summary};
use crate::formats::source::ReadError;

/// The sessions of a home.
pub struct Catalog {
    root: Root,
    read: Read,
    memory: Memory,
    summariser: Summariser,
    generation: u64,
    lists: u64,
}

/// What is remembered, as the strategy says.
enum Memory {
    Nothing,
    Sliding(Sliding),
    Pages(Pages),
    Index(Box<Index>),
}

/// What a catalog has done, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lists that were asked for.
    pub lists: u64,
    /// Session files that were opened for them.
    pub bodies: u64,
    /// Entries that are held: a file, a page, or what is known of one.
    pub entries: usize,
    /// Those of them that say what is in a file.
    pub held: usize,
}

/// A list that has begun.
pub enum Begun {
    /// It is known whole.
    Done(Page),
    /// Some rows have to be read.
    Read(Scan),
}

/// A list of which some rows have to be read.
pub struct Scan {
    query: Query,
    now: Now,
    generation: u64,
    total: usize,
    unusable: Unusable,
    places: Places,
    wanted: Vec<Wanted>,
}

/// A file of a page.
pub struct Wanted {
    project: Arc<str>,
    id: Arc<str>,
    stamp: Stamp,
    /// None while it has to be read.
    row: Option<Row>,
}

impl Catalog {
    /// The sessions below a home, of which nothing is known yet. `index` is a file in which [`Cache::Index`] keeps what it knows; without one it
    /// keeps it in memory only.
    ///
    /// # Errors
    /// When the index cannot be opened or made.
    pub fn new(home: &Path, strategy: &Strategy, index: Option<&Path>) -> Result<Catalog, DiskError> {
        let memory = match strategy.cache {
            Cache::None => Memory::Nothing,
            Cache::Sliding => Memory::Sliding(Sliding::default()),
            Cache::Pages => Memory::Pages(Pages::default()),
            Cache::Index => {
                let disk = index.map(|file| Disk::open(file, home)).transpose()?;
                Memory::Index(Box::new(Index::new(disk)))
            }
        };
        Ok(Catalog {
            root: Root::new(home),
            read: strategy.read,
            memory,
            summariser: Summariser::new(strategy.read),
            generation: 0,
            lists: 0,
        })
    }

    /// Where its files are.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// What it has done.
    pub fn stats(&self) -> Stats {
        let (entries, held) = match &self.memory {
            Memory::Nothing => (0, 0),
            Memory::Sliding(sliding) => (sliding.len(), sliding.len()),
            Memory::Pages(pages) => (pages.len(), pages.held()),
            Memory::Index(index) => (index.len(), index.held()),
        };
        Stats { lists: self.lists, bodies: self.summariser.bodies, entries, held }
    }

    /// Why the index on disk is no longer written, where it is not.
    pub fn index_failure(&self) -> Option<&DiskError> {
        match &self.memory {
            Memory::Index(index) => index.failure(),
            _ => None,
        }
    }

    /// Says that the service has written a session. What a scan finds that began before is not remembered.
    pub fn invalidate(&mut self) {
        self.generation += 1;
        match &mut self.memory {
            Memory::Sliding(sliding) => sliding.clear(),
            Memory::Pages(pages) => pages.forget_pages(),
            Memory::Nothing | Memory::Index(_) => {}
        }
    }

    /// Answers a query, reading what has to be read.
    pub fn list(&mut self, query: &Query, now: Now) -> Page {
        match self.begin(query, now) {
            Begun::Done(page) => page,
            Begun::Read(mut scan) => {
                self.read(&mut scan);
                self.end(scan)
            }
        }
    }

    /// Answers a query with a JSON text. Where nothing has changed since the same query was answered, the text is the one of then.
    ///
    /// # Errors
    /// Hardly: everything in a page can be written.
    pub fn json(&mut self, query: &Query, now: Now) -> Result<Bytes, serde_json::Error> {
        self.lists += 1;
        if let Some(page) = self.page_of_before(query, now) {
            return page.to_json().map(Bytes::from);
        }
        let mut scan = self.look(query, now);
        if let Memory::Index(index) = &self.memory
            && let Some(text) = index.answer(query, &scan.unusable)
        {
            return Ok(text);
        }
        let looked = scan.unusable.clone();
        self.fill(&mut scan);
        self.read(&mut scan);
        let (page, places) = self.finish(scan);
        let text = Bytes::from(page.to_json()?);
        if let Memory::Index(index) = &mut self.memory
            && page.unusable == looked
        {
            index.keep_answer(query, &page, places, &text);
        }
        Ok(text)
    }

    /// Begins a list: looks at every file, and takes what is known.
    pub fn begin(&mut self, query: &Query, now: Now) -> Begun {
        self.lists += 1;
        if let Some(page) = self.page_of_before(query, now) {
            return Begun::Done(page);
        }
        let mut scan = self.look(query, now);
        self.fill(&mut scan);
        Begun::Read(scan)
    }

    fn page_of_before(&self, query: &Query, now: Now) -> Option<Page> {
        match &self.memory {
            Memory::Pages(pages) => pages.page(query, now),
            _ => None,
        }
    }

    /// Looks at every file.
    fn look(&mut self, query: &Query, now: Now) -> Scan {
        let mut scan = Scan {
            query: query.clone(),
            now,
            generation: self.generation,
            total: 0,
            unusable: Unusable::default(),
            places: Places::default(),
            wanted: Vec::new(),
        };
        match &mut self.memory {
            Memory::Index(index) => index.look(&self.root, &mut scan.unusable),
            Memory::Nothing | Memory::Sliding(_) => drop(scan.look(&self.root)),
            Memory::Pages(pages) => {
                let others = scan.look(&self.root);
                if scan.query.project.is_none() {
                    pages.forget_vanished(scan.wanted.iter().chain(&others));
                }
            }
        }
        scan
    }

    /// Takes the rows that are known.
    fn fill(&mut self, scan: &mut Scan) {
        let Scan { now, wanted, places, .. } = &mut *scan;
        match &mut self.memory {
            Memory::Nothing => {}
            Memory::Sliding(sliding) => wanted.iter_mut().for_each(|wanted| sliding.fill(wanted, *now)),
            Memory::Pages(pages) => wanted.iter_mut().for_each(|wanted| pages.fill(wanted, places)),
            Memory::Index(index) => index.fill(scan),
        }
    }

    /// Reads everything that a scan lacks.
    pub fn read(&mut self, scan: &mut Scan) {
        let missing = scan.missing(&self.root);
        if self.read == Read::Together {
            let texts = texts(&missing);
            for ((at, _), text) in missing.iter().zip(texts) {
                self.supply_text(scan, *at, text);
            }
            return;
        }
        for (at, path) in &missing {
            self.supply_file(scan, *at, path);
        }
    }

    /// Reads one of the files that a scan lacks.
    pub fn supply_file(&mut self, scan: &mut Scan, at: usize, path: &Path) {
        let summary = self.summariser.file(path);
        self.supply(scan, at, path, summary);
    }

    /// Takes the text of one of the files that a scan lacks.
    pub fn supply_text(&mut self, scan: &mut Scan, at: usize, text: io::Result<Vec<u8>>) {
        let summary = text.map_err(ReadError::from).and_then(|text| self.summariser.text(text));
        let path = scan.path(&self.root, at);
        self.supply(scan, at, &path, summary);
    }

    fn supply(&mut self, scan: &mut Scan, at: usize, path: &Path, summary: Result<Summary, ReadError>) {
        let summary = match summary {
            Ok(mut summary) => {
                summary.date_from(path);
                Arc::new(summary)
            }
            // It went after the directory was read.
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return scan.unusable.add(path, &error),
        };
        let Some(wanted) = scan.wanted.get_mut(at) else { return };
        let row = scan.places.row(&wanted.project, &wanted.id, wanted.stamp, &summary);
        let is_current = scan.generation == self.generation;
        match &mut self.memory {
            Memory::Nothing => {}
            Memory::Sliding(sliding) => sliding.keep(&row, scan.now),
            Memory::Pages(pages) if is_current => pages.keep(&row),
            Memory::Index(index) if is_current => index.keep(&row, path, scan.now),
            Memory::Pages(_) | Memory::Index(_) => {}
        }
        wanted.row = Some(row);
    }

    /// Makes the page of a scan that lacks nothing more.
    pub fn end(&mut self, scan: Scan) -> Page {
        self.finish(scan).0
    }

    fn finish(&mut self, scan: Scan) -> (Page, Places) {
        let is_current = scan.generation == self.generation;
        let Scan { query, now, total, unusable, wanted, places, .. } = scan;
        let mut rows: Vec<Row> = Vec::with_capacity(wanted.len());
        rows.extend(wanted.into_iter().filter_map(|wanted| wanted.row));
        let mut page = Page { rows, total, unusable };
        if let Some(text) = &query.text {
            let text = text.to_lowercase();
            page.rows.retain(|row| row.has(&text));
            page.total = page.rows.len();
            page.rows = page.rows.into_iter().skip(query.offset).take(query.limit).collect();
        }
        match &mut self.memory {
            Memory::Pages(pages) if is_current => pages.keep_page(query, &page, now),
            Memory::Index(index) => index.end(),
            _ => {}
        }
        (page, places)
    }
}

/// Texts of files, all of them at once.
pub fn texts(files: &[(usize, PathBuf)]) -> Vec<io::Result<Vec<u8>>> {
    files.iter().map(|(_, path)| fs::read(path)).collect()
}

impl Scan {
    /// What has to be read, each with its place in the scan.
    pub fn missing(&self, root: &Root) -> Vec<(usize, PathBuf)> {
        let missing = self.wanted.iter().enumerate().filter(|(_, wanted)| wanted.row.is_none());
        missing.map(|(at, wanted)| (at, root.file(&wanted.project, &wanted.id))).collect()
    }

    fn path(&self, root: &Root, at: usize) -> PathBuf {
        self.wanted.get(at).map_or_else(PathBuf::new, |wanted| root.file(&wanted.project, &wanted.id))
    }

    /// Looks at every file; those of the page are wanted. Gives the others.
    fn look(&mut self, root: &Root) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        let project = self.query.project.as_deref();
        root.visit(&mut self.unusable, |name, id, stamp| {
            if project.is_none_or(|project| project == name) {
                all.push(Wanted { project: name.into(), id: id.into(), stamp, row: None });
            }
        });
        all.sort_unstable_by(|one, other| {
            key(one.stamp, &one.id, &one.project).cmp(&key(other.stamp, &other.id, &other.project))
        });
        self.total = all.len();
        let (offset, limit) = self.query.window();
        let start = offset.min(all.len());
        let end = start.saturating_add(limit).min(all.len());
        self.wanted.extend(all.drain(start..end));
        all
    }
}

impl Query {
    /// The files that are looked into: those of the page, or all of them where their content decides.
    fn window(&self) -> (usize, usize) {
        if self.text.is_some() { (0, usize::MAX) } else { (self.offset, self.limit) }
    }
}

/// How rows are sorted: the newest first.
fn key<'a>(stamp: Stamp, id: &'a str, project: &'a str) -> (Reverse<i64>, &'a str, &'a str) {
    (Reverse(stamp.modified_ns), id, project)
}
