//! Reads every session below HOME, once whole and once by the line: two phases, whose heaps differ.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::error::Error;
use std::path::PathBuf;

use highwater_example::{count, read_whole, sessions};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> Result<(), Box<dyn Error>> {
    harness::phase("whole");
    let home = std::env::var_os("HOME").ok_or("HOME is not set")?;
    let files = sessions(&PathBuf::from(home).join(".claude/projects"))?;
    let mut kept = Vec::new();
    for file in &files {
        kept.push(read_whole(file)?);
    }
    let whole: usize = kept.iter().map(Vec::len).sum();
    drop(kept);

    harness::phase("by-line");
    let mut by_line = 0;
    for file in &files {
        by_line += count(file)?;
    }
    println!("{} sessions, {whole} records whole, {by_line} by the line", files.len());
    Ok(())
}
