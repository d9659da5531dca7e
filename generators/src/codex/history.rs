//! What a conversation held so far: compacted records repeat it.

use std::collections::VecDeque;
use std::io;

use crate::page::{Page, put};

/// No more of a conversation is remembered: the oldest items go first. A, as the largest histories of compacted records are (S).
const BYTES_MAX: u64 = 8 << 20;

/// The items of a conversation, as they stand in its file.
#[derive(Default)]
pub(crate) struct History {
    items: VecDeque<Box<[u8]>>,
    bytes: u64,
}

impl History {
    /// Bytes of all items, a comma after each.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Remembers an item.
    pub(crate) fn add(&mut self, item: &[u8]) {
        self.bytes += item.len() as u64 + 1;
        self.items.push_back(item.into());
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.items.pop_front() else { return };
            self.bytes -= oldest.len() as u64 + 1;
        }
    }

    /// Writes so many bytes of items: the newest ones, or all of them again and again.
    pub(crate) fn write(&self, page: &mut Page, bytes: u64) -> io::Result<()> {
        if self.bytes == 0 {
            return Ok(());
        }
        let (rounds, mut left) = (bytes / self.bytes, bytes % self.bytes);
        let mut first = self.items.len();
        while first > 0 && (self.items[first - 1].len() as u64) < left {
            first -= 1;
            left -= self.items[first].len() as u64 + 1;
        }
        let rest = self.items.range(first..);
        let mut separator = "";
        for item in rest.chain((0..rounds).flat_map(|_| &self.items)) {
            put!(&mut page.buf; separator, &**item);
            separator = ",";
            // A record of many megabytes is no reason to hold it.
            page.spill()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(items: &[&str], bytes: u64) -> String {
        let mut history = History::default();
        items.iter().for_each(|item| history.add(item.as_bytes()));
        let mut page = Page::open(None, Vec::new()).unwrap();
        history.write(&mut page, bytes).unwrap();
        String::from_utf8(page.buf.clone()).unwrap()
    }

    #[test]
    fn a_history_is_cut_at_its_oldest_and_repeated_when_it_is_short() {
        let items = ["[1]", "[22]", "[333]"];
        assert_eq!(written(&items, 15), "[1],[22],[333]");
        assert_eq!(written(&items, 12), "[22],[333]");
        assert_eq!(written(&items, 37), "[333],[1],[22],[333],[1],[22],[333]");
        assert_eq!(written(&[], 100), "");
    }

    #[test]
    fn a_long_history_forgets_its_beginning() {
        let mut history = History::default();
        let item = [b'x'; 1 << 20];
        (0..20).for_each(|_| history.add(&item));
        assert_eq!(history.items.len(), 7);
        assert_eq!(history.bytes(), 7 * ((1 << 20) + 1));
    }
}
