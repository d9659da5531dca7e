//! A project's own file, `highwater.toml`: which commands of it are measured, how, and by which budgets they are judged.
//!
//! `docs/project.md` is its manual. Whatever in it is not known or cannot be meant is refused with file and line, before anything
//! is measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::exec::{self, Wanted};

mod choice;
mod read;

pub use choice::CorpusChoice;

/// The file's name. It lies in the folder that its commands are run in.
pub const FILE: &str = "highwater.toml";

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "highwater.toml")]
pub struct Project {
    /// The command that makes what is measured, such as a build. It is run once, before everything else, without a shell.
    #[serde(default, deserialize_with = "read::some_words")]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub build: Option<Vec<String>>,
    /// The file of budgets that the run is judged by. Without one nothing is judged.
    pub budgets: Option<PathBuf>,
    /// What budgets of growth are judged against: a saved baseline, or the run.json of an earlier run.
    pub baseline: Option<PathBuf>,
    /// What is measured, one entry for each command.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub measure: Vec<Measure>,
}

/// A command that is measured, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What the case is called: FAMILY/SCENARIO:STRATEGY, such as app/start:main. Budgets name it.
    #[serde(deserialize_with = "read::case_name")]
    #[schemars(with = "String", regex(pattern = r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+$"))]
    pub name: Spanned<String>,
    /// The program and its arguments, without a shell. {corpus} in an argument is the path of the corpus.
    #[serde(deserialize_with = "read::words")]
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub command: Vec<String>,
    /// Gives each sample a fresh copy of this corpus as its home, such as laptop, heavy@0.05 or mine.toml.
    #[serde(default, deserialize_with = "read::corpus")]
    #[schemars(with = "Option<String>")]
    pub corpus: Option<CorpusChoice>,
    /// The seed of the corpus; 1 when not given.
    pub seed: Option<u64>,
    /// Whether all samples share one copy of the corpus, so that each finds what those before have left.
    #[serde(default)]
    pub warm: bool,
    /// Samples of `os`; counts and `quiet` take 2, other instruments 1.
    #[serde(default = "read::samples", deserialize_with = "read::at_least_one")]
    #[schemars(range(min = 1))]
    pub samples: u32,
    /// What to read with, one pass each. `auto` is `os`, and `v8` and `quiet` where Node runs.
    #[serde(default = "read::automatic", deserialize_with = "read::instruments")]
    #[schemars(with = "Vec<Instrument>", length(min = 1))]
    pub instrument: Vec<Wanted>,
    /// Seconds after which a sample's whole tree is ended; that is an error.
    #[serde(default = "read::timeout", deserialize_with = "read::at_least_one")]
    #[schemars(range(min = 1))]
    pub timeout: u32,
    /// The exit code that counts as success; 128 + N stands for signal N.
    #[serde(default)]
    pub expect_exit: i32,
    /// The lines of the command's output that begin a phase, which is named by the group `phase`, else by the first group, else by
    /// the match.
    #[serde(default, deserialize_with = "read::pattern")]
    #[schemars(with = "Option<String>")]
    pub phase_regex: Option<regex::bytes::Regex>,
    /// The file that is the command's standard input; nothing when not given.
    pub stdin: Option<PathBuf>,
    /// Whether each process is stopped at its end to be read; without it the tree is only looked at now and then.
    #[serde(default = "read::yes")]
    #[schemars(default = "read::yes")]
    pub trace: bool,
}

/// The names of instruments, as the schema lists them.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used: an editor offers the names")]
enum Instrument {
    Auto,
    Quiet,
    Os,
    Count,
    Jemalloc,
    JemallocCount,
    Dhat,
    StatsAlloc,
    V8,
    Tracemalloc,
}

/// Why a project's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is not known or cannot be meant.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
}

impl Project {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Wrong`].
    pub fn read(path: &Path) -> Result<Project, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Project::parse(&text, path)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`Error::Wrong`].
    pub fn parse(text: &str, path: &Path) -> Result<Project, Error> {
        let wrong = |at: usize, message: String| {
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            Error::Wrong { path: path.to_owned(), line, message }
        };
        let project: Project = toml::from_str(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', ", "))
        })?;
        project.check().map_err(|(at, message)| wrong(at, message))?;
        Ok(project)
    }

    /// What no entry can say by itself; the error is a place in the text and what is wrong there.
    fn check(&self) -> Result<(), (usize, String)> {
        if self.measure.is_empty() {
            let example = "add a [[measure]] with a name and a command";
            return Err((0, format!("there is nothing to measure: {example}")));
        }
        if self.baseline.is_some() && self.budgets.is_none() {
            return Err((0, "a baseline is judged against by budgets: name the file of them too".to_owned()));
        }
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        for measure in &self.measure {
            let (at, name) = (measure.name.span().start, measure.name.get_ref());
            if measure.corpus.is_none() && (measure.warm || measure.seed.is_some()) {
                return Err((at, format!("{name}: seed and warm are of a corpus, and there is none")));
            }
            for case in measure.cases() {
                if let Some(first) = taken.insert(case.clone(), name) {
                    let message = format!("{name}: the case {case} is that of {first} already");
                    return Err((at, message));
                }
            }
        }
        Ok(())
    }
}

impl Measure {
    /// The names of the cases that it may become: its own, and that of a quiet pass.
    pub fn cases(&self) -> [String; 2] {
        let name = self.name.get_ref();
        [name.clone(), exec::quiet_name(name)]
    }
}

/// The JSON Schema of the file: what an editor knows of it while it is written.
pub const SCHEMA: &str = include_str!("../schema/highwater.schema.json");

/// Where editors find the schema of this version.
pub const SCHEMA_ADDRESS: &str = concat!(
    "https://raw.githubusercontent.com/highwater-rs/highwater/v",
    env!("CARGO_PKG_VERSION"),
    "/scenarios/schema/highwater.schema.json"
);

#[cfg(test)]
mod tests;
