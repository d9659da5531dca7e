//! Lines, texts, numbers and times, as `docs/answer.md` takes them.

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) fn units(text: &str) -> i64 {
    text.encode_utf16().count() as i64
}

pub(crate) fn preview(text: &str, cap: usize) -> String {
    let mut left = cap;
    text.chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(if fits { c.len_utf16() } else { left });
            fits
        })
        .collect()
}

/// Adds the lines of code of one text.
pub(crate) fn add_code(code: &mut BTreeMap<String, i64>, text: &str) {
    let mut of_text: Vec<(String, i64)> = Vec::new();
    let mut language: Option<String> = None;
    let lines: Vec<&str> = text.split('\n').collect();
    for (i, line) in lines.iter().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            let name: String =
                info.split(char::is_whitespace).next().unwrap_or("").chars().take(24).collect();
            language = match language {
                Some(_) => None,
                None => Some(if name.is_empty() { "text".to_owned() } else { name }),
            };
        } else if let Some(language) = &language
            && !(i + 1 == lines.len() && line.is_empty())
        {
            let full = of_text.iter().filter(|entry| entry.0 != "other").count() >= 32;
            let name =
                if full && !of_text.iter().any(|entry| entry.0 == *language) { "other" } else { language };
            match of_text.iter_mut().find(|entry| entry.0 == name) {
                Some(entry) => entry.1 += 1,
                None => of_text.push((name.to_owned(), 1)),
            }
        }
    }
    for (language, lines) in of_text {
        *code.entry(language).or_default() += lines;
    }
}

/// Parses a text, its lone surrogates read as U+FFFD.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str(&mend(text)).ok()
}

/// Parses a file that is one document.
pub(crate) fn document(bytes: &[u8]) -> Option<Value> {
    parse(without_mark(bytes))
}

fn mend(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = surrogate(rest);
        let low = escape.and_then(|_| surrogate(&rest[6..]));
        match (escape, low) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.push_str(&rest[..12]);
                rest = &rest[12..];
            }
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
            }
            (None, _) => {
                let two = rest.chars().take(2).map(char::len_utf8).sum();
                out.push_str(&rest[..two]);
                rest = &rest[two..];
            }
        }
    }
    out + rest
}

/// The surrogate that an escape at the text's start stands for.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

pub(crate) fn text(value: &Value, cap: usize) -> Option<String> {
    value.as_str().map(|text| preview(text, cap))
}

pub(crate) fn number(value: &Value) -> Option<i64> {
    integer_of(value).map(|value| value.max(0))
}

pub(crate) fn integer_of(value: &Value) -> Option<i64> {
    value.as_i64().or(value.as_f64().map(|value| value.trunc() as i64))
}

pub(crate) fn time(value: &Value) -> i64 {
    match value {
        Value::String(text) => iso(text).unwrap_or(0),
        other => integer_of(other).unwrap_or(0),
    }
}

/// Milliseconds of `YYYY-MM-DDThh:mm:ss.mmmZ`, counted day by day.
fn iso(text: &str) -> Option<i64> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00.000Z" {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |month: i64| match month {
        2 if leap(part(0, 4)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (month, day, hour, minute, second) =
        (part(5, 7), part(8, 10), part(11, 13), part(14, 16), part(17, 19));
    let is_time = (1..13).contains(&month) && (1..=length(month)).contains(&day);
    if !is_time || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut days = (1970..part(0, 4)).map(|year| if leap(year) { 366 } else { 365 }).sum::<i64>();
    days += (1..month).map(length).sum::<i64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + part(20, 23))
}

/// The lines of a file, without those that are blank and a byte order mark at its beginning.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = without_mark(bytes).split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
    lines.filter(|line| !line.iter().all(|byte| b" \t\r".contains(byte))).collect()
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
