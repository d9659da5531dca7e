//! Reads JSON text in bounded memory: a reader that cuts long strings before the parser sees them.
//!
//! **Why.** Nearly all bytes of a session file are a few long strings: prompts, answers, outputs of tools. The engine keeps the
//! first few hundred characters of each and needs three things of the whole: its length, its lines, its lines of code. A parser
//! that streams is not enough to profit from that, for it still collects each string whole before anybody can drop it: memory
//! follows the longest string. So the strings are cut *before* the parser.
//!
//! **How.** [`cut::CutReader`] stands between the file and `serde_json`. It knows no more of JSON than where strings, keys, arrays
//! and objects begin and end. What stands between strings, and short strings, go through as they are. A string longer
//! than the cap of its key goes out as its beginning and a mark, behind which stands what the whole string measured
//! ([`text::Measure`]); [`cut::decode`] takes the two apart again. So any serde type can be read through the reader, and structure is
//! checked where it always was, by `serde_json`.
//!
//! **What it promises.**
//!
//! * It agrees with a plain parse. After [`cut::repair_surrogates`], a plain `serde_json::Value` parse of the same bytes
//!   succeeds exactly when a parse of the cut text does, and gives the same value, each long string cut by
//!   [`text::preview`]. What is dropped is checked as what is kept is: escapes, control characters, UTF-8. Depth and the range of
//!   numbers are checked here too, because a parse into types skips what it does not know, and does not check there.
//!   (Numbers longer than a kilobyte are left to the parser.)
//! * Its memory is fixed: one input buffer, one small output buffer, a stack of 127 levels, a table of 33 languages, all made once. Nothing
//!   depends on the document, or on how the file happened to arrive.
//! * It is quick. The dropped part of a string is passed over three times while it is in cache: `memchr2` for quotes and
//!   backslashes, a vector loop for control characters and ASCII, and, only where there is more than ASCII, UTF-8.
//!   Escapes cost a branch; lines are looked at only where they begin. What is left for `serde_json` is a few per cent of the
//!   bytes; a line whose cut form fits the scratch buffer is parsed from memory, four times as fast as from a reader.
//!
//! Positions in errors are those in the cut text.

mod content;
pub mod cut;
mod escape;
mod machine;
mod piece;
pub mod text;
