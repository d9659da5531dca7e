//! Frames that wait for a client.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::view::ledger::Ledger;
use crate::view::strategy;

/// Bytes that wait for one client at most, where there is a limit.
pub const CAP_BYTES: u64 = 8 << 20;

/// Frames that wait for a client.
#[derive(Debug)]
pub(super) struct Queue {
    choice: strategy::Queue,
    frames: VecDeque<Arc<str>>,
    /// What the client is told when it has missed something.
    resync: Arc<str>,
    /// The client has not yet been told that it has missed something: until then nothing more is kept for it, since it will ask for everything.
    is_behind: bool,
    /// Frames that were not sent.
    dropped: u64,
    bytes: u64,
}

impl Queue {
    pub(super) fn new(choice: strategy::Queue, resync: &Arc<str>) -> Queue {
        let resync = Arc::clone(resync);
        Queue { choice, frames: VecDeque::new(), resync, is_behind: false, dropped: 0, bytes: 0 }
    }

    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &Arc<str>, ledger: &mut Ledger) {
        let bytes = frame.len() as u64;
        match self.choice {
            // Each client has a text of its own, as where each writes the event for itself.
            strategy::Queue::Unbounded => self.put(Arc::from(&**frame), ledger),
            strategy::Queue::Bounded if self.is_behind => self.dropped += 1,
            strategy::Queue::Bounded if self.bytes + bytes > CAP_BYTES => {
                self.dropped += self.frames.len() as u64 + 1;
                self.clear(ledger);
                self.is_behind = true;
                self.put(Arc::clone(&self.resync), ledger);
            }
            strategy::Queue::Bounded => self.put(Arc::clone(frame), ledger),
        }
    }

    fn put(&mut self, frame: Arc<str>, ledger: &mut Ledger) {
        self.bytes += frame.len() as u64;
        ledger.add(frame.len() as u64);
        self.frames.push_back(frame);
    }

    /// Takes the frame that waits for longest.
    pub(super) fn pop(&mut self, ledger: &mut Ledger) -> Option<Arc<str>> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len() as u64;
        ledger.remove(frame.len() as u64);
        self.is_behind &= !Arc::ptr_eq(&frame, &self.resync);
        // What a burst needed is given back: an empty queue holds nothing.
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
        Some(frame)
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self, ledger: &mut Ledger) {
        while self.pop(ledger).is_some() {}
    }

    /// Frames that were not sent.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(choice: strategy::Queue) -> (Queue, Ledger) {
        (Queue::new(choice, &Arc::from("resync")), Ledger::default())
    }

    #[test]
    fn a_client_that_does_not_read_is_told_once_and_holds_nothing_back() {
        let (mut queue, mut ledger) = queue(strategy::Queue::Bounded);
        let frame: Arc<str> = "x".repeat(1 << 20).into();
        (0..100).for_each(|_| queue.push(&frame, &mut ledger));
        assert!(ledger.peak() <= CAP_BYTES);
        assert_eq!((queue.dropped(), ledger.live()), (100, "resync".len() as u64));
        assert_eq!(queue.pop(&mut ledger).as_deref(), Some("resync"));
        // Told, it gets what comes then.
        queue.push(&frame, &mut ledger);
        assert_eq!(queue.pop(&mut ledger), Some(frame));
        assert_eq!((queue.pop(&mut ledger), ledger.live()), (None, 0));
    }

    #[test]
    fn without_a_limit_every_client_has_a_copy_of_everything() {
        let (mut queue, mut ledger) = queue(strategy::Queue::Unbounded);
        let frame: Arc<str> = "x".repeat(1 << 20).into();
        (0..100).for_each(|_| queue.push(&frame, &mut ledger));
        assert_eq!((ledger.live(), queue.dropped()), (100 << 20, 0));
        assert_eq!(Arc::strong_count(&frame), 1);
        queue.clear(&mut ledger);
        assert_eq!(ledger.live(), 0);
    }
}
