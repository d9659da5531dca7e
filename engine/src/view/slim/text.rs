//! Texts that are cut, with a mark that says how much is missing.

use crate::view::size::char_bytes;

/// What is written behind a cut text, around the number of UTF-16 units that are missing.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    before: &'static str,
    after: &'static str,
}

/// Upstream's: a line that begins with U+2026, which makes a browser hold the whole text in two bytes a unit.
pub(super) const LINE: Mark = Mark { before: "\n\u{2026} (", after: " characters omitted)" };

/// Ours, which leaves a text of one byte a unit as it is.
pub(super) const ASCII: Mark = Mark { before: " [... ", after: " more characters]" };

/// UTF-16 units of a text.
pub(super) fn units(text: &str) -> usize {
    // Each character has one byte that does not continue another; those of four bytes are surrogate pairs.
    let begins = |byte: &u8| byte & 0xC0 != 0x80;
    text.bytes().map(|byte| usize::from(begins(&byte)) + usize::from(byte >= 0xF0)).sum()
}

/// Whether a text has more UTF-16 units than that.
pub(super) fn exceeds(text: &str, cap: usize) -> bool {
    text.len() > cap && units(text) > cap
}

/// The longest start of a text whose characters cost at most `cap` together.
fn start(text: &str, cap: usize, cost: impl Fn(char) -> usize) -> &str {
    let mut spent = 0;
    let end = text.char_indices().find_map(|(at, char)| {
        spent += cost(char);
        (spent > cap).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}

impl Mark {
    /// Cuts a text to its first `cap` UTF-16 units, or one less where a surrogate pair would be split, and marks it. A text that has been
    /// cut already is not cut again, unless the cap is smaller now; its mark then counts from the beginning.
    pub(super) fn cut(self, text: &mut String, cap: usize) {
        if text.len() > cap {
            self.cut_by(text, cap, char::len_utf16);
        }
    }

    /// The same, but what is left takes at most `cap` bytes inside a JSON string.
    pub(super) fn cut_json(self, text: &mut String, cap: usize) {
        self.cut_by(text, cap, char_bytes);
    }

    fn cut_by(self, text: &mut String, cap: usize, cost: impl Fn(char) -> usize) {
        let (body, missing) = self.split(text);
        let kept = start(body, cap, cost);
        if kept.len() == body.len() {
            return;
        }
        let missing = missing.saturating_add(units(&body[kept.len()..]) as u64).to_string();
        // A text of its own: the long one must not stay behind the short one.
        *text = [kept, self.before, &missing, self.after].concat();
    }

    /// A text without its mark, and what the mark says.
    fn split(self, text: &str) -> (&str, u64) {
        let marked = || {
            let rest = text.strip_suffix(self.after)?;
            let before = rest.trim_end_matches(|char: char| char.is_ascii_digit());
            let missing = rest[before.len()..].parse().ok()?;
            Some((before.strip_suffix(self.before)?, missing))
        };
        marked().unwrap_or((text, 0))
    }
}

/// What stands for a `data:` URL: its type, and how many bytes it is of, so that it can be asked for. None when it is no such URL with a
/// type.
pub(super) fn omitted_url(text: &str) -> Option<String> {
    const HEAD: usize = 200;
    let rest = text.strip_prefix("data:")?;
    let comma = rest.bytes().take(HEAD).position(|byte| byte == b',')?;
    let (head, data) = (&rest[..comma], &rest[comma + 1..]);
    let mime = head.split(';').next()?;
    let (kind, name) = mime.split_once('/')?;
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte))
    };
    if mime.len() > HEAD / 2 || !is_token(kind) || !is_token(name) {
        return None;
    }
    let bytes = match head.ends_with(";base64") {
        true => data.trim_end_matches('=').len() * 3 / 4,
        false => data.len(),
    };
    Some(format!("{OMITTED_URL}mime={mime};bytes={bytes}"))
}

/// How what stands for a URL begins.
const OMITTED_URL: &str = "highwater:omitted;";

/// Whether a text stands for a URL.
pub(super) fn is_omitted_url(text: &str) -> bool {
    const LONGEST: usize = 160;
    text.len() <= LONGEST && text.starts_with(OMITTED_URL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mark: Mark, text: &str, cap: usize) -> String {
        let mut text = text.to_owned();
        mark.cut(&mut text, cap);
        text
    }

    #[test]
    fn units_are_those_of_utf_16() {
        for text in ["", "abc", "é…", "a😀b", "\u{FFFF}\u{10000}"] {
            assert_eq!(units(text), text.encode_utf16().count(), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_behind_its_cap_and_says_what_is_missing() {
        assert_eq!(cut(ASCII, "abcde", 5), "abcde");
        assert_eq!(cut(ASCII, "abcdef", 5), "abcde [... 1 more characters]");
        assert_eq!(cut(LINE, "abcdef", 4), "abcd\n… (2 characters omitted)");
        // Six bytes, but three units.
        assert_eq!(cut(ASCII, "ééé", 3), "ééé");
        // A pair that would be split goes whole.
        assert_eq!(cut(ASCII, "ab😀c", 3), "ab [... 3 more characters]");
    }

    #[test]
    fn a_cut_text_is_cut_again_only_by_a_smaller_cap_and_counts_on() {
        let once = cut(ASCII, &"x".repeat(100), 50);
        assert_eq!(cut(ASCII, &once, 50), once);
        assert_eq!(cut(ASCII, &once, 10), "xxxxxxxxxx [... 90 more characters]");
        // What only looks like a mark is one; a number that is none is not.
        assert_eq!(cut(ASCII, "abc [... 7 more characters]", 3), "abc [... 7 more characters]");
        assert!(cut(ASCII, "abc [...  more characters]", 3).ends_with(" [... 23 more characters]"));
    }

    #[test]
    fn a_cut_text_has_no_room_to_spare() {
        let text = cut(ASCII, &"x".repeat(1_000_000), 4_000);
        assert_eq!(text.capacity(), text.len());
    }

    #[test]
    fn by_json_it_is_bytes_that_count() {
        let mut text = "\u{1}\u{1}\n\nab".to_owned();
        ASCII.cut_json(&mut text, 14);
        assert_eq!(text, "\u{1}\u{1}\n [... 3 more characters]");
    }

    #[test]
    fn a_data_url_is_replaced_by_what_it_was() {
        assert_eq!(
            omitted_url("data:image/png;base64,AAAAAA==").as_deref(),
            Some("highwater:omitted;mime=image/png;bytes=4")
        );
        assert_eq!(
            omitted_url("data:text/plain;charset=utf-8,hello").as_deref(),
            Some("highwater:omitted;mime=text/plain;bytes=5")
        );
        for other in ["data: none, really", "data:,x", "file:///a.png", "data:image/png;base64", "data:/,"] {
            assert_eq!(omitted_url(other), None, "{other}");
        }
        assert!(is_omitted_url(&omitted_url("data:image/png,").unwrap()));
    }
}
