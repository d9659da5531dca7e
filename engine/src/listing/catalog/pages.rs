//! The caches that upstream has: whole pages for five seconds, and summaries by time of modification and size, both bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Wanted;
use crate::listing::Now;
use crate::listing::row::{Page, Places, Query, Row};
use crate::listing::summary::Summary;

/// How long a page may be used.
const TTL_MS: u64 = 5_000;
/// Most pages that are kept.
const PAGES: usize = 16;
/// Most summaries that are kept.
const SUMMARIES: usize = 20_000;

/// Pages and summaries.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: BTreeMap<Query, (Page, u64)>,
    summaries: BTreeMap<(Arc<str>, Arc<str>), Kept>,
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    modified_ms: i64,
    bytes: u64,
    summary: Arc<Summary>,
    used: u64,
}

impl Pages {
    pub(super) fn len(&self) -> usize {
        self.pages.len() + self.summaries.len()
    }

    pub(super) fn held(&self) -> usize {
        self.summaries.len()
    }

    /// Forgets files that are not there any more, when there are fewer files than summaries.
    pub(super) fn forget_vanished<'a>(&mut self, there: impl Iterator<Item = &'a Wanted>) {
        let there: BTreeSet<(&str, &str)> = there.map(|wanted| (&*wanted.project, &*wanted.id)).collect();
        if self.summaries.len() > there.len() {
            self.summaries.retain(|(project, id), _| there.contains(&(&**project, &**id)));
        }
    }

    pub(super) fn forget_pages(&mut self) {
        self.pages.clear();
    }

    /// A page that was made a short while ago.
    pub(super) fn page(&self, query: &Query, now: Now) -> Option<Page> {
        let (page, made) = self.pages.get(query)?;
        (now.monotonic_ms - made < TTL_MS).then(|| page.clone())
    }

    pub(super) fn keep_page(&mut self, query: Query, page: &Page, now: Now) {
        self.pages.insert(query, (page.clone(), now.monotonic_ms));
        while self.pages.len() > PAGES {
            let oldest = self.pages.iter().min_by_key(|(_, (_, made))| *made);
            let Some(oldest) = oldest.map(|(query, _)| query.clone()) else { return };
            self.pages.remove(&oldest);
        }
    }

    /// Makes the row of a file whose summary is known.
    pub(super) fn fill(&mut self, wanted: &mut Wanted, places: &mut Places) {
        self.uses += 1;
        let key = (Arc::clone(&wanted.project), Arc::clone(&wanted.id));
        let Some(kept) = self.summaries.get_mut(&key) else { return };
        if (kept.modified_ms, kept.bytes) == (wanted.stamp.modified_ms(), wanted.stamp.bytes) {
            kept.used = self.uses;
            wanted.row = Some(places.row(&wanted.project, &wanted.id, wanted.stamp, &kept.summary));
        }
    }

    pub(super) fn keep(&mut self, row: &Row) {
        self.uses += 1;
        let kept = Kept {
            modified_ms: row.stamp.modified_ms(),
            bytes: row.stamp.bytes,
            summary: Arc::clone(&row.summary),
            used: self.uses,
        };
        self.summaries.insert((Arc::clone(&row.project), Arc::clone(&row.id)), kept);
        if self.summaries.len() > SUMMARIES {
            let oldest = self.summaries.iter().min_by_key(|(_, kept)| kept.used);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| self.summaries.remove(&key));
        }
    }
}
