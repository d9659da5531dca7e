//! Takes in what one worker sends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ChildStdout;
use std::time::Instant;

use crate::checksum::Checksum;
use crate::sync::Event;
use crate::sync::cache::fragment::{self, Span};
use crate::sync::failure::{Cause, Failure};
use crate::sync::frame::{FrameError, FrameReader, FrameWriter, Kind};
use crate::sync::library::Library;
use crate::sync::protocol::{Announcement, Assembler, Done, Progress, Range, Sent, read_record};
use crate::sync::strategy::{Carrier, Keep, Strategy};
use crate::sync::worker::TRANSFER_FILE;

/// Bytes of a frame that are expected; a larger one makes the buffer grow.
const FRAME_BYTES: usize = 64 * 1024;

/// What a worker's stream came to.
pub(super) enum Received {
    /// Everything.
    Done(Box<Done>),
    /// The worker says that it cannot go on.
    Failed(String),
}

/// What has arrived in one attempt: each attempt starts clean.
pub(super) struct Receive<'a> {
    pub(super) library: Library,
    strategy: &'a Strategy,
    cache: &'a Path,
    /// Records of chunks.
    sent: Assembler,
    /// Where the next record of a chunk stands in its fragment.
    offset: u64,
    /// The fragment that is being written, until the next workspace is announced.
    writing: Option<Box<str>>,
    done: u64,
    total: u64,
    file: Option<Box<str>>,
}

impl<'a> Receive<'a> {
    pub(super) fn new(library: Library, strategy: &'a Strategy, cache: &'a Path) -> Receive<'a> {
        Receive {
            library,
            strategy,
            cache,
            sent: Assembler::default(),
            offset: 0,
            writing: None,
            done: 0,
            total: 0,
            file: None,
        }
    }

    /// Reads frames to the last one.
    pub(super) fn all(
        &mut self,
        output: ChildStdout,
        commands: &mut FrameWriter<impl Write>,
        deadline: Instant,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<Received, FrameError> {
        let mut frames = FrameReader::new(Timed { inner: output, deadline });
        let mut payload = Vec::with_capacity(FRAME_BYTES);
        loop {
            match frames.read(&mut payload)? {
                Some(Kind::Progress) => self.progress(&payload, observe)?,
                Some(Kind::Workspace) => self.workspace(&payload)?,
                Some(Kind::Chunk) => {
                    self.chunk(&payload)?;
                    commands.write(Kind::Ack, &[])?;
                }
                Some(Kind::Done) => {
                    return self.check(serde_json::from_slice(&payload).map_err(bad)?);
                }
                Some(Kind::Failed) => {
                    return Ok(Received::Failed(String::from_utf8_lossy(&payload).into_owned()));
                }
                Some(Kind::Job | Kind::Ack) => return Err(bad("the worker speaks as a host")),
                None => return Err(FrameError::Torn(frames.next_number())),
            }
        }
    }

    fn progress(&mut self, payload: &[u8], observe: &mut dyn FnMut(Event<'_>)) -> Result<(), FrameError> {
        let progress: Progress<'_> = serde_json::from_slice(payload).map_err(bad)?;
        (self.done, self.total) = (progress.done, progress.total);
        observe(Event::Workspace { done: self.done, total: self.total, key: &progress.file });
        self.file = (!progress.file.is_empty()).then(|| progress.file.as_ref().into());
        Ok(())
    }

    fn workspace(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        let announcement: Announcement<'_> = serde_json::from_slice(payload).map_err(bad)?;
        self.sent.end().map_err(bad)?;
        self.end_part();
        let Some(name) = &announcement.fragment else {
            return Ok(());
        };
        if announcement.cached {
            self.library.begin_part(name);
            return self.cached(name);
        }
        self.library.begin_part(&fragment::part_name(name));
        self.writing = Some(name.as_ref().into());
        self.offset = announcement.offset;
        Ok(())
    }

    /// The fragment that was being written has its final name when the next one is announced.
    fn end_part(&mut self) {
        if let Some(name) = self.writing.take() {
            self.library.rename_part(&name);
        }
    }

    fn cached(&mut self, name: &str) -> Result<(), FrameError> {
        let mut assembler = Assembler::default();
        let path = fragment::directory(self.cache).join(name);
        let damaged =
            |error: crate::sync::protocol::RecordError| fragment::FragmentError::Damaged(error.to_string());
        fragment::read(&path, |record, span| {
            let (place, complete) = assembler.add(&record).map_err(damaged)?;
            self.library.add(record, span, place, complete);
            Ok(())
        })
        .map_err(bad)?;
        assembler.end().map_err(bad)
    }

    fn chunk(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        match self.strategy.carrier {
            Carrier::Pipe => self.records(payload),
            Carrier::File => {
                let records = self.range(serde_json::from_slice(payload).map_err(bad)?)?;
                self.records(&records)
            }
        }
    }

    fn range(&self, range: Range) -> Result<Vec<u8>, FrameError> {
        let mut file = File::open(self.cache.join(TRANSFER_FILE))?;
        file.seek(SeekFrom::Start(range.offset))?;
        let mut records = Vec::new();
        file.take(range.bytes).read_to_end(&mut records)?;
        let mut checksum = Checksum::new();
        checksum.add(&records);
        if records.len() as u64 != range.bytes || checksum.value() != range.checksum {
            return Err(bad("the transfer file is damaged"));
        }
        Ok(records)
    }

    fn records(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        for line in payload.split_inclusive(|byte| *byte == b'\n') {
            let record = read_record(line).map_err(bad)?;
            let (place, complete) = self.sent.add(&record).map_err(bad)?;
            let span = Span { offset: self.offset, bytes: line.len() as u64 };
            self.offset += span.bytes;
            self.library.add(record, span, place, complete);
        }
        Ok(())
    }

    /// Compares what arrived with what the worker says it sent.
    fn check(&mut self, done: Done) -> Result<Received, FrameError> {
        self.sent.end().map_err(bad)?;
        if Sent::from(&self.sent.tally) != done.sent {
            return Err(bad("what arrived is not what was sent"));
        }
        Ok(Received::Done(Box::new(done)))
    }

    pub(super) fn complete(&mut self) {
        self.end_part();
    }

    /// What became of the worker, when it did not deliver. Only whole sessions are kept of what arrived.
    pub(super) fn failure(&mut self, cause: Cause) -> Failure {
        if self.strategy.keep == Keep::Index {
            self.keep_unfinished_part();
        }
        self.library.drop_incomplete();
        Failure {
            cause,
            done: self.done,
            total: self.total,
            file: self.file.take(),
            kept: self.library.sessions(),
            largest: None,
        }
    }

    /// The worker may have put its last fragment in place and died before it could announce the next one.
    fn keep_unfinished_part(&mut self) {
        let Some(name) = &self.writing else { return };
        let directory = fragment::directory(self.cache);
        if !directory.join(fragment::part_name(name)).exists() && directory.join(&**name).exists() {
            self.end_part();
        }
    }
}

fn bad(error: impl ToString) -> FrameError {
    FrameError::Content(error.to_string())
}

/// A worker's output, of which reading ends when the time is up.
struct Timed {
    inner: ChildStdout,
    deadline: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.await_bytes()?;
        self.inner.read(buffer)
    }
}

impl Timed {
    #[cfg(unix)]
    fn await_bytes(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.inner, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Without poll(2) the time is looked at whenever the worker has said something; one that says nothing at all is waited
    /// for.
    #[cfg(not(unix))]
    fn await_bytes(&self) -> io::Result<()> {
        if Instant::now() > self.deadline { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}
