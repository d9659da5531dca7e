//! Lists every session below HOME with its beginning and its most frequent kind of record; one of five regressions can be planted.
//!
//! `planted` reads as it should; `planted clone`, `buffer`, `leak`, `cache` and `parent` take more memory for the same answer.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_example::sessions;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

/// Characters of a session's beginning that are shown.
const SHOWN: usize = 60;
/// Lines that are remembered, to count those that come twice.
const REMEMBERED: usize = 8;

/// What is wrong with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    Clone,
    Buffer,
    Leak,
    Cache,
    Parent,
}

/// One line of the answer.
#[derive(Debug, Clone)]
struct Summary {
    session: String,
    beginning: Excerpt,
    kind: String,
    repeated: usize,
}

/// The beginning of a text: with what it is a part of, or without.
#[derive(Debug, Clone)]
enum Excerpt {
    Own(Box<str>),
    Part(Arc<str>),
}

impl Excerpt {
    fn text(&self) -> String {
        let whole = match self {
            Excerpt::Own(text) => text,
            Excerpt::Part(whole) => &**whole,
        };
        whole.chars().take(SHOWN).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    harness::phase("list");
    let planted = match std::env::args().nth(1).as_deref() {
        None => Planted::Nothing,
        Some("clone") => Planted::Clone,
        Some("buffer") => Planted::Buffer,
        Some("leak") => Planted::Leak,
        Some("cache") => Planted::Cache,
        Some("parent") => Planted::Parent,
        Some(other) => return Err(format!("unknown regression {other:?}").into()),
    };
    let home = std::env::var_os("HOME").ok_or("HOME is not set")?;
    let mut summaries = Vec::new();
    for session in sessions(&PathBuf::from(home).join(".claude/projects"))? {
        summaries.push(summarise(&session, planted)?);
    }
    let mut listed = match planted {
        Planted::Clone => copy_summaries(&summaries),
        _ => std::mem::take(&mut summaries),
    };
    listed.sort_unstable_by(|one, other| one.session.cmp(&other.session));
    for Summary { session, beginning, kind, repeated } in &listed {
        println!("{session}: mostly {kind}, {repeated} repeated, {}", beginning.text());
    }
    Ok(())
}

fn summarise(session: &Path, planted: Planted) -> Result<Summary, Box<dyn Error>> {
    let mut reader = fill_buffer(File::open(session)?, planted);
    let (mut line, mut first, mut number, mut repeated) = (String::new(), None, 0, 0);
    let mut seen = BTreeMap::new();
    let mut kinds = Vec::new();
    while reader.read_line(&mut line)? > 0 {
        first.get_or_insert_with(|| excerpt(&line, planted));
        repeated += usize::from(seen.values().any(|known| *known == line));
        remember(&mut seen, number, &line, planted);
        // Lines that are no JSON are passed over.
        if let Ok(record) = serde_json::from_str::<Value>(&line) {
            kinds.push(record["type"].as_str().unwrap_or("none").to_owned());
        }
        number += 1;
        line.clear();
    }
    Ok(Summary {
        session: session.display().to_string(),
        beginning: first.unwrap_or(Excerpt::Own("".into())),
        kind: leak_index(&kinds, planted),
        repeated,
    })
}

/// A clone: every summary once more, where the first would do.
fn copy_summaries(summaries: &[Summary]) -> Vec<Summary> {
    summaries.to_vec()
}

/// A grown buffer.
fn fill_buffer(file: File, planted: Planted) -> BufReader<File> {
    BufReader::with_capacity(if planted == Planted::Buffer { 1 << 20 } else { 8 << 10 }, file)
}

/// A leak in a loop: the index of each session is never freed.
fn leak_index(kinds: &[String], planted: Planted) -> String {
    let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, kind) in kinds.iter().enumerate() {
        index.entry(kind.clone()).or_insert_with(|| Vec::with_capacity(64)).push(place);
    }
    let most = index.iter().max_by_key(|(_, places)| places.len());
    let most = most.map_or_else(String::new, |(kind, _)| kind.clone());
    if planted == Planted::Leak {
        std::mem::forget(index);
    }
    most
}

/// A cache without bound. Small, and so part of its caller in the machine code.
#[inline(always)]
fn remember(seen: &mut BTreeMap<usize, String>, number: usize, line: &str, planted: Planted) {
    seen.insert(number, line.to_owned());
    if planted != Planted::Cache && seen.len() > REMEMBERED {
        seen.pop_first();
    }
}

/// A kept parent: the whole line stays for the sake of its beginning.
fn excerpt(line: &str, planted: Planted) -> Excerpt {
    match planted {
        Planted::Parent => Excerpt::Part(Arc::from(line)),
        _ => Excerpt::Own(line.chars().take(SHOWN).collect()),
    }
}
