//! Programs of a Cargo package, or of the members of a workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::found::{Entry, Found};

/// Where the build is put, so that the programs are found whatever the person's own settings are.
const TARGET: &str = "target";

/// The programs of the package in a folder; none where there is no Cargo.toml.
pub(super) fn look(folder: &Path) -> Result<Option<Found>> {
    let Some(manifest) = manifest(folder)? else { return Ok(None) };
    let mut packages = vec![(folder.to_owned(), manifest.clone())];
    let is_workspace = !manifest.contains_key("package");
    if is_workspace {
        for member in members(folder, &manifest) {
            packages.extend(self::manifest(&member)?.map(|manifest| (member, manifest)));
        }
    }
    let mut found = Found::default();
    for (folder, manifest) in &packages {
        let Some(package) = name_of(manifest) else { continue };
        for program in programs(folder, manifest, package) {
            let path = format!("{TARGET}/release/{program}");
            found.entries.push(Entry::new(package, &program, &[&path]));
        }
    }
    let kind = if is_workspace { "a Cargo workspace" } else { "a Cargo package" };
    found.kinds.push(format!("{kind} with {}", super::text::counted(found.entries.len(), "program")));
    if found.entries.is_empty() {
        found
            .notes
            .push("a library cannot be started: name a program that uses it, such as an example".to_owned());
    } else {
        let mut words = vec!["cargo", "build", "--release", "--target-dir", TARGET];
        // Else Cargo builds the package of this folder, or the default members, alone.
        words.extend(is_workspace.then_some("--workspace"));
        found.build = Some(words.into_iter().map(str::to_owned).collect());
    }
    Ok(Some(found))
}

fn manifest(folder: &Path) -> Result<Option<Table>> {
    let path = folder.join("Cargo.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let table = text.parse().with_context(|| format!("failed to read {}", path.display()))?;
    Ok(Some(table))
}

fn name_of(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// The folders of a workspace's members; a last part `*` stands for every folder there.
fn members(folder: &Path, manifest: &Table) -> Vec<PathBuf> {
    let listed = manifest.get("workspace").and_then(|workspace| workspace.get("members")?.as_array());
    let patterns = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut members: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        match pattern.strip_suffix("/*").or((pattern == "*").then_some("")) {
            Some(parent) => members.extend(sorted(&folder.join(parent))),
            None => members.push(folder.join(pattern)),
        }
    }
    members
}

/// The names of a package's programs: those that it lists, and those that Cargo finds by their place.
fn programs(folder: &Path, manifest: &Table, package: &str) -> Vec<String> {
    let mut programs: Vec<String> = Vec::new();
    let listed = || manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    // One that needs features is not built without them.
    let usual = listed().filter(|bin| bin.get("required-features").is_none());
    programs.extend(usual.filter_map(|bin| bin.get("name").and_then(Value::as_str).map(str::to_owned)));
    let named = |key: &str| listed().filter_map(|bin| bin.get(key)?.as_str()).collect::<BTreeSet<_>>();
    let (names, paths) = (named("name"), named("path"));
    let is_listed = |name: &str, places: &[String]| {
        names.contains(name) || places.iter().any(|place| paths.contains(place.as_str()))
    };
    let finds = manifest.get("package").and_then(|package| package.get("autobins")?.as_bool());
    if finds != Some(false) {
        if folder.join("src/main.rs").is_file() && !is_listed(package, &["src/main.rs".to_owned()]) {
            programs.push(package.to_owned());
        }
        for path in sorted(&folder.join("src/bin")) {
            let is_program =
                path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let places = |stem: &str| [format!("src/bin/{stem}.rs"), format!("src/bin/{stem}/main.rs")];
            let is_new = |stem: &&str| is_program && !is_listed(stem, &places(stem));
            programs.extend(stem.filter(is_new).map(str::to_owned));
        }
    }
    programs.sort();
    programs.dedup();
    programs
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Found {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        look(folder.path()).unwrap().unwrap()
    }

    fn names(found: &Found) -> Vec<&str> {
        found.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn a_package_has_the_programs_that_cargo_builds() {
        let manifest = "[package]\nname = \"app\"\n[[bin]]\nname = \"other\"\npath = \"tools/other.rs\"\n";
        let found = found(&[
            ("Cargo.toml", manifest),
            ("src/main.rs", ""),
            ("src/bin/one.rs", ""),
            ("src/bin/two/main.rs", ""),
            ("src/bin/notes.txt", ""),
        ]);
        assert_eq!(names(&found), ["app/app:main", "app/one:main", "app/other:main", "app/two:main"]);
        assert_eq!(found.entries[0].command, ["target/release/app"]);
        assert_eq!(found.kinds, ["a Cargo package with 4 programs"]);
        assert_eq!(found.build.unwrap().join(" "), "cargo build --release --target-dir target");
    }

    #[test]
    fn a_main_that_is_listed_has_the_name_it_is_listed_by() {
        let manifest = "[package]\nname = \"app\"\n[[bin]]\nname = \"tool\"\npath = \"src/main.rs\"\n";
        assert_eq!(names(&found(&[("Cargo.toml", manifest), ("src/main.rs", "")])), ["app/tool:main"]);
    }

    #[test]
    fn a_program_is_named_once_and_only_where_it_is_built() {
        let manifest = "[package]\nname = \"app\"\n[[bin]]\nname = \"my-tool\"\npath = \"src/bin/my_tool.rs\"\n\
                        [[bin]]\nname = \"extra\"\nrequired-features = [\"x\"]\n";
        let files = [("Cargo.toml", manifest), ("src/bin/my_tool.rs", ""), ("src/bin/extra.rs", "")];
        assert_eq!(names(&found(&files)), ["app/my-tool:main"]);
    }

    #[test]
    fn every_folder_may_be_a_member_and_all_are_built() {
        let found = found(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"*\"]\n"),
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("a/src/main.rs", ""),
        ]);
        assert_eq!(names(&found), ["a/a:main"]);
        assert_eq!(found.build.unwrap().last().unwrap(), "--workspace");
    }

    #[test]
    fn a_workspace_has_the_programs_of_its_members() {
        let found = found(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"crates/*\"]\n"),
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("a/src/main.rs", ""),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("crates/b/src/main.rs", ""),
            ("crates/c/Cargo.toml", "[package]\nname = \"c\"\n"),
            ("crates/c/src/lib.rs", ""),
        ]);
        assert_eq!(names(&found), ["a/a:main", "b/b:main"]);
        assert_eq!(found.kinds, ["a Cargo workspace with 2 programs"]);
    }

    #[test]
    fn a_library_has_no_program_and_no_build() {
        let found = found(&[("Cargo.toml", "[package]\nname = \"app\"\n"), ("src/lib.rs", "")]);
        assert_eq!((found.entries.len(), found.build), (0, None));
        assert!(found.notes[0].contains("library"), "{:?}", found.notes);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[package\n").unwrap();
        let said = format!("{:#}", look(folder.path()).unwrap_err());
        assert!(said.contains("Cargo.toml"), "{said}");
    }
}
