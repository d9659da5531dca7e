//! What can be wrong with a session's file, in every format.

use crate::profile::Spec;

use super::hand::Words;
use super::sketch::Sketch;
use super::{KEYS, LINES, LONG, NOT_UTF8};

/// Bytes of a huge line at scale 1: such lines are in real files.
const LINE_BYTES: f64 = 22e6;
/// Bytes of a huge line at least: more than a reader's buffers have.
const LINE_BYTES_MIN: u64 = 1 << 20;

/// A defect.
pub(crate) struct Row {
    /// Its name in the manifest, and the stem of its file.
    pub(crate) quirk: &'static str,
    /// How large the marks of its text are.
    pub(crate) size: Amount,
    /// Puts it into an ordinary session.
    pub(crate) make: fn(&mut Sketch),
}

/// How large something is.
#[derive(Clone, Copy)]
pub(crate) enum Amount {
    None,
    /// A megabyte, or a million.
    Million,
    /// A hundred thousand.
    Keys,
    /// What grows with the scale.
    Line,
}

impl Amount {
    pub(crate) fn of(self, spec: &Spec) -> u64 {
        match self {
            Amount::None => 0,
            Amount::Million => 1_000_000,
            Amount::Keys => 100_000,
            Amount::Line => ((LINE_BYTES * spec.scale) as u64).max(LINE_BYTES_MIN),
        }
    }
}

pub(crate) const fn row(quirk: &'static str, make: fn(&mut Sketch)) -> Row {
    Row { quirk, size: Amount::None, make }
}

const fn large(quirk: &'static str, size: Amount, make: fn(&mut Sketch)) -> Row {
    Row { quirk, size, make }
}

/// The defects of every format.
pub(crate) const ROWS: &[Row] = &[
    // Texts that must be kept as they are.
    row("lone-surrogate", |sketch| {
        say(
            sketch,
            r"cut in half \ud83d and \udc00 again \ud83d\ud83d\ude00",
            "cut in half \u{fffd} and \u{fffd} again \u{fffd}😀",
        );
    }),
    row("line-separator", |sketch| {
        say(sketch, "one \u{2028} two \u{2029} three", "one \u{2028} two \u{2029} three")
    }),
    row("nul-escape", |sketch| say(sketch, r"a\u0000b\u001fc", "a\0b\u{1f}c")),
    row("markup", |sketch| {
        say(
            sketch,
            r#"Say <script>alert(1)<\/script><img src=x onerror=\"alert(2)\"> {{7*7}} ${7*7} %n %s"#,
            "Say <script>alert(1)</script><img src=x onerror=\"alert(2)\"> {{7*7}} ${7*7} %n %s",
        );
    }),
    row("direction-marks", |sketch| {
        say(sketch, "gnp.\u{202e}exe \u{200f}\u{feff}x\u{200b}", "gnp.\u{202e}exe \u{200f}\u{feff}x\u{200b}")
    }),
    large("huge-line", Amount::Line, |sketch| {
        let units = 5 + sketch.size;
        sketch.last().answer = Words { escaped: format!("Long {LONG}"), text: "Long".to_owned(), units };
    }),
    // Forms of the file that change nothing.
    row("byte-order-mark", |sketch| sketch.around.0.push('\u{feff}')),
    row("crlf", |sketch| sketch.is_crlf = true),
    row("blank-lines", |sketch| sketch.around = ("\n \n\t\n\r\n".to_owned(), "\n \t\r\n\n".to_owned())),
    large("million-blank-lines", Amount::Million, |sketch| sketch.around.0.push(LINES)),
    // Values that no reader needs and that are JSON.
    row("proto-key", |sketch| {
        ignore(sketch, r#"{"__proto__":{"isCanceled":true},"constructor":{"prototype":{"type":"user"}}}"#)
    }),
    row("duplicate-keys", |sketch| ignore(sketch, r#"{"a":1,"a":{"a":2,"a":3},"":0,"":1}"#)),
    row("odd-numbers", |sketch| {
        let digits = "7".repeat(300);
        ignore(
            sketch,
            &format!(
                "[-0,-0.0,9223372036854775807,9223372036854775808,18446744073709551616,1e308,1e-999,{digits},0.{digits}]"
            ),
        );
    }),
    large("long-key", Amount::Million, |sketch| ignore(sketch, &format!("{{\"{LONG}\":1}}"))),
    large("many-keys", Amount::Keys, |sketch| ignore(sketch, &format!("{{{KEYS}}}"))),
    row("depth-127", |sketch| ignore(sketch, &nested(126))),
    // What must be refused wherever it stands.
    row("depth-128", |sketch| refuse_ignored(sketch, &nested(127))),
    row("depth-300-ignored", |sketch| refuse_ignored(sketch, &nested(300))),
    row("depth-300-kept", |sketch| refuse_kept(sketch, &nested(300))),
    row("invalid-utf8-ignored", |sketch| refuse_ignored(sketch, &format!("\"bytes {NOT_UTF8}\""))),
    row("invalid-utf8-kept", |sketch| refuse_kept(sketch, &format!("\"bytes {NOT_UTF8}\""))),
    row("number-out-of-range-ignored", |sketch| refuse_ignored(sketch, "[1e999]")),
    row("number-out-of-range-kept", |sketch| refuse_kept(sketch, &"9".repeat(400))),
    row("control-character-ignored", |sketch| refuse_ignored(sketch, "\"bell \u{7}\"")),
    row("control-character-kept", |sketch| refuse_kept(sketch, "\"bell \u{7}\"")),
    row("bad-escape", |sketch| refuse_ignored(sketch, r#""\x41 \u12""#)),
    row("not-json", |sketch| refuse_ignored(sketch, "NaN")),
    // What a writer that stopped leaves behind.
    row("torn-end", |sketch| sketch.bad_end("{\"type\":\"user\",\"message\":{\"content\":\"never fin")),
    row("nul-padding", |sketch| sketch.bad_end(&"\0".repeat(4096))),
    row("two-values", |sketch| sketch.bad_end("{}{}")),
    row("empty-file", |sketch| sketch.nothing("")),
    row("blank-file", |sketch| sketch.nothing("\n\n \t\r\n\n")),
    row("mark-only", |sketch| sketch.nothing("\u{feff}")),
    // Times and ids.
    row("year-1970", |sketch| at(sketch, 0, 1)),
    row("year-2099", |sketch| at(sketch, 4_102_444_799_998, 4_102_444_799_999)),
    row("clock-skew", |sketch| at(sketch, 1_767_225_600_000, 1_735_689_600_000)),
    row("path-id", |sketch| name(sketch, "../../../../etc/passwd", "..\\..\\x")),
    row("markup-id", |sketch| name(sketch, "<img src=x>", "a b'c;$(x)`y`")),
    row("long-id", |sketch| name(sketch, &"i".repeat(300), &"é".repeat(200))),
    row("empty-id", |sketch| name(sketch, "", "")),
    row("mix", |sketch| {
        say(sketch, r"half \ud83d", "half \u{fffd}");
        sketch.around.0.push('\u{feff}');
        sketch.is_crlf = true;
        refuse_ignored(sketch, &nested(300));
        sketch.bad_end("\0\0\0\0");
    }),
];

/// The defects of formats with a record a line.
pub(crate) const ROWS_OF_LINES: &[Row] = &[
    row("torn-line", |sketch| {
        sketch.bad_item("{\"type\":\"user\",\"message\":{\"content\":\"never fin".to_owned())
    }),
    row("not-objects", |sketch| {
        for line in ["17", "\"type\"", "null", "true", "[]", "[{\"type\":\"user\"}]"] {
            sketch.bad_item(line.to_owned());
        }
    }),
    row("nul-before-line", |sketch| sketch.bad_item(format!("\0\0\0{}", (sketch.hand.ignored)("1")))),
    row("mark-within", |sketch| sketch.bad_item(format!("\u{feff}{}", (sketch.hand.ignored)("1")))),
    row("two-on-a-line", |sketch| sketch.bad_item(format!("{0}{0}", (sketch.hand.ignored)("1")))),
    row("not-an-object-but-array", |sketch| sketch.bad_item(format!("[{}]", (sketch.hand.ignored)("1")))),
];

/// Both texts of the last turn.
fn say(sketch: &mut Sketch, escaped: &str, text: &str) {
    let turn = sketch.last();
    turn.prompt = Words::escaped_as(escaped, text);
    turn.answer = Words::escaped_as(escaped, text);
}

fn ignore(sketch: &mut Sketch, value: &str) {
    let field = (sketch.hand.ignored)(value);
    sketch.fields.push(field);
}

fn refuse_ignored(sketch: &mut Sketch, value: &str) {
    let field = (sketch.hand.ignored)(value);
    sketch.bad_field(field);
}

fn refuse_kept(sketch: &mut Sketch, value: &str) {
    let item = (sketch.hand.kept)(value);
    sketch.bad_item(item);
}

/// Arrays in arrays, so many levels.
fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

fn at(sketch: &mut Sketch, first: u64, last: u64) {
    sketch.told.created = first;
    sketch.turns[0].time = first;
    sketch.last().time = last;
}

/// The session's id and that of the last turn; both stand in the file as JSON has them.
fn name(sketch: &mut Sketch, session: &str, turn: &str) {
    sketch.told.id = session.to_owned();
    sketch.last().id = turn.to_owned();
}
