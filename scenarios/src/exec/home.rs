//! A sample's own home: a copy of the corpus, and the variables that lead programs there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::Error;

/// The variables by which programs find what they keep of a person, each with its place below home. On Windows VS Code keeps
/// below APPDATA what it keeps below `.config` elsewhere, so that both lead to the same sessions.
const VARIABLES: &[(&str, &str)] = &[
    ("HOME", ""),
    ("USERPROFILE", ""),
    ("HIGHWATER_CORPUS", ""),
    ("APPDATA", ".config"),
    ("LOCALAPPDATA", ".local/share"),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
    ("CLAUDE_CONFIG_DIR", ".claude"),
    ("CODEX_HOME", ".codex"),
];

/// Copies the corpus to a directory that is not there yet; every place that a variable names is there afterwards.
pub(super) fn copy(corpus: &generators::Corpus, home: &Path, stop: &AtomicBool) -> Result<PathBuf, Error> {
    match corpus.copy_home(home, stop) {
        // The caller finds out for itself, before it measures.
        Ok(()) | Err(generators::Error::Stopped { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    for (_, place) in VARIABLES {
        let path = home.join(place);
        fs::create_dir_all(&path).map_err(|source| Error::file("make", &path, source))?;
    }
    Ok(home.to_owned())
}

/// The variables that lead programs to a home.
pub(super) fn variables(home: &Path) -> Vec<(OsString, OsString)> {
    // A path that ends in a separator is another path to some programs.
    let path = |place: &str| if place.is_empty() { home.to_owned() } else { home.join(place) };
    VARIABLES.iter().map(|(name, place)| (name.into(), path(place).into())).collect()
}
