//! A copy of a corpus's home, for a program that may write into it.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Corpus, Error};

/// What a file takes on disk is a multiple of this, nearly everywhere.
const BLOCK_BYTES: u64 = 4096;

impl Corpus {
    /// Copies the home-like tree to `to`, where nothing may be: the files of the manifest and nothing else, ordinary files all of
    /// them, whatever links and permissions have come into the corpus since. What the manifest says is no regular file
    /// ([`Special`](crate::Special)) is made anew: links point where they did, within the copy. Where the file system can, the copies
    /// share their blocks with the corpus until they are written to; where it cannot, the free space is checked first.
    ///
    /// # Errors
    /// [`Error::Disk`] when the copy would not fit, [`Error::Stopped`] when `stop` was set, and [`Error::Io`]; a part of the copy may
    /// be there then.
    pub fn copy_home(&self, to: &Path, stop: &AtomicBool) -> Result<(), Error> {
        let home = self.home();
        fs::create_dir_all(to).map_err(Error::io("create directory", to))?;
        let mut shares_blocks = true;
        for file in &self.manifest.files {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Stopped { before: "the copy of the corpus was whole" });
            }
            let (from, to_file) = (home.join(&file.path), to.join(&file.path));
            if let Some(folder) = to_file.parent() {
                fs::create_dir_all(folder).map_err(Error::io("create directory", folder))?;
            }
            if let Some(special) = &file.kind {
                special.make(&to_file).map_err(Error::io("make", &to_file))?;
                continue;
            }
            if shares_blocks && reflink_copy::reflink(&from, &to_file).is_ok() {
                continue;
            }
            if shares_blocks {
                shares_blocks = false;
                self.check_space_for_copy(to)?;
            }
            copy(&from, &to_file).map_err(Error::io("copy to", &to_file))?;
        }
        Ok(())
    }

    fn check_space_for_copy(&self, to: &Path) -> Result<(), Error> {
        let on_disk = |bytes: u64| bytes.next_multiple_of(BLOCK_BYTES) + BLOCK_BYTES;
        let needed = self.manifest.files.iter().map(|file| on_disk(file.bytes)).sum();
        let available = fs4::available_space(to).map_err(Error::io("read the free space of", to))?;
        if available < needed {
            return Err(Error::Disk { path: to.to_path_buf(), needed, available });
        }
        Ok(())
    }
}

/// Copies what a file holds, and not its permissions.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    io::copy(&mut source, &mut File::create(to)?).map(drop)
}
