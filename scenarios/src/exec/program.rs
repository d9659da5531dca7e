//! The program to be run: what was typed, and whether it can be run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Error, pass};

/// What stands in an argument for the path of a sample's home.
pub(super) const PLACEHOLDER: &str = "{corpus}";

/// What stands in a command for the path of the checkout that its artifact was built in.
pub const ARTIFACT: &str = "{artifact}";

/// A program with its arguments, found and executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    words: Vec<OsString>,
    /// The words as records show them, where these are others.
    shown: Option<Vec<OsString>>,
}

impl Program {
    /// Takes the program and its arguments; a name without a slash is looked for in PATH.
    ///
    /// # Errors
    /// [`Error::NotInPath`], [`Error::NotThere`], [`Error::NotExecutable`] and [`Error::Directory`].
    pub fn find(words: Vec<OsString>) -> Result<Program, Error> {
        let program = Program { words, shown: None };
        match which::which(program.path()) {
            Ok(_) => Ok(program),
            Err(_) => Err(why_not(program.path())),
        }
    }

    /// The same program, which records show by other words: by paths that stay, where it is started by one that does not.
    #[must_use]
    pub fn shown_as(self, words: Vec<OsString>) -> Program {
        Program { shown: Some(words), ..self }
    }

    /// The program as typed: what it is called with as its own name.
    pub fn path(&self) -> &Path {
        Path::new(self.words.first().map_or(OsStr::new(""), OsString::as_os_str))
    }

    pub(super) fn is_node(&self) -> bool {
        pass::is_node(self.path())
    }

    /// Its arguments, in which a home's path stands for the placeholder.
    pub(super) fn args(&self, home: Option<&Path>) -> Vec<OsString> {
        let args = self.words.iter().skip(1);
        match home {
            None => args.cloned().collect(),
            Some(home) => args.map(|arg| with(arg, PLACEHOLDER, home.as_os_str())).collect(),
        }
    }

    /// The whole line as records show it.
    pub(super) fn line(&self) -> Vec<String> {
        let words = self.shown.as_ref().unwrap_or(&self.words);
        words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    pub(super) fn names_corpus(&self) -> bool {
        self.line().iter().any(|word| word.contains(PLACEHOLDER))
    }
}

/// A command's words in which a path stands for [`ARTIFACT`]; none where no word has it.
pub fn in_artifact(words: &[OsString], root: &Path) -> Option<Vec<OsString>> {
    let is_named = words.iter().any(|word| word.to_string_lossy().contains(ARTIFACT));
    is_named.then(|| words.iter().map(|word| with(word, ARTIFACT, root.as_os_str())).collect())
}

fn why_not(program: &Path) -> Error {
    let is_name = program.file_name().unwrap_or_default() == program.as_os_str();
    let path = if is_name { in_path(program) } else { program.exists().then(|| program.to_owned()) };
    match path {
        Some(path) if path.is_dir() => Error::Directory { path },
        Some(path) => Error::NotExecutable { path },
        None if is_name => Error::NotInPath { program: program.display().to_string() },
        None => Error::NotThere { path: program.to_owned() },
    }
}

/// The first file of this name in PATH, executable or not.
fn in_path(name: &Path) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// An argument in which a path stands for a placeholder.
#[cfg(unix)]
fn with(arg: &OsStr, placeholder: &str, path: &OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let (mut rest, mark) = (arg.as_bytes(), placeholder.as_bytes());
    let mut whole = Vec::new();
    while let Some(at) = rest.windows(mark.len()).position(|part| part == mark) {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(path.as_bytes());
        rest = &rest[at + mark.len()..];
    }
    whole.extend_from_slice(rest);
    OsString::from_vec(whole)
}

/// An argument in which a path stands for a placeholder.
#[cfg(not(unix))]
fn with(arg: &OsStr, placeholder: &str, path: &OsStr) -> OsString {
    match (arg.to_str(), path.to_str()) {
        (Some(arg), Some(path)) => arg.replace(placeholder, path).into(),
        _ => arg.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_is_replaced_wherever_it_stands() {
        let words = ["cat", "{corpus}/a", "--dirs={corpus}:{corpus}", "{corpu}"].map(OsString::from);
        let program = Program { words: words.to_vec(), shown: None };
        assert_eq!(program.args(Some(Path::new("/h"))), ["/h/a", "--dirs=/h:/h", "{corpu}"]);
        assert_eq!(program.args(None), words[1..]);
    }

    #[test]
    fn a_command_names_its_artifact_or_does_not() {
        let words = ["node", "{artifact}/app.js", "{corpus}"].map(OsString::from);
        assert_eq!(in_artifact(&words, Path::new("/a")).unwrap(), ["node", "/a/app.js", "{corpus}"]);
        assert_eq!(in_artifact(&words[..1], Path::new("/a")), None);
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_no_text_is_passed_on_as_it_is() {
        use std::os::unix::ffi::OsStrExt;
        let arg = OsStr::from_bytes(b"\xff{corpus}\xfe");
        assert_eq!(with(arg, PLACEHOLDER, OsStr::new("h")).as_bytes(), b"\xffh\xfe");
    }

    #[test]
    fn what_cannot_be_run_is_named_with_what_to_do() {
        let why = |program: &str| Program::find(vec![program.into()]).unwrap_err().to_string();
        assert!(why("no-such-program-4711").contains("not found in PATH"));
        assert!(why("./no-such-program-4711").contains("does not exist"));
        assert!(why("/").contains("is a directory"));
        assert!(why(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).contains("chmod +x"));
    }
}
