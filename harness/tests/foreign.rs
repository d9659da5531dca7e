//! Programs that know nothing of this crate: their whole tree is read, and nothing of ours with it.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

mod subjects;

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use harness::instrument::Instrument;
use harness::subject::{End, Foreign, Sample, Tree};
use subjects::{Bench, bench, is_alive, named, wait_until};

const MIB: u64 = 1 << 20;

#[global_allocator]
static ALLOCATOR: harness::alloc::Switch = harness::alloc::Switch;

fn main() -> ExitCode {
    let works = named![
        holds_together,
        holds,
        spikes,
        spikes_at_the_end,
        spikes_briefly_at_the_end,
        spikes_in_a_thread,
        spikes_and_dies,
        starts_many,
        becomes_another,
        marks_phases,
        holds_and_makes_small_ones,
    ];
    let checks: &subjects::Named = if cfg!(target_os = "linux") {
        named![
            four_children_are_summed,
            a_large_spawner_does_not_count,
            a_short_spike_is_not_missed,
            a_spike_at_the_end_is_not_missed,
            without_tracing_the_tree_is_polled,
            a_daemon_is_counted_and_stopped,
            children_of_a_moment_are_all_seen,
            memory_that_is_shared_counts_once,
            what_a_copy_had_is_its_makers,
            phases_begin_at_marks_and_at_lines,
            a_tree_that_is_stopped_is_gone,
            arguments_environment_and_input_are_as_given,
        ]
    } else {
        &[]
    };
    subjects::main(works, checks)
}

/// This binary, as a program that knows nothing of the harness.
fn foreign(work: &str) -> Bench {
    let mut bench = bench(work, Instrument::Os);
    bench.subject.foreign = Some(Foreign::default());
    bench
}

/// A shell command as one.
fn shell(script: &str) -> Bench {
    let mut bench = foreign("");
    bench.subject.env.clear();
    bench.subject.program = "sh".into();
    bench.subject.args = ["-c", script].map(Into::into).to_vec();
    bench
}

fn tree(sample: &Sample) -> &Tree {
    assert!(sample.status.is_success(), "{:?} {}", sample.status, sample.stderr.text());
    sample.tree.as_ref().unwrap()
}

fn fill(mebibytes: u64) -> Vec<u8> {
    black_box(vec![1; (mebibytes * MIB) as usize])
}

fn again(work: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("SUBJECT_WORK", work);
    command
}

/// Says when it holds its memory, and holds it until it is let go.
fn holds() {
    let held = fill(100);
    std::io::stdout().write_all(b"!").unwrap();
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(held);
}

fn holds_together() {
    let start = |_| again("holds").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut children: Vec<_> = (0..4).map(start).collect();
    for child in &mut children {
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    for mut child in children {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

fn four_children_are_summed() {
    let sample = foreign("holds_together").run();
    let tree = tree(&sample);
    assert_eq!(tree.members.len(), 5, "{tree:?}");
    assert!(tree.low_bytes >= 400 * MIB && tree.low_bytes <= tree.high_bytes, "{tree:?}");
    assert!(tree.high_bytes - tree.low_bytes < tree.high_bytes / 20, "{tree:?}");
    // Shared pages count once in it.
    assert!(tree.proportional_bytes.is_none_or(|bytes| bytes < tree.high_bytes), "{tree:?}");
    assert!(tree.how.traced && tree.cost.polling > Duration::ZERO && tree.cost.tracing > Duration::ZERO);
}

fn a_large_spawner_does_not_count() {
    let ballast = fill(300);
    for untraced in [false, true] {
        let mut bench = shell("");
        bench.subject.program = "/bin/true".into();
        bench.subject.args.clear();
        bench.subject.foreign.as_mut().unwrap().untraced = untraced;
        let sample = bench.run();
        let tree = tree(&sample);
        assert!(tree.high_bytes < 4 * MIB && (untraced || tree.low_bytes > 0), "{tree:?}");
    }
    drop(ballast);
}

/// Numbers that differ from run to run.
fn moment() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_micros().into()
}

fn spikes() {
    std::thread::sleep(Duration::from_millis(moment() % 200));
    let held = fill(200);
    std::thread::sleep(Duration::from_millis(5));
    drop(held);
    std::thread::sleep(Duration::from_millis(100));
}

fn spikes_at_the_end() {
    std::thread::sleep(Duration::from_millis(moment() % 100));
    black_box(fill(200));
}

/// A spike that is shorter than the time between two looks.
fn spikes_briefly_at_the_end() {
    std::thread::sleep(Duration::from_millis(20 + moment() % 20));
    black_box(fill(10));
}

/// The first thread waits while another one takes memory and ends the program.
fn spikes_in_a_thread() {
    std::thread::spawn(|| {
        let held = fill(200);
        std::process::exit(i32::from(held.is_empty()));
    });
    std::thread::sleep(Duration::from_secs(10));
}

fn spikes_and_dies() {
    let held = fill(200);
    Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().unwrap();
    std::thread::sleep(Duration::from_secs(10));
    drop(held);
}

fn a_short_spike_is_not_missed() {
    for untraced in [false, true] {
        let mut bench = foreign("spikes");
        bench.subject.foreign.as_mut().unwrap().untraced = untraced;
        let sample = bench.run();
        assert!(tree(&sample).low_bytes >= 200 * MIB, "{:?}", sample.tree);
    }
}

fn a_spike_at_the_end_is_not_missed() {
    for _ in 0..5 {
        let sample = foreign("spikes_at_the_end").run();
        assert!(tree(&sample).low_bytes >= 200 * MIB, "{:?}", sample.tree);
    }
    for _ in 0..20 {
        let sample = foreign("spikes_briefly_at_the_end").run();
        assert!(tree(&sample).low_bytes >= 12 * MIB, "{:?}", sample.tree);
    }
    let sample = foreign("spikes_in_a_thread").run();
    assert!(tree(&sample).low_bytes >= 200 * MIB, "{:?}", sample.tree);
    let sample = foreign("spikes_and_dies").run();
    assert_eq!(sample.status, End::Signal(15));
    assert!(sample.tree.as_ref().unwrap().low_bytes >= 200 * MIB, "{:?}", sample.tree);
}

fn without_tracing_the_tree_is_polled() {
    let mut bench = foreign("holds_together");
    bench.subject.foreign.as_mut().unwrap().untraced = true;
    let sample = bench.run();
    let tree = tree(&sample);
    assert!(!tree.how.traced && tree.how.polls > 20, "{tree:?}");
    assert_eq!(tree.members.len(), 5, "{tree:?}");
    assert!(tree.low_bytes >= 400 * MIB && tree.high_bytes < 440 * MIB, "{tree:?}");
}

fn a_daemon_is_counted_and_stopped() {
    // Its parent is gone, its session its own.
    let bench = shell("(setsid sleep 1000 & echo $! > pid) ; sleep 0.1");
    let sample = bench.run();
    let tree = tree(&sample);
    let pid = std::fs::read_to_string(bench.path("pid")).unwrap().trim().parse().unwrap();
    let daemon = tree.members.iter().find(|member| member.pid == pid).unwrap();
    assert_eq!(daemon.command_line, "sleep 1000");
    assert!(daemon.peak_bytes > 0);
    assert_eq!(sample.stragglers, ["sleep 1000"]);
    wait_until("the end of the daemon", || !is_alive(pid));
}

const MANY: usize = 200;

fn starts_many() {
    for _ in 0..MANY {
        assert!(Command::new("/bin/true").status().unwrap().success());
    }
}

fn children_of_a_moment_are_all_seen() {
    let sample = foreign("starts_many").run();
    let tree = tree(&sample);
    let small = tree.members.iter().filter(|member| member.command == "true");
    let peaks: Vec<u64> = small.map(|member| member.peak_bytes).collect();
    assert_eq!(peaks.len(), MANY);
    assert!(peaks.iter().all(|&bytes| bytes > 100 * 1024 && bytes < 4 * MIB), "{peaks:?}");
}

/// std starts them in its own memory (vfork), in which they are for a moment.
fn holds_and_makes_small_ones() {
    let held = fill(200);
    starts_many();
    drop(held);
}

fn memory_that_is_shared_counts_once() {
    for untraced in [false, true] {
        let mut bench = foreign("holds_and_makes_small_ones");
        bench.subject.foreign.as_mut().unwrap().untraced = untraced;
        let sample = bench.run();
        let tree = tree(&sample);
        assert!(
            tree.low_bytes >= 200 * MIB && tree.low_bytes < 215 * MIB,
            "{untraced} {} {}",
            tree.low_bytes,
            tree.high_bytes
        );
        assert!(tree.members.iter().all(|member| member.command != "true" || member.peak_bytes < 4 * MIB));
    }
}

fn becomes_another() {
    use std::os::unix::process::CommandExt;
    let held = fill(200);
    let mut command = Command::new("sleep");
    make_it_fork(&mut command);
    let status = command.arg("0.1").status().unwrap();
    assert!(status.success());
    drop(held);
    let error = Command::new("/bin/true").exec();
    panic!("{error}");
}

/// A user of its own, though it is the same, makes std fork.
fn make_it_fork(command: &mut Command) {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    command.uid(std::fs::metadata("/proc/self").unwrap().uid());
}

fn what_a_copy_had_is_its_makers() {
    let sample = foreign("becomes_another").run();
    let tree = tree(&sample);
    let peaks: Vec<(&str, u64)> =
        tree.members.iter().map(|member| (member.command.as_str(), member.peak_bytes)).collect();
    // The first one's own peak is from before it became `true`.
    let [("true", first), ("sleep", second)] = peaks[..] else { panic!("{peaks:?}") };
    assert!((200 * MIB..215 * MIB).contains(&first) && second < 4 * MIB, "{peaks:?}");
}

fn marks_phases() {
    let descriptor = std::env::var("HIGHWATER_PHASE_FD").unwrap();
    let mut marks =
        std::fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{descriptor}")).unwrap();
    let pause = || std::thread::sleep(Duration::from_millis(60));
    writeln!(marks, "highwater:phase load").unwrap();
    pause();
    drop(fill(120));
    pause();
    writeln!(marks, "highwater:phase rest").unwrap();
    pause();
    drop(fill(20));
    pause();
    std::io::stdout().write_all(b"phase=3 detail=Cold parse\n").unwrap();
    pause();
    drop(fill(70));
    pause();
    writeln!(marks, "highwater:phase rest").unwrap();
    pause();
}

fn phases_begin_at_marks_and_at_lines() {
    let mut bench = foreign("marks_phases");
    let pattern = regex::bytes::Regex::new("detail=(.*)$").unwrap();
    bench.subject.foreign.as_mut().unwrap().phase_pattern = Some(pattern);
    let sample = bench.run();
    let tree = tree(&sample);
    let names: Vec<&str> = tree.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["load", "rest", "Cold parse"]);
    assert_eq!(sample.doubts, Vec::<String>::new());
    for (phase, mebibytes) in tree.phases.iter().zip([120, 20, 70]) {
        assert!(phase.low_bytes >= mebibytes * MIB && phase.high_bytes < (mebibytes + 8) * MIB, "{phase:?}");
        assert!(phase.low_bytes <= phase.high_bytes && phase.wall >= Duration::from_millis(100), "{phase:?}");
    }
    assert!(tree.high_bytes >= 120 * MIB, "{tree:?}");
}

fn a_tree_that_is_stopped_is_gone() {
    let mut bench = shell("sleep 1000 & (setsid sleep 1000 &) ; kill -STOP $$; sleep 1000");
    bench.subject.timeout = Duration::from_millis(400);
    let sample = bench.run();
    assert_eq!(sample.status, End::TimedOut);
    for member in &sample.tree.unwrap().members {
        wait_until("the end of a member", || !is_alive(member.pid));
    }
}

fn arguments_environment_and_input_are_as_given() {
    let asks = || {
        let mut bench = shell(r#"echo "$1|$A|${RUST_BACKTRACE-unset}"; cat; echo told >&2"#);
        bench.subject.args.extend(["zero", "one  'two'"].map(Into::into));
        bench.subject.env = vec![("A".into(), "b c".into())];
        bench
    };
    // As this process has it.
    let backtrace = std::env::var("RUST_BACKTRACE").unwrap_or("unset".to_owned());
    let said = format!("one  'two'|b c|{backtrace}\n");
    let without = asks().run();
    assert_eq!(without.stdout.text(), said);
    assert_eq!(without.stderr.text(), "told\n");
    let mut bench = asks();
    std::fs::write(bench.path("input"), "from a file").unwrap();
    let input = bench.path("input");
    bench.subject.foreign.as_mut().unwrap().stdin = Some(input);
    assert_eq!(bench.run().stdout.text(), said + "from a file");
}
