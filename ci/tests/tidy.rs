//! What no compiler checks: the invariants of ARCHITECTURE.md, and the upkeep of sources and pages.
//!
//! Every check is a function from text to complaints, with a test on a bad example beside it, so that it is known to fail.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/book.rs"]
mod book;
#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/sources.rs"]
mod sources;

/// A text file of the project.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci stands in the workspace").to_owned()
}

/// Every file of the project with one of these endings, sorted by path. What builds and runs leave is passed over.
fn files(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), "", endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends in {endings:?}");
    found
}

fn collect(folder: &Path, prefix: &str, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("folders of the project can be read") {
        let entry = entry.expect("folders of the project can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("files of the project have a type").is_dir() {
            if !["target", ".git", "node_modules"].contains(&name.as_str()) {
                collect(&entry.path(), &format!("{path}/"), endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(entry.path())
                .unwrap_or_else(|error| panic!("failed to read {path}: {error}"));
            found.push(Source { path, text });
        }
    }
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

/// Fails with all complaints at once.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
