//! What a project is, as far as its files say.

use std::path::Path;

use anyhow::Result;

use super::{cargo, node, python};

/// What was found in a project's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// What each part of it is, in words.
    pub(super) kinds: Vec<String>,
    /// What makes the programs.
    pub(super) build: Option<Vec<String>>,
    /// The programs.
    pub(super) entries: Vec<Entry>,
    /// What its workflow does before anything is measured, as steps of GitHub.
    pub(super) steps: Vec<&'static str>,
    /// What is for the person to do or to know.
    pub(super) notes: Vec<String>,
}

/// A program that can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The case.
    pub(super) name: String,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
}

impl Entry {
    pub(super) fn new(family: &str, scenario: &str, command: &[&str]) -> Entry {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        Entry { name: name(family, scenario), command }
    }

    /// Whether V8's heap is read too.
    pub(super) fn is_node(&self) -> bool {
        self.command.first().is_some_and(|program| program == "node")
    }
}

impl Found {
    /// Adds what another kind of project is.
    fn add(&mut self, part: Found) {
        self.kinds.extend(part.kinds);
        for entry in part.entries {
            // Both may have a program of one name.
            if self.entries.iter().all(|earlier| earlier.name != entry.name) {
                self.entries.push(entry);
            } else {
                self.notes.push(format!("left out a second program that would be called {}", entry.name));
            }
        }
        self.steps.extend(part.steps);
        self.notes.extend(part.notes);
        match (&self.build, part.build) {
            (None, build) => self.build = build,
            (Some(_), Some(other)) => {
                self.notes.push(format!("only one build is run: run `{}` before it", other.join(" ")));
            }
            (Some(_), None) => {}
        }
    }
}

/// Looks at the files of a folder.
///
/// # Errors
/// When a file that tells cannot be read.
pub(super) fn look(folder: &Path) -> Result<Found> {
    let mut found = Found::default();
    for part in [cargo::look(folder)?, node::look(folder)?, python::look(folder)?].into_iter().flatten() {
        found.add(part);
    }
    if found.kinds.is_empty() {
        let files = "no Cargo.toml, package.json or pyproject.toml";
        found.notes.push(format!("there is {files} in {}: name the command yourself", folder.display()));
    }
    Ok(found)
}

/// The name of a case, made of names that may have any letters.
fn name(family: &str, scenario: &str) -> String {
    let part = |text: &str, default: &str| {
        let plain = scenarios::exec::plain(text);
        if plain.is_empty() { default.to_owned() } else { plain }
    };
    let mut family = part(family, "app");
    if scenarios::exec::is_taken(&family) || scenarios::exec::FAMILIES.contains(&family.as_str()) {
        family = format!("my-{family}");
    }
    format!("{family}/{}:main", part(scenario, "start"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_case() {
        for (family, scenario, case) in [
            ("app", "start", "app/start:main"),
            ("sync", "sync", "my-sync/sync:main"),
            ("exec", "x", "my-exec/x:main"),
            ("\u{4e2d}", "a b*", "app/ab:main"),
        ] {
            assert_eq!(name(family, scenario), case);
            assert!(scenarios::exec::case_name(&name(family, scenario)).is_ok(), "{family}");
        }
    }

    #[test]
    fn a_project_of_two_kinds_has_the_programs_of_both() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("Cargo.toml", "[package]\nname = \"core\"\n");
        put("src/main.rs", "fn main() {}\n");
        put("package.json", r#"{ "name": "ui", "main": "index.js", "scripts": { "build": "tsc" } }"#);
        put("index.js", "");
        let found = look(folder.path()).unwrap();
        let names: Vec<&str> = found.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["core/core:main", "ui/start:main"]);
        assert_eq!(found.build.unwrap()[0], "cargo");
        assert_eq!(found.notes, ["only one build is run: run `npm run build` before it"]);
    }

    #[test]
    fn an_empty_folder_has_nothing_and_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let found = look(folder.path()).unwrap();
        assert_eq!((found.entries.len(), found.notes.len()), (0, 1));
        assert!(found.notes[0].contains("name the command yourself"), "{:?}", found.notes);
    }
}
