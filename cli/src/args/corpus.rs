//! What can be typed after `highwater corpus`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use generators::Shard;
use scenarios::project::CorpusChoice;

use super::SpecArgs;

#[derive(Debug, Args)]
pub(crate) struct Corpus {
    #[command(subcommand)]
    pub(crate) verb: CorpusVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusVerb {
    /// Write a corpus, unless it is there and whole
    ///
    /// A run that was interrupted, also by kill -9, goes on where it stopped when the same command is given again.
    ///
    /// With --shard several machines, or several runs, write a part each, and `highwater corpus merge` joins the parts. What comes
    /// out is the same to the last byte, whichever way it was made.
    ///
    /// Examples:
    ///   highwater corpus generate --profile heavy --scale 0.1
    ///   highwater corpus generate --profile heavy --scale 1 --shard 2/8
    #[command(verbatim_doc_comment)]
    Generate {
        #[command(flatten)]
        spec: SpecArgs,
        /// Write only this part of so many, such as 2/8.
        #[arg(long, value_name = "I/N")]
        shard: Option<Shard>,
    },
    /// Join the shards of a corpus, all of one seed, scale and generator
    ///
    /// Every file is checked first. The corpus's files are links to those of the shards where the file system has such, and copies
    /// elsewhere; the shards stay, and can be removed.
    ///
    /// Examples:
    ///   highwater corpus merge corpora/heavy-1-1.shard-*-of-8
    ///   highwater corpus merge part1/heavy-1-1.shard-1-of-2 part2/heavy-1-1.shard-2-of-2 --out corpora
    #[command(verbatim_doc_comment)]
    Merge {
        /// The shards: folders with a shard.jsonl.
        #[arg(required = true, value_name = "DIR")]
        shards: Vec<PathBuf>,
        /// Where corpora are kept; beside the first shard when not given.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    Search(Search),
    /// Check every file of a corpus against its manifest
    ///
    /// Examples:
    ///   highwater corpus verify target/highwater/corpora/smoke-1-1
    #[command(verbatim_doc_comment)]
    Verify {
        /// The corpus: a folder with a manifest.json.
        dir: PathBuf,
    },
    /// Change the files of a growth corpus as tools do, by its next step, and write its manifest anew
    ///
    /// Examples:
    ///   highwater corpus grow target/highwater/corpora/growth-1-1
    ///   highwater corpus grow target/highwater/corpora/growth-1-1 --step 5
    #[command(verbatim_doc_comment)]
    Grow {
        /// The corpus: a folder with a manifest.json, of the profile growth.
        dir: PathBuf,
        /// Take all steps up to this one.
        #[arg(long, value_name = "N")]
        step: Option<u64>,
    },
    /// Print what a corpus's bytes depend on, as one word for the key of a cache
    ///
    /// Corpora of one key are equal; nothing is written.
    ///
    /// Examples:
    ///   highwater corpus key laptop@0.1
    #[command(verbatim_doc_comment)]
    Key {
        /// Which corpus, such as `laptop`, `heavy@0.05` or `mine.toml`.
        #[arg(default_value = "heavy", value_name = "PROFILE[@SCALE]")]
        corpus: CorpusChoice,
        /// Seed of the corpus.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// List the corpora in a folder
    ///
    /// Examples:
    ///   highwater corpus list
    #[command(verbatim_doc_comment)]
    List {
        /// Where corpora are kept.
        #[arg(default_value = "target/highwater/corpora")]
        dir: PathBuf,
    },
    Fit(Fit),
}

/// Make a profile of your own histories, to grow the same shape of corpus elsewhere
///
/// Reads the session files of VS Code Copilot Chat, Copilot CLI, Claude Code, Codex CLI, Gemini CLI,
/// OpenCode and Kilo below each DIR, and writes how many and how large they are: counts, quantiles of
/// sizes, shares of tools and record types. No text, path, name, id or date is written, and tools and
/// record types only by names that are public. Read the file before you send it: it has some 200
/// lines. Nothing in DIR is changed, and links in it are not followed.
///
/// DIR is a home directory, or a log directory by itself, such as ~/.claude. Links, and what could not
/// be read to its end, are named here and are not in the file. docs/corpora.md is the manual.
///
/// Examples:
///   highwater corpus fit ~                             everything of yours, as mine.toml
///   highwater corpus fit ~/.claude --name claude-only --out claude.toml
///   highwater corpus generate --profile mine.toml      a corpus of that shape
///   highwater corpus generate --profile mine.toml --scale 0.1
///   highwater run --corpus mine.toml 'sync/cold:*'     measure over it
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Fit {
    /// Home directories, or log directories by themselves.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// The file to write; its name ends in .toml, by which --profile knows it.
    #[arg(long, default_value = "mine.toml", value_name = "FILE", value_parser = toml_path)]
    pub(crate) out: PathBuf,
    /// What the profile is called in names of corpora: small letters, digits and dashes.
    #[arg(long, default_value = "mine")]
    pub(crate) name: String,
    /// Replace the file when it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Look for the history that is worst for a case, and save it as a profile
///
/// Climbs from history to history of the same size: how many sessions, how long, with how many
/// requests, of which tools, in how many workspaces; what counts is the case's peak heap for each
/// byte of input. What it finds is where the case's promise is nearest to breaking.
///
/// Examples:
///   highwater corpus search sync/cold:bounded
///   highwater corpus search sync/cold:as-reported --rounds 40 --out reported.toml
///   highwater run sync/cold --profile reported.toml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Search {
    /// The case, such as `sync/cold:bounded`.
    #[arg(default_value = "sync/cold:bounded")]
    pub(crate) case: String,
    /// Bytes of each history that is tried.
    #[arg(long, default_value_t = 16 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1 << 16..=1 << 33))]
    pub(crate) bytes: u64,
    /// How many histories are tried.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seed of the way that is gone, and of the corpora.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the worst is saved.
    #[arg(long, default_value = "worst.toml", value_name = "FILE", value_parser = toml_path)]
    pub(crate) out: PathBuf,
    /// Replace that file.
    #[arg(long)]
    pub(crate) force: bool,
}

fn toml_path(text: &str) -> Result<PathBuf, String> {
    if text.ends_with(".toml") { Ok(text.into()) } else { Err("its name must end in .toml".to_owned()) }
}
