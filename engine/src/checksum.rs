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

/// A checksum as 16 hexadecimal digits, in one block of memory whatever its value: `format!` would sometimes need two.
pub fn hex(value: u64) -> String {
    (0..16).rev().fold(String::with_capacity(16), |mut text, digit| {
        text.extend(char::from_digit((value >> (4 * digit) & 0xF) as u32, 16));
        text
    })
}

impl Default for Checksum {
    fn default() -> Self {
        Checksum::new()
    }
}
