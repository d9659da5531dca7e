//! Ids as the tool makes them, of the virtual clock, a counter and dice.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The most ids of one millisecond; the next one takes the millisecond after.
const COUNTER_MOST: u64 = 0x7ff;
/// What of the time is kept.
const LOW_48: u64 = (1 << 48) - 1;
const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of dice in each id.
const DRAWN: usize = 14;

/// Makes the ids of one session: each larger than all before, but those of sessions, which are smaller.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    dice: ChaCha8Rng,
    last_ms: u64,
    counter: u64,
}

impl Ids {
    pub(super) fn new(dice: ChaCha8Rng) -> Ids {
        Ids { dice, last_ms: 0, counter: 0 }
    }

    /// An id that stands after all before: of a message, a part, a request.
    pub(super) fn ascending(&mut self, prefix: &str, at_ms: i64) -> String {
        let stamp = self.stamp(at_ms);
        self.id(prefix, stamp)
    }

    /// An id that stands before those that were made earlier: of a session.
    pub(super) fn descending(&mut self, prefix: &str, at_ms: i64) -> String {
        let stamp = !self.stamp(at_ms);
        self.id(prefix, stamp)
    }

    fn stamp(&mut self, at_ms: i64) -> u64 {
        let at = at_ms.unsigned_abs();
        if at > self.last_ms {
            (self.last_ms, self.counter) = (at, 0);
        } else if self.counter == COUNTER_MOST {
            (self.last_ms, self.counter) = (self.last_ms + 1, 0);
        }
        self.counter += 1;
        self.last_ms * 4096 + self.counter
    }

    fn id(&mut self, prefix: &str, stamp: u64) -> String {
        let mut id = format!("{prefix}_{:012x}", stamp & LOW_48);
        id.extend((0..DRAWN).map(|_| char::from(BASE_62[self.dice.random_range(0..62)])));
        id
    }
}
