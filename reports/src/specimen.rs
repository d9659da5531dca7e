//! A run made by hand, for tests: small, but with every kind of case and metric that reports show.

use std::collections::BTreeMap;
use std::path::Path;

use harness::record::{
    Artifact, Case, Corpus, Direction, Environment, GrownSite, Metric, Moment, PhaseReading, Process,
    Reading, Run, SiteGrowth, Tier, Unit, Verdict,
};

use crate::budget::Budgets;
use crate::judge::Against;

mod foreign;
mod poison;
mod swept;

pub(crate) use foreign::{compared, foreign, member};
pub(crate) use poison::{poisoned, poisoned_beside_metrics};
pub(crate) use swept::swept;

const MIB: f64 = 1_048_576.0;

/// Eight cases of three scenarios, not yet judged.
pub(crate) fn run() -> Run {
    Run {
        schema: harness::record::SCHEMA,
        environment: environment(),
        artifact: Artifact {
            version: "0.1.0".to_owned(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            tag: None,
            dirty: Some(true),
        },
        time: "2026-01-02T03:04:05Z".to_owned(),
        verdict: Verdict::Pass,
        cases: vec![
            cold("as-reported", 200.0, 8.0, 2.5),
            cold("s2-eager-strip", 170.0, 8.0, 2.25),
            cold("s4-low-prefetch", 120.0, 8.0, 2.375),
            cold("s2-s4", 80.0, 8.0, 2.3125),
            cold("bounded", 3.0, 2.0, 1.125),
            survive("as-reported", 192.0),
            survive("bounded", 6.0),
            degrade(),
        ],
        crossings: Vec::new(),
        worth: Vec::new(),
        doubts: vec!["the processor's clock was not fixed, so times are rough".to_owned()],
    }
}

/// The limits that the specimen is judged by: some kept, some broken, some that cannot be judged.
const BUDGETS: &str = r#"
[[budget]]
case = "sync/cold:as-reported"
metric = "heap.peak_bytes"
ceiling_metric = "heap.bound_bytes"
tripwire = true
reason = "the bug must be seen"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ratio = { of = "sync/cold:as-reported", at_most = 0.04 }
reason = "one part in 25"

[[budget]]
case = "sync/cold:bounded"
metric = "rss.peak_bytes"
ceiling = "21.5 MB"
reason = "falls among the samples"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.total_blocks"
growth = 0
reason = "no creep"

[[budget]]
case = "sync/survive:bounded"
metric = "survive.least_heap_bytes"
ceiling = "4 MiB"
reason = "too tight on purpose"

[[order]]
metric = "heap.peak_bytes"
cases = ["sync/cold:as-reported", "sync/cold:s2-eager-strip", "sync/cold:s4-low-prefetch", "sync/cold:s2-s4"]
reason = "the real engine's order"
"#;

/// The run, judged by limits of which some are broken.
pub(crate) fn judged() -> Run {
    let mut run = run();
    judge(&mut run);
    run
}

/// Judges a run by the specimen's limits, without a baseline.
pub(crate) fn judge(run: &mut Run) {
    let budgets = Budgets::parse(BUDGETS, Path::new("budgets.toml")).unwrap();
    crate::judge::judge(run, &budgets, &Against::nothing(jiff::civil::date(2026, 2, 1)));
}

/// Two sites that grew behind a broken limit.
pub(crate) fn grown() -> SiteGrowth {
    let site = |function: &str, bytes: f64| GrownSite {
        role: "worker-1".to_owned(),
        function: function.to_owned(),
        file: Some("src/parse.rs".to_owned()),
        line: Some(7),
        stack: vec![function.to_owned(), "parse::file".to_owned(), "main".to_owned()],
        base_bytes: 0.0,
        head_bytes: bytes,
        base_blocks: 0.0,
        head_blocks: 2.0,
    };
    SiteGrowth {
        metric: "heap.peak_bytes".to_owned(),
        moment: Moment::Peak,
        base_bytes: 3.0 * MIB,
        head_bytes: 5.0 * MIB,
        sites: vec![site("parse::keep", 1.5 * MIB), site("parse::copy", 0.5 * MIB)],
        grown_sites: 2,
        limit_bytes: Some(4.0 * MIB),
        enough_sites: Some(1),
        flamegraph: Some("sites/sync-cold-bounded.peak.svg".to_owned()),
    }
}

/// Limits that are broken and excused: twice the same metric, another of bytes, and one of blocks.
const WAIVED: &str = r##"
[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "4 MiB"
reason = "small"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ratio = { of = "sync/cold:as-reported", at_most = 0.01 }
reason = "one part in 100"

[[budget]]
case = "sync/survive:bounded"
metric = "survive.least_heap_bytes"
ceiling = "5 MiB"
reason = "small"

[[budget]]
case = "sync/cold:bounded"
metric = "heap.total_blocks"
ceiling = 100_000
reason = "few"

[[waiver]]
case = "sync/cold:bounded"
metric = "heap.peak_bytes"
ceiling = "6 MiB"
issue = "#7"
owner = "ada"
expires = 2026-03-31

[[waiver]]
case = "sync/survive:bounded"
metric = "survive.least_heap_bytes"
ceiling = "8 MiB"
issue = "#8"
owner = "ada"
expires = 2026-02-28

[[waiver]]
case = "sync/cold:bounded"
metric = "heap.total_blocks"
ceiling = 150_000
issue = "#9"
owner = "grace"
expires = 2026-06-30
"##;

/// The run, judged by limits that are broken and excused.
pub(crate) fn waived() -> Run {
    let mut run = run();
    let budgets = Budgets::parse(WAIVED, Path::new("budgets.toml")).unwrap();
    crate::judge::judge(&mut run, &budgets, &Against::nothing(jiff::civil::date(2026, 2, 1)));
    run
}

fn environment() -> Environment {
    Environment {
        platform: "x86_64-linux".to_owned(),
        kernel: "6.18.0".to_owned(),
        cpu: "Example CPU 9000".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        allocator: "system".to_owned(),
        toolchain: "rustc 1.90.0".to_owned(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        lockfile: "0011223344556677".to_owned(),
        profile: "release".to_owned(),
        page_bytes: 4096,
        huge_pages: "madvise".to_owned(),
        memory_limit_bytes: None,
        cpu_limit_cores: None,
    }
}

fn corpus() -> Option<Corpus> {
    Some(Corpus {
        profile: "heavy".to_owned(),
        scale: 0.1,
        seed: 1,
        digest: "00112233445566778899aabbccddeeff".to_owned(),
        bytes: 312 << 20,
        sessions: 640,
    })
}

/// A cold parse by a worker and a parent that peak at so many MiB of heap.
fn cold(strategy: &str, worker_mib: f64, parent_mib: f64, seconds: f64) -> Case {
    let heap = (worker_mib + parent_mib) * MIB;
    let seconds = [seconds, seconds + 0.0625, seconds + 0.03125];
    let rss = if strategy == "bounded" { 22.0e6 } else { heap * 1.25 };
    Case {
        case: format!("sync/cold:{strategy}"),
        corpus: corpus(),
        metrics: BTreeMap::from([
            ("heap.peak_bytes".to_owned(), exact(heap, Unit::Bytes)),
            ("heap.peak_bytes@consume".to_owned(), exact(parent_mib * MIB, Unit::Bytes)),
            ("heap.bound_bytes".to_owned(), modelled(6.0 * MIB)),
            ("heap.total_bytes".to_owned(), exact(1400.0 * MIB, Unit::Bytes)),
            ("heap.total_blocks".to_owned(), exact(120_000.0, Unit::Blocks)),
            ("rss.peak_bytes".to_owned(), noisy(&[rss - 1.0e6, rss, rss + 0.5e6], Unit::Bytes)),
            ("time.wall_seconds".to_owned(), noisy(&seconds, Unit::Seconds)),
            ("engine.sessions".to_owned(), exact(640.0, Unit::Count)),
        ]),
        processes: vec![
            process("parent", "count", parent_mib, &[("discover", 0.5), ("consume", parent_mib)]),
            process("worker-1", "count", worker_mib, &[("parse", worker_mib), ("send", worker_mib / 2.0)]),
            process("parent", "os", parent_mib + 4.0, &[("discover", 4.5), ("consume", parent_mib + 4.0)]),
            process(
                "worker-1",
                "os",
                worker_mib * 1.25,
                &[("parse", worker_mib * 1.25), ("send", worker_mib)],
            ),
        ],
        ..Case::default()
    }
}

fn survive(strategy: &str, least_mib: f64) -> Case {
    Case {
        case: format!("sync/survive:{strategy}"),
        corpus: corpus(),
        metrics: BTreeMap::from([(
            "survive.least_heap_bytes".to_owned(),
            exact(least_mib * MIB, Unit::Bytes),
        )]),
        ..Case::default()
    }
}

fn degrade() -> Case {
    let kept = Metric { direction: Direction::Higher, ..exact(0.9375, Unit::Ratio) };
    let told = Metric { direction: Direction::Higher, ..exact(1.0, Unit::Count) };
    Case {
        case: "sync/degrade:bounded".to_owned(),
        corpus: corpus(),
        metrics: BTreeMap::from([
            ("degrade.sessions_kept".to_owned(), kept),
            ("degrade.told".to_owned(), told),
            ("scenario.retries".to_owned(), exact(1.0, Unit::Count)),
        ]),
        notes: vec!["the worker ran out of its heap of 4 MiB; 600 of 640 sessions are shown".to_owned()],
        ..Case::default()
    }
}

fn modelled(bytes: f64) -> Metric {
    Metric { tier: Tier::Modelled, ..exact(bytes, Unit::Bytes) }
}

/// A metric that was equal in two samples.
pub(crate) fn exact(value: f64, unit: Unit) -> Metric {
    let samples = vec![value; 2];
    Metric {
        tier: Tier::Exact,
        unit,
        direction: Direction::Lower,
        median: value,
        samples,
        demoted: false,
        interval: None,
    }
}

/// A metric of an odd number of samples.
pub(crate) fn noisy(samples: &[f64], unit: Unit) -> Metric {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    Metric {
        tier: Tier::Noisy,
        unit,
        direction: Direction::Lower,
        median,
        samples: samples.to_vec(),
        demoted: false,
        interval: None,
    }
}

fn process(role: &str, instrument: &str, peak_mib: f64, phases: &[(&str, f64)]) -> Process {
    let metrics = |mib: f64| {
        let (name, tier) = if instrument == "os" {
            ("rss.peak_bytes", Tier::Noisy)
        } else {
            ("heap.peak_bytes", Tier::Exact)
        };
        BTreeMap::from([(name.to_owned(), Reading { value: mib * MIB, unit: Unit::Bytes, tier })])
    };
    Process {
        role: role.to_owned(),
        instrument: instrument.to_owned(),
        pid: 4242,
        metrics: metrics(peak_mib),
        phases: phases
            .iter()
            .map(|(name, mib)| PhaseReading { name: (*name).to_owned(), metrics: metrics(*mib) })
            .collect(),
        ..Process::default()
    }
}
