//! What was passed over, because it could not be used.

/// How many are named.
const NAMED: usize = 16;

/// Files and rows that were passed over. One that is met again is counted again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How often something was passed over.
    pub count: u64,
    /// The first of them, each once.
    pub first: Vec<Passed>,
}

/// Something that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Which file, from the storage's folder, or which row.
    pub name: String,
    /// Why.
    pub why: String,
}

impl Skipped {
    pub(super) fn note(&mut self, name: impl Into<String>, why: impl ToString) {
        self.count += 1;
        if self.first.len() < NAMED {
            let name = name.into();
            if self.first.iter().all(|passed| passed.name != name) {
                self.first.push(Passed { name, why: why.to_string() });
            }
        }
    }

    /// Adds what another account has.
    pub(super) fn add(&mut self, other: Skipped) {
        let named = other.first.len() as u64;
        for passed in other.first {
            self.note(passed.name, passed.why);
        }
        self.count += other.count - named;
    }
}
