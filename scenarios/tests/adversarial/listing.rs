//! The list of sessions names every file that is one, and none that is not.

use std::collections::BTreeMap;

use engine::listing::Now;
use engine::listing::catalog::Catalog;
use engine::listing::row::{Page, Query};
use engine::listing::strategy::{AS_REPORTED, BOUNDED, Strategy};
use generators::FileEntry;

use super::corpus::{corpus, in_time};

fn list(strategy: &'static Strategy) -> Page {
    let dir = tempfile::tempdir().unwrap();
    let mut catalog =
        Catalog::new(&corpus().home(), strategy, Some(&dir.path().join("index.sqlite"))).unwrap();
    // The time is long after the files were written, so that they count as being at rest.
    let now = Now { monotonic_ms: 0, wall_ns: i64::MAX };
    let first = catalog.list(&Query::newest(10_000), now);
    assert_eq!(catalog.list(&Query::newest(10_000), now), first, "a second list says something else");
    first
}

/// Files of Claude Code beside each other in a project, by what a list calls them.
fn files() -> BTreeMap<&'static str, &'static FileEntry> {
    let of_claude = corpus().manifest.files.iter().filter(|file| file.format == "claude");
    of_claude
        .filter(|file| file.path.matches('/').count() == 3)
        .filter_map(|file| Some((file.path.rsplit('/').next()?.strip_suffix(".jsonl")?, file)))
        .collect()
}

#[test]
fn every_regular_file_is_a_row_and_nothing_else_is() {
    let (reported, ours) = (in_time(|| list(&AS_REPORTED)), in_time(|| list(&BOUNDED)));
    assert_eq!(reported, ours);
    let files = files();
    let regular: Vec<&str> =
        files.iter().filter(|(_, file)| file.kind.is_none()).map(|(id, _)| *id).collect();
    let mut listed: Vec<&str> = ours.rows.iter().map(|row| &*row.id).collect();
    listed.sort_unstable();
    assert_eq!(listed, regular);
    assert_eq!(ours.unusable.count as usize, files.len() - regular.len(), "{:?}", ours.unusable);
    for row in &ours.rows {
        // To a list every object is a record, whether it says its type or not.
        let file = files[&*row.id];
        let has_no_types = file.quirks.iter().any(|quirk| quirk == "type-forms");
        let wanted = if has_no_types { 0 } else { file.skipped_lines };
        assert_eq!(row.summary.skipped_lines, wanted, "{}", row.id);
    }
}
