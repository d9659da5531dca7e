//! What can be typed after `highwater schema`.

use clap::{Args, ValueEnum};

/// Print the JSON Schema of a file, for editors and for tools that read it
///
/// The files that `highwater init` and `highwater budget init` write begin with a line `#:schema ADDRESS`,
/// by which Even Better TOML and Taplo find the schema of their version. Where there is no network,
/// save it and name the file in that line.
///
/// Examples:
///   highwater schema highwater.toml
///   highwater schema budgets.toml > budgets.schema.json     then: #:schema ./budgets.schema.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Schema {
    /// The file.
    #[arg(value_enum, value_name = "FILE")]
    pub(crate) of: Of,
}

/// Files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// What a project measures.
    #[value(name = "highwater.toml")]
    Project,
    /// Limits.
    #[value(name = "budgets.toml")]
    Budgets,
    /// What a run came to.
    #[value(name = "run.json")]
    Run,
}
