//! How much of what: every number that shapes a corpus, with its source.
//!
//! Sources: **S** a public measurement (TraceLab of UW: 43 users, 4,265 sessions; counts from issue trackers), **F** fitted to S,
//! **H** measured for this project, **A** assumed. Sizes are in bytes of the escaped text unless said.

use crate::dice::{Dice, LogNormal};

/// A law of requests in a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requests {
    /// Share of sessions with one request.
    pub(crate) single: f64,
    /// The others.
    pub(crate) rest: LogNormal,
    /// No session has more.
    pub(crate) most: u64,
}

impl Requests {
    /// The count at a share `p` (0 to 1) of all sessions, from the smallest to the largest.
    pub(crate) fn at(&self, p: f64) -> u64 {
        if p < self.single {
            return 1;
        }
        (self.rest.at((p - self.single) / (1.0 - self.single)) as u64).clamp(2, self.most)
    }
}

/// Requests of a session. F: one in 58.5 %, else log-normal (TraceLab: mean 9.2, p50 1, p90 18, p99 137). The cap (A) keeps an ordinary
/// file below 20 MB.
pub(crate) const REQUESTS: Requests =
    Requests { single: 0.585, rest: LogNormal { median: 5.87, sigma: 1.59 }, most: 600 };

/// Requests of an ordinary user's VS Code session. F: 28 KB each give files of about 0.6 MB (median) and 1.4 MB (mean).
pub(crate) const REQUESTS_LAPTOP: Requests =
    Requests { single: 0.2, rest: LogNormal { median: 26.0, sigma: 1.1 }, most: 600 };

/// Bytes of a prompt. A: median 180 characters.
pub(crate) const MESSAGE: LogNormal = LogNormal { median: 180.0, sigma: 1.4 };

/// Share of prompts with a pasted blob, and its size. A: 2 %; the tail is cut so that one paste does not decide a corpus.
pub(crate) const PASTE_SHARE: f64 = 0.02;
/// See [`PASTE_SHARE`].
pub(crate) const PASTE: LogNormal = LogNormal { median: 5_000.0, sigma: 1.1 };

/// Share of texts that hold characters beyond Latin-1. H: 30 % of strings in the corpus that the real engine was measured with.
pub(crate) const WIDE_SHARE: f64 = 0.3;

/// Share of pieces in a text that are fenced code. A.
pub(crate) const CODE_SHARE: f64 = 0.06;

/// Bytes of a text block of a Claude or CLI answer. A: median 450, from output tokens.
pub(crate) const ANSWER: LogNormal = LogNormal { median: 450.0, sigma: 1.2 };

/// Bytes of a markdown part of a VS Code answer. A: so that message and answer are 15 to 25 % of a request's 28 KB.
pub(crate) const MARKDOWN: LogNormal = LogNormal { median: 1_000.0, sigma: 1.1 };

/// Bytes of a VS Code thinking part. A.
pub(crate) const THINKING: LogNormal = LogNormal { median: 300.0, sigma: 0.9 };

/// Bytes of a tool's result. F: mean 5.1 KB, p90 10 KB, p99 65 KB.
pub(crate) const TOOL_RESULT: LogNormal = LogNormal { median: 1_100.0, sigma: 1.75 };

/// Bytes of a VS Code tool's result. A: shorter than others', so that a request has its 28 KB (H).
pub(crate) const VSCODE_TOOL_RESULT: LogNormal = LogNormal { median: 800.0, sigma: 1.6 };

/// No tool's result is longer; S: the tools' own limits, seen as 400 KB lines.
pub(crate) const TOOL_RESULT_BYTES_MAX: usize = 400_000;

/// In the smoke profile no tool's result and no image has more bytes than these (A).
pub(crate) const SMOKE_BYTES_MAX: (usize, usize) = (6_000, 4_500);

/// Bytes of a tool's input. A: median 500.
pub(crate) const TOOL_INPUT: LogNormal = LogNormal { median: 500.0, sigma: 1.3 };

/// How many times an edit's input is as long. A.
pub(crate) const EDIT_INPUT_FACTOR: usize = 3;

/// Share of requests without a tool call. F (TraceLab: 40 %).
pub(crate) const NO_TOOLS_SHARE: f64 = 0.4;

/// Tool calls of the other requests. A: fewer than TraceLab's mean of 10.8, because a VS Code request shall be 28 KB (H).
pub(crate) const TOOL_CALLS: LogNormal = LogNormal { median: 3.2, sigma: 0.75 };

/// Tool calls of a Claude request with any. F: below TraceLab's, so that a session has the 0.34 MB of 742 counted files (S).
pub(crate) const CLAUDE_TOOL_CALLS: LogNormal = LogNormal { median: 4.5, sigma: 0.9 };

/// No request calls more tools (A).
pub(crate) const TOOL_CALLS_MAX: usize = 60;

/// Bytes of a prompt as rendered for the model: the message with its context. A.
pub(crate) const RENDERED_CONTEXT: LogNormal = LogNormal { median: 2_600.0, sigma: 0.7 };

/// Bytes of an edited file's whole text. A: median 9 KB.
pub(crate) const WHOLE_FILE: LogNormal = LogNormal { median: 9_000.0, sigma: 0.8 };

/// Output tokens of a step. F: median 214 (TraceLab).
pub(crate) const OUTPUT_TOKENS: LogNormal = LogNormal { median: 214.0, sigma: 1.34 };

/// New input tokens of a step. S: median 875.
pub(crate) const INPUT_TOKENS: LogNormal = LogNormal { median: 875.0, sigma: 1.5 };

/// Cached prefix tokens of a step. S: median 119 k.
pub(crate) const CACHED_TOKENS: LogNormal = LogNormal { median: 119_000.0, sigma: 0.8 };

/// Share of tool calls that fail. A.
pub(crate) const TOOL_ERROR_SHARE: f64 = 0.05;

/// Share of sessions with images. A: 15 % in a person's history, fewer here because most sessions are short.
pub(crate) const IMAGE_SESSION_SHARE: f64 = 0.06;

/// Bytes of an image before it is encoded. A: a screenshot scaled down; public ones are larger (base64 of 250 KB).
pub(crate) const IMAGE: LogNormal = LogNormal { median: 12_000.0, sigma: 0.6 };

/// Bytes of an image that a pathological session holds as a dictionary of bytes: 5 MB each. S: a screenshot of a whole screen.
pub(crate) const DICTIONARY_IMAGE_BYTES: usize = 500_000;

/// Share of Claude sessions with subagents. S: 203 of 753.
pub(crate) const SUBAGENT_SESSION_SHARE: f64 = 0.27;

/// The chance of a further subagent after each. S: 3.8 transcripts a session that has any.
pub(crate) const FURTHER_SUBAGENT: f64 = 0.74;

/// Most subagents of an ordinary session. S: p99 60; fewer here.
pub(crate) const SUBAGENTS_MAX: u32 = 12;

/// Sessions of a workspace that has any, as a weight. F: eye-fit to three users (p50 3 to 4, p90 22).
pub(crate) const SESSIONS_PER_WORKSPACE: LogNormal = LogNormal { median: 3.5, sigma: 1.45 };

/// Share of sessions with a lone surrogate. A: 0.5 % of sessions.
pub(crate) const LONE_SURROGATE_SHARE: f64 = 0.005;

/// Share of files whose last line is torn. A: 0.5 %.
pub(crate) const TORN_SHARE: f64 = 0.005;

/// Share of Claude files with lines written again under the same uuid, and of lines in them. A, after 17,000 such groups (S).
pub(crate) const REWRITTEN_FILE_SHARE: f64 = 0.05;
/// See [`REWRITTEN_FILE_SHARE`].
pub(crate) const REWRITTEN_LINE_SHARE: f64 = 0.01;

/// Share of Claude files where a tool's result stands before its call. S: 14 of 500.
pub(crate) const RESULT_FIRST_SHARE: f64 = 0.028;

/// Share of files with lines out of time order. A: 1 %.
pub(crate) const OUT_OF_ORDER_SHARE: f64 = 0.01;

/// Share of Claude sessions that begin with a copy of another's first requests. S: 1 of 142.
pub(crate) const RESUMED_SHARE: f64 = 0.01;

/// Share of files with a raw U+2028. A: 1e-5 of lines.
pub(crate) const LINE_SEPARATOR_SHARE: f64 = 0.002;

/// Share of requests a user cancels, and of those that fail. A.
pub(crate) const CANCELLED_SHARE: f64 = 0.03;
/// See [`CANCELLED_SHARE`].
pub(crate) const ERRORED_SHARE: f64 = 0.03;

/// Entries after which VS Code rewrites an append log as one line. S: `objectMutationLog.ts`.
pub(crate) const COMPACTION_ENTRIES: u64 = 1_024;

/// Entries a request leaves in an append log. H: mean of this generator.
pub(crate) const ENTRIES_PER_REQUEST: u64 = 17;

/// Tools of VS Code, with weights. F: execute 40, read and search 35, edit 20, others 5 %.
pub(crate) const VSCODE_TOOLS: &[(&str, u32)] = &[
    ("run_in_terminal", 38),
    ("read_file", 22),
    ("replace_string_in_file", 12),
    ("grep_search", 7),
    ("create_file", 5),
    ("list_dir", 4),
    ("get_errors", 3),
    ("file_search", 3),
    ("manage_todo_list", 2),
    ("fetch_webpage", 2),
    ("runSubagent", 1),
    ("mcp_github_search_issues", 1),
];

/// Tools of Claude Code, with weights. S: Bash 47, Read 23, Edit 13 %, the rest over 51 tools.
pub(crate) const CLAUDE_TOOLS: &[(&str, u32)] = &[
    ("Bash", 47),
    ("Read", 23),
    ("Edit", 13),
    ("Grep", 4),
    ("Write", 4),
    ("Glob", 2),
    ("TodoWrite", 3),
    ("WebFetch", 1),
    ("WebSearch", 1),
    ("Task", 1),
    ("mcp__github__list_issues", 1),
];

/// Tools of Copilot CLI, with weights. A, after the others.
pub(crate) const CLI_TOOLS: &[(&str, u32)] = &[
    ("bash", 50),
    ("view", 20),
    ("edit", 12),
    ("grep", 6),
    ("create", 4),
    ("glob", 3),
    ("report_intent", 3),
    ("web_fetch", 1),
    ("task", 1),
];

/// Bytes of a heavy user's rollouts, forks and compacted ones included. F: log-normal with mu 13.68 and sigma 2.15, fitted to 979
/// counted files (S).
pub(crate) const CODEX_HEAVY: LogNormal = LogNormal { median: 873_270.0, sigma: 2.15 };

/// Bytes of an ordinary user's rollouts. H: a simulation of the laws above, p50 0.30 MB and mean 1.0 MB.
pub(crate) const CODEX_LAPTOP: LogNormal = LogNormal { median: 300_000.0, sigma: 1.55 };

/// Share of rollouts that are forks, of a heavy user. S: 528 of 979.
pub(crate) const CODEX_FORKED_SHARE: f64 = 0.54;

/// Share of rollouts that were compacted, and the chance of a further time. S: 18.4 %, 4.23 times each.
pub(crate) const CODEX_COMPACTED_SHARE: f64 = 0.184;
/// See [`CODEX_COMPACTED_SHARE`].
pub(crate) const CODEX_FURTHER_COMPACTION: f64 = 0.764;

/// Share of rollouts that the tool has compressed since. A: those of before last week, where the version does so.
pub(crate) const CODEX_COMPRESSED_SHARE: f64 = 0.25;

/// Share of OpenCode's sessions that are subagents' of others. S: 86 %.
pub(crate) const CHILD_SESSION_SHARE: f64 = 0.86;

/// Bytes of a session of OpenCode or Kilo. F: 626 MB in 1,812 sessions (S), spread like Codex's (A).
pub(crate) const OPENCODE_SESSION: LogNormal = LogNormal { median: 150_000.0, sigma: 1.4 };

/// Bytes of a session of Gemini. A: whole documents, and rarely long.
pub(crate) const GEMINI_SESSION: LogNormal = LogNormal { median: 80_000.0, sigma: 1.2 };

/// Share of chats that VS Code's index does not list. A: files stay when a list of 400 (50 in older versions) is cut.
pub(crate) const UNLISTED_SHARE: f64 = 0.05;

/// Tools of Codex CLI, with weights. S: exec_command 65, write_stdin 22, apply_patch 8 %; which the rest are, A.
pub(crate) const CODEX_TOOLS: &[(&str, u32)] = &[
    ("exec_command", 65),
    ("write_stdin", 22),
    ("apply_patch", 8),
    ("update_plan", 2),
    ("view_image", 1),
    ("web_search", 1),
    ("mcp__github__search_issues", 1),
];

/// Tools of Codex CLI in 2025, with weights. A: one shell stood for the first two of [`CODEX_TOOLS`].
pub(crate) const CODEX_TOOLS_2025: &[(&str, u32)] =
    &[("shell", 87), ("apply_patch", 8), ("update_plan", 4), ("view_image", 1)];

/// Tool calls of a Codex request with any. F (TraceLab, with [`NO_TOOLS_SHARE`]: p50 3, p90 28 a request).
pub(crate) const CODEX_TOOL_CALLS: LogNormal = LogNormal { median: 8.2, sigma: 1.25 };

/// The chance of a further call in the same step of Codex. S: 1.2 calls a step.
pub(crate) const CODEX_FURTHER_CALL: f64 = 0.17;

/// No output of a Codex tool has more bytes. H: the tool cuts at 10,000 tokens.
pub(crate) const CODEX_OUTPUT_BYTES_MAX: usize = 40_000;

/// Bytes of a step's encrypted thoughts. F: reasoning is 7.5 % of bytes where outputs are 32 % (codex#24948).
pub(crate) const CODEX_REASONING: LogNormal = LogNormal { median: 1_000.0, sigma: 0.6 };

/// Share of Codex steps that think, and of those that say something before they call. A.
pub(crate) const CODEX_REASONING_SHARE: f64 = 0.85;
/// See [`CODEX_REASONING_SHARE`].
pub(crate) const CODEX_COMMENTARY_SHARE: f64 = 0.35;

/// Bytes of what the model says before it calls. H: a sentence or two.
pub(crate) const CODEX_COMMENTARY: LogNormal = LogNormal { median: 160.0, sigma: 0.6 };

/// Bytes of a Codex patch. A: like an edit of the others.
pub(crate) const CODEX_PATCH: LogNormal = LogNormal { median: 700.0, sigma: 1.0 };

/// Bytes of the texts that Codex puts before a conversation. H: its instructions (in `session_meta`), what is permitted, AGENTS.md, the
/// instructions of a mode, and those of the skills (in each `turn_context`).
pub(crate) const CODEX_TEXTS: [usize; 5] = [14_600, 4_100, 2_600, 950, 2_550];

/// The window of Codex's models, and the share of it where it compacts. H and A.
pub(crate) const CODEX_WINDOW: (u64, f64) = (258_400, 0.9);

/// The chance that a step finds its prefix in no cache. A.
pub(crate) const CODEX_CACHE_MISS: f64 = 0.04;

/// Models of Codex CLI. H and A.
pub(crate) const CODEX_MODELS: &[&str] = &["gpt-5.4", "gpt-5.4-codex", "gpt-5.4-mini"];

/// Models of Codex CLI in 2025. A.
pub(crate) const CODEX_MODELS_2025: &[&str] = &["gpt-5", "gpt-5-codex"];
/// Tools of Gemini CLI, with weights. A, after the others.
pub(crate) const GEMINI_TOOLS: &[(&str, u32)] = &[
    ("run_shell_command", 44),
    ("read_file", 22),
    ("replace", 13),
    ("search_file_content", 6),
    ("write_file", 5),
    ("list_directory", 4),
    ("glob", 3),
    ("web_fetch", 1),
    ("google_web_search", 1),
    ("save_memory", 1),
];

/// Models of Gemini CLI. A.
pub(crate) const GEMINI_MODELS: &[&str] = &["gemini-2.5-pro", "gemini-2.5-flash", "gemini-3-pro-preview"];

/// Tools of OpenCode and Kilo, with weights. A, after the others.
pub(crate) const OPENCODE_TOOLS: &[(&str, u32)] = &[
    ("bash", 42),
    ("read", 24),
    ("edit", 12),
    ("grep", 6),
    ("write", 4),
    ("glob", 4),
    ("todowrite", 3),
    ("list", 2),
    ("github_search_issues", 1),
    ("webfetch", 1),
    ("task", 1),
];

/// Steps of an answer in OpenCode, each a message. F: 28 messages of 3.5 parts a session (S: 1,812 sessions), where two requests are usual.
pub(crate) const OPENCODE_STEPS: LogNormal = LogNormal { median: 8.0, sigma: 0.9 };

/// Share of OpenCode's requests that change files. A.
pub(crate) const DIFFS_SHARE: f64 = 0.4;

/// Providers and models of OpenCode and Kilo. A.
pub(crate) const OPENCODE_MODELS: &[(&str, &str)] = &[
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-5"),
    ("openai", "gpt-5"),
    ("openrouter", "moonshotai/kimi-k2"),
];

/// Models of VS Code and Copilot CLI. A.
pub(crate) const COPILOT_MODELS: &[&str] = &[
    "copilot/claude-sonnet-4.5",
    "copilot/gpt-5",
    "copilot/gpt-5-codex",
    "copilot/gemini-2.5-pro",
    "copilot/auto",
];

/// Models of Claude Code. A.
pub(crate) const CLAUDE_MODELS: &[&str] =
    &["claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"];

/// The size of a message.
pub(crate) fn message_bytes(dice: &mut Dice) -> usize {
    if dice.chance(PASTE_SHARE) { dice.size(PASTE) } else { dice.size(MESSAGE).max(8) }
}

/// The number of tool calls of a request.
pub(crate) fn tool_calls(dice: &mut Dice, law: LogNormal) -> usize {
    if dice.chance(NO_TOOLS_SHARE) { 0 } else { dice.size(law).clamp(1, TOOL_CALLS_MAX) }
}

#[cfg(test)]
mod tests;
