//! Gives the frames of dhat's profile their whole paths.
//!
//! dhat keeps the last three components of a path, so that `src/vec/mod.rs` may be the standard library's, `src/de/mod.rs` a crate's, and
//! `src/sync/host.rs` the program's own. Only the process itself can look them up again: its addresses hold nowhere else.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Rewrites a profile that dhat has written, with the whole path in each frame of its table. A frame that cannot be found again stays.
///
/// To be called in the process that was profiled, after the profiler has ended.
pub(super) fn complete(profile: &Path) -> io::Result<()> {
    let mut whole: Value = serde_json::from_slice(&std::fs::read(profile)?)?;
    let mut known = BTreeMap::new();
    let table = whole.get_mut("ftbl").and_then(Value::as_array_mut);
    for frame in table.into_iter().flatten() {
        if let Value::String(text) = frame
            && let Some(address) = address(text)
        {
            let frames: &BTreeMap<String, String> = known.entry(address).or_insert_with(|| frames(address));
            if let Some(complete) = frames.get(text.as_str()) {
                text.clone_from(complete);
            }
        }
    }
    // A reader sees the one profile or the other, never half of one.
    let folder = profile.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(io::BufWriter::new(&mut file), &whole)?;
    file.flush()?;
    file.persist(profile).map(drop).map_err(|error| error.error)
}

/// The address that a frame of dhat's table begins with: `0x55d0: name (path:line:column)`.
fn address(frame: &str) -> Option<usize> {
    let digits = frame.strip_prefix("0x")?.split(':').next()?;
    usize::from_str_radix(digits, 16).ok()
}

/// The frames at an address, inlined ones too: as dhat writes them, with the same in whole.
fn frames(address: usize) -> BTreeMap<String, String> {
    let mut frames = BTreeMap::new();
    backtrace::resolve(address as *mut c_void, |symbol| {
        let Some(path) = symbol.filename() else { return };
        let name = symbol.name().unwrap_or_else(|| backtrace::SymbolName::new(b"???"));
        let (line, column) = (symbol.lineno().unwrap_or(0), symbol.colno().unwrap_or(0));
        let frame = |path: &Path| format!("{address:#x}: {name:#} ({}:{line}:{column})", path.display());
        frames.insert(frame(&shortened(path)), frame(path));
    });
    frames
}

/// A path as dhat shortens it.
fn shortened(path: &Path) -> PathBuf {
    let components: Vec<_> = path.components().collect();
    components[components.len().saturating_sub(3)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shortened_as_dhat_does_it() {
        for (path, expected) in
            [("aa.rs", "aa.rs"), ("cc/bb/aa.rs", "cc/bb/aa.rs"), ("/dd/cc/bb/aa.rs", "cc/bb/aa.rs")]
        {
            assert_eq!(shortened(Path::new(path)), Path::new(expected));
        }
        assert_eq!(shortened(Path::new("/bb/aa.rs")), Path::new("/bb/aa.rs"));
    }

    #[test]
    fn an_address_is_read_from_the_beginning_of_a_frame() {
        assert_eq!(address("0x55d0: run<A> (src/a.rs:1:2)"), Some(0x55d0));
        assert_eq!(address("[root]"), None);
    }
}
