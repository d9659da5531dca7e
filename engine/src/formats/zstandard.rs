//! Reads Zstandard: any number of frames, one after the other, and frames that are to be skipped.

use std::error::Error;
use std::io::{self, BufRead, Cursor, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes of a window at most: what the format asks every decoder to support. The tool's own files have windows of 2 MiB, which is what our
/// own bound on memory is meant for.
const WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The header of a frame with the smallest window. A decoder makes room for the window of its first frame piece by piece, by copying, and
/// for those of all others at once.
const FIRST_HEADER: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD, 0, 0];

/// Bytes that one block holds at most, by the format.
const BLOCK_BYTES_MAX: u32 = 128 * 1024;
/// The head of a block: whether it is the last one, its kind, and its size.
const BLOCK_HEAD_BYTES: usize = 3;
/// As much of the head of a block's literals as says how many there are.
const LITERALS_HEAD_BYTES: usize = 3;
/// The kind of block that has literals.
const COMPRESSED_BLOCK: u8 = 2;

/// The bytes that some frames hold. It has the memory of a window, rounded up to a power of two, 256 KiB more, and what one block takes; while
/// it makes room for a larger window, that of the smaller one too.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// Before a frame, or at the end.
    Between,
    /// In a frame of which so many bytes have been given out.
    Inside(u64),
    /// The data could not be used: nothing more comes.
    Failed(String),
}

/// What is wrong with compressed data.
#[derive(Debug, thiserror::Error)]
enum FrameError {
    #[error("it cannot be decompressed: {0}")]
    Decoder(#[from] FrameDecoderError),
    #[error("it cannot be decompressed: a frame that is to be skipped ends too early")]
    Skipped,
    #[error("it cannot be decompressed: a frame's content does not have the checksum that the frame says")]
    Checksum,
    #[error("it cannot be decompressed: a frame says that it holds {stated} bytes, and holds {held}")]
    Length { stated: u64, held: u64 },
    #[error("it cannot be decompressed: a block says that its literals are {0} bytes")]
    Literals(u32),
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Frames<R> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        let place = match decoder.reset(FIRST_HEADER) {
            Ok(()) => Place::Between,
            Err(error) => Place::Failed(error.to_string()),
        };
        Frames { source, decoder, place }
    }

    /// Gives out what there is, and goes on to the next frame when there is no more of this one.
    fn next(&mut self, target: &mut [u8]) -> Result<usize, FrameError> {
        loop {
            let given = match self.place {
                Place::Inside(given) => given,
                _ => {
                    if self.source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.begin()?;
                    continue;
                }
            };
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.block()?;
            }
            let length = self.decoder.read(target)?;
            if length > 0 {
                self.place = Place::Inside(given + length as u64);
                return Ok(length);
            }
            self.end(given)?;
        }
    }

    /// Decodes one block. One whose literals are more than a block may hold is refused before the decoder makes room for them.
    fn block(&mut self) -> Result<(), FrameError> {
        let mut head = Vec::with_capacity(BLOCK_HEAD_BYTES + LITERALS_HEAD_BYTES);
        self.source.by_ref().take(BLOCK_HEAD_BYTES as u64).read_to_end(&mut head)?;
        if let [first, second, third] = head[..]
            && first >> 1 & 3 == COMPRESSED_BLOCK
        {
            let bytes = u32::from_le_bytes([first, second, third, 0]) >> 3;
            let bytes = u64::from(bytes).min(LITERALS_HEAD_BYTES as u64);
            self.source.by_ref().take(bytes).read_to_end(&mut head)?;
            let literals = literals_bytes(&head[BLOCK_HEAD_BYTES..]);
            if literals > BLOCK_BYTES_MAX {
                return Err(FrameError::Literals(literals));
            }
        }
        let source = Cursor::new(head).chain(&mut self.source);
        self.decoder.decode_blocks(source, BlockDecodingStrategy::UptoBlocks(1))?;
        Ok(())
    }

    /// Reads the header of a frame, or passes over one that holds nothing for us.
    fn begin(&mut self) -> Result<(), FrameError> {
        match self.decoder.reset(&mut self.source) {
            Ok(()) => {
                self.place = Place::Inside(0);
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let length = u64::from(length);
                let passed = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
                if passed == length { Ok(()) } else { Err(FrameError::Skipped) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a frame that has been given out.
    fn end(&mut self, held: u64) -> Result<(), FrameError> {
        let stated = self.decoder.get_checksum_from_data();
        if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
            return Err(FrameError::Checksum);
        }
        // A frame that does not say how much it holds says 0 here.
        let stated = self.decoder.content_size();
        if stated != 0 && stated != held {
            return Err(FrameError::Length { stated, held });
        }
        self.place = Place::Between;
        Ok(())
    }
}

/// Bytes of literals that the head of a block's literals says there are; of a torn head 0, which the decoder refuses itself.
fn literals_bytes(head: &[u8]) -> u32 {
    let byte = |at: usize| head.get(at).map_or(0, |byte| u32::from(*byte));
    let is_stored_or_repeated = byte(0) & 3 < 2;
    // Sizes stand in as many bits as the next two bits say.
    let (shift, bits) = match (is_stored_or_repeated, byte(0) >> 2 & 3) {
        (true, 0 | 2) => (3, 5),
        (true, 1) => (4, 12),
        (true, _) => (4, 20),
        (false, 0 | 1) => (4, 10),
        (false, 2) => (4, 14),
        (false, _) => (4, 18),
    };
    (byte(0) | byte(1) << 8 | byte(2) << 16) >> shift & ((1 << bits) - 1)
}

/// What the system said when the compressed data was read, if that is what went wrong.
fn system_error(error: &FrameError) -> Option<io::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(io::Error::from_raw_os_error(code));
        }
        cause = error.source();
    }
    None
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        if let Place::Failed(why) = &self.place {
            return Err(io::Error::other(why.clone()));
        }
        self.next(target).map_err(|error| {
            self.place = Place::Failed(error.to_string());
            // A parser takes other kinds of errors for flaws of the text; what the system says keeps its kind.
            system_error(&error).unwrap_or_else(|| io::Error::other(error))
        })
    }
}
