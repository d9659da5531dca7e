//! dhat's file, read into sites whose stacks are folded.

use serde::Deserialize;

use super::{Frame, Origin, Site, name, origin};

/// What is read of dhat's file (version 2): the table of frames, and one entry for each stack.
#[derive(Debug, Deserialize)]
struct File {
    #[serde(rename = "dhatFileVersion")]
    version: u32,
    pps: Vec<Entry>,
    ftbl: Vec<String>,
}

/// One stack: total, peak and end bytes and blocks, and its frames, innermost first.
#[derive(Debug, Deserialize)]
struct Entry {
    tb: u64,
    tbk: u64,
    gb: u64,
    gbk: u64,
    eb: u64,
    ebk: u64,
    fs: Vec<usize>,
}

/// Frames below a program's own, which have no source of ours: how a process or a thread begins.
const STARTERS: &[&str] = &[
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "main",
    "start",
    "start_thread",
    "clone",
    "clone3",
];

/// Files of the standard library in which nothing but memory is handled, by what their paths end in or go through.
const ALLOCATING: &[&str] = &["alloc/src/alloc.rs", "alloc/src/raw_vec", "core/src/alloc/"];

/// One site for each stack of the file; those that are equal after folding are not summed yet.
///
/// # Errors
/// Says what is wrong with the file.
pub(super) fn stacks(text: &[u8]) -> Result<Vec<Site>, String> {
    let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if file.version != 2 {
        return Err(format!("version {} of dhat's format is not known, 2 is", file.version));
    }
    let table: Vec<Frame> = file.ftbl.iter().map(|frame| read(frame)).collect();
    let site = |entry: &Entry| {
        let frames = entry.fs.iter().map(|&index| table.get(index).cloned());
        let frames: Option<Vec<Frame>> = frames.collect();
        Some(Site {
            stack: fold(&frames?),
            peak_bytes: entry.gb,
            peak_blocks: entry.gbk,
            total_bytes: entry.tb,
            total_blocks: entry.tbk,
            retained_bytes: entry.eb,
            retained_blocks: entry.ebk,
        })
    };
    let sites: Option<Vec<Site>> = file.pps.iter().map(site).collect();
    sites.ok_or_else(|| "a stack names a frame that is not in the table".to_owned())
}

/// A frame as dhat writes it: `0x55d0: NAME (PATH:LINE:COLUMN)`. Of its name only hash and generic arguments are gone yet.
fn read(text: &str) -> Frame {
    let text = match text.split_once(": ") {
        Some((address, rest)) if address.starts_with("0x") => rest,
        _ => text,
    };
    let (function, place) = match outer_space(text) {
        Some(at) => (&text[..at], text[at + 2..].trim_end_matches(')')),
        None => (text, ""),
    };
    let mut parts = place.rsplitn(3, ':').skip(1);
    let line = parts.next().and_then(|line| line.parse().ok()).filter(|line| *line > 0);
    let path = parts.next().filter(|path| *path != "???");
    let (origin, file) = match path.map(origin::of_file) {
        Some((origin, file)) => (origin, Some(file)),
        None => (origin::of_function(function), None),
    };
    Frame { function: function.to_owned(), file, line, origin }
}

/// Where the name ends: at the first ` (` that stands in no bracket.
fn outer_space(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    text.char_indices().find_map(|(at, c)| {
        if depth == 0 && text[at..].starts_with(" (") {
            return Some(at);
        }
        depth += name::step(text, at, c);
        None
    })
}

/// A stack without what allocator, instrument and runtime add to it, each function by its plain name.
fn fold(frames: &[Frame]) -> Vec<Frame> {
    let inside = frames.iter().take_while(|frame| allocates(frame)).count();
    let outside = frames.iter().rev().take_while(|frame| starts(frame)).count();
    let kept = match frames.get(inside..frames.len() - outside.min(frames.len() - inside)) {
        Some(kept) if !kept.is_empty() => kept,
        // The runtime's own allocation, or no frame at all.
        _ => &frames[inside.min(frames.len().saturating_sub(1))..],
    };
    let mut folded: Vec<Frame> = Vec::with_capacity(kept.len());
    for (at, frame) in kept.iter().enumerate() {
        let function = name::plain(&frame.function);
        let is_held = folded.last().is_some_and(|inner| {
            name::is_nameless(&name::plain(&kept[at - 1].function)) && inner.function == function
        });
        if is_held && kept[at - 1].file == frame.file {
            continue;
        }
        let function = if name::is_nameless(&function) { holder(frame, &kept[at..]) } else { function };
        folded.push(Frame { function, ..frame.clone() });
    }
    if folded.is_empty() {
        folded.push(Frame { function: "???".to_owned(), file: None, line: None, origin: Origin::Unknown });
    }
    folded
}

/// The function that holds a closure of which only that is known: the next outer one in the same file. A closure that runs after its
/// holder has returned has none on the stack.
fn holder(closure: &Frame, outer: &[Frame]) -> String {
    let names = outer.iter().filter(|frame| frame.file == closure.file && frame.file.is_some());
    let mut names = names.map(|frame| name::plain(&frame.function));
    names.find(|name| !name::is_nameless(name)).unwrap_or_else(|| name::plain(&closure.function))
}

/// Whether a frame only gets memory: of the allocator, of the instrument, or of what vectors are made of.
fn allocates(frame: &Frame) -> bool {
    let function = frame.function.trim_start_matches('<');
    match (frame.origin, &frame.file) {
        (Origin::Instrument, _) => true,
        (Origin::Library, Some(file)) => ALLOCATING.iter().any(|part| file.contains(part)),
        (_, None) => ["__rust_", "__rustc::", "__rg_", "__rdl_", "alloc::alloc::", "alloc::raw_vec::"]
            .iter()
            .any(|start| function.starts_with(start)),
        _ => false,
    }
}

/// Whether a frame is how a process or thread comes to the program's own code.
fn starts(frame: &Frame) -> bool {
    let nowhere = frame.file.is_none() && frame.origin == Origin::Unknown;
    let function = frame.function.as_str();
    frame.origin == Origin::Library
        || nowhere && (STARTERS.contains(&function) || function == "???" || function.starts_with("__clone"))
        || nowhere && function == "[root]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(frames: &[&str]) -> Vec<String> {
        let frames: Vec<Frame> = frames.iter().map(|frame| read(frame)).collect();
        fold(&frames).into_iter().map(|frame| frame.function).collect()
    }

    #[test]
    fn a_frame_has_its_name_file_and_line() {
        let frame = read("0x55d0: run<fn(A) -> (B, C), dyn Fn (D)> (/b/p/src/a (x86).rs:12:5)");
        assert_eq!(frame.function, "run<fn(A) -> (B, C), dyn Fn (D)>");
        assert_eq!((frame.file.as_deref(), frame.line), (Some("/b/p/src/a (x86).rs"), Some(12)));
        let frame = read("0x7f00: __libc_start_main (???:0:0)");
        assert_eq!((frame.file, frame.line, frame.origin), (None, None, Origin::Unknown));
    }

    #[test]
    fn allocator_instrument_and_runtime_are_cut_off() {
        let stack = [
            "0x1: alloc (/c/registry/src/i/dhat-0.3.3/src/lib.rs:1176:9)",
            "0x2: alloc_zeroed (/b/p/harness/src/alloc.rs:274:40)",
            "0x3: allocate (/rustc/ab/library/alloc/src/alloc.rs:429:14)",
            "0x3: with_capacity_in<u8> (/rustc/ab/library/alloc/src/raw_vec/mod.rs:433:15)",
            "0x3: with_capacity<u8> (/rustc/ab/library/alloc/src/vec/mod.rs:524:9)",
            "0x3: streaming (/b/p/src/source.rs:115:60)",
            "0x4: main (/b/p/src/main.rs:7:3)",
            "0x5: call_once<fn()> (/rustc/ab/library/core/src/ops/function.rs:250:5)",
            "0x6: main (???:0:0)",
            "0x7: _start (???:0:0)",
        ];
        assert_eq!(names(&stack), ["with_capacity", "streaming", "main"]);
    }

    /// With names in full the same cut is made where files are not known.
    #[test]
    fn names_in_full_are_cut_without_files() {
        let stack = [
            "0x1: <dhat::Alloc as core::alloc::global::GlobalAlloc>::alloc (???:0:0)",
            "0x2: __rustc::__rust_alloc (???:0:0)",
            "0x2: <alloc::alloc::Global as core::alloc::Allocator>::allocate (???:0:0)",
            "0x3: planted::read::{{closure}}::h0123456789abcdef (???:0:0)",
            "0x4: std::rt::lang_start (???:0:0)",
        ];
        assert_eq!(names(&stack), ["planted::read"]);
    }

    #[test]
    fn a_closure_is_the_function_that_holds_it() {
        let direct = ["0x1: {closure#0}<A> (/b/src/a.rs:9:1)", "0x1: parse (/b/src/a.rs:5:1)"];
        assert_eq!(names(&direct), ["parse"]);
        let through = [
            "0x1: {closure#1}<A> (/b/src/a.rs:9:1)",
            "0x1: map<A> (/rustc/ab/library/core/src/option.rs:1:1)",
            "0x1: parse (/b/src/a.rs:5:1)",
        ];
        assert_eq!(names(&through), ["parse", "map", "parse"]);
        let alone = ["0x1: {closure#1} (/b/src/a.rs:9:1)", "0x1: drive (/b/src/b.rs:5:1)"];
        assert_eq!(names(&alone), ["{closure}", "drive"]);
    }

    #[test]
    fn recursion_is_no_closure_and_stays() {
        let stack = ["0x1: walk (/b/src/a.rs:9:1)", "0x1: walk (/b/src/a.rs:9:1)"];
        assert_eq!(names(&stack), ["walk", "walk"]);
    }

    #[test]
    fn a_stack_of_nothing_but_the_runtime_is_kept() {
        let stack = [
            "0x1: alloc (/rustc/ab/library/alloc/src/alloc.rs:95:9)",
            "0x2: new (/rustc/ab/library/std/src/thread/mod.rs:1:1)",
            "0x3: _start (???:0:0)",
        ];
        assert_eq!(names(&stack), ["new", "_start"]);
        assert_eq!(names(&[]), ["???"]);
    }

    #[test]
    fn another_version_and_a_damaged_table_are_refused() {
        let other = br#"{"dhatFileVersion":3,"pps":[],"ftbl":[]}"#;
        assert!(stacks(other).unwrap_err().contains("version 3"));
        let damaged = br#"{"dhatFileVersion":2,"ftbl":["[root]"],
            "pps":[{"tb":1,"tbk":1,"gb":1,"gbk":1,"eb":1,"ebk":1,"fs":[7]}]}"#;
        assert!(stacks(damaged).unwrap_err().contains("not in the table"));
    }
}
