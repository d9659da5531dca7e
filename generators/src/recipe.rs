//! A profile of one's own: the shape of a person's history, in numbers alone.
//!
//! A recipe holds counts, sizes and shares. It holds no text, path, id, date or name of the history it was made from: names of tools and
//! of record types are those of public lists ([`known`]), and everything else is counted as `other`.

mod check;
pub(crate) mod known;
mod quantiles;
mod ranks;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::page::hex;

pub(crate) use quantiles::rounded;
pub use quantiles::{GRID, Quantiles};
pub(crate) use ranks::correlation;

/// The form of a recipe's file.
pub(crate) const SCHEMA: &str = "highwater-profile/1";

/// No file of a recipe is larger: a real one has some 10 kB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A tool whose histories are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// VS Code Copilot Chat.
    Vscode,
    /// GitHub Copilot CLI.
    CopilotCli,
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// OpenCode: its tree of files, or its database.
    Opencode,
    /// Kilo.
    Kilo,
}

impl Format {
    /// All formats, in the order of a recipe's file.
    pub const ALL: [Format; 7] = [
        Format::Vscode,
        Format::CopilotCli,
        Format::Claude,
        Format::Codex,
        Format::Gemini,
        Format::Opencode,
        Format::Kilo,
    ];

    /// The name, as in a recipe's file and in manifests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Vscode => "vscode",
            Format::CopilotCli => "copilot-cli",
            Format::Claude => "claude",
            Format::Codex => "codex",
            Format::Gemini => "gemini",
            Format::Opencode => "opencode",
            Format::Kilo => "kilo",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a person's history is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The form of the file: `highwater-profile/1`.
    pub schema: String,
    /// What the person calls it: small letters, digits and dashes.
    pub name: String,
    /// What the history of VS Code Copilot Chat is like, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vscode: Option<History>,
    /// Of Copilot CLI.
    #[serde(default, rename = "copilot-cli", skip_serializing_if = "Option::is_none")]
    pub copilot_cli: Option<History>,
    /// Of Claude Code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claude: Option<History>,
    /// Of Codex CLI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codex: Option<History>,
    /// Of Gemini CLI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gemini: Option<History>,
    /// Of OpenCode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opencode: Option<History>,
    /// Of Kilo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kilo: Option<History>,
}

/// What the history of one tool is like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Log directories (products, servers) that the history lies in.
    pub roots: u64,
    /// Workspace directories with at least one session.
    pub workspaces: u64,
    /// Workspace directories without any.
    #[serde(default)]
    pub empty_workspaces: u64,
    /// Sessions.
    pub sessions: u64,
    /// Files of sessions, those of subagents included.
    pub files: u64,
    /// Their bytes, as they are on disk.
    pub bytes: u64,
    /// Of the files: those of subagents.
    #[serde(default)]
    pub subagents: u64,
    /// Of the bytes: those of subagents.
    #[serde(default)]
    pub subagent_bytes: u64,
    /// Requests: what the person asked.
    pub requests: u64,
    /// Tokens that models wrote, as far as the files tell.
    #[serde(default)]
    pub output_tokens: u64,
    /// Bytes of the longest line; of a file that is one document, its size.
    pub longest_line: u64,
    /// The deepest nesting of JSON.
    pub depth: u64,
    /// How far sessions with many requests are the long ones: Spearman's rank correlation, from -1 to 1.
    pub rank_correlation: f64,
    /// How sizes and counts are distributed.
    pub quantiles: Tables,
    /// Calls by tool; tools that no public list names are `other`.
    #[serde(default)]
    pub tools: BTreeMap<String, u64>,
    /// Lines (or messages) by type; types that no public list names are `other`.
    #[serde(default)]
    pub records: BTreeMap<String, u64>,
    /// Sessions by the shape of their file.
    #[serde(default)]
    pub shapes: BTreeMap<String, u64>,
}

/// The distributions of a history, each a value at every share of [`GRID`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Sessions of a workspace that has any.
    pub sessions_per_workspace: Quantiles,
    /// Bytes of a session's file.
    pub bytes_per_session: Quantiles,
    /// Requests of a session.
    pub requests_per_session: Quantiles,
    /// Bytes of a line.
    pub bytes_per_line: Quantiles,
    /// Tool calls of a request.
    pub tool_calls_per_request: Quantiles,
    /// Subagents of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagents_per_session: Option<Quantiles>,
    /// Bytes of a subagent's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_subagent: Option<Quantiles>,
}

impl Recipe {
    /// A recipe of so called histories.
    ///
    /// # Errors
    /// [`Error::Recipe`] when a value means nothing, such as a name with other characters than small letters, digits and dashes.
    pub fn new(name: &str, histories: BTreeMap<Format, History>) -> Result<Recipe, Error> {
        let mut histories = histories;
        let mut take = |format: Format| histories.remove(&format);
        let recipe = Recipe {
            schema: SCHEMA.to_owned(),
            name: name.to_owned(),
            vscode: take(Format::Vscode),
            copilot_cli: take(Format::CopilotCli),
            claude: take(Format::Claude),
            codex: take(Format::Codex),
            gemini: take(Format::Gemini),
            opencode: take(Format::Opencode),
            kilo: take(Format::Kilo),
        };
        recipe.checked(Path::new("the new profile"))
    }

    /// Refuses what a recipe cannot be called.
    ///
    /// # Errors
    /// [`Error::ProfileName`] says what to call it instead.
    pub fn check_name(name: &str) -> Result<(), Error> {
        let flaw = check::name_flaw(name);
        flaw.map_or(Ok(()), |why| Err(Error::ProfileName { name: name.to_owned(), why }))
    }

    /// Reads a recipe and refuses what cannot be one.
    ///
    /// # Errors
    /// [`Error::Recipe`] names the field and what to do about it, [`Error::Io`] when the file cannot be read.
    pub fn load(path: &Path) -> Result<Recipe, Error> {
        let bytes = fs::metadata(path).map_err(Error::io("read profile", path))?.len();
        if bytes > FILE_BYTES_MAX {
            let why = format!("it has {bytes} bytes, and no profile has more than {FILE_BYTES_MAX}");
            return Err(check::refuse(path, "file", why));
        }
        let text = fs::read_to_string(path).map_err(Error::io("read profile", path))?;
        Recipe::parse(&text, path)
    }

    /// Reads a recipe's text, which is said to come from `path`.
    ///
    /// # Errors
    /// [`Error::Recipe`] names the field and what to do about it.
    pub fn parse(text: &str, path: &Path) -> Result<Recipe, Error> {
        let recipe: Recipe = toml::from_str(text).map_err(|error| {
            let why = error.to_string();
            check::refuse(path, "file", format!("it is no profile: {}", why.trim_end()))
        })?;
        recipe.checked(path)
    }

    /// The recipe as a file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let text = toml::to_string(self).expect("a recipe has only string keys, so it is always TOML");
        format!("{HEAD}{text}")
    }

    /// The histories in it.
    pub fn histories(&self) -> impl Iterator<Item = (Format, &History)> {
        Format::ALL.into_iter().filter_map(|format| Some((format, self.history(format)?)))
    }

    /// What a tool's history is like, if there is any.
    #[must_use]
    pub fn history(&self, format: Format) -> Option<&History> {
        match format {
            Format::Vscode => self.vscode.as_ref(),
            Format::CopilotCli => self.copilot_cli.as_ref(),
            Format::Claude => self.claude.as_ref(),
            Format::Codex => self.codex.as_ref(),
            Format::Gemini => self.gemini.as_ref(),
            Format::Opencode => self.opencode.as_ref(),
            Format::Kilo => self.kilo.as_ref(),
        }
    }

    /// Its name and the first 8 digits of its digest: two profiles of one name are two profiles.
    #[must_use]
    pub fn label(&self) -> String {
        let digest = blake3::hash(self.to_toml().as_bytes());
        format!("{}-{}", self.name, hex(&digest.as_bytes()[..4]))
    }
}

/// What stands above every recipe.
const HEAD: &str = "# The shape of a history of AI-coding sessions, made by `highwater corpus fit`: counts, sizes and shares only.\n\
    # Each table of quantiles has the values at the shares 0, .01, .05, .1, .25, .5, .75, .9, .95, .99, .999 and 1.\n\n";
