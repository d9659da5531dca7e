//! Bytes that a stage holds, counted as they come and go.

/// An account of bytes. It has no idea of where they are: who holds them says when they come and when they go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    live: u64,
    peak: u64,
    total: u64,
    entries: u64,
}

impl Ledger {
    /// Something came.
    pub fn add(&mut self, bytes: u64) {
        self.live += bytes;
        self.total += bytes;
        self.entries += 1;
        self.peak = self.peak.max(self.live);
    }

    /// Something that had come went, with all its bytes.
    ///
    /// A ledger that is told of more than it has stays at 0, and what holds the bytes fails its own audit.
    pub fn remove(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.live, "{bytes} bytes go where {} are", self.live);
        self.live = self.live.saturating_sub(bytes);
        self.entries = self.entries.saturating_sub(1);
    }

    /// Something that is there has grown.
    pub fn grow(&mut self, bytes: u64) {
        self.live += bytes;
        self.total += bytes;
        self.peak = self.peak.max(self.live);
    }

    /// Something that is there has become smaller.
    pub fn shrink(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.live, "{bytes} bytes go where {} are", self.live);
        self.live = self.live.saturating_sub(bytes);
    }

    /// Bytes that are held.
    pub fn live(&self) -> u64 {
        self.live
    }

    /// The most that were held at once.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// All that ever came.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many things are held.
    pub fn entries(&self) -> u64 {
        self.entries
    }
}

/// The six accounts of a pipeline, as they stand at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledgers {
    /// Records that the server has read from its storage and not given back.
    pub server_rows: Ledger,
    /// Frames that wait for clients.
    pub server_queues: Ledger,
    /// What the host holds while it handles one event.
    pub host_transient: Ledger,
    /// What the host remembers between events.
    pub host_retained: Ledger,
    /// What the view's store holds, drafts included.
    pub view_heap: Ledger,
    /// What is mounted.
    pub view_window: Ledger,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_counts_for_the_peak_and_the_total_only() {
        let mut ledger = Ledger::default();
        ledger.add(100);
        ledger.add(20);
        ledger.grow(5);
        ledger.remove(100);
        ledger.shrink(5);
        ledger.add(1);
        let found = (ledger.live(), ledger.peak(), ledger.total(), ledger.entries());
        assert_eq!(found, (21, 125, 126, 2));
    }
}
