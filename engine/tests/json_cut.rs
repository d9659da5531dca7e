//! The cutting reader against a plain parse of the same bytes: what one refuses the other refuses, and what both accept is equal but for
//! the cuts.

use std::io::{self, Cursor, Read};
use std::marker::PhantomData;

use highwater_engine::json::cut::{Caps, CutReader, decode, repair_surrogates};
use highwater_engine::json::text::{Measure, Scan, preview};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Caps with and without names; the escaped, the long and the empty key must find theirs too.
const CAPS: [Caps; 5] = [
    Caps { by_key: &[], other: 0 },
    Caps { by_key: &[("text", 3), ("", 1), ("k\n\"é", 5)], other: 7 },
    Caps { by_key: &[("text", 500), ("kind", 0)], other: 64 },
    Caps {
        by_key: &[("kind", 20), ("a key of more than sixty-four units, as long as it takes to be cut", 1)],
        other: 2,
    },
    Caps { by_key: &[("text", u32::MAX)], other: 1_000_000 },
];
const KEYS: [&str; 6] = [
    "text",
    "kind",
    "",
    "k\n\"é",
    "a key of more than sixty-four units, as long as it takes to be cut",
    "other",
];

// ---- What is expected ----

/// A value with its strings taken apart. Entries are sorted by what they print, since two cut keys may decode to the same.
#[derive(Debug, PartialEq)]
enum Tree {
    Scalar(Value),
    Text(String, Option<Measure>),
    Array(Vec<Tree>),
    Object(Vec<(String, Option<Measure>, Tree)>),
}

fn object(mut entries: Vec<(String, Option<Measure>, Tree)>) -> Tree {
    entries.sort_by_cached_key(|entry| format!("{entry:?}"));
    Tree::Object(entries)
}

/// A plain value, cut after the fact.
fn cut_plain(value: Value, caps: Caps, units: u32) -> Tree {
    let cut = |text: String, units: u32| {
        let kept = preview(&text, units as usize).to_owned();
        let whole = (kept != text).then(|| naive_measure(&text));
        (kept, whole)
    };
    match value {
        Value::String(text) => {
            let (kept, whole) = cut(text, units);
            Tree::Text(kept, whole)
        }
        Value::Array(items) => {
            Tree::Array(items.into_iter().map(|item| cut_plain(item, caps, units)).collect())
        }
        Value::Object(entries) => object(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let named = caps.by_key.iter().find(|(name, _)| *name == key);
                    let (key, whole) = cut(key, caps.other.max(64));
                    // A cut key is nobody's.
                    let named = named.filter(|_| whole.is_none());
                    let tree = cut_plain(value, caps, named.map_or(caps.other, |(_, units)| *units));
                    (key, whole, tree)
                })
                .collect(),
        ),
        scalar => Tree::Scalar(scalar),
    }
}

/// A value that came through the reader, its strings decoded.
fn decoded(value: Value) -> Tree {
    match value {
        Value::String(text) => {
            let piece = decode(&text);
            Tree::Text(piece.text.into_owned(), piece.whole)
        }
        Value::Array(items) => Tree::Array(items.into_iter().map(decoded).collect()),
        Value::Object(entries) => object(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let piece = decode(&key);
                    (piece.text.into_owned(), piece.whole, decoded(value))
                })
                .collect(),
        ),
        scalar => Tree::Scalar(scalar),
    }
}

/// The rules of `docs/answer.md`, section 1, line by line.
fn naive_measure(text: &str) -> Measure {
    let mut counted: Vec<(String, u64)> = Vec::new();
    let mut count = |language: &str| {
        let full = counted.iter().filter(|(name, _)| name != "other").count() >= 32;
        let known = counted.iter().any(|(name, _)| name == language);
        let language = if full && !known { "other" } else { language };
        match counted.iter_mut().find(|(name, _)| name == language) {
            Some((_, lines)) => *lines += 1,
            None => counted.push((language.to_owned(), 1)),
        }
    };
    let mut open: Option<String> = None;
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        match (line.strip_prefix("```"), &open) {
            (Some(_), Some(_)) => open = None,
            (Some(after), None) => {
                let name: String = after.chars().take_while(|char| !char.is_whitespace()).take(24).collect();
                open = Some(if name.is_empty() { "text".to_owned() } else { name });
            }
            (None, Some(_)) if line.is_empty() && at + 1 == lines.len() => {}
            (None, Some(language)) => count(language),
            (None, None) => {}
        }
    }
    let mut measure = Measure {
        units: text.encode_utf16().count() as u64,
        newlines: text.matches('\n').count() as u64,
        ..Measure::default()
    };
    counted.iter().for_each(|(language, lines)| measure.code.count(language, *lines));
    measure
}

fn parse_plain(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut bytes = bytes.to_vec();
    repair_surrogates(&mut bytes);
    serde_json::from_slice(&bytes)
}

// ---- How input arrives ----

/// Gives out its bytes in pieces of the sizes given, over and over.
struct Chunks<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    next: usize,
}

impl<'a> Chunks<'a> {
    fn new(bytes: &'a [u8], sizes: &[usize]) -> Chunks<'a> {
        Chunks { bytes, sizes: sizes.to_vec(), next: 0 }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.next % self.sizes.len()];
        self.next += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = size.min(target.len()).min(self.bytes.len());
        target[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

// ---- The comparison ----

/// Reads the document in all ways, however it arrives, and compares each with the plain parse.
fn check_document(bytes: &[u8], caps: Caps, sizes: &[usize]) -> Result<(), TestCaseError> {
    let plain = parse_plain(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let mut scratch = Vec::new();
    let mut whole = CutReader::new(bytes, caps);
    let from_memory = whole.document().read(PhantomData::<Value>, &mut scratch);
    prop_assert!(scratch.capacity() == 64 * 1024, "the scratch grew");
    prop_assert_eq!(from_memory.is_ok(), plain.is_ok(), "{:?} for plain {:?}", from_memory, plain);

    let mut chunked = CutReader::new(Chunks::new(bytes, sizes), caps);
    let again = chunked.document().read(PhantomData::<Value>, &mut scratch);
    prop_assert_eq!(again.is_ok(), plain.is_ok(), "chunked {:?} for plain {:?}", again, plain);

    let mut streamed = CutReader::new(Chunks::new(bytes, sizes), caps);
    let from_reader = serde_json::from_reader::<_, Value>(streamed.document());
    prop_assert_eq!(from_reader.is_ok(), plain.is_ok(), "streamed {:?} for plain {:?}", from_reader, plain);

    let mut ignored = CutReader::new(bytes, caps);
    let ignored = ignored.document().read(PhantomData::<IgnoredAny>, &mut scratch);
    prop_assert_eq!(ignored.is_ok(), plain.is_ok(), "ignored {:?} for plain {:?}", ignored, plain);

    if let (Ok(plain), Ok(cut), Ok(again), Ok(streamed_value)) = (plain, from_memory, again, from_reader) {
        prop_assert_eq!(&again, &cut);
        prop_assert_eq!(&streamed_value, &cut);
        prop_assert_eq!(whole.counts(), chunked.counts());
        prop_assert_eq!(whole.counts(), streamed.counts());
        prop_assert_eq!(whole.counts().bytes_read, bytes.len() as u64);
        prop_assert_eq!(whole.counts().surrogates_repaired, repair_surrogates(&mut bytes.to_vec()));
        prop_assert_eq!(decoded(cut), cut_plain(plain, caps, caps.other));
    }
    Ok(())
}

/// Reads the lines, and compares each with the plain parse of it.
fn check_lines(bytes: &[u8], caps: Caps, sizes: &[usize]) -> Result<(), TestCaseError> {
    let is_blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let plain = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let expected = (1..).zip(plain.split(|byte| *byte == b'\n')).filter(|(_, line)| !is_blank(line));
    let mut reader = CutReader::new(Chunks::new(bytes, sizes), caps);
    let mut scratch = Vec::new();
    for (at, (number, text)) in expected.enumerate() {
        let line = reader.next_line().expect("memory does not fail");
        prop_assert!(line.is_some(), "line {number} is missing");
        let line = line.expect("it is there");
        prop_assert_eq!(line.number(), number);
        // Some lines are left before they are read, some in the middle.
        let value = match at % 4 {
            1 => serde_json::from_reader::<_, Value>(line),
            2 if text.len() % 3 == 0 => continue,
            3 if text.len() % 3 == 0 => {
                let mut line = line;
                _ = Read::read(&mut line, &mut [0; 5]);
                continue;
            }
            _ => line.read(PhantomData::<Value>, &mut scratch),
        };
        match (value, parse_plain(text)) {
            (Ok(cut), Ok(plain)) => {
                prop_assert_eq!(decoded(cut), cut_plain(plain, caps, caps.other))
            }
            (cut, plain) => prop_assert_eq!(cut.is_ok(), plain.is_ok(), "{:?} for plain {:?}", cut, plain),
        }
    }
    let more = reader.next_line().expect("memory does not fail");
    prop_assert!(more.is_none(), "a line too many");
    prop_assert_eq!(reader.counts().bytes_read, bytes.len() as u64);
    Ok(())
}

// ---- What is tried ----

/// A part of a string, and how it is spelled.
#[derive(Clone, Debug)]
enum Part {
    Text(String, Spelling),
    /// Half a surrogate pair.
    Lone(u16),
}

#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// Escaped where it must be.
    Raw,
    /// All of it as `\uXXXX`.
    Unicode,
}

#[derive(Clone, Debug)]
enum Json {
    Scalar(&'static str),
    Text(Vec<Part>),
    Array(Vec<Json>),
    Object(Vec<(Vec<Part>, Json)>),
}

fn write_parts(parts: &[Part], out: &mut Vec<u8>) {
    out.push(b'"');
    for part in parts {
        match part {
            Part::Lone(unit) => out.extend(format!("\\u{unit:04x}").bytes()),
            Part::Text(text, Spelling::Raw) => {
                let quoted = serde_json::to_string(text).expect("a text can be written");
                out.extend(quoted[1..quoted.len() - 1].bytes());
            }
            Part::Text(text, Spelling::Unicode) => {
                text.encode_utf16().for_each(|unit| out.extend(format!("\\u{unit:04X}").bytes()));
            }
        }
    }
    out.push(b'"');
}

fn write_json(json: &Json, out: &mut Vec<u8>) {
    match json {
        Json::Scalar(text) => out.extend(text.bytes()),
        Json::Text(parts) => write_parts(parts, out),
        Json::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                out.extend(if at > 0 { &b", "[..] } else { b"" });
                write_json(item, out);
            }
            out.push(b']');
        }
        Json::Object(entries) => {
            out.push(b'{');
            for (at, (key, value)) in entries.iter().enumerate() {
                out.extend(if at > 0 { &b","[..] } else { b"\t" });
                write_parts(key, out);
                out.extend(b" :");
                write_json(value, out);
            }
            out.push(b'}');
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,12}",
        3 => Just("\n".to_owned()),
        2 => Just("\n```\n".to_owned()),
        2 => Just("```".to_owned()),
        1 => Just("`".to_owned()),
        2 => "\n```[a-z漢\u{10FFFF}\"\u{1}\u{2003}]{0,30}\n",
        2 => Just("\u{10FFFF}".to_owned()),
        1 => Just("\u{10FFFF}12 3".to_owned()),
        2 => "[😀漢é\u{10FFFE}]{1,9}",
        2 => "[\"\\\\/\u{8}\u{c}\r\t\u{0}\u{7f}\u{2028}]{1,4}",
        1 => "[a-z]{40,90}",
        1 => (200..900usize).prop_map(|length| "0123456789".repeat(length / 10)),
        1 => any::<String>(),
    ]
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let spelling = prop_oneof![4 => Just(Spelling::Raw), 1 => Just(Spelling::Unicode)];
    let part = prop_oneof![
        12 => (text(), spelling).prop_map(|(text, spelling)| Part::Text(text, spelling)),
        1 => (0xD800..0xE000u16).prop_map(Part::Lone),
        2 => prop::sample::select(&[0xD800, 0xDBFF, 0xDC00, 0xDFFF][..]).prop_map(Part::Lone),
    ];
    prop::collection::vec(part, 0..9)
}

fn key() -> impl Strategy<Value = Vec<Part>> {
    let known = (prop::sample::select(&KEYS[..]), any::<bool>()).prop_map(|(key, escaped)| {
        vec![Part::Text(key.to_owned(), if escaped { Spelling::Unicode } else { Spelling::Raw })]
    });
    let long = "[ab]".prop_map(|end| vec![Part::Text("long ".repeat(60) + &end, Spelling::Raw)]);
    prop_oneof![6 => known, 1 => long, 2 => parts()]
}

fn json() -> impl Strategy<Value = Json> {
    const SCALARS: [&str; 8] =
        ["null", "true", "-12.5e3", "0", "1e308", "18446744073709551616", "-0.0", "1E-400"];
    let leaf = prop_oneof![
        1 => prop::sample::select(&SCALARS[..]).prop_map(Json::Scalar).boxed(),
        4 => parts().prop_map(Json::Text).boxed(),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::vec((key(), inner), 0..5).prop_map(Json::Object),
        ]
    })
}

fn bytes_of(json: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_json(json, &mut bytes);
    bytes
}

/// One way in which a text can go bad.
#[derive(Clone, Debug)]
enum Harm {
    Flip(u8),
    Delete,
    Insert(&'static [u8]),
    Truncate,
    Swap,
}

const INSERTS: [&[u8]; 30] = [
    b"\"",
    b"\\",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xf4\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xed\xa0\x80",
    b"\x80",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"\\u00",
    b"\\x",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"1e999",
    b"e999",
    b"-",
    b"1",
    b"\xEF\xBB\xBF",
    b" ",
    b"\\\\",
    b"\x1f",
    b"\r",
];

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        2 => any::<u8>().prop_map(Harm::Flip),
        2 => Just(Harm::Delete),
        4 => prop::sample::select(&INSERTS[..]).prop_map(Harm::Insert),
        1 => Just(Harm::Truncate),
        1 => Just(Harm::Swap),
    ]
}

fn harmed(mut bytes: Vec<u8>, harms: &[(prop::sample::Index, Harm)]) -> Vec<u8> {
    for (place, harm) in harms {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        match harm {
            Harm::Flip(bits) => bytes[at] ^= bits,
            Harm::Delete => _ = bytes.remove(at),
            Harm::Insert(insert) => _ = bytes.splice(at..at, insert.iter().copied()),
            Harm::Truncate => bytes.truncate(at),
            Harm::Swap => {
                let other = bytes.len() - 1 - at;
                bytes.swap(at, other);
            }
        }
    }
    bytes
}

fn harms() -> impl Strategy<Value = Vec<(prop::sample::Index, Harm)>> {
    prop::collection::vec((any::<prop::sample::Index>(), harm()), 1..4)
}

fn caps() -> impl Strategy<Value = Caps> {
    (0..CAPS.len(), prop::option::of(0..130u32)).prop_map(|(at, other)| match other {
        Some(other) => Caps { other, ..CAPS[at] },
        None => CAPS[at],
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        prop::collection::vec(0..20usize, 1..6).prop_map(|mut sizes| {
            sizes.push(7);
            sizes
        }),
        prop::collection::vec(1..5000usize, 1..6),
    ]
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn a_document_reads_as_a_plain_parse_does(json in json(), caps in caps(), sizes in sizes()) {
        check_document(&bytes_of(&json), caps, &sizes)?;
    }

    #[test]
    fn a_harmed_document_is_refused_as_a_plain_parse_does(
        json in json(), harms in harms(), caps in caps(), sizes in sizes()
    ) {
        check_document(&harmed(bytes_of(&json), &harms), caps, &sizes)?;
    }

    #[test]
    fn bytes_inside_a_dropped_string_are_checked(
        before in text(), inside in prop::sample::select(&INSERTS[..]), after in text(), sizes in sizes()
    ) {
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let (before, after) = (quote(&before), quote(&after));
        let mut bytes = before.as_bytes()[..before.len() - 1].to_vec();
        bytes.extend(inside);
        bytes.extend(&after.as_bytes()[1..]);
        check_document(&bytes, CAPS[0], &sizes)?;
    }

    #[test]
    fn scans_agree_with_the_rules(texts in prop::collection::vec(text(), 0..30), split in any::<prop::sample::Index>()) {
        let text = texts.concat();
        let expected = naive_measure(&text);
        prop_assert_eq!(Measure::of(&text), expected.clone());
        let mut at = split.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut scan = Scan::default();
        scan.feed(&text[..at]);
        scan.feed(&text[at..]);
        prop_assert_eq!(scan.finish(), expected);
    }

    #[test]
    fn arbitrary_bytes_are_judged_alike(bytes in prop::collection::vec(any::<u8>(), 0..40), caps in caps()) {
        check_document(&bytes, caps, &[1])?;
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn lines_read_as_plain_parses_of_them_do(
        lines in prop::collection::vec((json(), prop::option::of(harms()), prop::sample::select(&["\n", "\r\n", "\n\n \n"][..])), 0..6),
        mark in any::<bool>(), caps in caps(), sizes in sizes()
    ) {
        let mut bytes = if mark { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
        for (json, harms, end) in &lines {
            bytes.extend(harmed(bytes_of(json), harms.as_deref().unwrap_or_default()));
            bytes.extend(end.bytes());
        }
        check_lines(&bytes, caps, &sizes)?;
    }

    /// The reader's buffer ends somewhere in the interesting part.
    #[test]
    fn the_end_of_the_buffer_is_not_seen(json in json(), back in 0..600usize, in_string: bool, caps in caps()) {
        let interesting = bytes_of(&json);
        let filler = "漢x\\n".repeat(14_000);
        let mut at = 65_536 - back;
        while !filler.is_char_boundary(at) || filler[..at].ends_with('\\') {
            at -= 1;
        }
        let mut bytes = b"[\"".to_vec();
        bytes.extend(filler[..at].bytes());
        match (&json, in_string) {
            (Json::Text(_), true) => bytes.extend(&interesting[1..]),
            _ => {
                bytes.extend(b"\",");
                bytes.extend(interesting);
            }
        }
        bytes.push(b']');
        check_document(&bytes, caps, &[usize::MAX])?;
    }
}

// ---- Single cases ----

fn cut(json: &[u8], caps: Caps) -> serde_json::Result<Value> {
    CutReader::new(json, caps).document().read(PhantomData, &mut Vec::new())
}

#[test]
fn depth_ends_where_it_does_for_a_plain_parse() {
    for (depth, accepted) in [(1, true), (127, true), (128, false), (300, false)] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), accepted, "plain, depth {depth}");
        assert_eq!(cut(text.as_bytes(), CAPS[0]).is_ok(), accepted, "cut, depth {depth}");
        let mut reader = CutReader::new(text.as_bytes(), CAPS[0]);
        let ignored = reader.document().read(PhantomData::<IgnoredAny>, &mut Vec::new());
        assert_eq!(ignored.is_ok(), accepted, "ignored, depth {depth}");
    }
}

#[test]
fn flaws_are_invalid_data() {
    for text in [r#""\x""#, "\"\u{1}\"", r#""abc"#, r#"["\u12"#, "[1e999]"] {
        let mut out = Vec::new();
        let error = CutReader::new(text.as_bytes(), CAPS[0]).document().read_to_end(&mut out).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        let error = cut(text.as_bytes(), CAPS[0]).unwrap_err();
        assert_eq!(error.io_error_kind(), Some(io::ErrorKind::InvalidData), "{text}");
    }
}

#[test]
fn numbers_out_of_range_are_refused_even_where_they_are_skipped() {
    let long = "9".repeat(400);
    let zeros = format!("0.{}", "0".repeat(5000));
    let exponent = format!("{zeros}e{}", "9".repeat(3000));
    for text in
        ["1e999", "-1e309", "1e-999", "0e999", "1e308", "1.5E+3", &long, &zeros, &exponent, "1e5e", "1-e5"]
    {
        let text = format!("[{text}]");
        let plain = serde_json::from_str::<Value>(&text).is_ok();
        for size in [1, 7, 1000, usize::MAX] {
            let mut reader = CutReader::new(Chunks::new(text.as_bytes(), &[size]), CAPS[0]);
            let ignored = reader.document().read(PhantomData::<IgnoredAny>, &mut Vec::new());
            assert_eq!(ignored.is_ok(), plain, "{text}");
        }
    }
}

#[test]
fn long_keys_stay_apart() {
    let long = "k".repeat(1000);
    let text = format!(r#"{{"{long}a": 1, "{long}b": 2, "\u006b{}a": 3}}"#, &long[1..]);
    let value = cut(text.as_bytes(), CAPS[0]).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 2);
    assert!(value.as_object().unwrap().keys().all(|key| decode(key).text == long[..64]));
}

#[test]
fn a_cut_form_larger_than_the_scratch_is_read_on() {
    let items: Vec<String> = (0..20_000)
        .map(|number| format!("item {number}\n```rust\nx\n```{}", "é".repeat(number % 90)))
        .collect();
    let text = serde_json::to_vec(&items).unwrap();
    for caps in CAPS {
        check_document(&text, caps, &[usize::MAX]).unwrap();
    }
    for end in [text.len() - 1, text.len() - 5] {
        check_document(&text[..end], CAPS[2], &[4096]).unwrap();
    }
}

#[test]
fn one_reader_reads_many_inputs() {
    let mut reader = CutReader::new(Cursor::new(br#"["unfinished"#.to_vec()), CAPS[2]);
    let mut scratch = Vec::new();
    assert!(reader.document().read(PhantomData::<Value>, &mut scratch).is_err());
    reader.reset(Cursor::new(b"\xEF\xBB\xBF1\n2\n".to_vec()), CAPS[0]);
    assert_eq!(reader.next_line().unwrap().unwrap().read(PhantomData::<u8>, &mut scratch).unwrap(), 1);
    reader.reset(Cursor::new(b"\n3".to_vec()), CAPS[0]);
    let line = reader.next_line().unwrap().unwrap();
    assert_eq!((line.number(), line.read(PhantomData::<u8>, &mut scratch).unwrap()), (2, 3));
    assert!(reader.next_line().unwrap().is_none());
    assert_eq!(reader.counts().bytes_read, 12 + 7 + 2);
}

#[test]
fn a_failing_input_is_no_flaw_of_the_text() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let mut reader = CutReader::new(b"{\"a\": \"".chain(Fails), CAPS[0]);
    let error = reader.next_line().unwrap().unwrap().read(PhantomData::<Value>, &mut Vec::new()).unwrap_err();
    assert_eq!(error.io_error_kind(), Some(io::ErrorKind::TimedOut));
    assert!(reader.next_line().is_err());
}
