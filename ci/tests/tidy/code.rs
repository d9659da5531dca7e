//! Rust sources without what is no code: comments, texts, and tests.

/// The same lines with comments, and what stands in quotes, replaced by spaces.
pub(crate) fn bare(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_silence(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or the quoted text that begins here ends; here, when none begins.
fn end_of_silence(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let after_word = at > 0 && is_word(chars[at - 1]);
    match (chars[at], next(1)) {
        ('/', Some('/')) => find(chars, at, "\n").unwrap_or(chars.len()),
        ('/', Some('*')) => find(chars, at + 2, "*/").map_or(chars.len(), |end| end + 2),
        ('"', _) => end_of_text(chars, at + 1),
        ('r', Some('"' | '#')) if !after_word || chars[at - 1] == 'b' => end_of_raw_text(chars, at),
        ('\'', Some('\\')) => find(chars, at + 3, "'").map_or(chars.len(), |end| end + 1),
        ('\'', Some(_)) if next(2) == Some('\'') => at + 3,
        _ => at,
    }
}

fn end_of_text(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"..."`, `r#"..."#`; a raw name such as `r#type` is code.
fn end_of_raw_text(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    find(chars, at + 2 + hashes, &close).map_or(chars.len(), |end| end + close.len())
}

fn find(chars: &[char], from: usize, what: &str) -> Option<usize> {
    let what: Vec<char> = what.chars().collect();
    (from..chars.len()).find(|at| chars[*at..].starts_with(&what))
}

/// Bare code with every item under `#[cfg(test)]` replaced by empty lines.
pub(crate) fn without_tests(bare: &str) -> String {
    let mut out = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(start) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..start]);
        let end = end_of_item(rest, start);
        out.extend(rest[start..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    out + rest
}

/// After the item's closing brace, or after its semicolon when that comes before any brace.
fn end_of_item(bare: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in bare[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return start + at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    bare.len()
}

mod tests {
    use super::*;

    #[test]
    fn comments_and_quoted_texts_are_no_code() {
        let text = "a(\"// x \\\" y\"); // b\n/* c\n */ d(r#\"e \" f\"#, '\"', '\\'', 'g') 'h: r#type";
        let bare = bare(text);
        let words: Vec<&str> =
            bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, ["a", "d", "h", "r", "type"]);
        assert_eq!(bare.lines().count(), text.lines().count());
    }

    #[test]
    fn tests_are_cut_out_and_lines_stay_where_they_are() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c() }\n}\nfn d() {}\n#[cfg(test)]\nmod e;\nfn f() {}";
        let cut = without_tests(text);
        assert_eq!(
            cut.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ["fn a() {}", "fn d() {}", "fn f() {}"]
        );
        assert_eq!(cut.lines().nth(5), Some("fn d() {}"));
    }
}
