//! Compressed rollouts of Codex that are damaged, cut or strange.

use std::io;

use crate::adversarial::codex::{self, frame};
use crate::adversarial::{Body, Hostile, Make};
use crate::plan::{CODEX, Draft, Item};
use crate::special::Special;

/// Where they are: a day that has no others.
const DAY: &str = "sessions/2026/01/02";
/// A frame that decoders pass over, with five bytes in it.
const SKIPPABLE: &[u8] = b"\x5f\x2a\x4d\x18\x05\0\0\0other";

/// What a reader makes of such a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Treatment {
    /// The session is read, and so many lines are skipped.
    Read(u64),
    /// It holds no session, and nothing is wrong.
    Nothing,
    Refused,
}

/// A name, how the file is made of a session's lines, and what is made of it.
type Defect = (&'static str, Make, Treatment);

const DEFECTS: [Defect; 17] = [
    ("zst-frame", frame, Treatment::Read(0)),
    ("zst-several-frames", |text| several(text, &[]), Treatment::Read(0)),
    ("zst-skippable-frames", |text| several(text, SKIPPABLE), Treatment::Read(0)),
    ("zst-window-at-limit", |text| Ok(stored(text, 13)), Treatment::Read(0)),
    ("zst-blank-lines", |text| frame(&[&[b'\n'; 1_000_000], text].concat()), Treatment::Read(0)),
    ("zst-torn-line", |text| frame(&[text, b"{\"type\":\"event_msg\",\"pay"].concat()), Treatment::Read(1)),
    ("zst-empty-file", |_| Ok(Vec::new()), Treatment::Nothing),
    ("zst-empty-frame", |_| frame(b""), Treatment::Nothing),
    ("zst-truncated", |text| half(frame(text)?), Treatment::Refused),
    ("zst-truncated-by-one", |text| shorter(frame(text)?, 1), Treatment::Refused),
    ("zst-truncated-later", |text| Ok([frame(text)?, half(frame(text)?)?].concat()), Treatment::Refused),
    (
        "zst-truncated-skippable",
        |text| Ok([&frame(text)?[..], &SKIPPABLE[..10]].concat()),
        Treatment::Refused,
    ),
    ("zst-wrong-checksum", wrong_checksum, Treatment::Refused),
    ("zst-window-too-large", |text| Ok(stored(text, 14)), Treatment::Refused),
    ("zst-window-too-large-later", |text| Ok([frame(text)?, stored(text, 21)].concat()), Treatment::Refused),
    ("zst-trailing-garbage", |text| Ok([&frame(text)?[..], b"garbage"].concat()), Treatment::Refused),
    ("zst-not-pressed", |text| Ok(text.to_vec()), Treatment::Refused),
];

/// Frames that begin and end in the midst of lines, with something before each.
fn several(text: &[u8], between: &[u8]) -> io::Result<Vec<u8>> {
    let mut frames = Vec::new();
    for piece in text.chunks(text.len().div_ceil(3)) {
        frames.extend_from_slice(between);
        frames.extend(frame(piece)?);
    }
    Ok(frames)
}

/// A frame of one block that is stored as it is, which asks for a window of `2^(10 + exponent)` bytes.
fn stored(text: &[u8], exponent: u8) -> Vec<u8> {
    let block = 1 | (text.len() as u32) << 3;
    let header = [0x28, 0xB5, 0x2F, 0xFD, 0, exponent << 3];
    [&header[..], &block.to_le_bytes()[..3], text].concat()
}

fn half(frame: Vec<u8>) -> io::Result<Vec<u8>> {
    let bytes = frame.len() / 2;
    shorter(frame, bytes)
}

fn shorter(mut frame: Vec<u8>, by: usize) -> io::Result<Vec<u8>> {
    frame.truncate(frame.len() - by);
    Ok(frame)
}

/// The content is not what it was: only the checksum, which ends a frame, tells.
fn wrong_checksum(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = frame(text)?;
    frame.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1);
    Ok(frame)
}

impl Draft {
    pub(super) fn hostile_pressed(&mut self) {
        self.workspaces.insert((CODEX, DAY.to_owned()));
        for (quirk, make, treatment) in DEFECTS {
            let file = self.pressed(quirk, make);
            self.items.push(Item::Hostile(
                match treatment {
                    Treatment::Read(skipped_lines) => Hostile { skipped_lines, ..file },
                    Treatment::Nothing => Hostile { session: None, ..file },
                    Treatment::Refused => Hostile { session: None, is_refused: true, ..file },
                }
                .into(),
            ));
        }
        // Nobody looks into a file that is there uncompressed too.
        let pressed = self.pressed("zst-beside-plain", |_| Ok(b"damaged".to_vec()));
        self.items.push(Item::Hostile(Hostile { session: None, ..pressed }.into()));
        let plain = self.plain("zst-beside-plain");
        self.items.push(Item::Hostile(plain.into()));
        if cfg!(unix) {
            // What bears the plain file's name is none.
            let pressed = self.pressed("zst-beside-directory", frame);
            self.items.push(Item::Hostile(pressed.into()));
            let plain = self.plain("zst-beside-directory");
            let body = Body::Special(Special::Directory);
            self.items.push(Item::Hostile(Hostile { body, is_refused: true, session: None, ..plain }.into()));
        }
    }

    /// An ordinary session.
    fn plain(&self, quirk: &'static str) -> Hostile {
        let sketch = codex::HAND.sketch(&self.spec, "adversarial", quirk);
        codex::HAND.finish(&sketch, quirk, DAY, vec![quirk])
    }

    /// The same with its lines made something else.
    fn pressed(&self, quirk: &'static str, make: Make) -> Hostile {
        codex::pressed(self.plain(quirk), make)
    }
}
