//! The cutting itself: from bytes of JSON to the same JSON with its long strings cut.
//!
//! The machine is given what input there is and says how much of it is done with. What cannot be decided yet (half an
//! escape, half a character) it leaves, to be given again with more behind it; so it holds no bytes of its own, and where the
//! input happens to be divided cannot be seen in what comes out.

use memchr::memchr2;

use super::content;
use super::cut::{Caps, Counts};
use super::escape::{self, Escape, Flaw, UNICODE_BYTES};
use super::piece::{MARK, MARK_BYTES, TAIL_BYTES, write_tail};
use super::text::Scan;

/// Levels of arrays and objects that a plain parse accepts.
pub(super) const DEPTH: usize = 127;
/// Room that one step may need in the output.
pub(super) const STEP_BYTES: usize = 8 * 1024;
/// Bytes of structure, or of a kept string, taken in one step: less than half of a step, as kept bytes can double.
const TAKE_BYTES: usize = 2 * 1024;
/// Input to have behind a quote, so that nearly all short strings are seen whole.
const AHEAD_BYTES: usize = 256;
/// Keys are kept at least so far, so that a cut key equals none that anybody looks for.
const KEY_UNITS: u32 = 64;
/// Numbers up to this length are checked for their range here, for the sake of readers that skip them.
const NUMBER_BYTES: usize = 1024;
/// Numbers without an exponent are in range up to this length.
const NUMBER_SAFE_BYTES: usize = 300;

const _: () = assert!(TAIL_BYTES + 64 <= STEP_BYTES && 2 * TAKE_BYTES + 64 <= STEP_BYTES);

/// Cuts one JSON text after the other.
pub(super) struct Machine {
    caps: Caps,
    /// The longest name in `caps`.
    name_bytes: usize,
    /// A line feed ends the text.
    lines: bool,
    /// The arrays and objects that are open.
    open: Vec<Level>,
    /// The next string of an object is a key.
    expects_key: bool,
    /// What the next string value is kept to.
    next_units: u32,
    /// Inside a number too long to be checked.
    long_number: bool,
    place: Place,
    string: Current,
    scan: Scan,
    pub(super) counts: Counts,
}

/// An open array or object.
#[derive(Clone, Copy)]
struct Level {
    object: bool,
    /// What strings directly in the array are kept to.
    units: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between strings.
    Structure,
    /// In the part of a string that is kept.
    Kept,
    /// In the part of a string that is dropped.
    Dropped,
}

/// The string that is being read.
#[derive(Default)]
struct Current {
    key: bool,
    /// Units that may still be kept.
    left: u32,
    repaired: u64,
    dropped: u64,
    /// A key's kept text, as far as it can matter: longer than any name it is none.
    name: Vec<u8>,
    /// A key's hash.
    hash: u64,
}

/// Why the machine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It needs more input.
    Input,
    /// It needs room for output.
    Output,
    /// A line feed ended the text.
    Line,
    /// The input ended the text.
    End,
}

/// What one step did: how much of the input is done with, and whether to go on.
type Step = Result<(usize, Option<Stop>), Flaw>;

impl Machine {
    pub(super) fn new(caps: Caps) -> Machine {
        let mut machine = Machine {
            caps,
            name_bytes: 0,
            lines: false,
            open: Vec::with_capacity(DEPTH),
            expects_key: false,
            next_units: 0,
            long_number: false,
            place: Place::Structure,
            string: Current::default(),
            scan: Scan::preallocated(),
            counts: Counts::default(),
        };
        machine.set_caps(caps);
        machine
    }

    pub(super) fn set_caps(&mut self, caps: Caps) {
        self.caps = caps;
        self.name_bytes = caps.by_key.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        self.string.name.clear();
        self.string.name.reserve(self.name_bytes + 1);
    }

    /// Begins the next text.
    pub(super) fn start(&mut self, lines: bool) {
        self.lines = lines;
        self.open.clear();
        self.expects_key = false;
        self.next_units = self.caps.other;
        self.long_number = false;
        self.place = Place::Structure;
    }

    /// Goes on as far as it can: with `data`, behind which there is nothing if `last`, until `out` may exceed `limit`.
    /// Returns how much of `data` is done with. After a flaw, nothing of `data` is; it has no line feed before the flaw.
    pub(super) fn run(
        &mut self,
        data: &[u8],
        last: bool,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(usize, Stop), Flaw> {
        let mut at = 0;
        loop {
            if out.len() + STEP_BYTES > limit {
                return Ok((at, Stop::Output));
            }
            let rest = &data[at..];
            let (done, stop) = match self.place {
                Place::Structure => self.structure(rest, last, out)?,
                Place::Kept => self.kept(rest, out)?,
                Place::Dropped => self.dropped(rest, out)?,
            };
            at += done;
            match stop {
                None => {}
                Some(Stop::Input) if last => {
                    return if self.place == Place::Structure {
                        Ok((at, Stop::End))
                    } else {
                        Err(Flaw::Unterminated)
                    };
                }
                Some(stop) => return Ok((at, stop)),
            }
        }
    }

    /// Gives out what stands between strings as it is, and begins the string after it.
    fn structure(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) -> Step {
        let window = &data[..data.len().min(TAKE_BYTES)];
        let mut at = 0;
        let mut stop = None;
        while let Some(byte) = window.get(at) {
            match byte {
                b'"' => break,
                b'\n' if self.lines => {
                    stop = Some(Stop::Line);
                    break;
                }
                b'-' | b'+' | b'.' | b'0'..=b'9' => match self.number(&data[at..], last)? {
                    0 => {
                        stop = Some(Stop::Input);
                        break;
                    }
                    length => {
                        at += length;
                        continue;
                    }
                },
                b'{' | b'[' | b'}' | b']' | b':' | b',' => self.punctuation(*byte)?,
                b'e' | b'E' if self.long_number => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            self.long_number = false;
            at += 1;
        }
        out.extend_from_slice(&data[..at]);
        match stop {
            Some(Stop::Line) => Ok((at + 1, stop)),
            Some(_) => Ok((at, stop)),
            None => match data.get(at) {
                Some(b'"') => self.begin(&data[at + 1..], last, out).map(|(done, stop)| (at + done, stop)),
                Some(_) => Ok((at, None)),
                None => Ok((at, Some(Stop::Input))),
            },
        }
    }

    fn punctuation(&mut self, byte: u8) -> Result<(), Flaw> {
        match byte {
            b'{' | b'[' => {
                if self.open.len() == DEPTH {
                    return Err(Flaw::Depth);
                }
                self.expects_key = byte == b'{';
                self.open.push(Level { object: self.expects_key, units: self.next_units });
            }
            b'}' | b']' => _ = self.open.pop(),
            b':' => self.expects_key = false,
            _ => {
                if let Some(level) = self.open.last() {
                    self.expects_key = level.object;
                    self.next_units = level.units;
                }
            }
        }
        Ok(())
    }

    /// Checks the number at the start of `data` and returns its length, or 0 when its end is not there yet. A number out
    /// of range is refused by a plain parse, yet accepted by one that skips it.
    fn number(&mut self, data: &[u8], last: bool) -> Result<usize, Flaw> {
        let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E');
        let window = &data[..data.len().min(NUMBER_BYTES + 1)];
        let length = window.iter().position(|byte| !is_part(byte)).unwrap_or(window.len());
        if self.long_number {
            return Ok(length);
        }
        if length > NUMBER_BYTES {
            self.long_number = true;
            return Ok(length);
        }
        if length == data.len() && !last {
            return Ok(0);
        }
        let number = &data[..length];
        let risky = length > NUMBER_SAFE_BYTES || memchr2(b'e', b'E', number).is_some();
        if risky && serde_json::from_slice::<serde_json::Number>(number).is_err() {
            return Err(Flaw::Number);
        }
        Ok(length)
    }

    /// Begins a string; `data` is what follows its quote. A short one without escapes is done with at once. What is done
    /// with includes the quote.
    fn begin(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) -> Step {
        if data.len() < AHEAD_BYTES && !last {
            return Ok((0, Some(Stop::Input)));
        }
        let key = self.expects_key;
        let left = if key { self.caps.other.max(KEY_UNITS) } else { self.next_units };
        // No text has more units than bytes.
        let wanted = (left as usize).saturating_add(1).min(TAKE_BYTES);
        let window = &data[..data.len().min(wanted)];
        out.push(b'"');
        if let Some(end) = content::find_special(window)
            && window[end] == b'"'
            && is_clean(&window[..end])?
        {
            out.extend_from_slice(&window[..=end]);
            if key {
                self.next_units = self.units_of(&window[..end]);
            }
            return Ok((end + 2, None));
        }
        self.place = Place::Kept;
        self.string.key = key;
        self.string.left = left;
        self.string.repaired = 0;
        self.string.dropped = 0;
        self.string.name.clear();
        self.string.hash = hash(&[], None);
        self.scan.restart();
        Ok((1, None))
    }

    fn units_of(&self, key: &[u8]) -> u32 {
        let named = self.caps.by_key.iter().find(|(name, _)| name.as_bytes() == key);
        named.map_or(self.caps.other, |(_, units)| *units)
    }

    /// Gives out the next bytes of a string that are kept: up to an escape, or one escape.
    fn kept(&mut self, data: &[u8], out: &mut Vec<u8>) -> Step {
        // A unit takes three bytes at most; one more character shows that the string goes on.
        let wanted = (self.string.left as usize).saturating_mul(3).saturating_add(4);
        let window = &data[..data.len().min(wanted).min(TAKE_BYTES)];
        let plain = match content::find_special(window) {
            Some(0) if window[0] == b'"' => {
                self.end(out);
                return Ok((1, None));
            }
            Some(0) => return self.kept_escape(data, out),
            Some(end) => &window[..end],
            None => &window[..window.len() - content::unfinished(window)],
        };
        if plain.is_empty() {
            return Ok((0, Some(Stop::Input)));
        }
        content::checked_units(plain)?;
        let text = std::str::from_utf8(plain).map_err(|_| Flaw::Utf8)?;
        let kept = super::text::preview(text, self.string.left as usize);
        self.keep(kept, out);
        if kept.len() < text.len() {
            self.cut(out);
        }
        Ok((kept.len(), None))
    }

    fn kept_escape(&mut self, data: &[u8], out: &mut Vec<u8>) -> Step {
        let Some(escape) = escape::escape(data)? else {
            return Ok((0, Some(Stop::Input)));
        };
        let units = escape.char.len_utf16() as u32;
        if units > self.string.left {
            self.cut(out);
            return Ok((0, None));
        }
        self.string.left -= units;
        self.string.repaired += u64::from(escape.repaired);
        self.scan.add_units(u64::from(units));
        self.scan.char(escape.char);
        self.note_name(escape.char.encode_utf8(&mut [0; 4]).as_bytes());
        let raw: &[u8] = if escape.repaired { br"\ufffd" } else { &data[..escape.length] };
        out.extend_from_slice(raw);
        if escape.char == MARK {
            out.extend_from_slice(raw);
        }
        Ok((escape.length, None))
    }

    fn keep(&mut self, kept: &str, out: &mut Vec<u8>) {
        self.string.left -= content::units(kept.as_bytes()) as u32;
        self.scan.feed(kept);
        self.note_name(kept.as_bytes());
        let mut rest = kept;
        while let Some(mark) = rest.find(MARK) {
            let (through, after) = rest.split_at(mark + MARK_BYTES.len());
            out.extend_from_slice(through.as_bytes());
            out.extend_from_slice(MARK_BYTES);
            rest = after;
        }
        out.extend_from_slice(rest.as_bytes());
    }

    /// Remembers a key's text.
    fn note_name(&mut self, text: &[u8]) {
        if self.string.key {
            let room = self.name_bytes + 1 - self.string.name.len();
            self.string.name.extend_from_slice(&text[..text.len().min(room)]);
            self.string.hash = hash(text, Some(self.string.hash));
        }
    }

    /// The rest of the string is dropped.
    fn cut(&mut self, out: &mut Vec<u8>) {
        self.place = Place::Dropped;
        out.extend_from_slice(MARK_BYTES);
    }

    /// Reads on in a string of which no more is kept, as far as the input goes.
    fn dropped(&mut self, data: &[u8], out: &mut Vec<u8>) -> Step {
        let run = self.drop_run(data)?;
        let raw = &data[..run.length];
        let units = content::checked_units(raw)?;
        self.scan.add_units(units - run.spelled);
        self.string.dropped += run.length as u64;
        self.string.repaired += run.repaired;
        if !run.closed {
            return Ok((run.length, Some(Stop::Input)));
        }
        self.end(out);
        Ok((run.length + 1, None))
    }

    /// Finds how far a dropped string goes, and tells the scan of its lines. Its bytes are not checked yet.
    fn drop_run(&mut self, data: &[u8]) -> Result<Run, Flaw> {
        let mut run = Run { length: 0, spelled: 0, repaired: 0, closed: false };
        while let Some(found) = content::find_special(&data[run.length..]) {
            self.drop_plain(&data[run.length..run.length + found]);
            run.length += found;
            let rest = &data[run.length..];
            match rest.get(1) {
                _ if rest[0] == b'"' => {
                    run.closed = true;
                    return Ok(run);
                }
                // Most escapes are line feeds.
                Some(b'n') if !self.string.key => {
                    self.scan.newline();
                    run.length += 2;
                    run.spelled += 1;
                }
                _ => {
                    let Some(escape) = escape::escape(rest)? else {
                        return Ok(run);
                    };
                    self.drop_escape(escape);
                    run.length += escape.length;
                    run.spelled += spelled(escape);
                    run.repaired += u64::from(escape.repaired);
                }
            }
        }
        let rest = &data[run.length..];
        let rest = &rest[..rest.len() - content::unfinished(rest)];
        self.drop_plain(rest);
        run.length += rest.len();
        Ok(run)
    }

    #[inline]
    fn drop_plain(&mut self, plain: &[u8]) {
        self.scan.inside(plain);
        if self.string.key {
            self.string.hash = hash(plain, Some(self.string.hash));
        }
    }

    fn drop_escape(&mut self, escape: Escape) {
        if escape.char == '\n' || self.scan.is_attentive() {
            self.scan.char(escape.char);
        }
        if self.string.key {
            let mut bytes = [0; 4];
            self.string.hash = hash(escape.char.encode_utf8(&mut bytes).as_bytes(), Some(self.string.hash));
        }
    }

    /// The closing quote.
    fn end(&mut self, out: &mut Vec<u8>) {
        let key = self.string.key;
        let cut = self.place == Place::Dropped;
        if cut {
            self.scan.end();
            write_tail(out, &self.scan, key.then_some(self.string.hash));
            self.counts.strings_cut += 1;
            self.counts.bytes_cut += self.string.dropped;
        }
        out.push(b'"');
        self.counts.surrogates_repaired += self.string.repaired;
        self.place = Place::Structure;
        if key {
            self.next_units = if cut { self.caps.other } else { self.units_of(&self.string.name) };
        }
    }
}

/// A stretch of a dropped string.
struct Run {
    length: usize,
    /// Units that its escapes take beyond what they mean.
    spelled: u64,
    repaired: u64,
    /// The closing quote follows.
    closed: bool,
}

/// Units of an escape's spelling beyond those of its meaning.
fn spelled(escape: Escape) -> u64 {
    match escape.length {
        2 => 1,
        // Each `\uXXXX` is one unit, alone or in a pair.
        length => (length / UNICODE_BYTES * (UNICODE_BYTES - 1)) as u64,
    }
}

/// Whether a string without escapes can be given out as it stands.
fn is_clean(raw: &[u8]) -> Result<bool, Flaw> {
    if content::is_plain_ascii(raw) {
        return Ok(true);
    }
    content::checked_units(raw)?;
    Ok(memchr::memmem::find(raw, MARK_BYTES).is_none())
}

/// FNV-1a, which goes on where it stopped.
fn hash(bytes: &[u8], before: Option<u64>) -> u64 {
    let start = before.unwrap_or(0xcbf2_9ce4_8422_2325);
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
