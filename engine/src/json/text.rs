//! What the engine keeps of a text besides its beginning: how long it is, and how much of it is code.
//!
//! The rules stand in `docs/answer.md`, section 1. [`Scan`] is the one machine behind all measures: whole texts go through it
//! at once, the cutting reader feeds it the text that it drops, piece by piece.

use super::content;

/// Distinct languages counted in one text; the lines of further ones go to [`OTHER`].
pub(super) const LANGUAGES: usize = 32;
/// Characters of a language's name.
const NAME_CHARS: usize = 24;
/// Bytes of a language's name: four each.
pub(super) const NAME_BYTES: usize = 4 * NAME_CHARS;
/// Backticks that open and close a block at the start of a line.
const FENCE: u8 = 3;
const UNNAMED: &str = "text";
const OTHER: &str = "other";

/// Length and code of a whole text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// UTF-16 code units.
    pub units: u64,
    /// Line feeds.
    pub newlines: u64,
    /// Lines of code by language.
    pub code: CodeLines,
}

impl Measure {
    /// Measures a text.
    #[must_use]
    pub fn of(text: &str) -> Measure {
        let mut scan = Scan::default();
        scan.feed(text);
        scan.finish()
    }
}

/// Lines of code by language, sorted by the bytes of the language. Holds no heap when there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CodeLines(Vec<(Box<str>, u64)>);

impl CodeLines {
    /// Adds the lines of another text. Nothing limits the languages of a sum.
    pub fn add(&mut self, other: &CodeLines) {
        for (language, lines) in other.iter() {
            self.count(language, lines);
        }
    }

    /// Adds lines of one language; no lines leave no trace.
    pub fn count(&mut self, language: &str, lines: u64) {
        if lines == 0 {
            return;
        }
        match self.0.binary_search_by(|(name, _)| (**name).cmp(language)) {
            Ok(found) => self.0[found].1 += lines,
            Err(place) => {
                // Most texts have one language or two: growing by one keeps no spare room.
                self.0.reserve_exact(1);
                self.0.insert(place, (language.into(), lines));
            }
        }
    }

    /// The languages in order, each with its lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.0.iter().map(|(language, lines)| (&**language, *lines))
    }

    /// Whether there is no line of code.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The longest beginning of a text that has at most so many UTF-16 units and splits no surrogate pair.
#[must_use]
pub fn preview(text: &str, units: usize) -> &str {
    // A unit takes at least one byte.
    if text.len() <= units {
        return text;
    }
    let mut left = units;
    for (at, char) in text.char_indices() {
        match left.checked_sub(char.len_utf16()) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// Measures a text that arrives in pieces: any split gives the same as the whole.
#[derive(Debug, Default)]
pub struct Scan {
    units: u64,
    newlines: u64,
    line: Line,
    /// A block of code is open.
    open: bool,
    /// The current line opened or closed a block, and so is no line of code.
    fence: bool,
    /// Lines counted in the open block.
    block: u64,
    /// The language of the open block, or the part of it that was read.
    name: Name,
    /// Lines by language, in order of their first counted line.
    tally: Vec<(Name, u64)>,
}

/// Where in its line the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many backticks stood since its start, and nothing else.
    Ticks(u8),
    /// After the backticks that open a block.
    Language,
    /// Nothing before the next line matters.
    Rest,
}

impl Default for Line {
    fn default() -> Line {
        Line::Ticks(0)
    }
}

impl Scan {
    /// A scan that has already allocated what it will ever need.
    pub(super) fn preallocated() -> Scan {
        Scan { tally: Vec::with_capacity(LANGUAGES + 1), ..Scan::default() }
    }

    /// Makes ready for the next text; keeps the buffers.
    pub(super) fn restart(&mut self) {
        self.units = 0;
        self.newlines = 0;
        self.line = Line::default();
        self.open = false;
        self.fence = false;
        self.block = 0;
        self.tally.clear();
    }

    /// Reads the next piece.
    pub fn feed(&mut self, chunk: &str) {
        self.units += content::units(chunk.as_bytes());
        let mut rest = chunk.as_bytes();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.inside(&rest[..end]);
            self.newline();
            rest = &rest[end + 1..];
        }
        self.inside(rest);
    }

    /// Ends the text.
    #[must_use]
    pub fn finish(mut self) -> Measure {
        self.end();
        let mut code = CodeLines::default();
        for (language, lines) in self.tally() {
            code.count(language, lines);
        }
        Measure { units: self.units, newlines: self.newlines, code }
    }

    /// Counts the last block; afterwards [`Scan::tally`] is complete.
    pub(super) fn end(&mut self) {
        if self.line == Line::Language {
            self.open_block();
        }
        // An empty last line is none.
        if self.open && !self.fence && self.line != Line::Ticks(0) {
            self.block += 1;
        }
        self.close_block();
    }

    pub(super) fn units(&self) -> u64 {
        self.units
    }

    pub(super) fn newlines(&self) -> u64 {
        self.newlines
    }

    /// Lines by language, as far as their blocks have ended.
    pub(super) fn tally(&self) -> impl Iterator<Item = (&str, u64)> {
        self.tally.iter().map(|(name, lines)| (name.as_str(), *lines))
    }

    pub(super) fn add_units(&mut self, units: u64) {
        self.units += units;
    }

    /// Whether what stands in the line still matters; if not, [`Scan::inside`] need not be told of it.
    #[inline]
    pub(super) fn is_attentive(&self) -> bool {
        self.line != Line::Rest
    }

    /// A line ends. Counts no unit.
    #[inline]
    pub(super) fn newline(&mut self) {
        if self.line == Line::Language {
            self.open_block();
        }
        self.newlines += 1;
        self.block += u64::from(self.open && !self.fence);
        self.fence = false;
        self.line = Line::Ticks(0);
    }

    /// Text without a line feed, cut between characters. Counts no unit.
    #[inline]
    pub(super) fn inside(&mut self, text: &[u8]) {
        match (self.line, text.first()) {
            (Line::Rest, _) | (_, None) => {}
            // Nearly all lines begin otherwise.
            (Line::Ticks(0), Some(first)) if *first != b'`' => self.line = Line::Rest,
            _ => self.inside_fence(text),
        }
    }

    /// One character. Counts no unit.
    pub(super) fn char(&mut self, char: char) {
        if char == '\n' {
            self.newline();
        } else {
            self.inside(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    #[cold]
    fn inside_fence(&mut self, mut text: &[u8]) {
        while let (Line::Ticks(ticks), Some(byte)) = (self.line, text.first()) {
            if *byte != b'`' {
                self.line = Line::Rest;
                return;
            }
            text = &text[1..];
            self.line = Line::Ticks(ticks + 1);
            if ticks + 1 == FENCE {
                self.fence_line();
            }
        }
        if self.line == Line::Language {
            self.language(text);
        }
    }

    /// The line's third backtick.
    fn fence_line(&mut self) {
        self.fence = true;
        if self.open {
            self.close_block();
            self.line = Line::Rest;
        } else {
            self.name = Name::default();
            self.line = Line::Language;
        }
    }

    fn language(&mut self, text: &[u8]) {
        // No name is longer. Where the bytes are no UTF-8, who fed them refuses them.
        let text = &text[..text.len().min(NAME_BYTES + 4)];
        let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        for char in valid.chars() {
            if char.is_whitespace() || self.name.chars == NAME_CHARS {
                self.line = Line::Rest;
                self.open_block();
                return;
            }
            self.name.push(char);
        }
    }

    fn open_block(&mut self) {
        if self.name.length == 0 {
            self.name = Name::of(UNNAMED);
        }
        self.open = true;
        self.block = 0;
    }

    fn close_block(&mut self) {
        self.open = false;
        let lines = std::mem::take(&mut self.block);
        if lines == 0 {
            return;
        }
        let full = self.tally.len() >= LANGUAGES;
        let known = |tally: &[(Name, u64)], name: &Name| tally.iter().position(|(other, _)| other == name);
        let place = match known(&self.tally, &self.name) {
            None if full => {
                self.name = Name::of(OTHER);
                known(&self.tally, &self.name)
            }
            place => place,
        };
        match place {
            Some(place) => self.tally[place].1 += lines,
            None => self.tally.push((self.name, lines)),
        }
    }
}

/// A language's name, held in place.
#[derive(Clone, Copy, Debug)]
struct Name {
    bytes: [u8; NAME_BYTES],
    length: usize,
    chars: usize,
}

impl Default for Name {
    fn default() -> Name {
        Name { bytes: [0; NAME_BYTES], length: 0, chars: 0 }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.bytes[..self.length] == other.bytes[..other.length]
    }
}

impl Name {
    fn of(text: &str) -> Name {
        let mut name = Name::default();
        text.chars().for_each(|char| name.push(char));
        name
    }

    fn push(&mut self, char: char) {
        self.length += char.encode_utf8(&mut self.bytes[self.length..]).len();
        self.chars += 1;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("only whole characters are pushed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<(String, u64)> {
        Measure::of(text).code.iter().map(|(language, lines)| (language.to_owned(), lines)).collect()
    }

    fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(language, lines)| ((*language).to_owned(), *lines)).collect()
    }

    #[test]
    fn units_are_utf16_and_newlines_are_line_feeds() {
        let measure = Measure::of("aé漢😀\r\n\n\u{2028}");
        assert_eq!((measure.units, measure.newlines), (9, 2));
        assert!(measure.code.is_empty());
    }

    #[test]
    fn a_preview_splits_no_surrogate_pair() {
        assert_eq!(preview("a😀b", 2), "a");
        assert_eq!(preview("a😀b", 3), "a😀");
        assert_eq!(preview("漢字", 1), "漢");
        assert_eq!(preview("漢字", 2), "漢字");
        assert_eq!(preview("😀", 0), "");
        assert_eq!(preview("", 0), "");
    }

    #[test]
    fn lines_between_fences_are_code() {
        assert_eq!(code("x\n```rust\na\n\nb\n```\ny"), pairs(&[("rust", 3)]));
        assert_eq!(code("```\na\n```rust\nb"), pairs(&[("text", 1)]), "any fence closes an open block");
        assert_eq!(code("```a\n1\n```\n```b\n2\n3"), pairs(&[("a", 1), ("b", 2)]));
        assert_eq!(code(" ```a\n1\n```"), pairs(&[]), "a fence stands at the start of its line");
        assert_eq!(code("```a\n``\n`\n```"), pairs(&[("a", 2)]));
    }

    #[test]
    fn an_open_block_ends_with_the_text() {
        assert_eq!(code("```a\n1\n"), pairs(&[("a", 1)]), "an empty last line is none");
        assert_eq!(code("```a\n1\n2"), pairs(&[("a", 2)]));
        assert_eq!(code("```a\n``"), pairs(&[("a", 1)]));
        assert_eq!(code("```a"), pairs(&[]));
        assert_eq!(code("```a\n"), pairs(&[]));
        assert_eq!(code("```a\n\n"), pairs(&[("a", 1)]));
    }

    #[test]
    fn a_language_ends_at_whitespace_or_after_24_characters() {
        assert_eq!(code("```rust ignore\n1"), pairs(&[("rust", 1)]));
        assert_eq!(code("```rust\u{3000}x\n1"), pairs(&[("rust", 1)]));
        assert_eq!(code("```rust\r\n1"), pairs(&[("rust", 1)]));
        assert_eq!(code("``` rust\n1"), pairs(&[("text", 1)]));
        assert_eq!(code("````rust\n1"), pairs(&[("`rust", 1)]));
        let long = "漢".repeat(30);
        assert_eq!(code(&format!("```{long}\n1")), pairs(&[(&"漢".repeat(24), 1)]));
    }

    #[test]
    fn further_languages_are_other() {
        let mut text = String::new();
        for language in 0..40 {
            text += &format!("```l{language:02}\nx\n```\n```empty{language}\n```\n");
        }
        text += "```l00\ny\n```\n";
        let code = code(&text);
        assert_eq!(code.len(), 33);
        assert_eq!(code[0], ("l00".to_owned(), 2));
        assert_eq!(code[32], ("other".to_owned(), 8));
    }

    #[test]
    fn any_split_measures_the_same() {
        let text = "a😀\n```r漢st x\nfn\n\n```\n``\n```\n`\n`````\n```\u{10FFFF}\n😀\n";
        let whole = Measure::of(text);
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut scan = Scan::default();
            scan.feed(&text[..at]);
            scan.feed(&text[at..]);
            assert_eq!(scan.finish(), whole, "split at {at}");
        }
        let mut scan = Scan::default();
        text.chars().for_each(|char| scan.feed(char.encode_utf8(&mut [0; 4])));
        assert_eq!(scan.finish(), whole);
    }
}
