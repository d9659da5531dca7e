//! Reads records from streams.

use std::io::Read;

use serde_json::Value;

use super::Reading;
use super::rule::{CAPS, Keep, NO_CAPS, Record, Rule, Seen};
use crate::json::cut::{Caps, CutReader};

/// A record that was read.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) value: Value,
    /// Bytes of its text.
    pub(super) bytes: u64,
}

/// Reads one record after the other with the same buffers. A lone surrogate in a text, which JavaScript writes and no parser here accepts,
/// is read as U+FFFD.
pub(super) struct Reader<R> {
    cut: Option<CutReader<R>>,
    scratch: Vec<u8>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new() -> Reader<R> {
        Reader { cut: None, scratch: Vec::new() }
    }

    /// Reads a record; `open` gives its text and how many bytes that has, and is asked for it again in rare cases. Fails with a reason.
    ///
    /// What is left out is passed over. Only when it turns out that the record is one of which nothing is left out, or that a text was cut
    /// that is kept, is it read once more: then a patch that is too long is collected before it goes.
    pub(super) fn read(
        &mut self,
        record: Record,
        reading: Reading,
        open: impl Fn() -> Result<(R, u64), String>,
    ) -> Result<Row, String> {
        let (text, bytes) = open()?;
        let seen = Seen::default();
        if reading == Reading::Whole {
            return Ok(Row { value: self.parse(text, NO_CAPS, Rule::All, &seen)?, bytes });
        }
        let value = self.parse(text, CAPS, record.rule(), &seen)?;
        let is_stripped = record.is_stripped(&value);
        if !seen.cut.get() && (is_stripped || !seen.dropped.get()) {
            return Ok(Row { value, bytes });
        }
        drop(value);
        let rule = if is_stripped { record.rule() } else { Rule::All };
        Ok(Row { value: self.parse(open()?.0, NO_CAPS, rule, &seen)?, bytes })
    }

    fn parse(&mut self, text: R, caps: Caps, rule: Rule, seen: &Seen) -> Result<Value, String> {
        let cut = match self.cut.take() {
            Some(mut cut) => {
                cut.reset(text, caps);
                cut
            }
            None => CutReader::new(text, caps),
        };
        let cut = self.cut.insert(cut);
        let value = cut.document().read(Keep { rule, seen }, &mut self.scratch);
        value.map(Option::unwrap_or_default).map_err(|error| error.to_string())
    }
}
