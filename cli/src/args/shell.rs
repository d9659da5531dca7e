//! What can be typed after `highwater completions` and `highwater man`.

use std::path::PathBuf;

use clap::Args;

/// Print what a shell completes words by
///
/// Examples:
///   highwater completions bash > ~/.local/share/bash-completion/completions/highwater
///   highwater completions zsh > ~/.zfunc/_highwater
///   highwater completions fish > ~/.config/fish/completions/highwater.fish
///   highwater completions powershell >> $PROFILE
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual pages: highwater.1, and one of each verb
///
/// Examples:
///   highwater man ~/.local/share/man/man1 && man highwater-exec
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Man {
    /// Where the pages are written; made when it is not there.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
