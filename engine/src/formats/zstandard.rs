//! Reads Zstandard: any number of frames, one after the other, and frames that are to be skipped.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes of a window at most: what the format asks every decoder to support. The tool's own files have windows of 2 MiB.
const WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The header of a frame with the smallest window. A decoder makes room for the window of its first frame piece by piece, by copying, and
/// for those of all others at once.
const FIRST_HEADER: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD, 0, 0];

/// The bytes that some frames hold. It has a window of memory, 256 KiB more, and what one block takes.
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
    #[error("{0}")]
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
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))?;
            }
            let length = self.decoder.read(target)?;
            if length > 0 {
                self.place = Place::Inside(given + length as u64);
                return Ok(length);
            }
            self.end(given)?;
        }
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

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        if let Place::Failed(why) = &self.place {
            return Err(io::Error::other(why.clone()));
        }
        // A parser takes other kinds of errors for flaws of the text.
        self.next(target).map_err(|error| {
            self.place = Place::Failed(error.to_string());
            io::Error::other(error)
        })
    }
}
