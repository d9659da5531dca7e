//! A part of a corpus, written by one of several machines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Which part of how many. The parts of a corpus have about the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

impl Shard {
    /// Whether the item at a place of the plan, which is the same on every machine, belongs to it.
    pub(crate) fn has(self, place: usize) -> bool {
        place as u64 % u64::from(self.count) == u64::from(self.index) - 1
    }

    /// The end of a directory's name: `shard-2-of-8`.
    pub(crate) fn suffix(self) -> String {
        format!("shard-{}-of-{}", self.index, self.count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('/').and_then(|(index, count)| {
            Some(Shard { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        let valid = parts.filter(|shard| (1..=shard.count).contains(&shard.index));
        valid.ok_or_else(|| Error::Shard { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_parsed_from_what_it_displays() {
        let shard = Shard { index: 2, count: 8 };
        assert_eq!(shard.to_string().parse::<Shard>().unwrap(), shard);
    }

    #[test]
    fn a_shard_that_is_none_is_refused() {
        for text in ["0/3", "4/3", "1", "1/0", "a/b", "1/2/3", ""] {
            assert!(text.parse::<Shard>().unwrap_err().to_string().contains("such as 2/8"), "{text}");
        }
    }

    #[test]
    fn every_item_is_in_one_shard() {
        let shards: Vec<Shard> = (1..=3).map(|index| Shard { index, count: 3 }).collect();
        for place in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(place)).count(), 1);
        }
    }
}
