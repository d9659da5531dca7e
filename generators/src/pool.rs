//! The pools that all text is made of: sentences, code, log lines and images, escaped once per corpus.

mod piece;

use fake::Fake as _;
use fake::faker::lorem::raw::Word;
use fake::faker::name::raw::FirstName;
use fake::locales::EN;

use crate::dice::{Dice, LogNormal};
use crate::distribution::{CODE_SHARE, IMAGE, SMOKE_BYTES_MAX, TOOL_RESULT_BYTES_MAX, WIDE_SHARE};
use crate::page::put;
use crate::profile::{Profile, Spec};
use crate::text::{Atom, Composer, Measure, Preview};

/// Pieces of each kind of prose.
const SENTENCES: usize = 256;
/// Code blocks.
const BLOCKS: usize = 128;
/// Pages of each kind of bulk.
const PAGES: usize = 24;
/// Bytes of a page of bulk, about.
const PAGE_BYTES: usize = 4_096;
/// Bytes of the longest image; longer ones repeat it.
const IMAGE_BYTES: usize = 48_000;
/// Edited lines, commands and paths to choose from.
const ITEMS: usize = 96;

/// The kinds of long text that a reader drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// Terminal output, with colours.
    Log,
    /// Files as a tool shows them, with line numbers.
    Code,
    /// Prose beyond Latin-1.
    Wide,
    /// JSON inside a JSON string: escaped twice.
    Nested,
}

/// What a text is like.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tone<'a> {
    /// A piece that must begin the text: where quirks come in.
    pub(crate) first: Option<&'a Atom>,
}

/// A long text, cut at its lines.
struct Leaf {
    escaped: Vec<u8>,
    line_ends: Vec<usize>,
}

/// All pools of a corpus.
pub(crate) struct Pool {
    sentences: Vec<Atom>,
    wide: Vec<Atom>,
    blocks: Vec<Atom>,
    /// Blocks that the text's end closes.
    pub(crate) open_blocks: Vec<Atom>,
    /// Pieces with a lone surrogate.
    pub(crate) surrogates: Vec<Atom>,
    /// Pieces with a raw U+2028.
    pub(crate) separators: Vec<Atom>,
    /// One text with more languages than a reader tells apart.
    pub(crate) languages: Vec<Atom>,
    /// Command lines.
    pub(crate) commands: Vec<Atom>,
    /// Lines of code, each with its newline.
    pub(crate) code_lines: Vec<Atom>,
    /// Paths below a project.
    pub(crate) paths: Vec<String>,
    /// Names of people and projects.
    pub(crate) people: Vec<String>,
    tool_result_bytes_max: usize,
    image_bytes_max: usize,
    pages: [Vec<Leaf>; 4],
    image_dict: Leaf,
    image_array: Leaf,
    image_base64: Vec<u8>,
}

impl Pool {
    /// The pools of a corpus: they depend on the profile and the seed alone.
    pub(crate) fn new(spec: &Spec) -> Self {
        let dice = &mut Dice::new(spec, "pools");
        let sentences: Vec<Atom> = (0..SENTENCES).map(|i| piece::sentence(dice, i)).collect();
        let wide: Vec<Atom> = (0..SENTENCES).map(|i| piece::wide_sentence(dice, i)).collect();
        let words: Vec<String> = (0..ITEMS).map(|_| Word(EN).fake_with_rng(dice.stream())).collect();
        let people = (0..ITEMS)
            .map(|_| FirstName(EN).fake_with_rng::<String, _>(dice.stream()).to_lowercase())
            .collect();
        let paths: Vec<String> = (0..ITEMS).map(|_| piece::path(dice, &words)).collect();
        let lines: Vec<String> = (0..2 * ITEMS).map(|_| piece::code_line(dice, &words)).collect();
        let code_lines = lines.iter().map(|line| Atom::plain(&format!("{line}\n"))).collect();
        let blocks = (0..BLOCKS).map(|_| piece::block(dice, &lines, true)).collect();
        let open_blocks = (0..16).map(|_| piece::block(dice, &lines, false)).collect();
        let pages = [Bulk::Log, Bulk::Code, Bulk::Wide, Bulk::Nested].map(|kind| {
            let page = |_| leaf(&mut || piece::bulk_line(dice, kind, &lines, &paths, &wide), PAGE_BYTES);
            (0..PAGES).map(page).collect()
        });
        let commands = (0..ITEMS).map(|_| piece::command(dice, &words, &paths)).collect();
        let image: Vec<u8> =
            PNG.iter().copied().chain((0..IMAGE_BYTES).map(|_| dice.below(256) as u8)).collect();
        // No seed shall make a smoke corpus large.
        let (tool_result_bytes_max, image_bytes_max) = if spec.profile == Profile::Smoke {
            SMOKE_BYTES_MAX
        } else {
            (TOOL_RESULT_BYTES_MAX, IMAGE_BYTES)
        };
        Pool {
            surrogates: piece::surrogates(),
            separators: ["First line.\u{2028}Second line.", "A paragraph.\u{2029}Another."]
                .map(Atom::plain)
                .into(),
            languages: piece::languages(&lines),
            sentences,
            wide,
            blocks,
            open_blocks,
            commands,
            code_lines,
            paths,
            people,
            tool_result_bytes_max,
            image_bytes_max,
            pages,
            image_dict: image_items(&image, |i, byte| format!("\"{i}\":{byte}")),
            image_array: image_items(&image, |_, byte| byte.to_string()),
            image_base64: (0..2 * IMAGE_BYTES).map(|_| BASE64[dice.index(64)]).collect(),
        }
    }

    /// Composes a text of about so many escaped bytes.
    pub(crate) fn compose(
        &self,
        out: &mut Vec<u8>,
        dice: &mut Dice,
        bytes: usize,
        tone: Tone<'_>,
        preview: Option<&mut Preview>,
    ) -> Measure {
        let wide = dice.chance(WIDE_SHARE);
        let mut composer = Composer::new(out, preview);
        let first = if wide { dice.pick(&self.wide) } else { dice.pick(&self.sentences) };
        composer.add(tone.first.unwrap_or(first), false);
        while composer.len() < bytes {
            let draw = dice.below(1 << 16);
            let atom = if f64::from(draw & 0xff) < 256.0 * CODE_SHARE {
                &self.blocks[(draw >> 8) as usize % BLOCKS]
            } else if wide && draw & 1 == 0 {
                &self.wide[(draw >> 8) as usize % SENTENCES]
            } else {
                &self.sentences[(draw >> 8) as usize % SENTENCES]
            };
            composer.add(atom, draw & 0x60 == 0);
        }
        composer.finish()
    }

    /// Composes a text of the given pieces.
    pub(crate) fn join(out: &mut Vec<u8>, atoms: &[&Atom], mut preview: Option<&mut Preview>) -> Measure {
        let mut composer = Composer::new(out, preview.take());
        for atom in atoms {
            composer.add(atom, false);
        }
        composer.finish()
    }

    /// Any sentence.
    pub(crate) fn sentence(&self, dice: &mut Dice) -> &Atom {
        dice.pick(&self.sentences)
    }

    /// Appends a long text of about so many bytes that a reader drops.
    pub(crate) fn bulk(&self, out: &mut Vec<u8>, dice: &mut Dice, kind: Bulk, bytes: usize) {
        self.passage(dice, kind, bytes).pieces().for_each(|piece| out.extend_from_slice(piece));
    }

    /// Chooses a long text of about so many bytes that a reader drops.
    pub(crate) fn passage(&self, dice: &mut Dice, kind: Bulk, bytes: usize) -> Passage<'_> {
        let pages = &self.pages[kind as usize];
        Passage { pages, first: dice.index(pages.len()), bytes }
    }

    /// The size of a tool's result.
    pub(crate) fn tool_result_bytes(&self, dice: &mut Dice, law: LogNormal) -> usize {
        dice.size(law).min(self.tool_result_bytes_max)
    }

    /// The size of an image before it is encoded.
    pub(crate) fn image_bytes(&self, dice: &mut Dice) -> usize {
        dice.size(IMAGE).min(self.image_bytes_max)
    }

    /// A kind of bulk as tool results have them: 30 % beyond Latin-1.
    pub(crate) fn bulk_kind(dice: &mut Dice) -> Bulk {
        dice.weighted(&[(Bulk::Log, 40), (Bulk::Code, 30), (Bulk::Wide, 30)])
    }

    /// An image as a dictionary of bytes, without its braces.
    pub(crate) fn image_dict(&self, out: &mut Vec<u8>, bytes: usize) {
        out.extend_from_slice(self.image_dict.items(bytes));
        for i in self.image_dict.line_ends.len()..bytes {
            put!(out; ",\"", i, "\":", i % 251);
        }
    }

    /// An image as an array of bytes, without its brackets.
    pub(crate) fn image_array(&self, out: &mut Vec<u8>, bytes: usize) {
        out.extend_from_slice(self.image_array.items(bytes));
    }

    /// An image in base64.
    pub(crate) fn image_base64(&self, out: &mut Vec<u8>, dice: &mut Dice, bytes: usize) {
        out.extend_from_slice(b"iVBORw0KGgoAAAANSUhEUgAA");
        let mut left = (bytes / 3 * 4).saturating_sub(24);
        while left > 0 {
            let take = left.min(self.image_base64.len() / 2);
            let start = dice.index(self.image_base64.len() / 2);
            out.extend_from_slice(&self.image_base64[start..start + take]);
            left -= take;
        }
    }

    /// Random letters as a signature has them.
    pub(crate) fn signature(&self, out: &mut Vec<u8>, dice: &mut Dice, bytes: usize) {
        let start = dice.index(self.image_base64.len() - bytes);
        out.extend_from_slice(&self.image_base64[start..start + bytes]);
    }

    /// A path below a project.
    pub(crate) fn path(&self, dice: &mut Dice) -> &str {
        dice.pick(&self.paths).as_str()
    }

    /// A command line.
    pub(crate) fn command(&self, dice: &mut Dice) -> &Atom {
        dice.pick(&self.commands)
    }

    /// Appends lines of code of about so many bytes, and returns how many.
    pub(crate) fn lines(&self, out: &mut Vec<u8>, dice: &mut Dice, bytes: usize) -> u64 {
        let begin = out.len();
        let mut lines = 0;
        while lines == 0 || out.len() - begin < bytes {
            out.extend_from_slice(&dice.pick(&self.code_lines).escaped);
            lines += 1;
        }
        lines
    }
}

/// A long text that is chosen but not put anywhere: it can be put more than once, and a piece at a time.
#[derive(Clone, Copy)]
pub(crate) struct Passage<'a> {
    pages: &'a [Leaf],
    first: usize,
    /// About how long it is.
    pub(crate) bytes: usize,
}

impl<'a> Passage<'a> {
    /// Its pieces: whole pages, and the lines of one that fill it up.
    pub(crate) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let mut left = Some(self.bytes);
        self.pages.iter().cycle().skip(self.first).map_while(move |page| {
            let bytes = left?;
            left = bytes.checked_sub(page.escaped.len());
            Some(if left.is_some() { &page.escaped[..] } else { page.up_to(bytes) })
        })
    }
}

impl Leaf {
    /// The whole lines within so many bytes.
    fn up_to(&self, bytes: usize) -> &[u8] {
        let lines = self.line_ends.partition_point(|&end| end <= bytes);
        &self.escaped[..if lines == 0 { 0 } else { self.line_ends[lines - 1] }]
    }

    /// The first items, at least one and without the last comma.
    fn items(&self, count: usize) -> &[u8] {
        let end = self.line_ends[count.clamp(1, self.line_ends.len()) - 1];
        &self.escaped[..end - 1]
    }
}

/// The first bytes of a PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// The digits of base64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn image_items(image: &[u8], item: impl Fn(usize, u8) -> String) -> Leaf {
    let mut leaf = Leaf { escaped: Vec::new(), line_ends: Vec::new() };
    for (i, byte) in image.iter().enumerate() {
        leaf.escaped.extend_from_slice(item(i, *byte).as_bytes());
        leaf.escaped.push(b',');
        leaf.line_ends.push(leaf.escaped.len());
    }
    leaf
}

fn leaf(line: &mut impl FnMut() -> String, bytes: usize) -> Leaf {
    let mut leaf = Leaf { escaped: Vec::new(), line_ends: Vec::new() };
    while leaf.escaped.len() < bytes {
        leaf.escaped.extend_from_slice(line().as_bytes());
        leaf.line_ends.push(leaf.escaped.len());
    }
    leaf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bulk_can_stand_in_a_json_string() {
        let pool = Pool::new(&Spec::default());
        let dice = &mut Dice::new(&Spec::default(), "bulk");
        for kind in [Bulk::Log, Bulk::Code, Bulk::Wide, Bulk::Nested] {
            let mut out = b"\"".to_vec();
            pool.bulk(&mut out, dice, kind, 20_000);
            out.push(b'"');
            assert!((19_000..20_100).contains(&out.len()), "{kind:?}: {}", out.len());
            let text: String = serde_json::from_slice(&out).unwrap();
            if kind == Bulk::Nested {
                serde_json::from_str::<String>(&format!("\"{text}\"")).unwrap();
            }
        }
    }

    #[test]
    fn a_composed_text_measures_what_it_is() {
        let pool = Pool::new(&Spec::default());
        let dice = &mut Dice::new(&Spec::default(), "compose");
        for _ in 0..200 {
            let (mut out, mut preview) = (b"\"".to_vec(), Preview::new(500));
            let measure = pool.compose(&mut out, dice, 3_000, Tone::default(), Some(&mut preview));
            out.push(b'"');
            let text: String = serde_json::from_slice(&out).unwrap();
            assert_eq!(text.encode_utf16().count() as u64, measure.units);
            assert_eq!(preview.text, Preview::of(&text, 500));
        }
    }
}
