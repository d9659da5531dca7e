//! Other people's programs are installed once, by the clients of their registries, into `target/validators`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::validate::process::{Said, command_at, run};

/// How long an installation may take; the largest program has 400 MB.
const LIMIT: Duration = Duration::from_secs(900);

/// The home of an installer, below the program's folder.
const HOME: &str = "home";

/// How the names of variables begin that tell an installer how it reaches its registry: by which proxy, with which certificates, or
/// instead of it a mirror. Settings in files of the person's home are not seen.
const KEPT: [&str; 9] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_",
    "PIP_",
    "TMP",
];

/// Where a program comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Packages of npm with their versions; `{platform}` stands for `linux-x64` and the like.
    Npm(&'static [&'static str]),
    /// A package of PyPI with its version, and the oldest Python 3 that it runs on.
    PyPi(&'static str, u32),
}

impl Source {
    /// The version of the (first) package.
    pub(crate) fn version(self) -> &'static str {
        let package = match self {
            Source::Npm(packages) => packages.first().copied().unwrap_or_default(),
            Source::PyPi(package, _) => package,
        };
        package.rsplit(['@', '=']).next().unwrap_or_default()
    }
}

/// Installs a program below `folder`, unless it is there, and says where its programs are.
pub(crate) fn install(name: &str, source: Source, folder: &Path) -> Result<PathBuf, String> {
    let place = folder.join(name);
    let packages = packages(source);
    let (done, wanted) = (place.join("installed"), packages.join(" "));
    let programs = place.join(match source {
        Source::Npm(_) => "node_modules/.bin",
        Source::PyPi(..) if cfg!(windows) => "venv/Scripts",
        Source::PyPi(..) => "venv/bin",
    });
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let failed = |error: std::io::Error| format!("failed to write below {}: {error}", place.display());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed)?;
    }
    fs::create_dir_all(&place).map_err(failed)?;
    fs::create_dir_all(place.join(HOME)).map_err(failed)?;
    match source {
        Source::Npm(_) => npm(&place, &packages)?,
        Source::PyPi(_, minor) => pip(&place, &packages, minor)?,
    }
    // With what was downloaded: it is unpacked beside it.
    fs::remove_dir_all(place.join(HOME)).map_err(failed)?;
    fs::write(&done, wanted).map_err(failed)?;
    Ok(programs)
}

fn packages(source: Source) -> Vec<String> {
    match source {
        Source::Npm(packages) => {
            packages.iter().map(|package| package.replace("{platform}", &platform())).collect()
        }
        Source::PyPi(package, _) => vec![package.to_owned()],
    }
}

/// This machine as packages of npm name it.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// A command that installs: packages run programs of their own while they are installed, and what they see as the home is a folder
/// that is removed afterwards, with the caches in it.
fn installer(program: impl AsRef<OsStr>, place: &Path) -> Command {
    let home = place.join(HOME);
    let mut command = command_at(program, &home);
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_kept)));
    // On Windows caches and settings are in these.
    command.env("APPDATA", &home).env("LOCALAPPDATA", &home);
    command.env("npm_config_cache", home.join(".npm")).env("PIP_CACHE_DIR", home.join(".cache/pip"));
    command
}

fn is_kept(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    KEPT.iter().any(|kept| name.starts_with(kept)) && !name.ends_with("_CACHE") && name != "PIP_CACHE_DIR"
}

fn npm(place: &Path, packages: &[String]) -> Result<(), String> {
    let mut command = installer(if cfg!(windows) { "npm.cmd" } else { "npm" }, place);
    command.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"]).arg(place);
    command.args(packages);
    let said = run(&mut command, place, LIMIT).map_err(|why| format!("{why}; it needs Node.js with npm"))?;
    content("npm install", &said)
}

fn pip(place: &Path, packages: &[String], minor: u32) -> Result<(), String> {
    let python = python(place, minor)?;
    let venv = place.join("venv");
    content("python -m venv", &run(installer(python, place).args(["-m", "venv"]).arg(&venv), place, LIMIT)?)?;
    let own = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let mut command = installer(own, place);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    content("pip install", &run(&mut command, place, LIMIT)?)
}

/// A Python of at least 3.`minor`; `place` is for what it says.
pub(crate) fn python(place: &Path, minor: u32) -> Result<PathBuf, String> {
    let named = std::env::var_os("HIGHWATER_PYTHON").map(PathBuf::from);
    let usual = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
    let test = format!("import sys, venv; sys.exit(sys.version_info < (3, {minor}))");
    let is_able = |python: &PathBuf| {
        run(command_at(python, place).args(["-c", &test]), place, Duration::from_secs(60))
            .is_ok_and(|said| said.status.success())
    };
    named.into_iter().chain(usual.map(PathBuf::from)).find(is_able).ok_or_else(|| {
        format!("it needs Python 3.{minor} or newer with venv; name one by HIGHWATER_PYTHON=/path/to/python3")
    })
}

fn content(what: &str, said: &Said) -> Result<(), String> {
    if said.status.success() {
        return Ok(());
    }
    Err(format!("{what} failed ({}): {}; it needs the network once", said.status, said.tail()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_is_told_how_to_reach_its_registry_and_nothing_else() {
        for name in ["https_proxy", "SSL_CERT_FILE", "PIP_INDEX_URL", "npm_config_registry", "TMPDIR"] {
            assert!(is_kept(name), "{name}");
        }
        for name in ["HOME", "GITHUB_TOKEN", "CARGO_HOME", "PYTHONPATH", "PIP_CACHE_DIR", "npm_config_cache"]
        {
            assert!(!is_kept(name), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_home_of_an_installer_and_its_caches_are_none_of_the_persons() {
        let place = std::env::temp_dir().join(format!("highwater-xtask-install-{}", std::process::id()));
        fs::create_dir_all(place.join(HOME)).unwrap();
        let said = run(installer("sh", &place).args(["-c", "env; pwd"]), &place, Duration::from_secs(20));
        let out = said.unwrap().checked("sh").unwrap();
        let home = place.join(HOME);
        for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "npm_config_cache", "PIP_CACHE_DIR"] {
            let line = out.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            assert!(Path::new(line.unwrap()).starts_with(&home), "{name} is {line:?}");
        }
        assert!(!out.contains("CARGO"), "{out}");
        fs::remove_dir_all(&place).unwrap();
    }
}
