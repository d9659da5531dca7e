//! Texts of any length, cut out of one that is made once.

use std::sync::OnceLock;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes of the pool.
const POOL_BYTES: usize = 64 * 1024;

/// What texts are made of: mostly ASCII, a few letters of Latin-1, and words whose JSON has escapes.
pub(crate) const WORDS: [&str; 48] = [
    "the",
    "of",
    "a",
    "to",
    "is",
    "in",
    "and",
    "it",
    "file",
    "test",
    "error",
    "value",
    "session",
    "function",
    "returns",
    "when",
    "should",
    "not",
    "list",
    "read",
    "write",
    "line",
    "cache",
    "change",
    "because",
    "build",
    "fails",
    "with",
    "module",
    "type",
    "string",
    "path",
    "config",
    "server",
    "request",
    "response",
    "memory",
    "index",
    "event",
    "parse",
    "update",
    "check",
    "café",
    "naïve",
    "übrig",
    "src/main.rs",
    "\"quoted\"",
    "C:\\dev",
];

/// Sixteen parts of an exponential distribution with the mean 1, each by its own mean: a few texts are several times as long as
/// most.
const PARTS: [f64; 16] =
    [0.03, 0.1, 0.17, 0.25, 0.33, 0.42, 0.53, 0.64, 0.76, 0.9, 1.07, 1.27, 1.53, 1.89, 2.45, 3.66];

/// Bytes of a text of a kind. The factors, with how often each kind comes, have the mean 1: prompts, thoughts and calls are
/// shorter than what tools answer.
pub(super) fn length(kind: &str, mean_bytes: usize, dice: &mut impl Rng) -> usize {
    let factor = match kind {
        "message.user" => 0.4,
        "tool.call" => 0.35,
        "tool.result" => 2.05,
        _ => 0.8,
    };
    let part = PARTS[dice.random_range(0..PARTS.len())];
    ((mean_bytes as f64 * factor * part) as usize).max(8)
}

fn pool() -> &'static str {
    static POOL: OnceLock<String> = OnceLock::new();
    POOL.get_or_init(|| made_of(&WORDS))
}

/// A pool of these words, in lines of twelve on average.
pub(crate) fn made_of(words: &[&str]) -> String {
    let mut dice = ChaCha8Rng::seed_from_u64(0x706f_6f6c);
    let mut pool = String::with_capacity(POOL_BYTES + 64);
    while pool.len() < POOL_BYTES {
        pool.push_str(words[dice.random_range(0..words.len())]);
        pool.push(if dice.random_range(0..12) == 0 { '\n' } else { ' ' });
    }
    pool
}

/// The last place at or before one at which a character begins.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A text of about so many bytes, which begins and ends with a letter.
pub(super) fn text(dice: &mut impl Rng, bytes: usize) -> String {
    cut(pool(), dice, bytes)
}

/// A text of about so many bytes out of a pool; it begins and ends with a letter.
pub(crate) fn cut(pool: &str, dice: &mut impl Rng, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 8);
    text.push('A');
    while text.len() < bytes {
        let from = boundary(pool, dice.random_range(0..pool.len() / 2));
        let to = boundary(pool, from + (bytes - text.len()).min(pool.len() / 2));
        if to <= from {
            break;
        }
        text.push_str(&pool[from..to]);
    }
    text.push('z');
    text
}

/// A text of exactly so many characters, all of ASCII.
pub(super) fn plain(dice: &mut impl Rng, chars: usize) -> String {
    (0..chars).map(|_| char::from(b'a' + dice.random_range(0..26u8))).collect()
}
