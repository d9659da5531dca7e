//! The bench: the program under test, a corpus that all tests share, and subjects on it.
#![allow(dead_code, reason = "each file of tests is a program of its own and calls a part of the bench")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use engine::sync::Strategy;
use serde_json::Value;

/// After this long a program that has not ended is taken to hang.
const HANG: Duration = Duration::from_secs(120);

/// The program.
pub(crate) fn highwater(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command.args(arguments);
    command
}

/// What a call of the program came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Fails unless the program ended with this code, and without a panic.
    pub(crate) fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Fails unless each of these is said as an error.
    pub(crate) fn complains(self, of: &[&str]) -> Said {
        for part in of {
            assert!(self.err.contains(part), "{part:?} is not in: {}", self.err);
        }
        self
    }
}

/// Calls a command, and waits for its end.
pub(crate) fn call(command: Command) -> Said {
    let output =
        assert_cmd::Command::from_std(command).timeout(HANG).output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Calls the program in a folder, with the words of a line.
pub(crate) fn call_in(folder: &Path, line: &str) -> Said {
    let mut command = highwater(&line.split(' ').collect::<Vec<_>>());
    command.current_dir(folder);
    call(command)
}

/// A program of docs/examples/rust, built like the one under test.
pub(crate) fn built_example(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_BIN_EXE_highwater"));
    let folder = own.parent().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    let profile = if folder == "debug" { "dev" } else { folder };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--package", "highwater-example", "--profile", profile];
    let built = Command::new(cargo).args(arguments).status().expect("cargo can be started");
    assert!(built.success(), "the examples can be built");
    own.with_file_name(name)
}

/// Says why a test, or a part of it, is not done here.
#[expect(clippy::print_stdout, reason = "the test harness shows it beside the test's name")]
pub(crate) fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// Whether programs that others wrote are installed; says so when not. Where HIGHWATER_REQUIRE_TOOLS is 1 they must be.
pub(crate) fn are_here(programs: &[&str]) -> bool {
    let is_here = |program: &&&str| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    let missing: Vec<&str> = programs.iter().filter(|program| !is_here(program)).copied().collect();
    let is_required = std::env::var_os("HIGHWATER_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(missing.is_empty() || !is_required, "required here, and not installed: {}", missing.join(", "));
    if !missing.is_empty() {
        skipped(&format!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Where tests keep what outlives one of them.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A directory that is removed when dropped.
pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// Reads a JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let bytes =
        std::fs::read(path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()));
    serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("failed to parse {}: {error}", path.display()))
}

/// A generated corpus.
pub(crate) struct Corpus {
    pub(crate) root: PathBuf,
    pub(crate) manifest: Value,
}

impl Corpus {
    /// Writes the smoke corpus below a folder, or finds it there.
    pub(crate) fn generate(folder: &Path) -> Corpus {
        let mut command = highwater(&["corpus", "generate", "--profile", "smoke"]);
        command.arg("--corpora").arg(folder);
        call(command).expect(0);
        Corpus::at(&folder.join("smoke-1-1"))
    }

    fn at(root: &Path) -> Corpus {
        Corpus { root: root.to_owned(), manifest: json(&root.join("manifest.json")) }
    }

    /// The one corpus in a folder.
    pub(crate) fn only_one(folder: &Path) -> Corpus {
        let entries = std::fs::read_dir(folder).expect("the folder of corpora can be read");
        let mut roots = entries.map(|entry| entry.expect("the folder of corpora can be read").path());
        let root = roots.find(|path| path.join("manifest.json").exists()).expect("a corpus was written");
        Corpus::at(&root)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Every file, below home, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files = self.manifest["files"].as_array().expect("a manifest lists files");
        files.iter().map(|file| PathBuf::from(file["path"].as_str().expect("a file has a path"))).collect()
    }

    /// What a right answer's digest is.
    pub(crate) fn digest(&self) -> &str {
        self.manifest["answer"]["digest"].as_str().expect("a manifest has the answer's digest")
    }

    pub(crate) fn sessions(&self) -> u64 {
        self.manifest["answer"]["sessions"].as_u64().expect("a manifest counts sessions")
    }
}

/// The smoke corpus, which tests must leave as it is.
pub(crate) fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| Corpus::generate(&folder("corpora")))
}

/// Copies a directory with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory can be made");
    for entry in std::fs::read_dir(from).expect("a directory can be read") {
        let entry = entry.expect("a directory can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The measured process in a directory of its own, as `highwater run` starts it.
pub(crate) struct Subject {
    pub(crate) root: PathBuf,
}

impl Subject {
    /// Makes the directory.
    #[cfg(unix)]
    pub(crate) fn new(root: &Path, home: &Path) -> Subject {
        std::fs::create_dir_all(root.join("records")).expect("a directory can be made");
        std::os::unix::fs::symlink(home, root.join("home")).expect("a link can be made");
        Subject { root: root.to_owned() }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The command that does a drive with a strategy.
    pub(crate) fn command(&self, drive: &str, strategy: Strategy) -> Command {
        let mut command = highwater(&["subject", &task(drive, strategy)]);
        self.furnish(&mut command);
        command
    }

    /// The same command, started by another program.
    pub(crate) fn command_by(&self, program: &[&str], drive: &str, strategy: Strategy) -> Command {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .arg(env!("CARGO_BIN_EXE_highwater"))
            .args(["subject", &task(drive, strategy)]);
        self.furnish(&mut command);
        command
    }

    fn furnish(&self, command: &mut Command) {
        command.current_dir(&self.root).env("HIGHWATER_INSTRUMENT", "count").env("RUST_BACKTRACE", "0");
        command.env("HIGHWATER_RECORD_DIR", self.root.join("records"));
    }

    /// Does a drive, and gives the answer.
    pub(crate) fn answer(&self, drive: &str, strategy: Strategy) -> Value {
        self.answer_of(self.command(drive, strategy))
    }

    /// Runs one of this subject's commands, and gives the answer.
    pub(crate) fn answer_of(&self, command: Command) -> Value {
        for name in ["answer.json", "records"] {
            let path = self.root.join(name);
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
        // The worker of a parent that was killed may still write its record there.
        std::fs::create_dir_all(self.root.join("records")).expect("a directory can be made");
        call(command).expect(0);
        json(&self.root.join("answer.json"))
    }

    /// What the process of a role has recorded.
    pub(crate) fn record(&self, role: &str) -> Value {
        let records = std::fs::read_dir(self.root.join("records")).expect("records were written");
        let mut paths = records.map(|entry| entry.expect("records can be read").path());
        let path = paths.find(|path| path.file_stem() == Some(OsStr::new(role)));
        json(&path.unwrap_or_else(|| panic!("{role} left no record")))
    }
}

/// The choices behind a strategy's name.
pub(crate) fn strategy(name: &str) -> Strategy {
    let strategies = engine::sync::strategy::named();
    let (_, choices) = strategies.iter().find(|(known, _)| *known == name).expect("the strategy exists");
    *choices
}

fn task(drive: &str, strategy: Strategy) -> String {
    serde_json::json!({ "drive": drive, "strategy": strategy, "worker_heap_bytes": null, "attempts": null })
        .to_string()
}

/// A run of some cases, judged by the project's budgets: its record.
pub(crate) fn judged(cases: &[&str], out: &Path) -> Value {
    corpus();
    let budgets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/budgets.toml");
    let mut command = highwater(&["run", "--profile", "smoke", "--corpora"]);
    command.arg(folder("corpora")).arg("--budgets").arg(budgets).arg("--out").arg(out).args(cases);
    call(command).expect(0);
    json(&out.join("run.json"))
}

/// A case of a run.
pub(crate) fn case<'a>(run: &'a Value, name: &str) -> &'a Value {
    let cases = run["cases"].as_array().expect("a run has cases");
    cases.iter().find(|case| case["case"] == name).unwrap_or_else(|| panic!("{name} was not run"))
}

/// The median of a metric of a case.
pub(crate) fn metric(run: &Value, of: &str, name: &str) -> f64 {
    case(run, of)["metrics"][name]["median"].as_f64().unwrap_or_else(|| panic!("{of} has no {name}"))
}
