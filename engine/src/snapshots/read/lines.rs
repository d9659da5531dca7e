//! Files of one record a line, read from any line on.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

use serde::Deserialize;

use super::{Done, Resume};
use crate::formats::source::{ReadError, Skips};
use crate::json::cut::repair_surrogates;

/// Bytes of the input buffer at most. What is left of a file that grew by one line is less.
const BUFFER_BYTES: u64 = 64 * 1024;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How the escape of a surrogate begins.
const SURROGATES: [&[u8]; 2] = [b"\\ud", b"\\uD"];

/// Gives each line that is not blank to `record`, with where reading goes on after it, and moves `resume`. One line is in memory at a time.
///
/// `record` says why a line is no record. A last line without its end is left for the next time then.
pub(super) fn read(
    file: &mut File,
    resume: &mut Resume,
    skips: &mut Skips,
    mut record: impl FnMut(&mut [u8], &mut Resume) -> Result<(), serde_json::Error>,
) -> Result<Done, ReadError> {
    let left = file.metadata()?.len().saturating_sub(resume.offset);
    file.seek(SeekFrom::Start(resume.offset))?;
    let mut reader = BufReader::with_capacity(left.clamp(1, BUFFER_BYTES) as usize, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line)? as u64;
        if bytes == 0 {
            return Ok(Done { is_legible: true });
        }
        let before = (resume.offset, resume.lines);
        resume.line_start = resume.offset;
        let is_whole = line.last() == Some(&b'\n');
        let text =
            if before.0 == 0 && line.starts_with(BYTE_ORDER_MARK) { &mut line[3..] } else { &mut line[..] };
        resume.offset += bytes;
        resume.lines += u64::from(is_whole);
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match record(text, resume) {
            Ok(()) => {}
            Err(error) if is_whole => skips.line(resume.lines, &error),
            Err(_) => {
                (resume.offset, resume.lines) = before;
                return Ok(Done { is_legible: true });
            }
        }
    }
}

/// A text as JSON. Lone surrogates, which nearly no text has, are replaced in it.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a mut [u8]) -> Result<T, serde_json::Error> {
    // What a raw value passes over is not checked, so that no error would tell.
    if SURROGATES.iter().any(|escape| memchr::memmem::find(text, escape).is_some()) {
        repair_surrogates(text);
    }
    serde_json::from_slice(text)
}

/// What every record of a line has.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: std::borrow::Cow<'a, str>,
}

/// A record of one of some types; none where it is of another type, whatever its fields look like.
pub(super) fn parse_kind<'a, T: Deserialize<'a>>(
    text: &'a mut [u8],
    kinds: &[&str],
) -> Result<Option<T>, serde_json::Error> {
    // A sequence would be read as a record's fields in order.
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return serde_json::from_slice::<std::collections::BTreeMap<String, Kind<'_>>>(text).map(|_| None);
    }
    let is_wanted = match serde_json::from_slice::<Kind<'_>>(text) {
        Ok(record) => kinds.contains(&&*record.kind),
        // Whether that is no text at all, or a type that is no string: the whole parse says.
        Err(_) => true,
    };
    if is_wanted { parse(text).map(Some) } else { Ok(None) }
}
