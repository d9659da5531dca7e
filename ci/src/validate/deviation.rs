//! Where a tool is known to count otherwise than is true, and why: `docs/validation.md` has the same list.

use crate::validate::manifest::File;

/// Which files a deviation is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// Those with the quirk.
    Has,
    /// Those that have lines which every reader must skip.
    SkipsLines,
    /// Those without a record of this type.
    Lacks(&'static str),
    /// Those whose name ends so.
    Ends(&'static str),
}

/// One known deviation of a tool: what it is about is left out of the comparison.
#[derive(Debug)]
pub(crate) struct Deviation {
    pub(crate) tool: &'static str,
    pub(crate) format: &'static str,
    /// The quirk's name in the manifest, or a name for what else it is.
    pub(crate) quirk: &'static str,
    pub(crate) rule: Rule,
}

/// All that are known.
pub(crate) const DEVIATIONS: &[Deviation] = &[
    Deviation { tool: "ccusage", format: "claude", quirk: "gateway", rule: Rule::Has },
    Deviation {
        tool: "ccusage",
        format: "copilot-cli",
        quirk: "never-shut-down",
        rule: Rule::Lacks("session.shutdown"),
    },
    Deviation { tool: "ccusage", format: "copilot-cli", quirk: "numeric-time", rule: Rule::Has },
    Deviation { tool: "ccusage", format: "codex", quirk: "compressed", rule: Rule::Ends(".zst") },
    Deviation { tool: "ccusage", format: "codex", quirk: "copied", rule: Rule::Has },
    Deviation { tool: "codex", format: "codex", quirk: "bare", rule: Rule::Lacks("session_meta") },
    Deviation { tool: "codex", format: "codex", quirk: "lone-surrogate", rule: Rule::Has },
    Deviation { tool: "ccusage", format: "gemini", quirk: "lone-surrogate", rule: Rule::Has },
    Deviation { tool: "opencode", format: "kilo", quirk: "bad-operation", rule: Rule::Has },
    Deviation { tool: "opencode", format: "opencode", quirk: "bad-operation", rule: Rule::Has },
    Deviation { tool: "claude-code-log", format: "claude", quirk: "skipped-lines", rule: Rule::SkipsLines },
    Deviation { tool: "agentsview", format: "claude", quirk: "gateway", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "claude", quirk: "result-first", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "vscode", quirk: "deleted-request", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "vscode", quirk: "dropped-request", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "vscode", quirk: "lone-surrogate", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "vscode", quirk: "no-first-state", rule: Rule::Has },
    Deviation { tool: "agentsview", format: "vscode", quirk: "string-messages", rule: Rule::Has },
];

/// The known deviation of a tool at a file, if there is one.
pub(crate) fn at(tool: &str, file: &File) -> Option<&'static Deviation> {
    DEVIATIONS.iter().filter(|known| known.tool == tool && known.format == file.format).find(|known| {
        match known.rule {
            Rule::Has => file.has(known.quirk),
            Rule::SkipsLines => file.skipped_lines > 0,
            Rule::Lacks(record) => !file.records.contains_key(record),
            Rule::Ends(ending) => file.path.ends_with(ending),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_left_out_for_the_tool_and_format_only_that_deviate() {
        let quirks = vec!["gateway".to_owned()];
        let file = File { format: "claude".to_owned(), quirks, ..File::default() };
        assert_eq!(at("ccusage", &file).map(|known| known.quirk), Some("gateway"));
        assert!(at("claude-code-log", &file).is_none());
        assert!(at("ccusage", &File { format: "gemini".to_owned(), ..file }).is_none());
    }

    #[test]
    fn a_session_that_was_never_shut_down_is_known_by_its_records() {
        let mut file = File { format: "copilot-cli".to_owned(), ..File::default() };
        assert_eq!(at("ccusage", &file).map(|known| known.quirk), Some("never-shut-down"));
        file.records.insert("session.shutdown".to_owned(), 1);
        assert!(at("ccusage", &file).is_none());
    }

    #[test]
    fn every_deviation_has_its_row_in_the_page() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/validation.md");
        let page = std::fs::read_to_string(page).expect("docs/validation.md is there");
        for known in DEVIATIONS {
            let row = format!("| {} | {} | `{}` |", known.tool, known.format, known.quirk);
            assert!(page.contains(&row), "docs/validation.md has no row that begins {row}");
        }
    }
}
