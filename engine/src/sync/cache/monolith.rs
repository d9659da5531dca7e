//! One file with everything, as the reported engine keeps it: rewritten whole, in place, with a second file that says of
//! which state it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::checksum::Checksum;
use crate::sync::protocol::{Gatherer, Item, Record};

/// Version of the files. The reported engine's was 9; it rises with [`super::fragment::VERSION`], since what is migrated is believed.
pub const VERSION: u32 = 10;

/// Name of the file with the records.
pub const RECORDS: &str = "parsed.json";
/// Name of the file that says of which state a monolith is.
pub const META: &str = "meta.json";

/// Of which state a monolith is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// Ns since 1970 at which its parse began.
    pub saved_at: u64,
    /// Checksum of the file with the records.
    pub checksum: u64,
    /// Of every workspace, its fingerprint, as far as there was one.
    pub workspaces: BTreeMap<String, Option<u64>>,
    /// Those in which something could not be read that may be another time: their records count for no later state, not even for the
    /// same one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub partial: BTreeSet<String>,
}

/// Everything as the text of one file.
///
/// # Errors
/// None in practice: memory does not fail to be written to.
pub fn to_bytes(items: &[Item]) -> io::Result<Vec<u8>> {
    let mut bytes = vec![b'['];
    for item in items {
        item.write(&mut bytes, |bytes| {
            if let Some(last) = bytes.last_mut() {
                *last = b',';
            }
            Ok(())
        })?;
    }
    match bytes.last_mut() {
        Some(last) if *last == b',' => *last = b']',
        _ => bytes.push(b']'),
    }
    Ok(bytes)
}

/// Writes both files in place, the state last.
///
/// # Errors
/// When a file cannot be written.
pub fn save(cache: &Path, bytes: &[u8], meta: &Meta) -> io::Result<()> {
    std::fs::create_dir_all(cache)?;
    let mut checksum = Checksum::new();
    checksum.add(bytes);
    let meta = Meta { checksum: checksum.value(), ..meta.clone() };
    std::fs::write(cache.join(RECORDS), bytes)?;
    std::fs::write(cache.join(META), serde_json::to_vec(&meta)?)
}

/// The state of the monolith in a cache; none when there is none, or of another version.
pub fn meta(cache: &Path) -> Option<Meta> {
    let bytes = std::fs::read(cache.join(META)).ok()?;
    serde_json::from_slice::<Meta>(&bytes).ok().filter(|meta| meta.version == VERSION)
}

/// Removes both files, the state first.
///
/// # Errors
/// When a file is there and cannot be removed.
pub fn remove(cache: &Path) -> io::Result<()> {
    for name in [META, RECORDS] {
        match std::fs::remove_file(cache.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the records are those that were written.
fn verify(cache: &Path, meta: &Meta) -> io::Result<()> {
    let mut file = File::open(cache.join(RECORDS))?;
    let (mut buffer, mut checksum) = (vec![0; 64 * 1024], Checksum::new());
    loop {
        match file.read(&mut buffer)? {
            0 if checksum.value() == meta.checksum => return Ok(()),
            0 => return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not hold")),
            read => checksum.add(&buffer[..read]),
        }
    }
}

/// Reads everything at once.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub fn load(cache: &Path, meta: &Meta) -> io::Result<Vec<Item>> {
    verify(cache, meta)?;
    let bytes = std::fs::read(cache.join(RECORDS))?;
    let records: Vec<Record> = serde_json::from_slice(&bytes)?;
    let mut gatherer = Gatherer::default();
    let mut items = Vec::new();
    for record in records {
        items.extend(gatherer.add(record).map_err(io::Error::other)?);
    }
    gatherer.end().map_err(io::Error::other)?;
    Ok(items)
}

/// Reads one session after the other, so that an old cache of any size can be brought into today's form.
///
/// # Errors
/// When the file cannot be read, is damaged, or `item` fails.
pub fn stream(cache: &Path, meta: &Meta, item: &mut dyn FnMut(Item) -> io::Result<()>) -> io::Result<()> {
    verify(cache, meta)?;
    let file = BufReader::with_capacity(64 * 1024, File::open(cache.join(RECORDS))?);
    let mut deserializer = serde_json::Deserializer::from_reader(file);
    Records { item }.deserialize(&mut deserializer)?;
    Ok(deserializer.end()?)
}

struct Records<'a> {
    item: &'a mut dyn FnMut(Item) -> io::Result<()>,
}

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        use serde::de::Error;
        let mut gatherer = Gatherer::default();
        while let Some(record) = records.next_element::<Record>()? {
            if let Some(item) = gatherer.add(record).map_err(A::Error::custom)? {
                (self.item)(item).map_err(A::Error::custom)?;
            }
        }
        gatherer.end().map_err(A::Error::custom)
    }
}
