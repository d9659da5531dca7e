//! How many bytes rows take in a database.

/// What a session adds to its database, reckoned from its rows alone: the pages themselves depend on the sessions before it.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    message: Leaves,
    part: Leaves,
}

/// Bytes of a page.
const PAGE_BYTES: u64 = 4_096;
/// Bytes of a page that hold rows, without its header.
const LEAF_BYTES: u64 = PAGE_BYTES - 8;
/// A row is at most so long on its page; of a longer one at least [`LOCAL_LEAST`] are there. Both are of SQLite's file format.
const LOCAL_MOST: u64 = PAGE_BYTES - 35;
/// See [`LOCAL_MOST`].
const LOCAL_LEAST: u64 = (PAGE_BYTES - 12) * 32 / 255 - 23;
/// Bytes of a row beside its text: ids, times, and its header.
const ROW_BYTES: u64 = 105;
/// Bytes of a row in its table's indices, with the room that is left in their pages. H.
const INDEX_BYTES: u64 = 230;

/// The pages of one table.
#[derive(Debug, Default)]
struct Leaves {
    rows: u64,
    /// Whole pages of overflow and of leaves.
    pages: u64,
    /// What is left of the last leaf.
    left: u64,
}

impl Leaves {
    /// A row with a text of so many bytes.
    fn add(&mut self, text: u64) {
        self.rows += 1;
        let bytes = text + ROW_BYTES;
        let mut local = bytes;
        if bytes > LOCAL_MOST {
            let overflow = PAGE_BYTES - 4;
            let best = LOCAL_LEAST + (bytes - LOCAL_LEAST) % overflow;
            local = if best <= LOCAL_MOST { best } else { LOCAL_LEAST };
            self.pages += (bytes - local).div_ceil(overflow);
            local += 4;
        }
        // Its length, its number, and where it is on the page.
        local += 8;
        if local > self.left {
            self.pages += 1;
            self.left = LEAF_BYTES;
        }
        self.left = self.left.saturating_sub(local);
    }
}

impl Pages {
    /// A message, whose text has so many bytes.
    pub(crate) fn message(&mut self, text: u64) {
        self.message.add(text);
    }

    /// A part, whose text has so many bytes.
    pub(crate) fn part(&mut self, text: u64) {
        self.part.add(text);
    }

    /// The bytes of all rows so far.
    pub(crate) fn bytes(&self) -> u64 {
        let of = |leaves: &Leaves| leaves.pages * PAGE_BYTES - leaves.left + leaves.rows * INDEX_BYTES;
        of(&self.message) + of(&self.part)
    }
}
