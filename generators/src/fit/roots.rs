//! Where histories are: the log directories of each tool, below a home directory or given by themselves.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::fit::folder::{Kind, Skipped, kind};
use crate::recipe::Format;

/// How a log directory is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `<workspace>/chatSessions/<session>.json` and `.jsonl`.
    Vscode,
    /// `<session>/events.jsonl`.
    Copilot,
    /// `<project>/<session>.jsonl`, with subagents in `<session>/subagents`.
    Claude,
    /// `sessions/<year>/<month>/<day>/rollout-*.jsonl` and `archived_sessions`.
    Codex,
    /// `<project>/chats/session-*.json`.
    Gemini,
    /// `session/<project>/<session>.json`, with `message` and `part` beside `session`.
    Tree,
    /// A SQLite database.
    Database,
}

/// A log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) format: Format,
    pub(super) layout: Layout,
    pub(super) path: PathBuf,
}

/// Log directories below a home directory.
const KNOWN: &[(&str, Format, Layout)] = &[
    (".config/Code/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    (".config/Code - Insiders/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    (".config/VSCodium/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("Library/Application Support/Code/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("Library/Application Support/Code - Insiders/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("Library/Application Support/VSCodium/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("AppData/Roaming/Code/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("AppData/Roaming/Code - Insiders/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    ("AppData/Roaming/VSCodium/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    (".vscode-server/data/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    (".vscode-server-insiders/data/User/workspaceStorage", Format::Vscode, Layout::Vscode),
    (".copilot/session-state", Format::CopilotCli, Layout::Copilot),
    (".copilot/history-session-state", Format::CopilotCli, Layout::Copilot),
    (".claude/projects", Format::Claude, Layout::Claude),
    (".codex", Format::Codex, Layout::Codex),
    (".gemini/tmp", Format::Gemini, Layout::Gemini),
    (".local/share/opencode/storage/session", Format::Opencode, Layout::Tree),
    (".local/share/opencode/opencode.db", Format::Opencode, Layout::Database),
    (".local/share/kilo/kilo.db", Format::Kilo, Layout::Database),
];

/// Last parts of log directories that say by themselves what they are, wherever they were copied to. Claude's `projects` is none: many
/// people keep their own work in a directory of that name.
const TELLING: [&str; 3] = ["workspaceStorage", "session-state", "history-session-state"];

/// The log directories in each directory, every one once, and what was not looked into.
///
/// # Errors
/// [`Error::Io`] when a directory is not there.
pub(super) fn find(directories: &[PathBuf]) -> Result<(Vec<Root>, Vec<Skipped>), Error> {
    let (mut roots, mut skipped): (Vec<Root>, Vec<Skipped>) = (Vec::new(), Vec::new());
    for given in directories {
        let directory = std::fs::canonicalize(given).map_err(Error::io("find", given))?;
        for (known, format, layout) in KNOWN {
            let reached = |place: &PathBuf| {
                reach(&directory, place, *layout).unwrap_or_else(|why| {
                    skipped.push(why);
                    false
                })
            };
            let path = places(&directory, known).into_iter().find(reached);
            let is_new = |path: &PathBuf| !roots.iter().any(|root| root.path == *path);
            if let Some(path) = path.filter(is_new) {
                roots.push(Root { format: *format, layout: *layout, path });
            }
        }
    }
    // The tool itself moved the tree into its database.
    let has_database = |root: &Root| {
        let database = root.path.ancestors().nth(2).map(|folder| folder.join("opencode.db"));
        root.layout == Layout::Tree && database.is_some_and(|path| kind(&path) == Ok(Some(Kind::File)))
    };
    roots.retain(|root| !has_database(root));
    Ok((roots, skipped))
}

/// Whether a log directory is at a place, which is looked for without following a link on the way from the directory that was given.
fn reach(directory: &Path, place: &Path, layout: Layout) -> Result<bool, Skipped> {
    let mut path = directory.to_path_buf();
    for part in place.strip_prefix(directory).unwrap_or(Path::new("")) {
        if kind(&path)? != Some(Kind::Directory) {
            return Ok(false);
        }
        path.push(part);
    }
    match (kind(&path)?, layout) {
        (None, _) => Ok(false),
        (Some(Kind::File), Layout::Database) => Ok(true),
        (Some(Kind::Directory), Layout::Database) => Err((path, "a directory, and no database".to_owned())),
        (Some(Kind::File), _) => Err((path, "not a directory".to_owned())),
        (Some(Kind::Directory), _) => Ok(true),
    }
}

/// Where a log directory would be if the given directory were a home, a part of the way there, or the log directory itself.
fn places(directory: &Path, known: &str) -> Vec<PathBuf> {
    let known = Path::new(known);
    let mut places = vec![directory.join(known)];
    let parts: Vec<_> = known.iter().collect();
    for count in 1..=parts.len() {
        let (above, below): (PathBuf, PathBuf) =
            (parts[..count].iter().collect(), parts[count..].iter().collect());
        if directory.ends_with(&above) {
            // Joining nothing would leave a slash at the end.
            places.push(if count == parts.len() { directory.to_path_buf() } else { directory.join(below) });
        }
    }
    let last = known.file_name().unwrap_or_default();
    if directory.file_name() == Some(last) && TELLING.iter().any(|telling| *telling == last) {
        places.push(directory.to_path_buf());
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(directory: &Path) -> Vec<(Format, PathBuf)> {
        find(&[directory.to_path_buf()]).unwrap().0.into_iter().map(|root| (root.format, root.path)).collect()
    }

    #[test]
    fn a_root_is_found_from_a_home_and_from_every_directory_on_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(dir.path()).unwrap();
        let root = home.join(".config/Code/User/workspaceStorage");
        std::fs::create_dir_all(&root).unwrap();
        for given in
            ["", ".config", ".config/Code", ".config/Code/User", ".config/Code/User/workspaceStorage"]
        {
            assert_eq!(found(&home.join(given)), [(Format::Vscode, root.clone())], "{given}");
        }
    }

    #[test]
    fn a_root_that_was_copied_elsewhere_is_known_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let copied = std::fs::canonicalize(dir.path()).unwrap().join("backup/workspaceStorage");
        std::fs::create_dir_all(&copied).unwrap();
        assert_eq!(found(&copied), [(Format::Vscode, copied.clone())]);
        assert_eq!(found(copied.parent().unwrap()), []);
    }
}
