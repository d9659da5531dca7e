//! Entries made by rule, and stores to keep them in.

use harness::record::{Artifact, Corpus, Direction, Environment, Tier, Unit, Verdict};
use highwater_reports::history::entry::{Case, Change, Entry, Point, SCHEMA};

/// Seconds of 2026-01-01.
const FIRST: i64 = 1_767_225_600;

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(FIRST + seconds).unwrap().to_string()
}

/// Gives an entry the id of its content.
pub(crate) fn sealed(entry: Entry) -> Entry {
    Entry { id: entry.digest(), ..entry }
}

/// Run number `n` of a project: cases with and without corpus, on one of two testbeds, on one of two branches or none.
pub(crate) fn entry(n: u64) -> Entry {
    let mut entry = plain(n, 2, 3);
    entry.environment.allocator = if n % 5 == 4 { "jemalloc" } else { "system" }.to_owned();
    entry.change.branch =
        [Some("main"), Some("main"), Some("topic"), None][n as usize % 4].map(str::to_owned);
    // Measured long after it was committed, so that the order is not that of the times.
    entry.change.committed = n.is_multiple_of(3).then(|| time(n as i64 * 3600 - 90_000));
    entry.artifact.tag = (n % 10 == 7).then(|| format!("v0.{n}.0"));
    entry.cases[1].corpus = None;
    entry.cases[1].error = (n % 6 == 5).then(|| "it \"died\"\nof 💥".to_owned());
    if entry.cases[1].error.is_some() {
        entry.cases[1].points.clear();
    }
    sealed(entry)
}

/// A run with so many cases and metrics in each, on a branch `main` whose commits are an hour apart.
pub(crate) fn plain(n: u64, cases: usize, metrics: usize) -> Entry {
    let environment = Environment {
        kernel: format!("6.{}.0", n / 50),
        allocator: "system".to_owned(),
        toolchain: format!("rustc 1.{}.0", 90 + n / 1000),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        profile: "release".to_owned(),
        ..Environment::default()
    };
    let artifact = Artifact {
        version: "0.1.0".to_owned(),
        commit: Some(format!("{n:040x}")),
        tag: None,
        dirty: Some(n.is_multiple_of(2)),
    };
    let change = Change {
        committed: Some(time(n as i64 * 3600)),
        branch: Some("main".to_owned()),
        subject: Some(format!("engine: change {n}")),
        author: Some("Ada".to_owned()),
    };
    sealed(Entry {
        schema: SCHEMA,
        id: String::new(),
        time: time(n as i64 * 3600 + 60),
        artifact,
        change,
        environment,
        verdict: if n % 9 == 8 { Verdict::Regression } else { Verdict::Pass },
        cases: (0..cases).map(|case| made_case(n, case, metrics)).collect(),
    })
}

fn made_case(n: u64, case: usize, metrics: usize) -> Case {
    let corpus = Corpus {
        profile: "smoke".to_owned(),
        scale: 0.5,
        seed: 1 + case as u64 % 2,
        digest: format!("{:016x}", n / 7),
        bytes: 1 << 20,
        sessions: 12,
    };
    Case {
        case: format!("sync/cold:s{case}"),
        corpus: Some(corpus),
        points: (0..metrics).map(|metric| point(n, case, metric)).collect(),
        ..Case::default()
    }
}

fn point(n: u64, case: usize, metric: usize) -> Point {
    let median = (1000 * case + 10 * metric) as f64 + (n % 17) as f64 / 8.0;
    let is_exact = metric.is_multiple_of(2);
    Point {
        metric: format!("heap.peak_bytes@p{metric}"),
        tier: if is_exact { Tier::Exact } else { Tier::Noisy },
        unit: if is_exact { Unit::Bytes } else { Unit::Seconds },
        direction: if metric == 1 { Direction::Higher } else { Direction::Lower },
        median,
        range: (!is_exact).then_some((median - 0.5, median + 0.25)),
        limit: (case == 0).then_some(5000.0),
    }
}

/// The lines of an export of these entries, which are in their order.
pub(crate) fn lines<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    entries.into_iter().map(|entry| entry.to_line() + "\n").collect()
}
