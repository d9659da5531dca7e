//! The tools a model may call, and how often it calls which.

/// A tool: the twenty-two of the registry, and three of MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Read,
    List,
    Glob,
    Grep,
    Bash,
    Edit,
    Multiedit,
    Write,
    ApplyPatch,
    Webfetch,
    Websearch,
    Codesearch,
    Task,
    Todowrite,
    Todoread,
    Question,
    Skill,
    Lsp,
    Batch,
    CodebaseSearch,
    PlanExit,
    Invalid,
    /// Of a browser: its screenshots are attached.
    McpScreenshot,
    /// Of an issue tracker.
    McpIssues,
    /// Of a library's documentation.
    McpDocs,
}

/// Every tool with the id under which parts name it.
pub(crate) const TOOLS: [(Tool, &str); 25] = [
    (Tool::Read, "read"),
    (Tool::List, "list"),
    (Tool::Glob, "glob"),
    (Tool::Grep, "grep"),
    (Tool::Bash, "bash"),
    (Tool::Edit, "edit"),
    (Tool::Multiedit, "multiedit"),
    (Tool::Write, "write"),
    (Tool::ApplyPatch, "apply_patch"),
    (Tool::Webfetch, "webfetch"),
    (Tool::Websearch, "websearch"),
    (Tool::Codesearch, "codesearch"),
    (Tool::Task, "task"),
    (Tool::Todowrite, "todowrite"),
    (Tool::Todoread, "todoread"),
    (Tool::Question, "question"),
    (Tool::Skill, "skill"),
    (Tool::Lsp, "lsp"),
    (Tool::Batch, "batch"),
    (Tool::CodebaseSearch, "codebase_search"),
    (Tool::PlanExit, "plan_exit"),
    (Tool::Invalid, "invalid"),
    (Tool::McpScreenshot, "playwright_browser_take_screenshot"),
    (Tool::McpIssues, "github_search_issues"),
    (Tool::McpDocs, "context7_get_library_docs"),
];

/// How often each tool is called.
pub(crate) type Mix = &'static [(Tool, usize)];

/// What was measured of real sessions.
pub(crate) const USUAL: Mix = &[
    (Tool::Read, 36),
    (Tool::Edit, 20),
    (Tool::Bash, 18),
    (Tool::Grep, 8),
    (Tool::Glob, 5),
    (Tool::Todowrite, 4),
    (Tool::Write, 3),
    (Tool::Webfetch, 2),
    (Tool::Task, 2),
    (Tool::McpScreenshot, 1),
    (Tool::McpIssues, 1),
];

/// The same of the models that are given `apply_patch` in the place of `edit` and `write`.
pub(crate) const PATCHING: Mix = &[
    (Tool::Read, 36),
    (Tool::ApplyPatch, 23),
    (Tool::Bash, 18),
    (Tool::Grep, 8),
    (Tool::Glob, 5),
    (Tool::Todowrite, 4),
    (Tool::Webfetch, 2),
    (Tool::Task, 2),
    (Tool::McpScreenshot, 1),
    (Tool::McpIssues, 1),
];

/// What a child session calls: no children of its own.
pub(crate) const OF_CHILDREN: Mix = &[(Tool::Read, 50), (Tool::Grep, 25), (Tool::Glob, 15), (Tool::Bash, 10)];

impl Tool {
    /// The id under which parts name it.
    pub(crate) fn id(self) -> &'static str {
        TOOLS.iter().find(|(tool, _)| *tool == self).map_or("invalid", |(_, id)| id)
    }

    /// Whether it replaces lines of a file.
    pub(super) fn edits(self) -> bool {
        matches!(self, Tool::Edit | Tool::Multiedit | Tool::ApplyPatch)
    }

    /// Whether it is of an MCP server.
    pub(super) fn is_mcp(self) -> bool {
        matches!(self, Tool::McpScreenshot | Tool::McpIssues | Tool::McpDocs)
    }
}
