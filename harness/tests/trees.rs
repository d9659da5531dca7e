//! Trees of processes: all of them are seen, and none of them stays behind.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use harness::instrument::Instrument;
use harness::subject::End;
use subjects::{Bench, bench, is_alive, measured, named, wait_until};

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> ExitCode {
    let works = named![spawns_sleepers, measures_sleepers, has_workers, works, speaks, fails];
    let checks: &subjects::Named = if cfg!(target_os = "linux") {
        named![
            a_stopped_subject_leaves_no_orphan,
            a_subject_out_of_time_leaves_no_orphan,
            a_killed_spawner_leaves_no_orphan,
            a_straggler_is_counted_and_killed,
            every_member_is_in_the_tree,
            output_and_exit_code_are_kept,
            a_missing_program_is_named,
        ]
    } else {
        named![output_and_exit_code_are_kept, a_missing_program_is_named]
    };
    subjects::main(works, checks)
}

/// A shell with children and grandchildren, one of them in a session of its own, and their ids in a file.
const SLEEPERS: &str = "sleep 1000 & echo $! >> pids; (sleep 1000 & echo $! >> pids); setsid sleep 1000 & echo $! >> pids; \
                        echo $$ >> pids; touch ready; wait";

fn spawns_sleepers() {
    Command::new("sh").args(["-c", SLEEPERS]).status().unwrap();
}

fn sleepers(dir: &Path) -> Vec<u32> {
    let text = fs::read_to_string(dir.join("pids")).unwrap();
    let pids: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(pids.len(), 4, "{text}");
    pids
}

fn assert_gone(dir: &Path) {
    for pid in sleepers(dir) {
        // A killed process needs a moment to end; one that was left behind never does.
        wait_until(&format!("the end of process {pid}"), || !is_alive(pid));
    }
}

fn a_stopped_subject_leaves_no_orphan() {
    for instrument in [Instrument::Os, Instrument::Count] {
        let bench = bench("spawns_sleepers", instrument);
        let stop = AtomicBool::new(false);
        let sample = std::thread::scope(|scope| {
            let running = scope.spawn(|| bench.subject.run(&stop).unwrap());
            wait_until("the sleepers", || bench.path("ready").exists());
            stop.store(true, Relaxed);
            running.join().unwrap()
        });
        assert_eq!(sample.status, End::Stopped);
        assert_gone(bench.scratch.path());
    }
}

fn a_subject_out_of_time_leaves_no_orphan() {
    let mut bench = bench("spawns_sleepers", Instrument::Os);
    bench.subject.timeout = Duration::from_millis(500);
    assert_eq!(bench.run().status, End::TimedOut);
    assert_gone(bench.scratch.path());
}

/// A spawner of its own, in the directory that the check gave it; only without the session of its own can all be found.
fn measures_sleepers() {
    let mut bench = bench("spawns_sleepers", Instrument::Os);
    bench.subject.cwd = std::env::current_dir().unwrap();
    bench.run();
}

fn a_killed_spawner_leaves_no_orphan() {
    let dir = tempfile::tempdir().unwrap();
    let mut spawner = Command::new(std::env::current_exe().unwrap())
        .env("SUBJECT_WORK", "measures_sleepers")
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the sleepers", || dir.path().join("ready").exists());
    let pids = sleepers(dir.path());
    spawner.kill().unwrap();
    spawner.wait().unwrap();
    // The third of them left the session, and a spawner that is dead can no longer find it.
    let [first, second, escaped, shell] = pids[..] else { unreachable!() };
    wait_until("the end of the group", || [first, second, shell].into_iter().all(|pid| !is_alive(pid)));
    Command::new("kill").args(["-9", &escaped.to_string()]).status().unwrap();
}

fn a_straggler_is_counted_and_killed() {
    let mut bench = bench("", Instrument::Os);
    bench.subject.program = "sh".into();
    bench.subject.args = ["-c", "setsid sleep 1000 & echo $! > pid"].map(Into::into).to_vec();
    let sample = bench.run();
    assert_eq!((sample.status, sample.stragglers), (End::Exit(0), vec!["sleep 1000".to_owned()]));
    let pid = fs::read_to_string(bench.path("pid")).unwrap().trim().parse().unwrap();
    wait_until("the end of the straggler", || !is_alive(pid));
}

const WORKERS: usize = 3;

/// Workers that hold their memory together, and then end one after the other.
fn has_workers() {
    measured(|meter| {
        meter.phase("spawn");
        let program = std::env::current_exe().unwrap();
        let start = |index: usize| {
            let mut command = Command::new(&program);
            command.env("SUBJECT_WORK", "works").env("ROLE", format!("worker-{index}"));
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut workers: Vec<_> = (1..=WORKERS).map(start).collect();
        for worker in &mut workers {
            std::io::Read::read_exact(worker.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        }
        // A look of the spawner falls into this.
        let looks = std::time::Instant::now();
        while looks.elapsed() < Duration::from_millis(50) {
            std::thread::yield_now();
        }
        for mut worker in workers {
            drop(worker.stdin.take());
            assert!(worker.wait().unwrap().success());
        }
    });
}

fn works() {
    let meter = harness::meter::Meter::start(&std::env::var("ROLE").unwrap()).unwrap();
    harness::meter::phase("work");
    let held = black_box(vec![1_u8; 50 << 20]);
    std::io::Write::write_all(&mut std::io::stdout(), b"!").unwrap();
    std::io::Write::flush(&mut std::io::stdout()).unwrap();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new()).unwrap();
    drop(held);
    meter.finish().unwrap();
}

fn every_member_is_in_the_tree() {
    let sample = bench("has_workers", Instrument::Os).run();
    assert!(sample.status.is_success(), "{}", sample.stderr.text());
    let roles: Vec<&str> = sample.processes.iter().map(|process| process.role.as_str()).collect();
    assert_eq!(roles, ["parent", "worker-1", "worker-2", "worker-3"]);
    let tree = sample.tree.clone().unwrap();
    assert_eq!(tree.members.len(), WORKERS + 1, "{tree:?}");
    let held = (WORKERS as u64) * (50 << 20);
    assert!(
        tree.low_bytes >= held && tree.high_bytes >= tree.low_bytes && tree.high_bytes < held * 5 / 4,
        "{tree:?}"
    );
    assert!(tree.how.polls > 0 && tree.how.traced);
    assert!(
        tree.members.iter().all(|member| member.last_seen >= member.first_seen && !member.command.is_empty())
    );

    let counted = bench("has_workers", Instrument::Count).run();
    let metrics = harness::combine::combine(&[sample, counted]).metrics;
    assert!(metrics["heap.peak_bytes@work"].median >= held as f64);
    assert!(metrics["rss.peak_bytes"].median >= held as f64);
}

fn speaks() {
    use std::io::Write as _;
    std::io::stdout().write_all(&[b'o'; 200_000]).unwrap();
    std::io::stderr().write_all(b"trouble").unwrap();
}

fn fails() {
    std::process::exit(7);
}

fn output_and_exit_code_are_kept() {
    let sample = bench("speaks", Instrument::Count).run();
    assert_eq!(sample.status, End::Exit(0));
    assert_eq!(
        sample.stdout.first.len() as u64 + sample.stdout.last.len() as u64 + sample.stdout.dropped_bytes,
        200_000
    );
    assert_eq!(sample.stderr.text(), "trouble");
    assert_eq!(bench("fails", Instrument::Count).run().status, End::Exit(7));
}

fn a_missing_program_is_named() {
    let mut bench: Bench = bench("", Instrument::Os);
    bench.subject.program = "/no/such/program".into();
    let error = bench.subject.run(&AtomicBool::new(false)).unwrap_err().to_string();
    assert!(error.starts_with("failed to start /no/such/program:"), "{error}");
}
