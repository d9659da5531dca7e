//! The worker process: discovers, fingerprints, reads the cache, parses, and sends what it finds.

mod outbox;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outbox::Outbox;
pub use outbox::TRANSFER_FILE;

use super::Event;
use super::cache::fragment::{self, FragmentError, FragmentWriter};
use super::cache::monolith::{self, Meta};
use super::discover::{Layout, Workspace, workspaces};
use super::fingerprint::{NO_STATE, combined, fingerprint, newest};
use super::frame::{FrameError, FrameReader, Kind};
use super::parse::{Parser, Sink};
use super::prefetch::Prefetcher;
use super::protocol::{Done, Item, Job, Progress, Skipped, Work};
use super::strategy::{CacheKind, End, Prefetch, ReaderKind, Strategy, Strip};
use crate::formats::Hold;
use crate::formats::source::Reader;

/// Times of files are as coarse as the kernel's tick: a file that changed this shortly before a parse may not show it.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// Why a worker ends without having sent everything.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The host is gone, or the cache cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What the host says cannot be understood.
    #[error("what the host says cannot be understood: {0}")]
    Frame(#[from] FrameError),
    /// The host says nothing.
    #[error("the host gave no job")]
    NoJob,
}

/// Does one job: reads it from `input`, works, and sends everything to `output`.
///
/// # Errors
/// When the host cannot be reached or the cache not be written. Files that cannot be read are no errors: they are counted
/// and named in what is sent.
pub fn run<R: Read, W: Write>(
    input: R,
    output: W,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), WorkerError> {
    let mut frames = FrameReader::new(input);
    let mut payload = Vec::new();
    let job: Job = match frames.read(&mut payload)? {
        Some(Kind::Job) => serde_json::from_slice(&payload).map_err(io::Error::from)?,
        _ => return Err(WorkerError::NoJob),
    };
    drop(payload);
    let outbox = Outbox::new(frames, output, &job)?;
    let mut worker = Worker::new(&job, outbox, observe);
    let result = worker.run();
    if let Err(error) = &result {
        // A host that is gone does not hear this either.
        let _ = worker.outbox.fail(error);
    }
    Ok(result?)
}

struct Worker<'a, R, W> {
    job: &'a Job,
    strategy: Strategy,
    outbox: Outbox<R, W>,
    observe: &'a mut dyn FnMut(Event<'_>),
    retained: Vec<Item>,
    /// Bytes of kept texts, and of the buffers that hold them, as they are when they are sent.
    weighed: (u64, u64),
    /// The fragment of the workspace that is being parsed.
    fragment: Option<FragmentWriter>,
    /// Whether something could not be read that may be another time.
    partial: bool,
    done: u64,
    total: u64,
}

impl<R: Read, W: Write> Sink for Worker<'_, R, W> {
    fn file(&mut self, key: &str) -> io::Result<()> {
        let progress = Progress { done: self.done, total: self.total, file: key.into() };
        self.outbox.send_json(Kind::Progress, &progress)
    }

    fn item(&mut self, mut item: Item) -> io::Result<()> {
        if self.strategy.strip == Strip::PerSession
            && let Item::Session(session) = &mut item
        {
            session.strip();
        }
        self.emit(&item)?;
        if self.retains() {
            self.retained.push(item);
        } else {
            weigh(&item, &mut self.weighed);
        }
        Ok(())
    }
}

impl<'a, R: Read, W: Write> Worker<'a, R, W> {
    fn new(job: &'a Job, outbox: Outbox<R, W>, observe: &'a mut dyn FnMut(Event<'_>)) -> Self {
        let strategy = job.strategy;
        Worker {
            job,
            strategy,
            outbox,
            observe,
            retained: Vec::new(),
            weighed: (0, 0),
            fragment: None,
            partial: false,
            done: 0,
            total: 0,
        }
    }

    fn sends_during_parse(&self) -> bool {
        self.strategy.chunks.is_some_and(|chunks| chunks.during_parse)
    }

    /// Whether items are still needed after they have been parsed.
    fn retains(&self) -> bool {
        !self.sends_during_parse() || self.strategy.cache == CacheKind::Monolith
    }

    fn run(&mut self) -> io::Result<()> {
        let began =
            SystemTime::now().checked_sub(CLOCK_TICK).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (self.observe)(Event::Phase("discover"));
        let mut skipped = Skipped::default();
        let workspaces = workspaces(&self.job.home, &mut skipped);
        self.total = workspaces.len() as u64;
        // So that the host knows how much there is, whatever happens to the first file.
        self.file("")?;
        (self.observe)(Event::Phase("check-cache"));
        let kind = self.strategy.fingerprint;
        let prints: Vec<Option<u64>> =
            workspaces.iter().map(|workspace| fingerprint(kind, &self.job.home, workspace)).collect();
        let mut done = Done { workspaces: self.total, ..Done::default() };
        let streaming = self.strategy.reader == ReaderKind::Streaming;
        let mut parser = Parser {
            home: &self.job.home,
            reader: if streaming { Reader::streaming() } else { Reader::whole() },
            hold: if streaming { Hold::STRIPPED } else { Hold::REPORTED },
            prefetched: Prefetcher::default(),
            avoid: &self.job.avoid,
            probe_missing: self.strategy.probe_missing,
            skipped,
            work: Work::default(),
        };
        let meta = match self.strategy.cache {
            CacheKind::Fragments => {
                self.parse_into_fragments(&workspaces, &prints, &mut parser)?;
                None
            }
            CacheKind::Monolith => {
                let saved_at = began.map_or(0, |time| time.as_nanos() as u64);
                Some(self.parse_into_monolith(&workspaces, &prints, &mut parser, saved_at)?)
            }
        };
        done.work = std::mem::take(&mut parser.work);
        done.skipped = std::mem::take(&mut parser.skipped);
        done.fingerprint = if self.partial { NO_STATE } else { combined(&workspaces, &prints) };
        drop((parser, workspaces, prints));
        self.finish(done, meta)
    }

    /// Sends what has not been sent, saves what has not been saved, and says that this is all.
    fn finish(&mut self, mut done: Done, meta: Option<Meta>) -> io::Result<()> {
        (self.observe)(Event::Phase("send"));
        if self.strategy.strip == Strip::AtEnd {
            for item in &mut self.retained {
                if let Item::Session(session) = item {
                    session.strip();
                }
            }
        }
        self.retained.iter().for_each(|item| weigh(item, &mut self.weighed));
        (done.work.text_bytes, done.work.text_capacity_bytes) = self.weighed;
        let monolith = match &meta {
            Some(meta) if done.work.parsed > 0 || meta.workspaces.len() as u64 != done.work.cached => {
                Some(monolith::to_bytes(&self.retained)?)
            }
            _ => None,
        };
        let save = |bytes: Option<Vec<u8>>| match (bytes, &meta) {
            (Some(bytes), Some(meta)) => monolith::save(&self.job.cache, &bytes, meta),
            _ => Ok(()),
        };
        // The reported engine's cache was written while its worker was already being killed.
        let (before, after) =
            if self.strategy.end == End::Kill { (None, monolith) } else { (monolith, None) };
        save(before)?;
        if !self.sends_during_parse() {
            self.outbox.send_items(&std::mem::take(&mut self.retained))?;
        }
        self.outbox.settle()?;
        (self.observe)(Event::Delivered);
        self.outbox.finish(done)?;
        save(after)
    }

    fn emit(&mut self, item: &Item) -> io::Result<()> {
        let sends = self.sends_during_parse();
        if sends || self.fragment.is_some() {
            self.outbox.write(item, sends, &mut self.fragment)?;
        }
        Ok(())
    }

    fn parse_into_fragments(
        &mut self,
        workspaces: &[Workspace],
        prints: &[Option<u64>],
        parser: &mut Parser<'_>,
    ) -> io::Result<()> {
        fragment::prepare(&self.job.cache)?;
        parser.work.migrated = self.migrate(workspaces, &mut parser.skipped)?;
        (self.observe)(Event::Phase("parse"));
        for (at, workspace) in workspaces.iter().enumerate() {
            let key = workspace.key();
            self.begin(&key);
            match self.check(&key, prints[at], workspace) {
                Ok(offset) => {
                    self.cached(&key, offset)?;
                    parser.work.cached += 1;
                }
                Err(error) => {
                    if !matches!(error, FragmentError::Stale) {
                        parser.skipped.fragment(&fragment::file_name(&key), &error);
                    }
                    parser.prefetched.advance(self.prefetch(), &self.job.home, workspaces, at);
                    self.parse_into_fragment(&key, prints[at].unwrap_or(0), workspace, parser)?;
                }
            }
            self.done += 1;
        }
        let names: Vec<String> =
            workspaces.iter().map(|workspace| fragment::file_name(&workspace.key())).collect();
        fragment::remove_others(&self.job.cache, &|name| names.iter().any(|known| known == name))
    }

    /// A workspace that has not changed: its records are read from its fragment, by the host where it follows the parse.
    fn cached(&mut self, key: &str, offset: u64) -> io::Result<()> {
        if self.sends_during_parse() {
            return self.outbox.announce(key, offset, true);
        }
        let path = fragment::directory(&self.job.cache).join(fragment::file_name(key));
        fragment::items(&path, &mut |item| {
            self.retained.push(item);
            Ok(())
        })
        .map_err(io::Error::other)
    }

    fn parse_into_fragment(
        &mut self,
        key: &str,
        print: u64,
        workspace: &Workspace,
        parser: &mut Parser<'_>,
    ) -> io::Result<()> {
        let fragment = FragmentWriter::create(&self.job.cache, key, print)?;
        if self.sends_during_parse() {
            self.outbox.announce(key, fragment.offset, false)?;
        }
        self.fragment = Some(fragment);
        let partial = self.parse(workspace, parser)?;
        let sends = self.sends_during_parse();
        self.outbox.flush(sends, &mut self.fragment)?;
        match self.fragment.take() {
            Some(fragment) => fragment.finish(partial),
            None => Ok(()),
        }
    }

    /// Reads a workspace; whether something could not be read that may be another time.
    fn parse(&mut self, workspace: &Workspace, parser: &mut Parser<'_>) -> io::Result<bool> {
        let passing = parser.skipped.passing;
        parser.workspace(workspace, self)?;
        let partial = parser.skipped.passing > passing;
        self.partial |= partial;
        Ok(partial)
    }

    /// Where a workspace's records begin in its fragment, if that can be used.
    fn check(&self, key: &str, print: Option<u64>, workspace: &Workspace) -> Result<u64, FragmentError> {
        // The reported engine read everything but these two anew each time.
        if print.is_none() && !matches!(workspace.root.layout, Layout::VsCode | Layout::CopilotCli) {
            return Err(FragmentError::Stale);
        }
        fragment::check(&self.job.cache, key, print.unwrap_or(0))
    }

    fn prefetch(&self) -> Prefetch {
        if self.job.reduced { Prefetch::Off } else { self.strategy.prefetch }
    }

    fn begin(&mut self, key: &str) {
        (self.observe)(Event::Workspace { done: self.done, total: self.total, key });
    }

    fn parse_into_monolith(
        &mut self,
        workspaces: &[Workspace],
        prints: &[Option<u64>],
        parser: &mut Parser<'_>,
        saved_at: u64,
    ) -> io::Result<Meta> {
        let mut cached = self.load_monolith(workspaces, prints, parser);
        let mut partial = BTreeSet::new();
        (self.observe)(Event::Phase("parse"));
        for (at, workspace) in workspaces.iter().enumerate() {
            let key = workspace.key();
            self.begin(&key);
            match cached.remove(&key) {
                Some(items) => {
                    parser.work.cached += 1;
                    for item in items {
                        Sink::item(self, item)?;
                    }
                }
                None => {
                    parser.prefetched.advance(self.prefetch(), &self.job.home, workspaces, at);
                    if self.parse(workspace, parser)? {
                        partial.insert(key);
                    }
                }
            }
            let sends = self.sends_during_parse();
            self.outbox.flush(sends, &mut self.fragment)?;
            self.done += 1;
        }
        let states =
            workspaces.iter().zip(prints).map(|(workspace, print)| (workspace.key(), *print)).collect();
        Ok(Meta { version: monolith::VERSION, saved_at, checksum: 0, workspaces: states, partial })
    }

    /// The items of workspaces that seem unchanged. As in the reported engine, items are dropped by the bare name of a changed
    /// directory, and directories without a fingerprint never seem changed once the cache is valid.
    fn load_monolith(
        &self,
        workspaces: &[Workspace],
        prints: &[Option<u64>],
        parser: &mut Parser<'_>,
    ) -> BTreeMap<String, Vec<Item>> {
        let Some(meta) = monolith::meta(&self.job.cache) else {
            return BTreeMap::new();
        };
        let items = match monolith::load(&self.job.cache, &meta) {
            Ok(items) => items,
            Err(error) => {
                parser.skipped.fragment(monolith::RECORDS, &error);
                return BTreeMap::new();
            }
        };
        let changed: Vec<&str> = workspaces
            .iter()
            .zip(prints)
            .filter(|(workspace, print)| {
                print.is_some() && meta.workspaces.get(&workspace.key()) != Some(*print)
            })
            .map(|(workspace, _)| &*workspace.name)
            .collect();
        let mut cached: BTreeMap<String, Vec<Item>> = workspaces
            .iter()
            .zip(prints)
            .filter(|(workspace, _)| !meta.partial.contains(&workspace.key()))
            .filter(|(workspace, print)| match print {
                Some(_) => meta.workspaces.get(&workspace.key()) == Some(*print),
                None => workspace.root.layout == Layout::CopilotCli,
            })
            .map(|(workspace, _)| (workspace.key(), Vec::new()))
            .collect();
        for item in items {
            let name = item.workspace().rsplit('/').next().unwrap_or_default().to_owned();
            if changed.contains(&&*name) {
                continue;
            }
            if let Some(items) = cached.get_mut(item.workspace()) {
                items.push(item);
            }
        }
        cached
    }

    /// Brings a monolith into fragments: every workspace of which no file has changed since it was made.
    fn migrate(&mut self, workspaces: &[Workspace], skipped: &mut Skipped) -> io::Result<bool> {
        let Some(meta) = monolith::meta(&self.job.cache) else {
            return Ok(false);
        };
        (self.observe)(Event::Phase("migrate"));
        let mut current: Option<(String, FragmentWriter)> = None;
        let finish = |current: Option<(String, FragmentWriter)>| match current {
            Some((_, writer)) => writer.finish(false),
            None => Ok(()),
        };
        let kind = self.strategy.fingerprint;
        let usable: BTreeMap<String, u64> = workspaces
            .iter()
            .filter(|workspace| meta.workspaces.contains_key(&workspace.key()))
            .filter(|workspace| !meta.partial.contains(&workspace.key()))
            .filter(|workspace| newest(&self.job.home, workspace) < meta.saved_at)
            .filter_map(|workspace| Some((workspace.key(), fingerprint(kind, &self.job.home, workspace)?)))
            .collect();
        let mut line = Vec::new();
        let result = monolith::stream(&self.job.cache, &meta, &mut |item| {
            if current.as_ref().is_none_or(|(key, _)| key != item.workspace()) {
                finish(current.take())?;
                if let Some(print) = usable.get(item.workspace()) {
                    let writer = FragmentWriter::create(&self.job.cache, item.workspace(), *print)?;
                    current = Some((item.workspace().to_owned(), writer));
                }
            }
            if let Some((_, writer)) = &mut current {
                line.clear();
                item.write(&mut line, |_| Ok(()))?;
                writer.append(&line)?;
            }
            Ok(())
        });
        match &result {
            Ok(()) => finish(current.take())?,
            // A damaged monolith is worth nothing: what is unfinished is removed, and everything is read from its sources.
            Err(error) => {
                skipped.fragment(monolith::RECORDS, error);
                fragment::prepare(&self.job.cache)?;
            }
        }
        monolith::remove(&self.job.cache)?;
        Ok(result.is_ok())
    }
}

/// Adds how long the kept texts of an item are, and how large the buffers that hold them.
fn weigh(item: &Item, (bytes, capacity): &mut (u64, u64)) {
    let Item::Session(session) = item else { return };
    for request in &session.requests {
        *bytes += request.message.len() as u64;
        *capacity += request.message.capacity() as u64;
    }
}
