//! Runs of foreign commands, made by hand.

use harness::record::{Case, Command, CommandEnd, Lived, Process, Run, Unit};

use super::{MIB, corpus, noisy, run};
use std::collections::BTreeMap;

/// Two commands: a Node program with a worker, phases and every instrument, and one that died of its heap.
pub(crate) fn foreign() -> Run {
    let mut run = run();
    run.cases = vec![parse(), dead()];
    run
}

/// Two commands beside each other, naturally and quietly. Head grows by 1 MiB in the quiet pass only.
pub(crate) fn compared() -> Run {
    let mut run = run();
    let natural = [[100.0, 96.0, 104.0], [101.0, 97.0, 103.0]];
    let quiet = [[90.0, 90.125, 90.0], [91.0, 91.125, 91.0]];
    run.cases = vec![
        side("base", natural[0]),
        side("head", natural[1]),
        side("base-quiet", quiet[0]),
        side("head-quiet", quiet[1]),
    ];
    run
}

fn side(strategy: &str, mib: [f64; 3]) -> Case {
    let script = if strategy.starts_with("base") { "old.js" } else { "new.js" };
    Case {
        case: format!("compare/parse:{strategy}"),
        corpus: corpus(),
        metrics: BTreeMap::from([
            ("rss.peak_bytes".to_owned(), noisy(&mib.map(|mib| mib * MIB), Unit::Bytes)),
            ("time.wall_seconds".to_owned(), noisy(&[1.0, 1.125, 1.25], Unit::Seconds)),
            ("watch.cpu_share".to_owned(), noisy(&[0.004], Unit::Ratio)),
        ]),
        command: Some(command(&["node", script], &["ended with exit code 0"; 3])),
        ..Case::default()
    }
}

fn command(line: &[&str], ends: &[&str]) -> Command {
    let ends = ends.iter().map(|end| CommandEnd {
        instrument: "os".to_owned(),
        end: (*end).to_owned(),
        ..CommandEnd::default()
    });
    Command {
        line: line.iter().map(|word| (*word).to_owned()).collect(),
        expected_exit: 0,
        ends: ends.collect(),
    }
}

fn parse() -> Case {
    let bytes = |mib: [f64; 3]| noisy(&mib.map(|mib| mib * MIB), Unit::Bytes);
    let seconds = |figures: [f64; 3]| noisy(&figures, Unit::Seconds);
    let metrics = [
        ("rss.peak_bytes", bytes([130.0, 131.0, 132.0])),
        ("tree.peak_low_bytes", bytes([120.0, 121.0, 122.0])),
        ("tree.peak_high_bytes", bytes([130.0, 131.0, 132.0])),
        ("tree.peak_low_bytes@Cold parse", bytes([119.0, 120.0, 121.0])),
        ("tree.peak_high_bytes@Cold parse", bytes([129.0, 130.0, 131.0])),
        ("rss.peak_bytes@Cold parse", bytes([129.0, 130.0, 131.0])),
        ("time.wall_seconds@Cold parse", seconds([1.0, 1.125, 1.25])),
        ("tree.peak_low_bytes@show", bytes([60.0; 3])),
        ("tree.peak_high_bytes@show", bytes([64.0; 3])),
        ("time.wall_seconds@show", seconds([0.5; 3])),
        ("pss.peak_bytes", bytes([100.0; 3])),
        ("cgroup.peak_bytes", bytes([150.0; 3])),
        ("v8.heap_peak_bytes", bytes([80.0, 81.0, 82.0])),
        ("v8.external_peak_bytes", bytes([7.0; 3])),
        ("time.wall_seconds", seconds([1.5, 1.625, 1.75])),
        ("watch.cpu_share", noisy(&[0.004, 0.005, 0.003], Unit::Ratio)),
        ("watch.seconds_per_process", seconds([0.00005; 3])),
    ];
    Case {
        case: "exec/parse:natural".to_owned(),
        corpus: corpus(),
        metrics: metrics.into_iter().map(|(name, metric)| (name.to_owned(), metric)).collect(),
        processes: vec![
            member("node-1", "node parse-host.cjs --pattern 'a|b`c`'", 40.0, (0.0, 1.5)),
            member("node-2", "node worker.cjs <b>bold</b>", 90.0, (0.25, 1.25)),
            read("node-1", "v8", "v8.heap_peak_bytes", 20.0),
            read("node-2", "v8", "v8.heap_peak_bytes", 60.0),
        ],
        command: Some(command(
            &["node", "parse-host.cjs", "--pattern", "a|b`c` d"],
            &["ended with exit code 0", "ended with exit code 0", "ended with exit code 0"],
        )),
        notes: vec!["the trees were read at every member's end and in 790 to 812 polls".to_owned()],
        ..Case::default()
    }
}

fn dead() -> Case {
    Case {
        case: "exec/parse:quiet".to_owned(),
        corpus: corpus(),
        command: Some(command(
            &["node", "parse-host.cjs"],
            &["ended with exit code 0", "was killed by signal 6", "was killed by signal 6"],
        )),
        error: Some(
            "2 of 3 samples failed: was killed by signal 6\nlast output: FATAL ERROR: <heap> | `limit`"
                .to_owned(),
        ),
        notes: vec![
            "node, the main thread (process 1234), ran out of heap: limit 64 MiB, 63.1 MiB in use".to_owned(),
        ],
        ..Case::default()
    }
}

/// A process of a foreign program, as the operating system reads it.
pub(crate) fn member(role: &str, line: &str, mib: f64, (from_seconds, to_seconds): (f64, f64)) -> Process {
    Process {
        command: Some(line.to_owned()),
        lived: Some(Lived { from_seconds, to_seconds }),
        ..read(role, "os", "rss.peak_bytes", mib)
    }
}

fn read(role: &str, instrument: &str, metric: &str, mib: f64) -> Process {
    let mut process = super::process(role, "os", mib, &[]);
    let figure = process.metrics.remove("rss.peak_bytes");
    process.metrics.extend(figure.map(|figure| (metric.to_owned(), figure)));
    process.instrument = instrument.to_owned();
    process
}
