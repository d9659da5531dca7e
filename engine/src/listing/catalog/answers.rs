//! Answers that were sent, for those who ask again before anything has changed.

use std::collections::VecDeque;

use axum::body::Bytes;

use crate::listing::files::Unusable;
use crate::listing::row::{Page, Places, Query};

/// Most answers that are kept: those of a few windows.
const ANSWERS: usize = 4;

/// The last answers, newest first.
#[derive(Default)]
pub(super) struct Answers {
    answers: VecDeque<Answer>,
    /// Whether all are of the present state of the files.
    changes: u64,
}

struct Answer {
    query: Query,
    text: Bytes,
    unusable: Unusable,
    /// What was on disk of the directories that it names.
    places: Places,
}

impl Answers {
    /// Forgets all when the files are in another state than before.
    pub(super) fn at(&mut self, changes: u64) {
        if std::mem::replace(&mut self.changes, changes) != changes {
            self.answers.clear();
        }
    }

    /// The answer to a query, if its directories are what they were, and the same cannot be used.
    pub(super) fn get(&self, query: &Query, unusable: &Unusable) -> Option<Bytes> {
        let mut answers = self.answers.iter();
        let answer = answers.find(|answer| answer.query == *query && answer.unusable == *unusable)?;
        answer.places.are_current().then(|| answer.text.clone())
    }

    /// Keeps an answer, and what the directories were when its rows were made.
    pub(super) fn put(&mut self, query: &Query, page: &Page, places: Places, text: &Bytes) {
        self.answers.retain(|answer| answer.query != *query);
        self.answers.truncate(ANSWERS - 1);
        let (query, text, unusable) = (query.clone(), text.clone(), page.unusable.clone());
        self.answers.push_front(Answer { query, text, unusable, places });
    }
}
