//! The cache of the proposed fix, with its flaws: one time for all entries, which any miss renews; entries by path and time of
//! modification only; nothing is ever dropped but everything, at each write.

use std::collections::BTreeMap;

use super::Wanted;
use crate::listing::Now;
use crate::listing::row::Row;

/// How long what was read may be used.
const TTL_MS: u64 = 30_000;

/// Rows by their files.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    rows: BTreeMap<String, Row>,
    renewed_ms: Option<u64>,
}

impl Sliding {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Takes the row of a file, if it is known: with the directories as they were.
    pub(super) fn fill(&self, wanted: &mut Wanted, now: Now) {
        let is_fresh = self.renewed_ms.is_some_and(|renewed| now.monotonic_ms - renewed < TTL_MS);
        let row = self.rows.get(&path(&wanted.project, &wanted.id)).filter(|_| is_fresh);
        wanted.row = row.filter(|row| row.stamp.modified_ms() == wanted.stamp.modified_ms()).cloned();
    }

    pub(super) fn keep(&mut self, row: &Row, now: Now) {
        self.rows.insert(path(&row.project, &row.id), row.clone());
        self.renewed_ms = Some(now.monotonic_ms);
    }
}

fn path(project: &str, id: &str) -> String {
    format!("{project}/{id}")
}
