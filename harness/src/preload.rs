//! What is put into programs of foreign runtimes so that their heaps are read: a preload for Node, a `sitecustomize` for Python.
//!
//! Both are files of this crate, written to the sample's own record directory and added through the environment. They leave
//! records like those of our own processes.

use std::ffi::OsString;
use std::path::Path;

use crate::Error;
use crate::record;
use crate::subject::{HeapDeath, Output, Subject, Tree};

/// What a foreign subject is started with, beyond what it was given.
#[derive(Debug, Default)]
pub(crate) struct Preload {
    /// Variables of the environment, set last.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Arguments that come before the subject's own.
    pub(crate) args: Vec<OsString>,
}

/// Writes what the subject's instrument needs into its record directory.
pub(crate) fn furnish(_subject: &Subject) -> Result<Preload, Error> {
    Ok(Preload::default())
}

/// The heaps of foreign runtimes that were full, by what they left in the record directory and said on standard error.
pub(crate) fn heap_deaths(_record_dir: &Path, _stderr: &Output) -> Result<Vec<HeapDeath>, Error> {
    Ok(Vec::new())
}

/// Members that the instrument should have read and did not, as sentences.
pub(crate) fn unread(_subject: &Subject, _tree: &Tree, _processes: &[record::Process]) -> Vec<String> {
    Vec::new()
}
