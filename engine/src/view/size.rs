//! How many bytes a value takes as JSON, without writing it anywhere.

use std::io;

use serde_json::Value;

/// Bytes of a value as JSON without spaces. It allocates nothing; its time is that of writing the value.
pub fn json_bytes(value: &Value) -> usize {
    let mut sink = Sink(0);
    // A value has nothing that JSON lacks, and the sink takes everything: there is no error to pass on.
    let _ = serde_json::to_writer(&mut sink, value);
    sink.0
}

/// Bytes of a text as a JSON string, with its quotes.
pub fn text_bytes(text: &str) -> usize {
    2 + text.bytes().map(escaped).sum::<usize>()
}

/// Bytes of a character inside a JSON string.
pub(super) fn char_bytes(char: char) -> usize {
    let mut bytes = [0; 4];
    char.encode_utf8(&mut bytes).bytes().map(escaped).sum()
}

fn escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// Counts what is written to it.
struct Sink(usize);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_takes_what_is_written_of_it() {
        let value = json!({"a": [1, -2.5, null, true, "é\n"], "b\"": {"c": "😀"}});
        assert_eq!(json_bytes(&value), value.to_string().len());
    }

    #[test]
    fn a_text_takes_what_is_written_of_it() {
        let every: String = ('\0'..'\u{180}').chain("\u{2026}\u{2028}😀".chars()).collect();
        assert_eq!(text_bytes(&every), Value::from(every.as_str()).to_string().len());
        assert_eq!(every.chars().map(char_bytes).sum::<usize>() + 2, text_bytes(&every));
    }
}
