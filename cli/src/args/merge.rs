//! What can be typed after `highwater merge`.

use std::path::PathBuf;

use clap::Args;

/// Join the runs of several machines to one
///
/// Each has measured other cases of the same build, on machines that are alike: the jobs of a
/// matrix, each with a family. Runs of different builds or environments are refused, and so is a
/// case that two of them have. Judgements are kept, and the worst verdict is the whole's; `highwater gate
/// DIR` judges it anew. The exit code tells only whether they could be joined.
///
/// Examples:
///   highwater merge shards/sync shards/view --out target/highwater/latest
///   highwater gate target/highwater/latest
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Merge {
    /// The runs: each the folder that holds a run.json, or that file.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Where the whole is written, in place of a run that is there.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}
