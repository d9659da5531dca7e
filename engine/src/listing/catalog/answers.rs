//! Answers that were sent, for those who ask again before anything has changed.

use std::collections::VecDeque;

use axum::body::Bytes;

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

    /// The answer to a query, if its directories are what they were.
    pub(super) fn get(&self, query: &Query) -> Option<Bytes> {
        let answer = self.answers.iter().find(|answer| answer.query == *query)?;
        answer.places.are_current().then(|| answer.text.clone())
    }

    pub(super) fn put(&mut self, query: &Query, page: &Page, text: &Bytes) {
        self.answers.retain(|answer| answer.query != *query);
        self.answers.truncate(ANSWERS - 1);
        let places = Places::of(&page.rows);
        self.answers.push_front(Answer { query: query.clone(), text: text.clone(), places });
    }
}
