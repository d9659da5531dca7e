//! A catalog on a virtual clock, and what a page says.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::listing::catalog::Catalog;
use engine::listing::row::{Page, Query};
use engine::listing::{Now, Strategy};
use hyper::body::Bytes;
use serde::Deserialize;

use super::home::Digester;

/// How long a file must be left alone until its index trusts it, and a little more.
const REST: Duration = Duration::from_millis(115);

/// A catalog that is driven.
pub(super) struct Bench {
    pub(super) catalog: Catalog,
    /// Ms since the service started, by the virtual clock.
    pub(super) now_ms: u64,
}

/// A page as its client reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<'a> {
    #[serde(borrow)]
    pub(super) sessions: Vec<ListedRow<'a>>,
    pub(super) total: u64,
    pub(super) unreadable: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedRow<'a> {
    #[serde(borrow)]
    pub(super) id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) title: std::borrow::Cow<'a, str>,
    pub(super) message_count: u64,
}

impl Listed<'_> {
    /// Digest of all rows, and how many there are. Fails where a file could not be read.
    pub(super) fn digest(&self) -> Result<(String, u64), String> {
        if self.unreadable > 0 {
            return Err(format!("{} files could not be read", self.unreadable));
        }
        let mut digester = Digester::default();
        for row in &self.sessions {
            digester.row(&row.id, &row.title, row.message_count);
        }
        Ok((digester.finish(), self.sessions.len() as u64))
    }
}

/// A page that was sent.
pub(super) fn listed(json: &[u8]) -> Result<Listed<'_>, String> {
    serde_json::from_slice(json).map_err(|error| format!("the page is damaged: {error}"))
}

impl Bench {
    pub(super) fn new(home: &Path, strategy: &Strategy) -> Result<Bench, String> {
        Bench::with_index(home, strategy, None)
    }

    pub(super) fn with_index(
        home: &Path,
        strategy: &Strategy,
        index: Option<&Path>,
    ) -> Result<Bench, String> {
        let catalog = Catalog::new(home, strategy, index).map_err(|error| error.to_string())?;
        Ok(Bench { catalog, now_ms: 0 })
    }

    /// Files are stamped by the real clock; what expires, expires by the virtual one.
    pub(super) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { monotonic_ms: self.now_ms, wall_ns: wall.as_nanos() as i64 }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    pub(super) fn page(&mut self, query: &Query) -> Page {
        let now = self.now();
        self.catalog.list(query, now)
    }

    /// A page that is made anew, whatever was sent before, and how long it took.
    pub(super) fn make(&mut self, query: &Query) -> Result<(Vec<u8>, Duration), String> {
        let begun = Instant::now();
        let text = self.page(query).to_json().map_err(|error| error.to_string())?;
        Ok((text, begun.elapsed()))
    }

    /// A page as it is sent, and how long it took.
    pub(super) fn send(&mut self, query: &Query) -> Result<(Bytes, Duration), String> {
        let begun = Instant::now();
        let now = self.now();
        let text = self.catalog.json(query, now).map_err(|error| error.to_string())?;
        Ok((text, begun.elapsed()))
    }
}

/// Waits until no file that was written before counts as just written.
pub(super) fn rest() {
    std::thread::sleep(REST);
}
