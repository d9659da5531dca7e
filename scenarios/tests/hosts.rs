//! Hosts with worker processes over corpora that are hard: of defects, and of files that change between one sync and the next.
//!
//! A worker speaks over its standard streams, so this test has no harness that would write there: it starts itself.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it did"
)]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use engine::session::hex;
use engine::sync::strategy::{AS_REPORTED, BOUNDED, End, FingerprintKind, Strategy};
use engine::sync::{Host, Outcome, worker};
use generators::{Corpus, Growth, Manifest, Profile, Spec, Step};

/// The argument that makes this program a worker.
const WORKER: &str = "be-a-worker";
/// A worker that takes so long waits for a pipe.
const LIMIT: Duration = Duration::from_secs(120);

/// The reported engine, but that it waits for its cache to be written, and does not count files that need not exist.
const REPORTED: Strategy = Strategy { end: End::Wait, probe_missing: false, ..AS_REPORTED };
/// The same with fingerprints that see what is in the files.
const REPORTED_BY_FILES: Strategy = Strategy { fingerprint: FingerprintKind::Files, ..REPORTED };

fn main() {
    if std::env::args().any(|argument| argument == WORKER) {
        worker::run(std::io::stdin().lock(), std::io::stdout().lock(), &mut |_| ()).unwrap();
        return;
    }
    for (name, strategy) in [("as-reported", REPORTED), ("bounded", BOUNDED)] {
        defects_are_treated_as_the_manifest_says(strategy);
        println!("defects, {name}: ok");
    }
    for (name, strategy) in [("as-reported by files", REPORTED_BY_FILES), ("bounded", BOUNDED)] {
        every_step_of_growth_is_seen(strategy);
        println!("growth, {name}: ok");
    }
    fingerprints_of_directories_miss_an_append();
    println!("growth, fingerprints of directories: ok");
}

fn make(dir: &Path, profile: Profile, scale: f64) -> Corpus {
    let spec = Spec { profile, scale, seed: 1 };
    generators::ensure(dir, &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap()
}

/// Has a host brought up to date as often as `check` is called, and hands over what came of it, with the answer's digest.
fn with_host(home: &Path, strategy: Strategy, work: impl FnOnce(&mut dyn FnMut() -> (Outcome, String))) {
    let cache = tempfile::tempdir().unwrap();
    let mut command = |_| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(WORKER);
        command
    };
    let mut observe = |_: engine::sync::Event<'_>| ();
    let mut host = Host::new(home, cache.path(), strategy, &mut command, &|_| None, &mut observe);
    host.timeout = LIMIT;
    work(&mut || {
        let outcome = host.sync().unwrap();
        let tally = host.library().unwrap().visit(|_| {}).unwrap();
        (outcome, hex(&tally.digest()))
    });
}

fn defects_are_treated_as_the_manifest_says(strategy: Strategy) {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path(), Profile::Adversarial, 0.01);
    let manifest = &corpus.manifest;
    let refused = manifest.files.iter().filter(|file| file.is_refused).count() as u64;
    with_host(&corpus.home(), strategy, |sync| {
        let (outcome, digest) = sync();
        assert!(outcome.complete && outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(outcome.workspaces, manifest.answer.workspaces);
        assert_eq!((outcome.skipped.files, outcome.skipped.lines), (refused, manifest.answer.skipped_lines));
        assert_eq!(digest, manifest.answer.digest);
        // From memory, it is the same.
        assert_eq!(sync().1, manifest.answer.digest);
    });
}

/// What is true after each step is what a host that stays up says, and what one says that finds only the cache.
fn every_step_of_growth_is_seen(strategy: Strategy) {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path(), Profile::Growth, 1.0);
    let growth = Growth::new(&Spec { profile: Profile::Growth, scale: 1.0, seed: 1 });
    with_host(&corpus.home(), strategy, |sync| {
        assert_eq!(sync().1, corpus.manifest.answer.digest);
        for (number, step) in (1..).zip(Step::ALL) {
            growth.apply(number, &corpus.home()).unwrap();
            let manifest = growth.manifest(number).unwrap();
            let (outcome, digest) = sync();
            assert!(outcome.complete && !outcome.from_memory, "{step:?}: {:?}", outcome.failures);
            assert_eq!(digest, manifest.answer.digest, "{step:?}");
            check_work(&outcome, &manifest, step);
            assert!(sync().0.from_memory || strategy.cache != BOUNDED.cache, "{step:?}");
        }
    });
}

/// Nothing but what changed is read, where the cache has a file for each workspace.
fn check_work(outcome: &Outcome, manifest: &Manifest, step: Step) {
    assert!(outcome.work.parsed > 0, "{step:?}");
    if outcome.work.cached > 0 {
        assert!(
            outcome.work.parsed <= 10,
            "{step:?}: {} of {}",
            outcome.work.parsed,
            manifest.answer.workspaces
        );
    }
}

/// That the steps can be missed at all: the reported engine looks at directories only, and misses what is appended.
fn fingerprints_of_directories_miss_an_append() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = make(dir.path(), Profile::Growth, 1.0);
    with_host(&corpus.home(), REPORTED, |sync| {
        sync();
        let growth = Growth::new(&Spec { profile: Profile::Growth, scale: 1.0, seed: 1 });
        growth.apply(1, &corpus.home()).unwrap();
        assert_ne!(sync().1, growth.manifest(1).unwrap().answer.digest);
    });
}
