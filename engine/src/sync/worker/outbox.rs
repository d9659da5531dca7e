//! What the worker sends: frames with an acknowledgement window, or frames that name ranges of a file.

use std::fs::File;
use std::io::{self, Read, Write};

use serde::Serialize;

use crate::checksum::Checksum;
use crate::session::Tally;
use crate::sync::cache::fragment::{self, FragmentWriter};
use crate::sync::frame::{FrameReader, FrameWriter, Kind};
use crate::sync::protocol::{Announcement, Done, Item, Job, Range, Sent};
use crate::sync::strategy::{Carrier, Chunks};

/// Chunks that may be under way at once (upstream's `CHUNK_ACK_WINDOW`).
const WINDOW: u32 = 4;

/// Name of the file in the cache that carries chunks.
pub const TRANSFER_FILE: &str = "transfer.tmp";

/// Bytes that are gathered before they go to a file.
const FILE_BUFFER_BYTES: usize = 64 * 1024;

/// Room for the record that exceeds a chunk's size.
const SLACK_BYTES: usize = 4 * 1024;

pub(super) struct Outbox<R, W> {
    frames: FrameWriter<W>,
    answers: FrameReader<R>,
    answer: Vec<u8>,
    chunks: Option<Chunks>,
    file: Option<Transfer>,
    buffer: Vec<u8>,
    /// Sessions in the buffer and in the file's open range.
    sessions: usize,
    under_way: u32,
    tally: Tally,
}

/// The file that carries chunks, and the range of it that no frame has named yet.
struct Transfer {
    file: File,
    offset: u64,
    bytes: u64,
    checksum: Checksum,
}

impl<R: Read, W: Write> Outbox<R, W> {
    pub(super) fn new(answers: FrameReader<R>, output: W, job: &Job) -> io::Result<Self> {
        let file = match job.strategy.carrier {
            Carrier::Pipe => None,
            Carrier::File => {
                std::fs::create_dir_all(&job.cache)?;
                let file = File::create(job.cache.join(TRANSFER_FILE))?;
                Some(Transfer { file, offset: 0, bytes: 0, checksum: Checksum::new() })
            }
        };
        let chunk_bytes = job.strategy.chunks.map_or(0, |chunks| chunks.bytes.min(FILE_BUFFER_BYTES));
        Ok(Outbox {
            frames: FrameWriter::new(output),
            answers,
            answer: Vec::with_capacity(64),
            chunks: job.strategy.chunks,
            file,
            buffer: Vec::with_capacity(chunk_bytes + SLACK_BYTES),
            sessions: 0,
            under_way: 0,
            tally: Tally::default(),
        })
    }

    pub(super) fn send_json(&mut self, kind: Kind, message: &impl Serialize) -> io::Result<()> {
        let mut payload = Vec::with_capacity(256);
        serde_json::to_writer(&mut payload, message)?;
        self.frames.write(kind, &payload)?;
        Ok(())
    }

    /// Says which workspace the next records belong to, and where they are kept.
    pub(super) fn announce(&mut self, key: &str, offset: u64, cached: bool) -> io::Result<()> {
        let name = fragment::file_name(key);
        let fragment = Some(name.into());
        self.send_json(Kind::Workspace, &Announcement { key: key.into(), fragment, offset, cached })
    }

    /// Writes an item's records to where they go: the host, when `sends`, and the fragment, when there is one.
    pub(super) fn write(
        &mut self,
        item: &Item,
        sends: bool,
        fragment: &mut Option<FragmentWriter>,
    ) -> io::Result<()> {
        if sends {
            item.tally(&mut self.tally);
        }
        let limit = if sends { self.limit_bytes() } else { FILE_BUFFER_BYTES };
        // The buffer leaves `self` while records are written into it, since a full one is sent from there.
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = item.write(&mut buffer, |buffer| {
            if buffer.len() >= limit { self.pass_on(buffer, sends, fragment) } else { Ok(()) }
        });
        self.buffer = buffer;
        result?;
        self.sessions += usize::from(matches!(item, Item::Session(_)));
        if sends && self.chunks.is_some_and(|chunks| self.sessions >= chunks.sessions) {
            self.flush(sends, fragment)?;
        }
        Ok(())
    }

    /// Passes on what has been gathered.
    pub(super) fn flush(&mut self, sends: bool, fragment: &mut Option<FragmentWriter>) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.pass_on(&mut buffer, sends, fragment);
        self.buffer = buffer;
        result?;
        if sends { self.send_range() } else { Ok(()) }
    }

    /// Sends everything at once, or in chunks, after the parse.
    pub(super) fn send_items(&mut self, items: &[Item]) -> io::Result<()> {
        for item in items {
            self.write(item, true, &mut None)?;
        }
        self.flush(true, &mut None)
    }

    /// Waits until everything has been taken in.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        while self.under_way > 0 {
            self.await_answer()?;
        }
        Ok(())
    }

    /// Says why nothing more can be sent.
    pub(super) fn fail(&mut self, error: &io::Error) -> io::Result<()> {
        self.frames.write(Kind::Failed, error.to_string().as_bytes()).map(drop)
    }

    /// Says that this is all.
    pub(super) fn finish(&mut self, mut done: Done) -> io::Result<()> {
        done.sent = Sent::from(&self.tally);
        self.send_json(Kind::Done, &done)
    }

    /// Bytes from which gathered records are passed on.
    fn limit_bytes(&self) -> usize {
        match (&self.file, self.chunks) {
            (Some(_), _) => FILE_BUFFER_BYTES,
            (None, Some(chunks)) => chunks.bytes,
            (None, None) => usize::MAX,
        }
    }

    fn pass_on(
        &mut self,
        buffer: &mut Vec<u8>,
        sends: bool,
        fragment: &mut Option<FragmentWriter>,
    ) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(fragment) = fragment {
            fragment.append(buffer)?;
        }
        if sends {
            match &mut self.file {
                Some(transfer) => {
                    transfer.file.write_all(buffer)?;
                    transfer.checksum.add(buffer);
                    transfer.bytes += buffer.len() as u64;
                }
                None => {
                    self.send_chunk(buffer)?;
                    self.sessions = 0;
                }
            }
        }
        buffer.clear();
        Ok(())
    }

    /// Names what has been written to the transfer file since the last time.
    fn send_range(&mut self) -> io::Result<()> {
        let Some(transfer) = &mut self.file else {
            return Ok(());
        };
        if transfer.bytes == 0 {
            return Ok(());
        }
        let range =
            Range { offset: transfer.offset, bytes: transfer.bytes, checksum: transfer.checksum.value() };
        transfer.offset += transfer.bytes;
        transfer.bytes = 0;
        transfer.checksum = Checksum::new();
        self.sessions = 0;
        let payload = serde_json::to_vec(&range)?;
        self.send_chunk(&payload)
    }

    fn send_chunk(&mut self, payload: &[u8]) -> io::Result<()> {
        while self.under_way >= WINDOW {
            self.await_answer()?;
        }
        self.frames.write(Kind::Chunk, payload)?;
        self.under_way += 1;
        Ok(())
    }

    fn await_answer(&mut self) -> io::Result<()> {
        match self.answers.read(&mut self.answer) {
            Ok(Some(Kind::Ack)) => {
                self.under_way -= 1;
                Ok(())
            }
            Ok(_) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the host is gone")),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
