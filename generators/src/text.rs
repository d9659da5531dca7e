//! Pieces of text whose measures are known, so that a text's measures are sums and need no second look at it.

use std::fmt::Write as _;

/// Languages told apart in one text; the lines of further ones count as [`OTHER`].
const LANGUAGES_MAX: usize = 32;

/// Where the lines of surplus languages go.
const OTHER: &str = "other";

/// A piece of text: whole sentences, or one whole fenced code block.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    /// As it stands between the quotes of a JSON string.
    pub(crate) escaped: Box<[u8]>,
    /// As a reader sees it.
    pub(crate) text: Box<str>,
    /// UTF-16 code units.
    pub(crate) units: u64,
    /// Language and lines of a code block.
    pub(crate) code: Option<(&'static str, u64)>,
}

impl Atom {
    /// A piece without code, escaped as JavaScript's `JSON.stringify` does.
    pub(crate) fn plain(text: &str) -> Self {
        Atom::escaped_as(escape(text), text)
    }

    /// A piece whose escaped form is given: other escapes of the same text.
    pub(crate) fn escaped_as(escaped: String, text: &str) -> Self {
        let units = text.encode_utf16().count() as u64;
        Atom { escaped: escaped.into_bytes().into(), text: text.into(), units, code: None }
    }

    /// A fenced code block, open when it has no closing fence.
    pub(crate) fn block(info: &str, language: &'static str, lines: &[&str], closed: bool) -> Self {
        let mut text = format!("```{info}\n{}", lines.join("\n"));
        if closed {
            if !lines.is_empty() {
                text.push('\n');
            }
            text.push_str("```");
        }
        let code = (!lines.is_empty()).then_some((language, lines.len() as u64));
        Atom { code, ..Atom::plain(&text) }
    }

    /// Whether the piece must stand on lines of its own.
    fn is_block(&self) -> bool {
        self.text.starts_with("```")
    }
}

/// Escapes a text for a JSON string, non-ASCII characters as they are.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Escapes a text for a JSON string in ASCII, as Python's `json.dumps` does.
pub(crate) fn escape_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for character in escape(text).chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// What a reader measures of one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measure {
    /// UTF-16 code units.
    pub(crate) units: u64,
    /// Lines of code by language, in order of the first line.
    pub(crate) code: Vec<(&'static str, u64)>,
    /// Bytes of the first piece, escaped: where a growing text may have stood before.
    pub(crate) first_piece_bytes: usize,
}

impl Measure {
    /// The measure of texts that a reader joins by line feeds, each with its own code.
    pub(crate) fn joined(texts: &[Measure]) -> Self {
        let mut whole = Measure { units: (texts.len() as u64).saturating_sub(1), ..Measure::default() };
        for text in texts {
            whole.units += text.units;
            whole.code.extend(text.code.iter().copied());
        }
        whole
    }

    /// Counts an atom.
    pub(crate) fn add(&mut self, atom: &Atom) {
        self.units += atom.units;
        let Some((language, lines)) = atom.code else {
            return;
        };
        let known = self.code.iter().any(|entry| entry.0 == language);
        let distinct = self.code.iter().filter(|entry| entry.0 != OTHER).count();
        let language = if known || distinct < LANGUAGES_MAX { language } else { OTHER };
        match self.code.iter_mut().find(|entry| entry.0 == language) {
            Some(entry) => entry.1 += lines,
            None => self.code.push((language, lines)),
        }
    }
}

/// The beginning of a text that a reader keeps.
#[derive(Clone, Debug)]
pub(crate) struct Preview {
    /// What is kept so far.
    pub(crate) text: String,
    units_left: u64,
}

impl Preview {
    /// An empty preview of at most so many UTF-16 code units.
    pub(crate) fn new(units: u64) -> Self {
        Preview { text: String::new(), units_left: units }
    }

    /// Appends as much of the text as fits; after the first cut nothing does.
    pub(crate) fn push(&mut self, text: &str, units: u64) {
        if units <= self.units_left {
            self.units_left -= units;
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            let width = character.len_utf16() as u64;
            if width > self.units_left {
                break;
            }
            self.units_left -= width;
            self.text.push(character);
        }
        self.units_left = 0;
    }

    /// The preview of a whole text.
    pub(crate) fn of(text: &str, units: u64) -> String {
        let mut preview = Preview::new(units);
        preview.push(text, text.encode_utf16().count() as u64);
        preview.text
    }
}

/// Writes one text, piece by piece.
pub(crate) struct Composer<'a> {
    out: &'a mut Vec<u8>,
    preview: Option<&'a mut Preview>,
    measure: Measure,
    begin: usize,
    after_block: bool,
}

impl<'a> Composer<'a> {
    /// Starts a text at the end of `out`; the preview is kept where one is given.
    pub(crate) fn new(out: &'a mut Vec<u8>, preview: Option<&'a mut Preview>) -> Self {
        let begin = out.len();
        Composer { out, preview, measure: Measure::default(), begin, after_block: false }
    }

    /// Escaped bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len() - self.begin
    }

    /// Appends a piece; `paragraph` begins a new paragraph with it.
    pub(crate) fn add(&mut self, atom: &Atom, paragraph: bool) {
        if self.len() > 0 {
            let block = atom.is_block() || self.after_block;
            match (block, paragraph) {
                (true, true) | (false, true) => self.separate("\\n\\n", "\n\n"),
                (true, false) => self.separate("\\n", "\n"),
                (false, false) => self.separate(" ", " "),
            }
        }
        self.out.extend_from_slice(&atom.escaped);
        self.measure.add(atom);
        if let Some(preview) = &mut self.preview {
            preview.push(&atom.text, atom.units);
        }
        if self.measure.first_piece_bytes == 0 {
            self.measure.first_piece_bytes = self.len();
        }
        self.after_block = atom.is_block();
    }

    fn separate(&mut self, escaped: &str, text: &str) {
        self.out.extend_from_slice(escaped.as_bytes());
        self.measure.units += text.len() as u64;
        if let Some(preview) = &mut self.preview {
            preview.push(text, text.len() as u64);
        }
    }

    /// Ends the text.
    pub(crate) fn finish(self) -> Measure {
        self.measure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_escapes_of_a_text_are_read_as_the_same_text() {
        let text = "tab\t quote\" back\\ line\n bell\u{7} é 日本 😀 \u{2028}";
        for escaped in [escape(text), escape_ascii(text)] {
            let read: String = serde_json::from_str(&format!("\"{escaped}\"")).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_preview_does_not_split_a_surrogate_pair() {
        assert_eq!(Preview::of("ab😀c", 3), "ab");
        assert_eq!(Preview::of("ab😀c", 4), "ab😀");
    }

    #[test]
    fn a_preview_takes_nothing_after_its_cut() {
        let mut preview = Preview::new(3);
        preview.push("ab😀", 4);
        preview.push("c", 1);
        assert_eq!(preview.text, "ab");
    }

    #[test]
    fn a_block_counts_the_lines_between_its_fences() {
        let block = Atom::block("rust", "rust", &["a", "", "b"], true);
        assert_eq!(&*block.text, "```rust\na\n\nb\n```");
        assert_eq!(block.code, Some(("rust", 3)));
        assert_eq!(Atom::block("", "text", &[], true).code, None);
    }

    #[test]
    fn languages_beyond_the_limit_count_as_other() {
        let mut measure = Measure::default();
        let names: Vec<&'static str> = (0..40).map(|i| &*format!("l{i}").leak()).collect();
        for name in &names {
            measure.add(&Atom { code: Some((name, 2)), ..Atom::plain("") });
        }
        assert_eq!(measure.code.len(), LANGUAGES_MAX + 1);
        assert_eq!(measure.code[LANGUAGES_MAX], (OTHER, 16));
    }
}
