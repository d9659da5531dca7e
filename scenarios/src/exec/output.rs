//! What samples wrote, kept as files.

use std::fs;
use std::path::Path;

use harness::subject::{Output, Sample};

use super::Error;

/// Keeps both outputs of a sample, each where anything was written.
pub(super) fn keep(folder: &Path, stem: &str, sample: &Sample) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::file("make", folder, source))?;
    for (output, ending) in [(&sample.stdout, "stdout"), (&sample.stderr, "stderr")] {
        let path = folder.join(format!("{stem}.{ending}"));
        let bytes = bytes(output);
        if !bytes.is_empty() {
            fs::write(&path, bytes).map_err(|source| Error::file("write", &path, source))?;
        }
    }
    Ok(())
}

/// The output as it came, with a line that says how much is missing in the middle.
fn bytes(output: &Output) -> Vec<u8> {
    let mut bytes = output.first.clone();
    if output.dropped_bytes > 0 {
        bytes.extend(format!("\n[{} bytes left out]\n", output.dropped_bytes).into_bytes());
    }
    bytes.extend(&output.last);
    bytes
}
