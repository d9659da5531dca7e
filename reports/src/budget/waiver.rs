//! Waivers: dated exceptions from a limit, each with someone who answers for it.

use harness::record::{self, Unit};
use jiff::civil::Date;

use crate::{figure, metric};

/// A limit may be broken up to a ceiling, until a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// An exact case name.
    pub case: String,
    /// The metric whose limits may be broken.
    pub metric: String,
    /// Up to this figure, in the metric's unit.
    pub ceiling: f64,
    /// Where the problem is followed.
    pub issue: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Line of the file where the entry begins.
    pub line: usize,
}

impl Waiver {
    /// Whether the waiver no longer holds.
    pub fn has_expired(&self, today: Date) -> bool {
        today > self.expires
    }

    /// What a verdict keeps of it.
    pub(crate) fn record(&self) -> record::Waiver {
        record::Waiver {
            ceiling: self.ceiling,
            issue: self.issue.clone(),
            owner: self.owner.clone(),
            expires: self.expires.to_string(),
        }
    }

    /// The waiver in words: `waived up to 8 MiB until 2026-01-31 (someone, https://...)`.
    pub fn in_words(&self) -> String {
        let unit = metric::unit(&self.metric).unwrap_or(Unit::Count);
        let ceiling = figure::short(self.ceiling, unit);
        format!("waived up to {ceiling} until {} ({}, {})", self.expires, self.owner, self.issue)
    }
}
