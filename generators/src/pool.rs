//! The pools that all text is made of: sentences, code, log lines and images, escaped once per corpus.

use fake::Fake as _;
use fake::faker::lorem::raw::{Sentence, Word};
use fake::faker::name::raw::{FirstName, Name};
use fake::locales::{AR_SA, EN, FR_FR, JA_JP, TR_TR, ZH_TW};

use crate::dice::{Dice, LogNormal};
use crate::distribution::{CODE_SHARE, IMAGE, SMOKE_BYTES_MAX, TOOL_RESULT_BYTES_MAX, WIDE_SHARE};
use crate::page::put;
use crate::profile::{Profile, Spec};
use crate::text::{Atom, Composer, Measure, Preview, escape, escape_ascii};

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
        let sentences: Vec<Atom> = (0..SENTENCES).map(|i| sentence(dice, i)).collect();
        let wide: Vec<Atom> = (0..SENTENCES).map(|i| wide_sentence(dice, i)).collect();
        let words: Vec<String> = (0..ITEMS).map(|_| Word(EN).fake_with_rng(dice.stream())).collect();
        let people = (0..ITEMS)
            .map(|_| FirstName(EN).fake_with_rng::<String, _>(dice.stream()).to_lowercase())
            .collect();
        let paths: Vec<String> = (0..ITEMS).map(|_| path(dice, &words)).collect();
        let lines: Vec<String> = (0..2 * ITEMS).map(|_| code_line(dice, &words)).collect();
        let code_lines = lines.iter().map(|line| Atom::plain(&format!("{line}\n"))).collect();
        let blocks = (0..BLOCKS).map(|_| block(dice, &lines, true)).collect();
        let open_blocks = (0..16).map(|_| block(dice, &lines, false)).collect();
        let pages = [Bulk::Log, Bulk::Code, Bulk::Wide, Bulk::Nested].map(|kind| {
            let page = |_| leaf(&mut || bulk_line(dice, kind, &lines, &paths, &wide), PAGE_BYTES);
            (0..PAGES).map(page).collect()
        });
        let commands = (0..ITEMS).map(|_| command(dice, &words, &paths)).collect();
        let image: Vec<u8> =
            PNG.iter().copied().chain((0..IMAGE_BYTES).map(|_| dice.below(256) as u8)).collect();
        // No seed shall make a smoke corpus large.
        let (tool_result_bytes_max, image_bytes_max) = if spec.profile == Profile::Smoke {
            SMOKE_BYTES_MAX
        } else {
            (TOOL_RESULT_BYTES_MAX, IMAGE_BYTES)
        };
        Pool {
            surrogates: surrogates(),
            separators: ["First line.\u{2028}Second line.", "A paragraph.\u{2029}Another."]
                .map(Atom::plain)
                .into(),
            languages: languages(&lines),
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

fn sentence(dice: &mut Dice, i: usize) -> Atom {
    let text: String = Sentence(EN, 5..14).fake_with_rng(dice.stream());
    let name: String = Name(EN).fake_with_rng(dice.stream());
    match i % 16 {
        0 => Atom::plain(&format!("{name} asked: \"{text}\"")),
        1 => Atom::plain(&format!("- {text}\n- C:\\Users\\{i}\\src\\lib.rs\n- {name}")),
        2 => Atom::plain(&format!("Use ``` for fences, not indentation.\n    ```{text}")),
        3 => Atom::escaped_as(
            escape_ascii(&format!("{text} Na\u{ef}ve caf\u{e9}.")),
            &format!("{text} Na\u{ef}ve caf\u{e9}."),
        ),
        4 => Atom::escaped_as(format!("src\\/main.rs: {text}"), &format!("src/main.rs: {text}")),
        5 => Atom::plain(&format!("## {text}\n\n1.\t{name}\n2.\t{text}")),
        6 => Atom::plain(&format!("The function `parse_{i}()` returns {text}")),
        7 => Atom::plain(&format!("Le r\u{e9}sum\u{e9} de {name}: {text}")),
        _ => Atom::plain(&text),
    }
}

fn wide_sentence(dice: &mut Dice, i: usize) -> Atom {
    let text: String = Sentence(EN, 3..8).fake_with_rng(dice.stream());
    let japanese: String = Name(JA_JP).fake_with_rng(dice.stream());
    let chinese: String = Name(ZH_TW).fake_with_rng(dice.stream());
    let arabic: String = Name(AR_SA).fake_with_rng(dice.stream());
    let others: String = [
        FirstName(TR_TR).fake_with_rng::<String, _>(dice.stream()),
        FirstName(FR_FR).fake_with_rng(dice.stream()),
    ]
    .join("\u{2019}s ");
    let text = match i % 8 {
        0 => format!(
            "{japanese}さん、関数のテストが失敗しました。ファイルを確認してから、もう一度実行してください。"
        ),
        1 => format!("{chinese}：請修復這個錯誤，並確保所有測試都通過，然後更新文件。"),
        2 => "빌드가 실패했습니다. 로그를 확인하고 테스트를 다시 실행해 주세요.".to_owned() + &text,
        3 => format!("Done ✅ {text} 🚀 \u{2014} {others} 👩‍💻"),
        4 => format!("Почему тест не проходит? {text}"),
        5 => format!("{arabic} \u{2026} {text}"),
        6 => format!("\u{201c}{text}\u{201d} \u{2013} {others}"),
        _ => {
            return {
                let text = format!("{japanese} 😀 {text}");
                Atom::escaped_as(escape_ascii(&text), &text)
            };
        }
    };
    Atom::plain(&text)
}

fn path(dice: &mut Dice, words: &[String]) -> String {
    let folder = dice.pick(&["src", "lib", "tests", "app/components", "server/api", "docs"]);
    let extension = dice.pick(&["rs", "ts", "tsx", "py", "go", "md", "json"]);
    format!("{folder}/{}_{}.{extension}", dice.pick(words), dice.pick(words))
}

fn code_line(dice: &mut Dice, words: &[String]) -> String {
    let (a, b, c) = (dice.pick(words).clone(), dice.pick(words).clone(), dice.pick(words).clone());
    let n = dice.below(1_000);
    let indent = dice.pick(&["", "    ", "    ", "\t", "        "]);
    let line = match dice.below(10) {
        0 => format!("fn {a}_{b}({c}: &str) -> Result<(), Error> {{"),
        1 => format!("const {a} = await fetch(`/{b}/${{{c}}}`, {{ method: \"POST\" }});"),
        2 => format!("if ({a}.{b} !== \"{c}\") {{ return null; }}"),
        3 => format!("def {a}(self, {b}={n}):"),
        4 => format!("log.info(\"{a}: %s\\n\", {b})"),
        5 => format!("// {a} {b} {c}"),
        6 => "}".to_owned(),
        7 => String::new(),
        8 => format!("let {a} = {b}.iter().map(|{c}| {c} + {n}).collect::<Vec<_>>();"),
        _ => format!("{a}.{b}({n}, '{c}');"),
    };
    format!("{indent}{line}")
}

/// What follows the backticks of a block, and the language that is.
const INFO: &[(&str, &str)] = &[
    ("rust", "rust"),
    ("typescript", "typescript"),
    ("ts", "ts"),
    ("python", "python"),
    ("bash", "bash"),
    ("json", "json"),
    ("go", "go"),
    ("", "text"),
    ("tsx title=\"app.tsx\"", "tsx"),
    ("rust,ignore", "rust,ignore"),
    ("a-language-with-a-long-name", "a-language-with-a-long-n"),
];

fn block(dice: &mut Dice, lines: &[String], closed: bool) -> Atom {
    let &(info, language) = dice.pick(INFO);
    let count = 1 + dice.below(12);
    let mut picked: Vec<&str> = (0..count).map(|_| dice.pick(lines).as_str()).collect();
    // A text that ends inside a block: an empty last line would not count.
    picked.push("end();");
    Atom::block(info, language, &picked, closed)
}

fn languages(lines: &[String]) -> Vec<Atom> {
    const NAMES: &[&str] = &[
        "ada",
        "awk",
        "bash",
        "c",
        "clojure",
        "cobol",
        "cpp",
        "csharp",
        "css",
        "d",
        "dart",
        "elixir",
        "elm",
        "erlang",
        "fortran",
        "fsharp",
        "go",
        "groovy",
        "haskell",
        "html",
        "java",
        "javascript",
        "json",
        "julia",
        "kotlin",
        "lisp",
        "lua",
        "make",
        "nim",
        "ocaml",
        "pascal",
        "perl",
        "php",
        "prolog",
        "python",
        "r",
    ];
    let block = |(i, name): (usize, &&'static str)| Atom::block(name, name, &[&lines[i], "end"], true);
    let mut atoms: Vec<Atom> = NAMES.iter().enumerate().map(block).collect();
    atoms.insert(3, Atom::block("empty", "empty", &[], true));
    atoms
}

/// Texts that a tool cut in the middle of an emoji: the reader sees U+FFFD.
fn surrogates() -> Vec<Atom> {
    let cut = |before: &str, escape: &str, after: &str| {
        Atom::escaped_as(format!("{before}{escape}{after}"), &format!("{before}\u{fffd}{after}"))
    };
    vec![
        cut("All tests pass ", "\\ud83d", ""),
        cut("", "\\uDE80", " shipped"),
        cut("빌드 완료 ", "\\uD83D", " 다음 단계"),
        cut("twice ", "\\ud83d\\ud83d", "").with_text("twice \u{fffd}\u{fffd}"),
        cut("then an escape ", "\\ud83d\\n", "next line").with_text("then an escape \u{fffd}\nnext line"),
        cut("a pair after a half ", "\\ud83d\\ud83d\\ude00", "")
            .with_text("a pair after a half \u{fffd}\u{1f600}"),
    ]
}

impl Atom {
    fn with_text(self, text: &str) -> Self {
        Atom { units: text.encode_utf16().count() as u64, text: text.into(), ..self }
    }
}

fn command(dice: &mut Dice, words: &[String], paths: &[String]) -> Atom {
    let (a, b) = (dice.pick(words).clone(), dice.pick(paths).clone());
    let text = match dice.below(8) {
        0 => format!("cargo test -p {a} -- --nocapture"),
        1 => format!("git commit -m \"{a}: fix {b}\""),
        2 => format!("rg -n '{a}' src | head -{}", dice.below(90) + 10),
        3 => format!("python3 - <<'EOF'\nimport json\nprint(json.dumps({{\"{a}\": 1}}))\nEOF"),
        4 => format!("npm run build && node dist/{a}.js --input {b}"),
        5 => format!("for f in {}; do sed -i 's/{a}/{a}_new/' \"$f\"; done", [b.as_str(); 9].join(" ")),
        6 => format!("echo 完了 🚀 {a}"),
        _ => format!("ls -la {b}"),
    };
    Atom::plain(&text)
}

fn bulk_line(dice: &mut Dice, kind: Bulk, lines: &[String], paths: &[String], wide: &[Atom]) -> String {
    match kind {
        Bulk::Log => {
            let level =
                dice.pick(&["\u{1b}[32m INFO\u{1b}[0m", "\u{1b}[33m WARN\u{1b}[0m", "   Compiling", "test"]);
            let (n, ms) = (dice.below(10_000), dice.below(60_000));
            escape(&format!("{level} {} took {ms} ms ({n} items)\n", dice.pick(paths)))
        }
        Bulk::Code => escape(&format!("{:>6}\u{2192}{}\n", dice.below(2_000), dice.pick(lines)))
            .replace('\u{2192}', "\\t"),
        Bulk::Wide => escape(&format!("{}\n", dice.pick(wide).text)),
        Bulk::Nested => escape(&escape(&format!("{}\n", dice.pick(lines)))),
    }
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
