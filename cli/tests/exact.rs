//! Exact metrics are equal in every run, whatever surrounds it: path, home, environment, cores, order and times of files.
#![cfg(target_os = "linux")]

mod bench;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use bench::{Dice, Subject, corpus, skipped, strategy, temporary};
use serde_json::Value;

const DRIVE: &str = "Cold";
const EXACT: [&str; 3] = ["heap.peak_bytes", "heap.total_bytes", "heap.total_blocks"];
const ROLES: [&str; 2] = ["parent", "worker-1"];

/// The exact figures of one cold parse, of the whole and of each phase, by name.
type Figures = BTreeMap<String, u64>;

/// Does a cold parse in a fresh directory, started by a command of the subject's, and reads its exact figures.
fn measure(root: &Path, home: &Path, command: impl FnOnce(&Subject) -> Command) -> Figures {
    let subject = Subject::new(root, home);
    let answer = subject.answer_of(command(&subject));
    assert_eq!(answer["passes"][0]["digest"], corpus().digest(), "{answer}");
    let mut figures = Figures::new();
    for role in ROLES {
        let record = subject.record(role);
        add(&mut figures, role, "", &record["metrics"]);
        for phase in record["phases"].as_array().expect("a record has phases") {
            add(&mut figures, role, phase["name"].as_str().expect("a phase has a name"), &phase["metrics"]);
        }
    }
    figures
}

fn add(figures: &mut Figures, role: &str, phase: &str, metrics: &Value) {
    for metric in EXACT {
        assert_eq!(metrics[metric]["tier"], "exact", "{role} {metric}: {metrics}");
        let value = metrics[metric]["value"].as_f64().expect("a metric has a value");
        assert!(value > 0.0 || !phase.is_empty(), "{role} {metric}");
        figures.insert(format!("{role} {metric}@{phase}"), value as u64);
    }
}

fn plain(subject: &Subject) -> Command {
    subject.command(DRIVE, strategy("bounded"))
}

/// The figures of a run in which nothing is unusual, in a directory of its own.
fn reference() -> Figures {
    let directory = temporary();
    measure(&directory.path().join("a"), &corpus().home(), plain)
}

#[test]
fn ten_runs_are_equal() {
    let first = reference();
    for _ in 1..10 {
        assert_eq!(reference(), first);
    }
}

#[test]
fn a_directory_100_characters_longer_changes_nothing() {
    let directory = temporary();
    let long = directory.path().join("a".repeat(50)).join("b".repeat(50));
    assert_eq!(measure(&long, &corpus().home(), plain), reference());
}

#[test]
fn a_corpus_with_a_path_100_characters_longer_changes_nothing() {
    let directory = temporary();
    let home = directory.path().join("c".repeat(100));
    fill(&home, &corpus().files());
    assert_eq!(measure(&directory.path().join("a"), &home, plain), reference());
}

#[test]
fn files_written_at_another_time_change_nothing() {
    let directory = temporary();
    let home = directory.path().join("home");
    fill(&home, &corpus().files());
    let expected = reference();
    for number in 1..=5 {
        for file in corpus().files() {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number);
            set_time(&home.join(file), time);
        }
        assert_eq!(measure(&directory.path().join(format!("a-{number}")), &home, plain), expected);
    }
}

#[test]
fn another_home_and_a_larger_environment_change_nothing() {
    let directory = temporary();
    let figures = measure(&directory.path().join("a"), &corpus().home(), |subject| {
        let mut command = plain(subject);
        command.env("HOME", directory.path()).env("LANG", "de_DE.UTF-8").env("TZ", "Asia/Tokyo");
        for number in 0..100 {
            command.env(format!("LARGER_{number}"), "x".repeat(100));
        }
        command
    });
    assert_eq!(figures, reference());
}

#[test]
fn an_empty_environment_changes_nothing() {
    let directory = temporary();
    let figures = measure(&directory.path().join("a"), &corpus().home(), |subject| {
        let ours = plain(subject);
        let mut command = Command::new(ours.get_program());
        command.args(ours.get_args()).current_dir(&subject.root).env_clear();
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    });
    assert_eq!(figures, reference());
}

#[test]
fn one_core_changes_nothing() {
    let there = Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        skipped("taskset is not there");
        return;
    }
    let directory = temporary();
    let figures = measure(&directory.path().join("a"), &corpus().home(), |subject| {
        subject.command_by(&["taskset", "-c", "0"], DRIVE, strategy("bounded"))
    });
    assert_eq!(figures, reference());
}

#[test]
fn the_order_in_which_directories_were_filled_changes_nothing() {
    let expected = reference();
    let files = corpus().files();
    let reversed: Vec<PathBuf> = files.iter().rev().cloned().collect();
    for disk in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        let Ok(directory) = tempfile::tempdir_in(&disk) else {
            skipped(&format!("{} is not there", disk.display()));
            continue;
        };
        for (number, order) in [reversed.clone(), shuffled(files.clone(), 7)].iter().enumerate() {
            let home = directory.path().join(format!("home-{number}"));
            fill(&home, order);
            let figures = measure(&directory.path().join(format!("a-{number}")), &home, plain);
            assert_eq!(figures, expected, "on {}, order {number}", disk.display());
        }
    }
}

fn shuffled(mut files: Vec<PathBuf>, seed: u64) -> Vec<PathBuf> {
    let mut dice = Dice(seed);
    for last in (1..files.len()).rev() {
        files.swap(last, dice.below(last as u64 + 1) as usize);
    }
    files
}

/// Copies the corpus file by file in this order, each into directories that are made when they are first needed, and with the
/// time of its original.
fn fill(home: &Path, files: &[PathBuf]) {
    for file in files {
        let (original, target) = (corpus().home().join(file), home.join(file));
        fs::create_dir_all(target.parent().expect("a file lies in a directory"))
            .expect("a directory can be made");
        fs::copy(&original, &target).expect("a file can be copied");
        let metadata = fs::metadata(original).expect("the corpus is there");
        set_time(&target, metadata.modified().expect("files have times"));
    }
}

fn set_time(file: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(file).expect("a file can be opened");
    file.set_modified(time).expect("the time of a file can be set");
}
