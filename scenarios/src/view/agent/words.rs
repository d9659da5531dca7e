//! Texts of any length and width, and images, each made of a seed alone: so nothing that was said need be kept.

use std::sync::OnceLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::history::pool;

/// What characters texts are made of. The bytes stay the same; what a browser makes of them does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// ASCII only: a browser keeps one byte for each.
    Ascii,
    /// ASCII, but each text that a tool would cut has one U+2026: a browser keeps two bytes for each character of it.
    Marked,
    /// Mostly Chinese.
    Cjk,
}

/// From so many bytes on a text is one that a tool cuts.
const MARKED_FROM: usize = 4_000;
/// How the URL of an image begins.
pub(super) const DATA_URL: &str = "data:image/png;base64,";
/// Bytes of the pool for images.
const IMAGE_POOL_BYTES: usize = 64 * 1024;

const CHINESE: [&str; 16] = [
    "文件",
    "测试失败",
    "函数返回",
    "会话",
    "内存泄漏",
    "数据库",
    "因为",
    "配置",
    "服务器",
    "请求",
    "更新缓存",
    "检查",
    "一个列表",
    "\"引号\"",
    "src/main.rs",
    "编译",
];

/// Dice of their own for whatever is made of one seed.
pub(super) fn dice(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn words(width: Width) -> &'static str {
    static ASCII: OnceLock<String> = OnceLock::new();
    static CJK: OnceLock<String> = OnceLock::new();
    match width {
        Width::Ascii | Width::Marked => ASCII.get_or_init(|| {
            let ascii: Vec<&str> = pool::WORDS.iter().copied().filter(|word| word.is_ascii()).collect();
            pool::made_of(&ascii)
        }),
        Width::Cjk => CJK.get_or_init(|| pool::made_of(&CHINESE)),
    }
}

/// The text of a seed: of so many bytes of UTF-8, or a few less where the last character would not fit.
pub(super) fn text(seed: u64, bytes: usize, width: Width) -> String {
    let mut text = pool::cut(words(width), &mut dice(seed), bytes.saturating_sub(1));
    text.truncate(pool::boundary(&text, bytes.min(text.len())));
    if width == Width::Marked && bytes >= MARKED_FROM {
        let middle = text.len() / 2;
        text.replace_range(middle..middle + '…'.len_utf8(), "…");
    }
    text
}

/// The same in one line.
pub(super) fn line(seed: u64, bytes: usize, width: Width) -> String {
    let mut text = text(seed, bytes, width);
    while let Some(at) = text.find('\n') {
        text.replace_range(at..=at, " ");
    }
    text
}

/// So many characters of base64.
pub(super) fn base64(seed: u64, chars: usize) -> String {
    let mut out = String::with_capacity(chars);
    push_base64(&mut out, seed, chars);
    out
}

fn push_base64(out: &mut String, seed: u64, chars: usize) {
    static POOL: OnceLock<String> = OnceLock::new();
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let pool = POOL.get_or_init(|| {
        let mut dice = dice(0x0069_6d61_6765);
        (0..IMAGE_POOL_BYTES).map(|_| char::from(ALPHABET[dice.random_range(0..64)])).collect()
    });
    let mut dice = dice(seed);
    let end = out.len() + chars;
    while out.len() < end {
        let from = dice.random_range(0..IMAGE_POOL_BYTES / 2);
        let count = (end - out.len()).min(IMAGE_POOL_BYTES / 2);
        out.push_str(&pool[from..from + count]);
    }
}

/// The `data:` URL of an image of so many bytes: 22 characters, and four for each three bytes that were begun.
pub(super) fn data_url(seed: u64, bytes: usize) -> String {
    let padding = (3 - bytes % 3) % 3;
    let chars = 4 * bytes.div_ceil(3) - padding;
    let mut url = String::with_capacity(DATA_URL.len() + chars + padding);
    url.push_str(DATA_URL);
    push_base64(&mut url, seed, chars);
    url.extend(std::iter::repeat_n('=', padding));
    url
}
