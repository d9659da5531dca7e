//! A checksum against accidents: of frames, cache files and fingerprints.

use rapidhash::v3::{RapidSecrets, RapidStreamHasherV3};

/// Fixed for good: checksums stand in files.
static SECRETS: RapidSecrets = RapidSecrets::seed(0x6869_6768_7761_7465);

/// 64 bits of rapidhash v3, taken piece by piece.
pub struct Checksum(RapidStreamHasherV3<'static>);

impl Checksum {
    /// The checksum of nothing yet.
    pub fn new() -> Checksum {
        Checksum(RapidStreamHasherV3::new(&SECRETS))
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Adds a number.
    pub fn add_number(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    /// The checksum of everything added.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Checksum::new()
    }
}
