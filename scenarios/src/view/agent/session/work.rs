//! What is planned, and made only when it is asked for.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::Act;
use super::super::call::Call;
use super::super::words;
use super::Session;

/// Acts that are planned.
pub(super) enum Work {
    /// One.
    One {
        /// When.
        at_ms: i64,
        /// How it is made; none: it was.
        make: Option<Box<dyn FnOnce() -> Act + Send>>,
    },
    /// States of a call, from one number to another.
    Call {
        /// The call.
        call: Arc<Call>,
        /// The next state.
        next: usize,
        /// The one after the last.
        end: usize,
    },
    /// Pieces of a text.
    Deltas(Box<Deltas>),
    /// All of the session of a task.
    Child(Box<Session>),
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Work::One { .. } => "One",
            Work::Call { .. } => "Call",
            Work::Deltas(_) => "Deltas",
            Work::Child(_) => "Child",
        };
        f.write_str(name)
    }
}

/// A text that is written piece by piece.
#[derive(Debug)]
pub(super) struct Deltas {
    pub(super) session: String,
    pub(super) message: String,
    pub(super) part: String,
    pub(super) text: Arc<str>,
    /// Bytes of it that were told.
    told: usize,
    dice: ChaCha8Rng,
    at_ms: i64,
    every_ms: i64,
    end_ms: i64,
}

impl Deltas {
    /// The pieces of a text, evenly until the end.
    pub(super) fn new(
        (session, message, part): (&str, &str, &str),
        text: &Arc<str>,
        (at_ms, every_ms, end_ms): (i64, i64, i64),
    ) -> Deltas {
        Deltas {
            session: session.to_owned(),
            message: message.to_owned(),
            part: part.to_owned(),
            text: Arc::clone(text),
            told: 0,
            dice: words::dice(at_ms.unsigned_abs()),
            at_ms,
            every_ms,
            end_ms,
        }
    }

    fn next(&mut self) -> Act {
        let rest = &self.text[self.told..];
        let chars = self.dice.random_range(4..=20);
        let piece = &rest[..rest.char_indices().nth(chars).map_or(rest.len(), |(at, _)| at)];
        let act = Act::Delta {
            session: self.session.clone(),
            message: self.message.clone(),
            part: self.part.clone(),
            field: "text",
            text: piece.to_owned(),
        };
        self.told += piece.len();
        self.at_ms = (self.at_ms + self.every_ms).min(self.end_ms);
        act
    }
}

impl Work {
    pub(super) fn one(at_ms: i64, make: impl FnOnce() -> Act + Send + 'static) -> Work {
        Work::One { at_ms, make: Some(Box::new(make)) }
    }

    /// When its next act is done; none: all are.
    pub(super) fn next_ms(&mut self) -> Option<i64> {
        match self {
            Work::One { at_ms, make } => make.is_some().then_some(*at_ms),
            Work::Call { call, next, end } => (next < end).then(|| call.at_ms(call.state_at(*next))),
            Work::Deltas(deltas) => (deltas.told < deltas.text.len()).then_some(deltas.at_ms),
            Work::Child(child) => child.next_ms(),
        }
    }

    pub(super) fn next_act(&mut self) -> Option<Act> {
        match self {
            Work::One { make, .. } => make.take().map(|make| make()),
            Work::Call { call, next, .. } => {
                *next += 1;
                Some(Act::Part(call.part(call.state_at(*next - 1))))
            }
            Work::Deltas(deltas) => Some(deltas.next()),
            Work::Child(child) => child.next_act(),
        }
    }
}
