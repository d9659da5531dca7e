//! The pieces that pools are filled with: sentences, blocks of code, paths, commands and lines.

use fake::Fake as _;
use fake::faker::lorem::raw::Sentence;
use fake::faker::name::raw::{FirstName, Name};
use fake::locales::{AR_SA, EN, FR_FR, JA_JP, TR_TR, ZH_TW};

use crate::dice::Dice;
use crate::pool::Bulk;
use crate::text::{Atom, escape, escape_ascii};

pub(super) fn sentence(dice: &mut Dice, i: usize) -> Atom {
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

pub(super) fn wide_sentence(dice: &mut Dice, i: usize) -> Atom {
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

pub(super) fn path(dice: &mut Dice, words: &[String]) -> String {
    let folder = dice.pick(&["src", "lib", "tests", "app/components", "server/api", "docs"]);
    let extension = dice.pick(&["rs", "ts", "tsx", "py", "go", "md", "json"]);
    format!("{folder}/{}_{}.{extension}", dice.pick(words), dice.pick(words))
}

pub(super) fn code_line(dice: &mut Dice, words: &[String]) -> String {
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

pub(super) fn block(dice: &mut Dice, lines: &[String], closed: bool) -> Atom {
    let &(info, language) = dice.pick(INFO);
    let count = 1 + dice.below(12);
    let mut picked: Vec<&str> = (0..count).map(|_| dice.pick(lines).as_str()).collect();
    // A text that ends inside a block: an empty last line would not count.
    picked.push("end();");
    Atom::block(info, language, &picked, closed)
}

pub(super) fn languages(lines: &[String]) -> Vec<Atom> {
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
pub(super) fn surrogates() -> Vec<Atom> {
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

pub(super) fn command(dice: &mut Dice, words: &[String], paths: &[String]) -> Atom {
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

pub(super) fn bulk_line(
    dice: &mut Dice,
    kind: Bulk,
    lines: &[String],
    paths: &[String],
    wide: &[Atom],
) -> String {
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
