//! A host that stays up: it brings itself up to date every minute of a day, mostly to find that nothing has changed.
//!
//! The history stays as large as it is: from time to time a session gets a file of another name, as when a tool writes it anew. So
//! what a host holds at rest must not grow, and what does grow is a leak.

use std::fs;
use std::path::{Path, PathBuf};

use engine::sync::Host;
use harness::meter;

use super::pass;
use crate::answer::Pass;
use crate::scratch::Scratch;
use crate::subject::HOME;

/// The file in a sample's directory that says which session files change, as paths below home.
const CHANGING: &str = "changing.json";
/// Virtual seconds from one tick to the next.
const SECONDS_PER_TICK: f64 = 60.0;
/// Ticks of a day.
const TICKS: usize = 24 * 60;
/// Ticks from one change to the next: an hour.
const TICKS_PER_CHANGE: usize = 60;

/// Tells the subject which session files change.
pub(crate) fn prepare(scratch: &Scratch, changing: &[String]) -> Result<(), String> {
    let path = scratch.root.join(CHANGING);
    let bytes = serde_json::to_vec(changing).map_err(|error| error.to_string())?;
    fs::write(&path, bytes).map_err(|error| format!("failed to write {}: {error}", path.display()))
}

/// The session files that change.
pub(crate) struct Changing {
    files: Vec<PathBuf>,
    changes: usize,
}

impl Changing {
    /// Reads which they are, and gives each a name of the length that it will keep.
    pub(crate) fn read() -> Result<Changing, String> {
        let bytes = fs::read(CHANGING).map_err(|error| format!("failed to read {CHANGING}: {error}"))?;
        let paths: Vec<String> = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let files = paths.iter().map(|path| Path::new(HOME).join(path)).collect();
        let mut changing = Changing { files, changes: 0 };
        (0..changing.files.len()).try_for_each(|_| changing.change())?;
        Ok(changing)
    }

    /// Gives the next of the files a name that no file has had.
    fn change(&mut self) -> Result<(), String> {
        let at = self.changes % self.files.len();
        let file = &mut self.files[at];
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("json");
        let to =
            file.with_file_name(format!("{}-{:04}.{extension}", super::incremental::ADDED, self.changes));
        fs::rename(&*file, &to).map_err(|error| format!("failed to rename {}: {error}", file.display()))?;
        *file = to;
        self.changes += 1;
        Ok(())
    }
}

/// Lets a day pass. Each tick is marked when the host is at rest.
pub(crate) fn stay(host: &mut Host<'_>, mut changing: Changing) -> Result<Pass, String> {
    meter::seconds_per_tick(SECONDS_PER_TICK);
    meter::tick();
    let mut last = Pass::default();
    for tick in 1..=TICKS {
        let changes = tick.is_multiple_of(TICKS_PER_CHANGE);
        if changes {
            changing.change()?;
            last = pass(host)?;
        } else {
            let outcome = host.sync().map_err(|error| format!("failed to use the cache folder: {error}"))?;
            last.from_memory = outcome.from_memory;
        }
        if last.from_memory == changes {
            let what =
                if changes { "a change was not noticed" } else { "nothing changed, but it was read anew" };
            return Err(format!("tick {tick}: {what}"));
        }
        meter::tick();
    }
    Ok(last)
}
