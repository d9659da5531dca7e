//! Artifacts of a small repository that each test makes for itself.

use super::*;

static GO: AtomicBool = AtomicBool::new(false);

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// A repository with one commit, which has a file `a` and a folder `sub`.
    fn new() -> Desk {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(desk.root().join("sub")).unwrap();
        desk.git(&["init", "--quiet", "."]);
        fs::write(desk.root().join("sub/b"), "b\n").unwrap();
        desk.commit("one");
        desk
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("repository")
    }

    fn git(&self, arguments: &[&str]) -> String {
        fs::create_dir_all(self.root()).unwrap();
        let own = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        let all: Vec<&str> = own.iter().chain(arguments).copied().collect();
        git(&self.root(), &all).unwrap().unwrap()
    }

    fn commit(&self, text: &str) -> String {
        fs::write(self.root().join("a"), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", text]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn repository(&self) -> Repository {
        Repository::around(&self.root()).unwrap()
    }

    fn artifact(&self, commit: &str, line: &[&str]) -> Result<Artifact, Error> {
        let recipe = Recipe::Words(line.iter().map(|word| (*word).to_owned()).collect());
        self.repository().artifact(commit, &recipe, &self.kept(), &GO)
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }
}

#[test]
fn a_commit_is_built_once_in_a_checkout_of_its_own() {
    let desk = Desk::new();
    let one = desk.git(&["rev-parse", "HEAD"]);
    desk.commit("two");
    fs::write(desk.root().join("a"), "changed").unwrap();
    let before = desk.git(&["status", "--porcelain", "--branch"]);

    let first = desk.artifact(&one, &["cp", "a", "built"]).unwrap();
    assert!(!first.is_reused);
    assert_eq!(fs::read_to_string(first.root.join("built")).unwrap(), "one");
    fs::write(first.root.join("built"), "kept").unwrap();
    assert!(desk.artifact(&one, &["cp", "a", "built"]).unwrap().is_reused);
    assert_eq!(fs::read_to_string(first.root.join("built")).unwrap(), "kept");

    assert!(
        !desk.artifact(&one, &["cp", "a", "other"]).unwrap().is_reused,
        "it was built by another command"
    );
    assert!(!first.root.join("built").exists());
    assert_eq!(desk.git(&["status", "--porcelain", "--branch"]), before);
    assert_eq!(fs::read_to_string(desk.root().join("a")).unwrap(), "changed");
    assert_eq!(desk.repository().is_dirty(), Some(true));
}

#[test]
fn a_build_without_its_mark_is_made_anew() {
    let desk = Desk::new();
    let one = desk.git(&["rev-parse", "HEAD"]);
    let first = desk.artifact(&one, &["cp", "a", "built"]).unwrap();
    fs::remove_file(desk.kept().join(format!("{one}.built"))).unwrap();
    fs::write(first.root.join("left"), "").unwrap();
    assert!(!desk.artifact(&one, &["cp", "a", "built"]).unwrap().is_reused);
    assert!(!first.root.join("left").exists());
    // Also where the checkout was removed without git's knowledge.
    fs::remove_dir_all(&first.root).unwrap();
    assert!(!desk.artifact(&one, &["cp", "a", "built"]).unwrap().is_reused);
}

#[test]
fn a_failed_build_says_why_and_leaves_no_worktree() {
    let desk = Desk::new();
    let one = desk.git(&["rev-parse", "HEAD"]);
    let failed = desk.artifact(&one, &["sh", "-c", "echo begun; echo 'the reason' >&2; exit 3"]);
    let said = failed.unwrap_err().to_string();
    assert!(said.contains(&one) && said.contains("3") && said.ends_with("  begun\n  the reason"), "{said}");
    assert!(!desk.kept().join(&one).exists());
    assert_eq!(desk.git(&["worktree", "list"]).lines().count(), 1);
    let missing = desk.artifact(&one, &["no-such-program-4711"]).unwrap_err().to_string();
    assert!(missing.contains("no-such-program-4711"), "{missing}");
}

#[test]
fn a_request_to_stop_ends_the_build_with_what_it_has_started() {
    let desk = Desk::new();
    let one = desk.git(&["rev-parse", "HEAD"]);
    let pid = desk.folder.path().join("pid");
    let script = format!("sleep 300 & echo $! > '{}.new'; mv '{0}.new' '{0}'; wait", pid.display());
    let recipe = Recipe::Words(["sh", "-c", &script].map(str::to_owned).to_vec());
    let stop = AtomicBool::new(false);
    let stopped = std::thread::scope(|scope| {
        let build = scope.spawn(|| desk.repository().artifact(&one, &recipe, &desk.kept(), &stop));
        while !pid.exists() && !build.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        build.join().unwrap()
    });
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    assert!(!desk.kept().join(&one).exists());
    let sleeper = fs::read_to_string(&pid).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", sleeper.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn a_ref_is_resolved_or_named_with_its_repository() {
    let desk = Desk::new();
    let repository = desk.repository();
    assert_eq!(repository.commit("HEAD").unwrap(), desk.git(&["rev-parse", "HEAD"]));
    for wrong in ["no-such-ref", "", "HEAD..HEAD", "HEAD:a"] {
        let said = repository.commit(wrong).unwrap_err().to_string();
        assert!(said.contains(wrong) && said.contains("repository"), "{said}");
    }
    assert!(matches!(repository.commit("--all"), Err(Error::NotARef(_))));
    let nowhere = tempfile::tempdir().unwrap();
    assert!(matches!(Repository::around(nowhere.path()), Err(Error::NoRepository { .. })));
}

#[test]
fn a_command_is_built_and_found_where_the_person_stands() {
    let desk = Desk::new();
    let below = Repository::around(&desk.root().join("sub")).unwrap();
    let one = desk.git(&["rev-parse", "HEAD"]);
    let recipe = Recipe::Words(["cp", "b", "built"].map(str::to_owned).to_vec());
    let artifact = below.artifact(&one, &recipe, &desk.kept(), &GO).unwrap();
    assert!(artifact.root.join("sub/built").exists());
    let found = |program: &str| below.below_root(Path::new(program)).ok();
    assert_eq!(found("./built"), Some("sub/built".into()));
    assert_eq!(found("../bin/./x"), Some("bin/x".into()));
    assert_eq!(found(desk.root().join("y").to_str().unwrap()), Some("y".into()));
    assert_eq!([found("node"), found("../../x"), found("/bin/sh")], [None, None, None]);

    fs::create_dir(desk.root().join("new")).unwrap();
    let new = Repository::around(&desk.root().join("new")).unwrap();
    let said = new.artifact(&one, &recipe, &desk.kept(), &GO).unwrap_err().to_string();
    assert!(said.contains("has no directory new"), "{said}");
}
