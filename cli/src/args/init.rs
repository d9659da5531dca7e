//! What can be typed after `highwater init`.

use std::path::PathBuf;

use clap::Args;

/// Write the files with which a project measures itself
///
/// Looks at the project in DIR (programs of a Cargo.toml, `bin`, `main` and `start` of a package.json,
/// scripts and packages of a pyproject.toml), and writes highwater.toml with a command for each
/// program, budgets.toml with a first limit for each, and a workflow: .github/workflows/highwater.yml,
/// or .gitlab/highwater.yml where there is a .gitlab-ci.yml. Files that are there stay as they are.
///
/// Nothing is built, run or sent anywhere. Read highwater.toml: what was not found is to be filled in.
///
/// Examples:
///   highwater init
///   highwater exec                 builds, measures, judges
///   highwater budget init --force  limits from what was measured, in place of the first ones
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Init {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) force: bool,
}
