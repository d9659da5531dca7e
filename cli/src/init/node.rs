//! Programs of a Node package.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::found::{Entry, Found};

const SETUP: &str = "- uses: actions/setup-node@v4\n        with:\n          node-version: 22";
/// What installs the dependencies that a file locks.
const INSTALLS: &[(&str, &str)] = &[
    ("package-lock.json", "- run: npm ci"),
    ("pnpm-lock.yaml", "- run: corepack enable && pnpm install --frozen-lockfile"),
    ("yarn.lock", "- run: corepack enable && yarn install --frozen-lockfile"),
];

/// The programs of the package in a folder; none where there is no package.json.
pub(super) fn look(folder: &Path) -> Result<Option<Found>> {
    let path = folder.join("package.json");
    if !path.is_file() {
        return Ok(None);
    }
    let read = || anyhow::Ok(serde_json::from_slice(&std::fs::read(&path)?)?);
    let package: Value = read().with_context(|| format!("failed to read {}", path.display()))?;
    let whole = package["name"].as_str().unwrap_or("app");
    // Of @scope/app what follows the scope.
    let name = whole.rsplit('/').next().unwrap_or(whole);
    let mut found = Found { entries: programs(folder, &package, name), ..Found::default() };
    found.kinds.push(format!("a Node package with {}", super::text::counted(found.entries.len(), "program")));
    if found.entries.is_empty() {
        found.notes.push(
            "package.json names no `bin`, `main` or `start` that is there: name the command yourself"
                .to_owned(),
        );
    }
    if package["scripts"]["build"].is_string() {
        found.build = Some(["npm", "run", "build"].map(str::to_owned).to_vec());
    }
    found.steps.push(SETUP);
    let lock = INSTALLS.iter().find(|(lock, _)| folder.join(lock).is_file());
    found.steps.extend(lock.map(|(_, step)| *step));
    Ok(Some(found))
}

/// What the package can be started by: its commands, else its main module, else its start script, else index.js.
fn programs(folder: &Path, package: &Value, name: &str) -> Vec<Entry> {
    let is_built = package["scripts"]["build"].is_string();
    // What a build makes need not be there yet.
    let is_usable = |path: &str| is_built || folder.join(path).is_file();
    let entry = |scenario: &str, path: &str| Entry::new(name, scenario, &["node", trimmed(path)]);
    match &package["bin"] {
        Value::String(path) if is_usable(path) => return vec![entry(name, path)],
        Value::Object(bins) => {
            let bins = bins.iter().filter_map(|(scenario, path)| Some((scenario, path.as_str()?)));
            let entries: Vec<Entry> = bins
                .filter(|(_, path)| is_usable(path))
                .map(|(scenario, path)| entry(scenario, path))
                .collect();
            if !entries.is_empty() {
                return entries;
            }
        }
        _ => {}
    }
    let start = package["scripts"]["start"].as_str().and_then(started);
    let named = [package["main"].as_str(), start].into_iter().flatten();
    // Nobody says that this one would be built.
    let usual = Some("index.js").filter(|path| folder.join(path).is_file());
    named
        .filter(|path| is_usable(path))
        .chain(usual)
        .next()
        .map(|path| entry("start", path))
        .into_iter()
        .collect()
}

/// The file of a start script that does nothing but to run one: `node FILE`.
fn started(script: &str) -> Option<&str> {
    let rest = script.trim().strip_prefix("node ")?.trim();
    (!rest.is_empty() && !rest.starts_with('-') && !rest.contains([' ', '&', '|', ';', '$'])).then_some(rest)
}

fn trimmed(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a folder with these files beside a package.json.
    fn found(package: &str, files: &[&str]) -> Found {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("package.json"), package).unwrap();
        files.iter().for_each(|name| std::fs::write(folder.path().join(name), "").unwrap());
        look(folder.path()).unwrap().unwrap()
    }

    fn lines(found: &Found) -> Vec<String> {
        found.entries.iter().map(|entry| format!("{} {}", entry.name, entry.command.join(" "))).collect()
    }

    #[test]
    fn the_most_telling_key_says_what_is_started() {
        let all = &["a.js", "b.js", "index.js"];
        for (package, line) in [
            (r#"{"name":"@me/app","bin":"./a.js","main":"b.js"}"#, "app/app:main node a.js"),
            (r#"{"name":"app","bin":{"tool":"a.js"},"main":"b.js"}"#, "app/tool:main node a.js"),
            (r#"{"name":"app","main":"b.js"}"#, "app/start:main node b.js"),
            (r#"{"name":"app","scripts":{"start":"node a.js"}}"#, "app/start:main node a.js"),
            (r#"{"name":"app","scripts":{"start":"node a.js && echo"}}"#, "app/start:main node index.js"),
            (r#"{"name":"app","main":"gone.js"}"#, "app/start:main node index.js"),
            (r#"{}"#, "app/start:main node index.js"),
        ] {
            assert_eq!(lines(&found(package, all)), [line], "{package}");
        }
    }

    #[test]
    fn what_a_build_makes_need_not_be_there() {
        let found =
            found(r#"{"name":"app","main":"dist/app.js","scripts":{"build":"tsc"}}"#, &["package-lock.json"]);
        assert_eq!(lines(&found), ["app/start:main node dist/app.js"]);
        assert_eq!(found.build.unwrap().join(" "), "npm run build");
        assert_eq!(found.steps, [SETUP, INSTALLS[0].1]);
    }

    #[test]
    fn nothing_is_started_that_nobody_names_and_that_is_not_there() {
        let found = found(r#"{"private":true,"scripts":{"build":"turbo build"}}"#, &["pnpm-lock.yaml"]);
        assert_eq!(lines(&found), [""; 0]);
        assert_eq!(found.steps, [SETUP, INSTALLS[1].1]);
    }

    #[test]
    fn a_package_that_cannot_be_started_is_told_so() {
        let found = found(r#"{"name":"app","main":"gone.js"}"#, &[]);
        assert_eq!((found.entries.len(), found.build), (0, None));
        assert!(found.notes[0].contains("name the command yourself"), "{:?}", found.notes);
    }

    #[test]
    fn a_package_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("package.json"), "{").unwrap();
        let said = format!("{:#}", look(folder.path()).unwrap_err());
        assert!(said.contains("package.json"), "{said}");
    }
}
