//! Realistic, reproducible corpora of AI-coding sessions, with a manifest of what is true of them.
//!
//! A [`Spec`] (profile, scale, seed) names a corpus; [`ensure`] makes it: a directory with a home-like tree of session files as
//! VS Code Copilot Chat, Copilot CLI and Claude Code write them, and a [`Manifest`] that says what a reader must find there.
//! The manifest is computed while the files are written, from the text itself and not by reading it back, so it is an oracle
//! that shares no code with any reader.
//!
//! Each file's bytes derive from the seed, the profile and its own path, drawn from ChaCha8 and, where a distribution needs
//! `exp` or `ln`, computed by `libm` instead of the platform: the same bytes on every machine and with any number of threads.
//! So a corpus that was interrupted goes on where it stopped, and one that is too large for a machine is written in [`Shard`]s by
//! several, which [`merge`] joins. Text is put together from pools of pre-escaped pieces whose lengths are known, so it is written
//! at disk speed.
//!
//! ```
//! # use std::sync::atomic::AtomicBool;
//! use highwater_generators::{self as generators, Profile, Spec};
//!
//! let dir = tempfile::tempdir().expect("a temporary directory");
//! let spec = Spec { profile: Profile::Smoke, scale: 1.0, seed: 1 };
//! let corpus = generators::ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ())?;
//! assert!(corpus.home().join(".claude/projects").is_dir());
//! assert!(corpus.manifest.answer.sessions >= 25);
//! # Ok::<(), generators::Error>(())
//! ```

mod adversarial;
mod answer;
mod assemble;
mod claude;
mod cli;
mod codex;
mod copy;
mod corpus;
mod dice;
mod distribution;
mod error;
mod fit;
mod gemini;
mod growth;
mod journal;
mod making;
mod manifest;
mod merge;
mod opencode;
mod ours;
mod page;
mod plan;
mod pool;
mod profile;
mod recipe;
mod shard;
mod size;
mod special;
mod sqlite;
mod text;
mod vscode;
mod write;

pub use corpus::{Corpus, Listing, Summary, ensure, generate, list, verify};
pub use error::Error;
pub use fit::{Fit, fit};
pub use growth::{Growth, Step, grow};
pub use manifest::{Answer, EditEntry, FileEntry, FormatTotals, Manifest, SessionEntry, Tokens};
pub use merge::merge;
pub use opencode::SCHEMA as OPENCODE_SCHEMA;
pub use profile::{Own, Profile, Spec};
pub use recipe::{Format, GRID, History, Quantiles, Recipe, Tables};
pub use shard::Shard;
pub use special::Special;
pub use write::{Progress, foresee};
