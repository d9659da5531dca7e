//! What the host remembers of connections that were lost.

use std::collections::VecDeque;

use crate::view::ledger::Ledger;
use crate::view::strategy;

/// Texts that are kept, where there is an end.
const KEPT: usize = 200;

/// Texts about lost connections.
#[derive(Debug)]
pub(super) struct Log {
    choice: strategy::Log,
    texts: VecDeque<Box<str>>,
    /// Texts in all, also of those that are not kept.
    pub(super) total: u64,
}

impl Log {
    pub(super) fn new(choice: strategy::Log) -> Log {
        Log { choice, texts: VecDeque::new(), total: 0 }
    }

    pub(super) fn add(&mut self, text: &str, ledger: &mut Ledger) {
        self.total += 1;
        if self.choice == strategy::Log::Ring && self.texts.len() == KEPT {
            let oldest = self.texts.pop_front();
            ledger.remove(oldest.map_or(0, |text| text.len() as u64));
        }
        self.texts.push_back(text.into());
        ledger.add(text.len() as u64);
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
