//! A scanner of JSON that holds nothing: it tells paths and scalars as they pass, and of a text only its beginning.

use memchr::{memchr, memchr3};

/// Of a text so many bytes are kept: more than any name or prefix that is looked for.
const TEXT_BYTES: usize = 96;
/// Of a key.
const KEY_BYTES: usize = 40;
/// Deeper values have no path: nothing that is looked for lies there.
const NAMED_DEPTH: usize = 16;

/// A value as it passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// An object begins.
    Object,
    /// An array begins.
    Array,
    /// The beginning of a text, as it is escaped.
    Text(&'a [u8]),
    /// A number.
    Number(f64),
    /// `true`, `false` or `null`.
    Word,
}

/// A line, or a whole document, that has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Unit {
    /// Its size, with its line feed.
    pub(super) bytes: u64,
    /// Its deepest nesting.
    pub(super) depth: u64,
    /// Whether it is one whole object, as far as its brackets tell.
    pub(super) is_whole: bool,
}

/// Who looks at what passes.
pub(super) trait Visit {
    /// A value at a path such as `message.content.*.name`.
    fn value(&mut self, path: &str, value: Value<'_>);
    /// The unit is over. One without any value is not told.
    fn end(&mut self, unit: Unit);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// A value is to come, or the end of an array.
    Value,
    /// A key is to come, or the end of an object.
    Key,
    Colon,
    /// Behind a value.
    After,
    Text {
        is_key: bool,
    },
    /// Behind a backslash.
    Escape {
        is_key: bool,
    },
    /// In a number or a word.
    Bare,
    /// Nothing that follows can be understood.
    Broken,
}

struct Frame {
    is_array: bool,
    /// Length of the path to the container.
    path: usize,
}

/// The scanner of one file.
pub(super) struct Scanner {
    has_lines: bool,
    state: State,
    path: String,
    frames: Vec<Frame>,
    /// Open containers deeper than those.
    unnamed: u64,
    text: Vec<u8>,
    unit: Unit,
    has_begun: bool,
    is_object: bool,
}

impl Scanner {
    /// A scanner of lines, or of one document.
    pub(super) fn new(has_lines: bool) -> Self {
        Scanner {
            has_lines,
            state: State::Value,
            path: String::new(),
            frames: Vec::new(),
            unnamed: 0,
            text: Vec::new(),
            unit: Unit::default(),
            has_begun: false,
            is_object: false,
        }
    }

    /// Scans the next bytes of the file.
    pub(super) fn feed(&mut self, bytes: &[u8], visit: &mut dyn Visit) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            // Most bytes are in texts, or in what cannot be understood.
            let passed = match self.state {
                State::Text { .. } => memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len()),
                State::Broken => memchr(b'\n', rest).unwrap_or(rest.len()),
                _ => 0,
            };
            if let State::Text { .. } = self.state {
                self.keep(&rest[..passed]);
            }
            self.unit.bytes += passed as u64;
            at += passed;
            if let Some(byte) = bytes.get(at) {
                self.unit.bytes += 1;
                self.step(*byte, visit);
                at += 1;
            }
        }
    }

    /// The file is over.
    pub(super) fn finish(&mut self, visit: &mut dyn Visit) {
        self.end_unit(visit);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = TEXT_BYTES - self.text.len();
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn step(&mut self, byte: u8, visit: &mut dyn Visit) {
        if byte == b'\n' && self.has_lines {
            return self.end_unit(visit);
        }
        match self.state {
            State::Text { is_key } => match byte {
                b'"' if is_key => self.end_key(),
                b'"' => {
                    self.tell(visit, Value::Text);
                    self.state = State::After;
                }
                b'\\' => {
                    self.keep(b"\\");
                    self.state = State::Escape { is_key };
                }
                _ => self.state = State::Broken,
            },
            State::Escape { is_key } => {
                self.keep(&[byte]);
                self.state = State::Text { is_key };
            }
            State::Bare if !b",]} \t\r\n".contains(&byte) => self.keep(&[byte]),
            State::Bare => {
                self.end_bare(visit);
                self.state = State::After;
                self.step(byte, visit);
            }
            State::Broken => {}
            _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => {}
            State::Colon if byte == b':' => self.state = State::Value,
            State::Key if byte == b'"' => self.begin_text(true),
            State::Key if byte == b'}' => self.close(false),
            State::Value => self.begin_value(byte, visit),
            State::After => self.after(byte),
            State::Key | State::Colon => self.state = State::Broken,
        }
    }

    fn begin_text(&mut self, is_key: bool) {
        self.text.clear();
        self.state = State::Text { is_key };
    }

    fn begin_value(&mut self, byte: u8, visit: &mut dyn Visit) {
        let is_first = !self.has_begun;
        self.has_begun = true;
        match byte {
            b'{' => {
                self.is_object |= is_first;
                self.open(false, visit);
            }
            b'[' => self.open(true, visit),
            b'"' => self.begin_text(false),
            b']' => self.close(true),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.text.clear();
                self.keep(&[byte]);
                self.state = State::Bare;
            }
            // Only where no path is kept is it not known what is in an object.
            b'}' if self.unnamed > 0 => self.close(false),
            _ => self.state = State::Broken,
        }
    }

    fn after(&mut self, byte: u8) {
        let is_array = self.frames.last().map(|frame| frame.is_array);
        match (byte, is_array) {
            (b',' | b':', _) if self.unnamed > 0 => self.state = State::Value,
            (b',', Some(true)) => self.state = State::Value,
            (b',', Some(false)) => self.state = State::Key,
            (b']' | b'}', _) => self.close(byte == b']'),
            _ => self.state = State::Broken,
        }
    }

    fn open(&mut self, is_array: bool, visit: &mut dyn Visit) {
        let depth = self.frames.len() as u64 + self.unnamed + 1;
        self.unit.depth = self.unit.depth.max(depth);
        if self.frames.len() == NAMED_DEPTH {
            self.unnamed += 1;
            self.state = State::Value;
            return;
        }
        visit.value(&self.path, if is_array { Value::Array } else { Value::Object });
        self.frames.push(Frame { is_array, path: self.path.len() });
        if is_array {
            self.push("*");
        }
        self.state = if is_array { State::Value } else { State::Key };
    }

    fn close(&mut self, is_array: bool) {
        self.state = State::After;
        if self.unnamed > 0 {
            self.unnamed -= 1;
            return;
        }
        match self.frames.pop() {
            Some(frame) if frame.is_array == is_array => self.path.truncate(frame.path),
            _ => self.state = State::Broken,
        }
    }

    fn push(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    fn end_key(&mut self) {
        self.state = State::Colon;
        let Some(frame) = self.frames.last() else { return };
        self.path.truncate(frame.path);
        let text = std::mem::take(&mut self.text);
        let is_plain = text.len() <= KEY_BYTES && !text.contains(&b'.') && !text.contains(&b'*');
        let name = str::from_utf8(&text).ok().filter(|_| is_plain);
        self.push(name.unwrap_or("?"));
        self.text = text;
    }

    fn end_bare(&mut self, visit: &mut dyn Visit) {
        self.tell(visit, |text| {
            let number = str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
            number.map_or(Value::Word, Value::Number)
        });
    }

    fn tell<'a>(&'a self, visit: &mut dyn Visit, value: impl FnOnce(&'a [u8]) -> Value<'a>) {
        if self.unnamed == 0 {
            visit.value(&self.path, value(&self.text));
        }
    }

    fn end_unit(&mut self, visit: &mut dyn Visit) {
        if self.has_begun || self.state == State::Broken {
            let is_closed = self.state == State::After && self.frames.is_empty() && self.unnamed == 0;
            visit.end(Unit { is_whole: is_closed && self.is_object, ..self.unit });
        }
        self.path.clear();
        self.frames.clear();
        self.text.clear();
        (self.unnamed, self.unit, self.state) = (0, Unit::default(), State::Value);
        (self.has_begun, self.is_object) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Log(Vec<String>);

    impl Visit for Log {
        fn value(&mut self, path: &str, value: Value<'_>) {
            let value = match value {
                Value::Text(text) => format!("\"{}\"", String::from_utf8_lossy(text)),
                other => format!("{other:?}"),
            };
            self.0.push(format!("{path}={value}"));
        }

        fn end(&mut self, unit: Unit) {
            self.0.push(format!("{} bytes, depth {}, {}", unit.bytes, unit.depth, unit.is_whole));
        }
    }

    fn scan(text: &[u8], piece: usize) -> Vec<String> {
        let (mut scanner, mut log) = (Scanner::new(true), Log::default());
        for piece in text.chunks(piece) {
            scanner.feed(piece, &mut log);
        }
        scanner.finish(&mut log);
        log.0
    }

    #[test]
    fn values_are_told_with_their_paths_however_the_file_is_cut() {
        let text = br#"{"a":{"b":["x\"y",1.5,{"c":null}]},"d.e":true}"#;
        let expected = [
            "=Object",
            "a=Object",
            "a.b=Array",
            "a.b.*=\"x\\\"y\"",
            "a.b.*=Number(1.5)",
            "a.b.*=Object",
            "a.b.*.c=Word",
            "?=Word",
            "46 bytes, depth 4, true",
        ];
        for piece in [1, 2, 7, 1_000] {
            assert_eq!(scan(text, piece), expected, "{piece}");
        }
    }

    #[test]
    fn broken_lines_are_told_and_do_not_spoil_the_next() {
        let text = b"{\"a\":\n\n[1]\n{\"a\":1]\n{}}\nxyz\n{\"b\":2}";
        let ends: Vec<String> = scan(text, 3)
            .into_iter()
            .filter(|line| line.contains(" bytes") || line.starts_with('b'))
            .collect();
        assert_eq!(
            ends,
            [
                "6 bytes, depth 1, false",
                "4 bytes, depth 1, false",
                "8 bytes, depth 1, false",
                "4 bytes, depth 1, false",
                "4 bytes, depth 0, false",
                "b=Number(2.0)",
                "7 bytes, depth 1, true"
            ]
        );
    }

    #[test]
    fn what_lies_deep_is_counted_and_nothing_of_it_kept() {
        let deep = [b"[{\"k\":".repeat(5_000), b"\"v\"".to_vec(), b"}]".repeat(5_000)].concat();
        let line = [b"{\"a\":", deep.as_slice(), b",\"z\":1}"].concat();
        let told = scan(&line, 100);
        assert_eq!(told.last().unwrap(), &format!("{} bytes, depth 10001, true", line.len()));
        assert_eq!(told[told.len() - 2], "z=Number(1.0)");
        let mut scanner = Scanner::new(true);
        scanner.feed(&[b"{\"a\":\"".as_slice(), &vec![b'x'; 1 << 20]].concat(), &mut Log::default());
        assert!(scanner.text.capacity() < 1_000 && scanner.path.capacity() < 1_000);
    }
}
