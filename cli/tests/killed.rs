//! Killed and interrupted: whatever dies at whatever moment, nothing runs on and the next run gives the right answer.
#![cfg(target_os = "linux")]

mod bench;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bench::{Corpus, Dice, Subject, call, corpus, folder, highwater, json, strategy, temporary};

/// Moments at which a process is killed.
const MOMENTS: u64 = 50;
/// By when a condition that is waited for must hold.
const DEADLINE: Duration = Duration::from_secs(20);

/// Looks again and again until there is something; fails after [`DEADLINE`].
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Processes that run in a directory or below it. Those that have ended but are not yet collected have none.
fn processes_in(directory: &Path) -> Vec<u32> {
    let directory = fs::canonicalize(directory).expect("the directory exists");
    let entries = fs::read_dir("/proc").expect("/proc can be read");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let runs_there =
        |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&directory));
    pids.filter(runs_there).collect()
}

fn wait_until_none_runs_in(directory: &Path) {
    wait_for("processes ran on", || processes_in(directory).is_empty().then_some(()));
}

fn signal(pid: u32, name: &str) {
    let status =
        Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
    status.expect("kill can be called");
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program can be started")
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("a child can be waited for").is_some()
}

/// Files in a cache's fragments that are complete.
fn complete_fragments(subject: &Subject) -> u64 {
    let Ok(entries) = fs::read_dir(subject.cache().join("fragments")) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".fragment")).count() as u64
}

/// Starts a cold parse, and lets it come to a random moment: so many workspaces done, and a little further.
fn start_and_come_to_a_moment(subject: &Subject, dice: &mut Dice) -> Child {
    let mut child = start(subject.command("Cold", strategy("bounded")));
    let wanted = dice.below(18);
    wait_for("the parse came nowhere", || {
        (complete_fragments(subject) >= wanted || has_ended(&mut child)).then_some(())
    });
    (0..dice.below(400)).for_each(|_| std::thread::yield_now());
    child
}

/// The next run over what was left must answer rightly, and leave nothing unfinished.
fn next_run_is_right(subject: &Subject, what: &str) {
    let answer = subject.answer("Cold", strategy("bounded"));
    assert_eq!(answer["passes"][0]["digest"], corpus().digest(), "{what}: {answer}");
    assert_eq!(answer["passes"][0]["complete"], true, "{what}: {answer}");
    let names = fs::read_dir(subject.cache().join("fragments")).expect("there is a cache");
    let unfinished: Vec<PathBuf> = names
        .map(|entry| entry.expect("a cache can be read").path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "fragment"))
        .collect();
    assert_eq!(unfinished, Vec::<PathBuf>::new(), "{what}");
}

#[test]
fn a_killed_parent_leaves_no_worker_and_the_next_run_is_right() {
    let folder = temporary();
    let mut dice = Dice(21);
    for moment in 0..MOMENTS {
        let subject = Subject::new(&folder.path().join(format!("s{moment}")), &corpus().home());
        let mut child = start_and_come_to_a_moment(&subject, &mut dice);
        child.kill().unwrap();
        child.wait().unwrap();
        wait_until_none_runs_in(&subject.root);
        next_run_is_right(&subject, &format!("moment {moment}"));
    }
}

#[test]
fn a_run_that_begins_while_the_worker_of_a_killed_one_may_still_run_is_right() {
    let folder = temporary();
    let mut dice = Dice(22);
    for moment in 0..MOMENTS {
        let subject = Subject::new(&folder.path().join(format!("s{moment}")), &corpus().home());
        let mut child = start_and_come_to_a_moment(&subject, &mut dice);
        child.kill().unwrap();
        child.wait().unwrap();
        next_run_is_right(&subject, &format!("moment {moment}, at once"));
        wait_until_none_runs_in(&subject.root);
        next_run_is_right(&subject, &format!("moment {moment}, afterwards"));
    }
}

#[test]
fn a_killed_worker_is_told_and_the_work_is_done_by_another() {
    let folder = temporary();
    let mut dice = Dice(23);
    let mut told = 0;
    for moment in 0..MOMENTS {
        let subject = Subject::new(&folder.path().join(format!("s{moment}")), &corpus().home());
        let mut child = start_and_come_to_a_moment(&subject, &mut dice);
        let parent = child.id();
        let workers: Vec<u32> =
            processes_in(&subject.root).into_iter().filter(|pid| *pid != parent).collect();
        workers.iter().for_each(|pid| signal(*pid, "KILL"));
        wait_for("the parent did not end", || has_ended(&mut child).then_some(()));
        assert_eq!(child.wait().unwrap().code(), Some(0), "moment {moment}");
        wait_until_none_runs_in(&subject.root);
        let answer = json(&subject.root.join("answer.json"));
        let pass = &answer["passes"][0];
        assert_eq!(pass["digest"], corpus().digest(), "moment {moment}: {answer}");
        for failure in pass["failures"].as_array().unwrap() {
            let sentence = failure.as_str().unwrap();
            assert!(
                sentence.contains("killed") || sentence.contains("signal 9"),
                "moment {moment}: {sentence}"
            );
            told += 1;
        }
        next_run_is_right(&subject, &format!("moment {moment}"));
    }
    assert!(told > 0, "no worker was killed in time");
}

/// A run of every strategy's cold parse in a folder.
fn start_run(out: &Path) -> Child {
    let mut command = highwater(&["run", "sync/cold", "sync/warm", "--profile", "smoke", "--corpora"]);
    command.arg(folder("corpora")).arg("--out").arg(out);
    start(command)
}

/// The directory in which a run does its work, when there is one.
fn scratch(out: &Path) -> Option<PathBuf> {
    let mut paths = fs::read_dir(out).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("scratch-")))
}

/// Starts a run, and waits until it has begun so many samples.
fn start_run_until(out: &Path, samples: u64) -> Child {
    let mut child = start_run(out);
    wait_for("the run came nowhere", || {
        assert!(!has_ended(&mut child), "the run had ended before sample {samples}");
        let entries = fs::read_dir(scratch(out)?).ok()?;
        let numbers = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.rsplit('-').next()?.parse::<u64>().ok());
        (numbers.max()? >= samples).then_some(())
    });
    child
}

#[test]
fn an_interrupted_run_ends_with_everything_it_started_and_leaves_no_scratch() {
    corpus();
    for (name, samples) in [("INT", 1), ("INT", 2), ("TERM", 4), ("INT", 8), ("TERM", 12), ("INT", 16)] {
        let out = temporary();
        let mut child = start_run_until(out.path(), samples);
        signal(child.id(), name);
        wait_for("the run did not end", || has_ended(&mut child).then_some(()));
        let code = child.wait().unwrap().code();
        assert!(code.is_some_and(|code| code != 0), "{name} at sample {samples}: {code:?}");
        assert_eq!(processes_in(out.path()), Vec::<u32>::new(), "{name} at sample {samples}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "{name} at sample {samples} left something");
    }
}

#[test]
fn a_killed_run_leaves_no_process() {
    corpus();
    for samples in [1, 3, 6, 9] {
        let out = temporary();
        let mut child = start_run_until(out.path(), samples);
        child.kill().unwrap();
        child.wait().unwrap();
        wait_until_none_runs_in(out.path());
        assert!(!out.path().join("run.json").exists());
    }
}

/// The arguments of a corpus that takes long enough to be interrupted.
fn generate(corpora: &Path) -> Command {
    let mut command =
        highwater(&["corpus", "generate", "--profile", "laptop", "--scale", "0.3", "--corpora"]);
    command.arg(corpora);
    command
}

/// Starts to generate, and waits until so many directories of the unfinished corpus are there.
fn start_generating_until(corpora: &Path, directories: usize) -> Child {
    let mut child = start(generate(corpora));
    wait_for("nothing was generated", || {
        assert!(!has_ended(&mut child), "the corpus was complete before {directories} directories were seen");
        let mut paths = fs::read_dir(corpora).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let partial = paths.find(|path| path.extension().is_some_and(|extension| extension == "partial"))?;
        (count_directories(&partial) >= directories).then_some(())
    });
    child
}

fn count_directories(path: &Path) -> usize {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    paths.map(|path| 1 + count_directories(&path)).sum()
}

/// What is in a folder of corpora, but for the locks.
fn left(corpora: &Path) -> Vec<String> {
    let entries = fs::read_dir(corpora).expect("the folder of corpora can be read");
    let names = entries.map(|entry| entry.expect("the folder of corpora can be read").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| !name.ends_with(".lock")).collect()
}

fn a_later_generate_succeeds(corpora: &Path) {
    call(generate(corpora)).expect(0);
    assert_eq!(left(corpora).len(), 1, "{:?}", left(corpora));
    let mut command = highwater(&["corpus", "verify"]);
    command.arg(&Corpus::only_one(corpora).root);
    call(command).expect(0);
}

#[test]
fn interrupted_generating_leaves_no_corpus_that_is_not_whole() {
    for (number, (name, directories)) in [("INT", 1), ("TERM", 4), ("INT", 9)].into_iter().enumerate() {
        let corpora = temporary();
        let mut child = start_generating_until(corpora.path(), directories);
        signal(child.id(), name);
        wait_for("generating did not end", || has_ended(&mut child).then_some(()));
        assert_eq!(child.wait().unwrap().code(), Some(2), "{name} at {directories}");
        // What is written stays out of sight, and the next run goes on with it.
        let left = left(corpora.path());
        assert!(left.iter().all(|name| name.ends_with(".partial")), "{name} at {directories}: {left:?}");
        if number == 0 {
            a_later_generate_succeeds(corpora.path());
        }
    }
}

#[test]
fn killed_generating_is_cleaned_up_by_the_next() {
    for directories in [1, 9] {
        let corpora = temporary();
        let mut child = start_generating_until(corpora.path(), directories);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            left(corpora.path()).iter().all(|name| name.ends_with(".partial")),
            "{:?}",
            left(corpora.path())
        );
        a_later_generate_succeeds(corpora.path());
    }
}
