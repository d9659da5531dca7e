//! Ours: summaries by everything that tells a file from what it was, in memory and on disk.
//!
//! A file that was changed twice within one tick of the file system's clock has the same times before and after. So a summary is
//! trusted only where its file had been at rest for a while when it was looked at; until then it is read again for each list.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;

use super::answers::Answers;
use super::disk::{Disk, DiskError};
use super::{Scan, Wanted, key};
use crate::listing::Now;
use crate::listing::files::{Missed, Root, Stamp, Unusable};
use crate::listing::row::{Page, Places, Query, Row};
use crate::listing::summary::Summary;

/// How long a file must have been at rest. Linux stamps files at ticks of at most 10 ms, NTFS and APFS more finely. (FAT does it every two
/// seconds, and some network file systems every second: there a second change within that time can go unnoticed.)
const REST_NS: i64 = 100_000_000;

/// Most summaries that are held in memory; the others are on disk.
const SUMMARIES: usize = 20_000;

/// What is known of every file.
pub(super) struct Index {
    projects: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Entry>>,
    disk: Option<Disk>,
    /// Lists that were begun: what was not seen by the last one is gone.
    passes: u64,
    /// Summaries in memory.
    held: usize,
    /// How often anything of the files was found changed.
    changes: u64,
    answers: Answers,
}

struct Entry {
    stamp: Stamp,
    summary: Option<Arc<Summary>>,
    seen: u64,
    used: u64,
}

impl Index {
    pub(super) fn new(disk: Option<Disk>) -> Index {
        Index { projects: BTreeMap::new(), disk, passes: 0, held: 0, changes: 0, answers: Answers::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.projects.values().map(BTreeMap::len).sum()
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn failure(&self) -> Option<&DiskError> {
        self.disk.as_ref()?.failure()
    }

    /// Brings the index up to date with what is there.
    pub(super) fn look(&mut self, root: &Root, unusable: &mut Unusable) {
        self.passes += 1;
        let missed = root.visit(unusable, |project, id, stamp| self.see(project, id, stamp));
        self.drop_unseen(&missed);
        self.answers.at(self.changes);
    }

    /// What was answered to the same query, as long as it is still so.
    pub(super) fn answer(&self, query: &Query, unusable: &Unusable) -> Option<Bytes> {
        self.answers.get(query, unusable)
    }

    /// Remembers an answer, if everything in it is trusted.
    pub(super) fn keep_answer(&mut self, query: &Query, page: &Page, places: Places, text: &Bytes) {
        let is_trusted = |row: &Row| {
            let entry = self.projects.get(&row.project).and_then(|files| files.get(&row.id));
            entry.is_some_and(|entry| entry.stamp == row.stamp && entry.summary.is_some())
        };
        // A search looks into every file, also into those that are not on its page.
        let is_complete = query.text.is_none() || self.held == self.len();
        if is_complete && page.rows.iter().all(is_trusted) {
            self.answers.put(query, page, places, text);
        }
    }

    /// Takes the rows that are known.
    pub(super) fn fill(&mut self, scan: &mut Scan) {
        let window = scan.query.window();
        let chosen = self.chosen(scan.query.project.as_deref(), window, &mut scan.total);
        scan.wanted.reserve_exact(chosen.len());
        for (project, id) in chosen {
            let Some(entry) = self.projects.get_mut(&project).and_then(|files| files.get_mut(&id)) else {
                continue;
            };
            entry.used = self.passes;
            if entry.summary.is_none()
                && let Some(disk) = &mut self.disk
            {
                entry.summary = disk.get(&project, &id, &entry.stamp).map(Arc::new);
                self.held += usize::from(entry.summary.is_some());
            }
            let stamp = entry.stamp;
            let row = entry.summary.as_ref().map(|summary| scan.places.row(&project, &id, stamp, summary));
            scan.wanted.push(Wanted { project, id, stamp, row });
        }
    }

    fn see(&mut self, project: &str, id: &str, stamp: Stamp) {
        let seen = self.passes;
        if !self.projects.contains_key(project) {
            self.projects.insert(project.into(), BTreeMap::new());
        }
        let Some(files) = self.projects.get_mut(project) else { return };
        match files.get_mut(id) {
            Some(entry) => {
                entry.seen = seen;
                if entry.stamp != stamp {
                    self.changes += 1;
                    entry.stamp = stamp;
                    self.held -= usize::from(entry.summary.take().is_some());
                }
            }
            None => {
                self.changes += 1;
                files.insert(id.into(), Entry { stamp, summary: None, seen, used: seen });
            }
        }
    }

    /// Forgets the files that are not there any more. What could not be looked for is not gone.
    fn drop_unseen(&mut self, missed: &Missed) {
        let Index { projects, disk, passes, held, changes, .. } = self;
        for (project, files) in projects.iter_mut().filter(|(project, _)| !missed.may_have(project)) {
            files.retain(|id, entry| {
                let is_there = entry.seen == *passes;
                if !is_there {
                    *changes += 1;
                    *held -= usize::from(entry.summary.is_some());
                    if let Some(disk) = disk {
                        disk.remove(project, id);
                    }
                }
                is_there
            });
        }
        projects.retain(|_, files| !files.is_empty());
        if *passes == 1
            && *missed == Missed::default()
            && let Some(disk) = disk
        {
            disk.keep_only(|project, id| projects.get(project).is_some_and(|files| files.contains_key(id)));
        }
    }

    /// The files of a page, sorted.
    fn chosen(
        &self,
        project: Option<&str>,
        (offset, limit): (usize, usize),
        total: &mut usize,
    ) -> Vec<(Arc<str>, Arc<str>)> {
        let chosen =
            self.projects.iter().filter(|(name, _)| project.is_none_or(|project| project == &***name));
        let mut all = Vec::with_capacity(self.len());
        all.extend(
            chosen
                .flat_map(|(project, files)| files.iter().map(move |(id, entry)| (project, id, entry.stamp))),
        );
        *total = all.len();
        all.sort_unstable_by(|one, other| key(one.2, one.1, one.0).cmp(&key(other.2, other.1, other.0)));
        let page = all.into_iter().skip(offset).take(limit);
        page.map(|(project, id, _)| (Arc::clone(project), Arc::clone(id))).collect()
    }

    /// Remembers what was read, if the file is still what it was, and had been at rest.
    pub(super) fn keep(&mut self, row: &Row, path: &Path, now: Now) {
        let is_at_rest = row.stamp.touched_ns().saturating_add(REST_NS) <= now.wall_ns;
        if !is_at_rest || Stamp::now(path).ok() != Some(row.stamp) {
            return;
        }
        let Some(entry) = self.projects.get_mut(&row.project).and_then(|files| files.get_mut(&row.id)) else {
            return;
        };
        if entry.stamp != row.stamp {
            return;
        }
        self.held += usize::from(entry.summary.is_none());
        entry.summary = Some(Arc::clone(&row.summary));
        if let Some(disk) = &mut self.disk {
            disk.put(row);
        }
    }

    /// Ends a list: what was kept goes to disk, and what was not used for longest out of memory.
    pub(super) fn end(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.commit();
        }
        if self.held <= SUMMARIES {
            return;
        }
        let entries = self.projects.values().flat_map(BTreeMap::values);
        let mut used: Vec<u64> =
            entries.filter(|entry| entry.summary.is_some()).map(|entry| entry.used).collect();
        used.sort_unstable_by(|one, other| other.cmp(one));
        let oldest_kept = used.get(SUMMARIES - 1).copied().unwrap_or(0);
        let mut room = SUMMARIES;
        for entry in self.projects.values_mut().flat_map(BTreeMap::values_mut) {
            let stays = entry.used >= oldest_kept && room > 0;
            if entry.summary.is_some() && stays {
                room -= 1;
            } else if entry.summary.take().is_some() {
                self.held -= 1;
            }
        }
    }
}
