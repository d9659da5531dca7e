//! Foreign runtimes: their heaps are read as they say they are, whatever way they end, and the programs do not notice.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a check fails by panicking, and says when it is skipped"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness::instrument::Instrument;
use harness::record::Process;
use harness::subject::{End, Foreign, Sample, Subject};

const MIB: f64 = 1024.0 * 1024.0;
const HEAP: &str = "v8.heap_peak_bytes";

/// Where the program that calls itself `name` is; None, said, when it is not installed.
fn real(name: &str, question: &[&str]) -> Option<PathBuf> {
    let answer = Command::new(name).args(question).output().ok().filter(|answer| answer.status.success());
    if answer.is_none() {
        eprintln!("skipped: {name} is not installed");
    }
    answer.map(|answer| PathBuf::from(String::from_utf8(answer.stdout).unwrap().trim()))
}

fn node() -> Option<PathBuf> {
    real("node", &["-p", "process.execPath"])
}

fn python() -> Option<PathBuf> {
    real("python3", &["-c", "import sys; print(sys.executable)"])
}

/// A foreign subject in a scratch directory, with records at a path that needs quoting.
struct Bench {
    subject: Subject,
    scratch: tempfile::TempDir,
}

impl Bench {
    fn new(program: impl Into<PathBuf>, instrument: Instrument) -> Bench {
        let scratch = tempfile::tempdir().unwrap();
        let record_dir = scratch.path().join("records of \"a\" \\ subject");
        fs::create_dir(&record_dir).unwrap();
        let subject = Subject {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            instrument,
            heap_limit_bytes: None,
            cwd: scratch.path().to_owned(),
            record_dir,
            timeout: Duration::from_secs(60),
            foreign: Some(Foreign::default()),
        };
        Bench { subject, scratch }
    }

    /// A file beside the subject.
    fn file(self, name: &str, text: &str) -> Bench {
        let path = self.scratch.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn args<const N: usize>(mut self, args: [&str; N]) -> Bench {
        self.subject.args = args.map(OsString::from).to_vec();
        self
    }

    fn env(mut self, name: &str, value: impl Into<OsString>) -> Bench {
        self.subject.env.push((name.into(), value.into()));
        self
    }

    fn quiet(mut self) -> Bench {
        self.subject.foreign = Some(Foreign { quiet: true, ..Foreign::default() });
        self
    }

    fn run(&self) -> Sample {
        self.subject.run(&AtomicBool::new(false)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

fn mib(process: &Process, metric: &str) -> f64 {
    process.metrics[metric].value / MIB
}

/// The record of the process that was started with a word on its command line, and of no thread of it.
fn of<'a>(sample: &'a Sample, word: &str) -> &'a Process {
    let mut found = sample.processes.iter().filter(|process| {
        !process.role.contains("thread") && process.command.as_ref().is_some_and(|line| line.ends_with(word))
    });
    found.next().unwrap_or_else(|| panic!("no record of {word}: {sample:#?}"))
}

#[track_caller]
fn assert_between(figure: f64, low: f64, high: f64, sample: &Sample) {
    assert!((low..=high).contains(&figure), "{figure} is not within {low} and {high}: {sample:#?}");
}

/// Holds most of 60 MiB, in pieces between which it waits.
const HOLDS: &str = "const held = []; let count = 0; const piece = () => {
    for (let i = 0; i < 100000; i += 1) held.push({ i, name: `name ${i}` });
    count += 1; if (count < 8) setImmediate(piece); else done();
}; piece();";

/// The largest figure before a collection that `--trace-gc` told, in MiB.
fn traced(sample: &Sample) -> f64 {
    let pattern = regex::Regex::new(r"(?m)ms: .*?([0-9.]+) \([0-9.]+\) -> ").unwrap();
    let text = sample.stdout.text();
    pattern.captures_iter(&text).map(|found| found[1].parse::<f64>().unwrap()).fold(0.0, f64::max)
}

#[test]
fn v8_tells_the_same_peak_as_its_own_trace() {
    let Some(node) = node() else { return };
    // The heap is given back before the end, so that only a collection can have seen the peak.
    let text = format!("{HOLDS} function done() {{ held.length = 0; gc(); gc(); }}");
    let bench = Bench::new(node, Instrument::V8).file("holds.js", &text);
    let sample = bench.args(["--trace-gc", "--expose-gc", "holds.js"]).run();
    assert_eq!(sample.status, End::Exit(0), "{sample:#?}");
    let (own, trace) = (mib(of(&sample, "holds.js"), HEAP), traced(&sample));
    assert!(trace > 30.0, "{sample:#?}");
    assert_between(own, trace * 0.99, trace * 1.01, &sample);
}

#[test]
fn a_program_gives_a_figure_however_it_ends() {
    let Some(node) = node() else { return };
    // The first two never wait, so that only their end can be read.
    let at_once = HOLDS.replace("setImmediate(piece)", "piece()");
    let ends = [
        (&*at_once, "process.exit(3)", End::Exit(3)),
        (&*at_once, "throw new Error('thrown')", End::Exit(1)),
        (HOLDS, "setTimeout(() => process.kill(process.pid, 'SIGTERM'), 400)", End::Signal(15)),
        (HOLDS, "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 400)", End::Signal(9)),
    ];
    for (holds, end, status) in ends {
        let text = format!("{holds} function done() {{ {end} }}");
        let sample = Bench::new(&node, Instrument::V8).file("ends.js", &text).args(["ends.js"]).run();
        assert_eq!(sample.status, status, "{end}: {sample:#?}");
        assert_between(mib(of(&sample, "ends.js"), HEAP), 40.0, 120.0, &sample);
        assert_eq!(sample.doubts, [""; 0]);
    }
}

#[test]
fn a_program_that_is_killed_at_work_is_not_taken_for_small() {
    let Some(node) = node() else { return };
    let text = "const held = []; const end = Date.now() + 1500;
        while (Date.now() < end) if (held.length < 3e6) held.push({ i: held.length });
        process.kill(process.pid, 'SIGKILL');";
    let sample = Bench::new(node, Instrument::V8).file("works.js", text).args(["works.js"]).run();
    assert_eq!(sample.status, End::Signal(9));
    let [doubt] = &sample.doubts[..] else { panic!("{sample:#?}") };
    let seconds = doubt
        .split_once("works.js) ended ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse::<f64>().ok());
    // It works for 1.5 s; a busy machine takes its own time for the rest.
    assert!(seconds.is_some_and(|seconds| seconds >= 1.0) && doubt.contains("was killed"), "{doubt}");
}

/// A parent that kills its child on the first answer; what it is and sees, it prints.
const FORKS: &str = "const { fork } = require('child_process');
if (process.argv[2] === 'child') {
    const held = []; for (let i = 0; i < 400000; i += 1) held.push({ i, name: `name ${i}` });
    process.send({ length: held.length, quiet: process.execArgv });
    setInterval(() => {}, 1000);
} else {
    const child = fork(__filename, ['child']);
    child.on('message', (message) => { console.log(JSON.stringify(message)); child.kill('SIGKILL'); });
    child.on('exit', (code, signal) => console.log(signal));
}";

#[test]
fn a_forked_child_that_is_killed_on_its_answer_is_read() {
    let bench = Bench::new("node", Instrument::V8).file("forks.js", FORKS).args(["forks.js"]);
    let Some(_) = node() else { return };
    let sample = bench.run();
    assert_eq!(sample.stdout.text(), "{\"length\":400000,\"quiet\":[]}\nSIGKILL\n");
    assert_between(mib(of(&sample, "forks.js child"), HEAP), 20.0, 60.0, &sample);
    assert_between(mib(of(&sample, "forks.js"), HEAP), 2.0, 10.0, &sample);
    assert_eq!(sample.doubts, [""; 0]);
}

#[test]
fn a_worker_thread_is_read_though_it_is_terminated() {
    let Some(node) = node() else { return };
    let text = "const { Worker, isMainThread, parentPort } = require('worker_threads');
        if (isMainThread) {
            const worker = new Worker(__filename);
            worker.on('message', () => worker.terminate());
        } else {
            const held = []; for (let i = 0; i < 400000; i += 1) held.push({ i, name: `name ${i}` });
            parentPort.postMessage(held.length);
            setInterval(() => {}, 1000);
        }";
    let sample = Bench::new(node, Instrument::V8).file("threads.js", text).args(["threads.js"]).run();
    assert_eq!(sample.status, End::Exit(0));
    let thread = sample.processes.iter().find(|process| process.role.ends_with("-thread-1"));
    assert_between(mib(thread.unwrap(), HEAP), 20.0, 60.0, &sample);
    assert_between(mib(of(&sample, "threads.js"), HEAP), 2.0, 10.0, &sample);
    assert_eq!(sample.doubts, [""; 0]);
}

#[test]
fn external_memory_is_read() {
    let Some(node) = node() else { return };
    let text = "globalThis.held = Buffer.alloc(16 << 20, 1);";
    let sample = Bench::new(node, Instrument::V8).file("holds.mjs", text).args(["holds.mjs"]).run();
    assert_between(mib(of(&sample, "holds.mjs"), "v8.external_peak_bytes"), 16.0, 20.0, &sample);
}

#[test]
fn the_program_does_not_notice_the_preload() {
    let Some(node) = node() else { return };
    let text = "const { Worker } = require('worker_threads');
        const events = (emitter) => emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]);
        const worker = new Worker('setTimeout(() => { throw new TypeError(\"thrown\") }, 10)', { eval: true });
        process.on('exit', (code) => console.log('exit', code));
        console.log(require.main === module, module.children.length, Object.keys(require.cache).length, process.argv.length);
        console.log(process.execArgv, process.send, process.emit.name, process.emit.length);
        console.log(events(process), events(worker), process.getActiveResourcesInfo());
        const { spawnSync } = require('child_process');
        console.log(spawnSync('sh', ['-c', 'node -p 6*7']).stdout.toString());";
    let plain = Bench::new(&node, Instrument::Count).file("looks.js", text).args(["looks.js"]).run();
    let read = Bench::new(&node, Instrument::V8).file("looks.js", text).args(["looks.js"]).run();
    assert_eq!(plain.status, End::Exit(1), "a worker's error is thrown: {plain:#?}");
    assert_eq!((plain.status, plain.stdout.text()), (read.status, read.stdout.text()));
    assert!(read.stderr.text().contains("TypeError"), "{}", read.stderr.text());
    let records = read.processes.iter().filter(|process| process.metrics.contains_key(HEAP));
    assert_eq!(records.count(), 3, "{:#?}", read.processes);
}

#[test]
fn options_of_the_user_come_last_and_win() {
    let Some(node) = node() else { return };
    let text =
        "console.log(globalThis.given, process.report.directory.endsWith('own'), process.report.compact);";
    for instrument in [Instrument::V8, Instrument::Os] {
        let bench = Bench::new(&node, instrument).file("looks.js", text).args(["looks.js"]);
        let bench = bench.file("own.cjs", "globalThis.given = 'given';");
        let sample = bench.env("NODE_OPTIONS", "--require=./own.cjs --report-directory=/tmp/own").run();
        assert_eq!(sample.stdout.text(), "given true true\n", "{sample:#?}");
    }
}

#[test]
fn a_process_without_the_preload_is_named() {
    let Some(node) = node() else { return };
    let text = "const { spawnSync } = require('child_process'); const { Worker } = require('worker_threads');
        spawnSync(process.execPath, ['-e', 'setTimeout(() => {}, 300)', 'unseen'], { env: {} });
        new Worker('0', { eval: true, env: {} });";
    let sample = Bench::new(node, Instrument::V8).file("hides.js", text).args(["hides.js"]).run();
    let [process, thread] = &sample.doubts[..] else { panic!("{sample:#?}") };
    assert!(process.contains(" unseen) was not read") && process.contains("`env: {}`"), "{process}");
    assert!(thread.contains("hides.js), worker threads 1 were not read"), "{thread}");
}

const GROWS: &str = "const held = []; for (;;) held.push(new Array(1000).fill({}));";

#[track_caller]
fn assert_death(sample: &Sample, what: &str) {
    let [death] = &sample.heap_deaths[..] else { panic!("{sample:#?}") };
    assert_eq!(death.what, what, "{sample:#?}");
    let (limit, used) = (death.limit_bytes.unwrap() as f64 / MIB, death.used_bytes.unwrap() as f64 / MIB);
    // Of a process V8 counts the young generation in.
    assert_between(limit, 48.0, 112.0, sample);
    assert_between(used, 40.0, limit, sample);
}

#[test]
fn a_full_heap_is_reported_under_both_instruments() {
    let Some(node) = node() else { return };
    for instrument in [Instrument::V8, Instrument::Os] {
        let bench = Bench::new(&node, instrument).file("grows.js", GROWS);
        let sample = bench.args(["--max-old-space-size=48", "grows.js"]).run();
        assert_eq!(sample.status, End::Signal(6));
        assert_death(&sample, "node, the main thread");
    }
}

#[test]
fn a_full_heap_without_a_report_is_known_by_its_last_words() {
    let Some(node) = node() else { return };
    let bench = Bench::new(node, Instrument::Os).file("grows.js", GROWS);
    let bench = bench.args(["--max-old-space-size=48", "--no-report-on-fatalerror", "grows.js"]);
    let sample = bench.run();
    let [death] = &sample.heap_deaths[..] else { panic!("{sample:#?}") };
    assert!(death.pid > 0 && death.limit_bytes.is_none(), "{death:?}");
    assert_between(death.used_bytes.unwrap() as f64 / MIB, 30.0, 110.0, &sample);
}

#[test]
fn a_full_heap_of_a_forked_child_is_reported() {
    let Some(node) = node() else { return };
    let text = "const { fork } = require('child_process');
        fork('grows.js', { execArgv: ['--max-old-space-size=48'] }).on('exit', () => process.exit(0));";
    let bench = Bench::new(node, Instrument::V8).file("grows.js", GROWS).file("forks.js", text);
    let sample = bench.args(["forks.js"]).run();
    assert_eq!(sample.status, End::Exit(0));
    assert_death(&sample, "node, the main thread");
    assert_eq!(sample.heap_deaths[0].pid, of(&sample, "grows.js").pid);
}

#[test]
fn a_full_heap_of_a_worker_thread_is_reported_though_the_program_ends_well() {
    let Some(node) = node() else { return };
    let text = "const { Worker } = require('worker_threads');
        const worker = new Worker('./grows.js', { resourceLimits: { maxOldGenerationSizeMb: 48 } });
        worker.on('error', (error) => console.log(error.code));";
    let bench = Bench::new(node, Instrument::V8).file("grows.js", GROWS).file("threads.js", text);
    let sample = bench.args(["threads.js"]).run();
    assert_eq!((&sample.status, &*sample.stdout.text()), (&End::Exit(0), "ERR_WORKER_OUT_OF_MEMORY\n"));
    assert_death(&sample, "node, worker thread 1");
}

const QUIET: &str = "[\"--single-threaded\",\"--predictable-gc-schedule\"]";

#[test]
fn a_quiet_pass_reaches_node_by_name_by_path_and_its_children() {
    let Some(node) = node() else { return };
    for program in [Path::new("node"), &node] {
        let bench = Bench::new(program, Instrument::Os).file("forks.js", FORKS).args(["forks.js"]).quiet();
        let sample = bench.run();
        assert_eq!(sample.stdout.text(), format!("{{\"length\":400000,\"quiet\":{QUIET}}}\nSIGKILL\n"));
        assert_eq!(sample.doubts, [""; 0]);
    }
    let script = "node -p 'JSON.stringify(process.execArgv.slice(0, 2))'; \
                  \"$REAL\" -e 'setTimeout(() => console.log(process.execArgv.length), 300)'";
    let bench = Bench::new("sh", Instrument::V8).args(["-c", script]).env("REAL", node).quiet();
    let sample = bench.run();
    assert_eq!(sample.stdout.text(), format!("{QUIET}\n2\n"));
    let [doubt] = &sample.doubts[..] else { panic!("{sample:#?}") };
    assert!(doubt.contains("ran without --single-threaded"), "{doubt}");
}

#[test]
fn python_is_read_with_its_own_sitecustomize_in_place() {
    let Some(python) = python() else { return };
    let bench = Bench::new(python, Instrument::Tracemalloc)
        .file("own/sitecustomize.py", "import sys; sys.given = 'given'")
        .file(
            "holds.py",
            "import sys\nheld = [bytes(1000) for _ in range(50000)]\ndel held\nprint(sys.given)\n",
        )
        .args(["holds.py"]);
    let own = bench.path("own");
    let sample = bench.env("PYTHONPATH", own).run();
    assert_eq!((&sample.status, &*sample.stdout.text()), (&End::Exit(0), "given\n"), "{sample:#?}");
    assert_between(mib(of(&sample, "holds.py"), "tracemalloc.peak_bytes"), 48.0, 56.0, &sample);
    assert_eq!(sample.doubts, [""; 0]);
}

#[test]
fn python_children_and_killed_processes_are_read() {
    let Some(python) = python() else { return };
    let text = "
import multiprocessing, os, signal, time
def work(count):
    held = [bytes(1000) for _ in range(count)]
if __name__ == '__main__':
    context = multiprocessing.get_context('fork')
    child = context.Process(target=work, args=(30000,))
    child.start()
    child.join()
    held = [bytes(1000) for _ in range(60000)]
    time.sleep(0.6)
    os.kill(os.getpid(), signal.SIGKILL)
";
    let sample = Bench::new(python, Instrument::Tracemalloc).file("forks.py", text).args(["forks.py"]).run();
    assert_eq!((&sample.status, &*sample.stderr.text()), (&End::Signal(9), ""), "{sample:#?}");
    let mut peaks: Vec<_> =
        sample.processes.iter().map(|process| mib(process, "tracemalloc.peak_bytes")).collect();
    peaks.sort_by(f64::total_cmp);
    let [child, parent] = peaks[..] else { panic!("{sample:#?}") };
    assert_between(child, 29.0, 45.0, &sample);
    assert_between(parent, 58.0, 74.0, &sample);
    assert_eq!(sample.doubts, [""; 0]);
}

#[test]
fn isolated_python_is_named_as_unread() {
    let Some(python) = python() else { return };
    let bench =
        Bench::new(python, Instrument::Tracemalloc).args(["-I", "-c", "import time; time.sleep(0.3)"]);
    let sample = bench.run();
    let [doubt] = &sample.doubts[..] else { panic!("{sample:#?}") };
    assert!(doubt.contains("was not read by tracemalloc") && doubt.contains("python -I"), "{doubt}");
}
