//! Programs of a Python project.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::found::{Entry, Found};

/// The programs of the project in a folder; none where there is no pyproject.toml.
pub(super) fn look(folder: &Path) -> Result<Option<Found>> {
    let path = folder.join("pyproject.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let table: Table = text.parse().with_context(|| format!("failed to read {}", path.display()))?;
    let project = table.get("project").and_then(Value::as_table).cloned().unwrap_or_default();
    let name = project.get("name").and_then(Value::as_str).unwrap_or("app");
    let mut found = Found::default();
    let module = name.replace('-', "_");
    let scripts = project.get("scripts").and_then(Value::as_table);
    let has_main = |parent: &str| folder.join(parent).join(&module).join("__main__.py").is_file();
    if has_main("") {
        found.entries.push(Entry::new(name, "start", &["python3", "-m", &module]));
    } else if folder.join("main.py").is_file() {
        found.entries.push(Entry::new(name, "start", &["python3", "main.py"]));
    } else if let Some(scripts) = scripts {
        found.entries.extend(scripts.keys().map(|script| Entry::new(name, script, &[script])));
        let installed = "its scripts are measured as they are installed: run `pip install -e .` before, also in the workflow";
        found.notes.push(installed.to_owned());
    } else {
        let missing =
            format!("there is no script, no main.py and no {module}/__main__.py: name the command yourself");
        found.notes.push(missing);
    }
    let needs = project.get("dependencies").and_then(Value::as_array).is_some_and(|needs| !needs.is_empty());
    if needs && found.notes.is_empty() {
        let step = "the workflow installs no dependencies: add the step `- run: pip install .` before the measurement";
        found.notes.push(step.to_owned());
    }
    found
        .kinds
        .push(format!("a Python project with {}", super::text::counted(found.entries.len(), "program")));
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(project: &str, files: &[&str]) -> Found {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyproject.toml"), project).unwrap();
        for name in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        look(folder.path()).unwrap().unwrap()
    }

    #[test]
    fn a_project_is_started_by_its_package_else_its_main_file_else_its_scripts() {
        let project = "[project]\nname = \"my-app\"\n[project.scripts]\ntool = \"my_app.cli:main\"\n";
        for (files, name, command) in [
            (&["my_app/__main__.py", "main.py"][..], "my-app/start:main", "python3 -m my_app"),
            (&["main.py"], "my-app/start:main", "python3 main.py"),
            (&[], "my-app/tool:main", "tool"),
        ] {
            let found = found(project, files);
            assert_eq!(
                (found.entries[0].name.as_str(), found.entries[0].command.join(" ")),
                (name, command.to_owned())
            );
            assert_eq!(found.notes.len(), usize::from(files.is_empty()), "{:?}", found.notes);
        }
    }

    #[test]
    fn a_project_that_cannot_be_started_is_told_so() {
        let found = found("[build-system]\n", &[]);
        assert!(found.entries.is_empty() && found.notes[0].contains("name the command yourself"));
    }
}
