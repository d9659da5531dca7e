//! A history made by hand, for tests: sixty weekly runs with four releases, a creep, a new compiler, an improvement, noise, a case that
//! went and one that came, and a commit whose message is an attack.

use harness::record::{Artifact, Corpus, Direction, Environment, Judgement, Tier, Unit, Verdict, Waiver};

use super::entry::{Case, Change, Entry, Point, SCHEMA};

pub(super) const MIB: f64 = 1_048_576.0;
/// Tags by the week of their run.
const TAGS: &[(usize, &str)] = &[(3, "v1.0"), (25, "v1.1"), (45, "v1.2"), (57, "v2.0")];
/// The week from which on another compiler built.
pub(super) const COMPILER: usize = 30;
/// The week of the improvement, whose message is an attack.
pub(super) const IMPROVED: usize = 40;

/// The runs, oldest first.
pub(super) fn entries() -> Vec<Entry> {
    (0..60).map(entry).collect()
}

fn entry(week: usize) -> Entry {
    let committed: jiff::Timestamp = "2025-01-06T12:00:00Z".parse().unwrap();
    let committed = committed + jiff::SignedDuration::from_hours(24 * 7 * week as i64);
    let hostile = "\u{1b}[2J<script>alert(1)</script> | `x` \u{202e}";
    let subject = if week == IMPROVED { hostile.to_owned() } else { format!("change number {week}") };
    let tag = TAGS.iter().find(|(of, _)| *of == week).map(|(_, tag)| (*tag).to_owned());
    let mut cases = vec![bounded(week), kept(week)];
    if week < 20 {
        cases.push(case("sync/stale:old", vec![point("stale.defects", Unit::Count, 2.0)]));
    }
    if week >= 50 {
        cases.push(case("watch/poll:shared", vec![point("heap.peak_bytes", Unit::Bytes, 2.0 * MIB)]));
    }
    let entry = Entry {
        schema: SCHEMA,
        id: String::new(),
        time: (committed + jiff::SignedDuration::from_hours(1)).to_string(),
        artifact: Artifact {
            version: "0.1.0".to_owned(),
            commit: Some(format!("{:07x}{}", 0x00a1_1000 + week * 0x111, "0".repeat(33))),
            tag,
            dirty: Some(false),
        },
        change: Change {
            committed: Some(committed.to_string()),
            branch: Some("main".to_owned()),
            subject: Some(subject),
            author: Some(if week.is_multiple_of(2) { "Ada" } else { "Grace" }.to_owned()),
        },
        environment: Environment {
            platform: "x86_64-linux".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            toolchain: if week < COMPILER { "rustc 1.89.0" } else { "rustc 1.90.0" }.to_owned(),
            lockfile: "0f3a".to_owned(),
            profile: "release".to_owned(),
            ..Environment::default()
        },
        verdict: if week == 57 { Verdict::Waived } else { Verdict::Pass },
        cases,
    };
    Entry { id: entry.digest(), ..entry }
}

/// Ten times 3 % more of the heap, every fifth week; and resident memory, with noise, that another compiler raised by 5 %.
fn bounded(week: usize) -> Case {
    let creep = (week.saturating_sub(3) / 5).min(10) as i32;
    let mut heap = point("heap.peak_bytes", Unit::Bytes, (3.0 * MIB * 1.03_f64.powi(creep)).round());
    heap.limit = Some(5.0 * MIB);
    // A noise of a deviation of about 0.6 %, the same in every test.
    let noise = ((week * 7919 + 13) % 101) as f64 / 101.0 - 0.5;
    let rss = 40.0 * MIB * (if week < COMPILER { 1.0 } else { 1.05 }) * (1.0 + 0.02 * noise);
    let mut rss = point("rss.peak_bytes", Unit::Bytes, rss.round());
    (rss.tier, rss.range) = (Tier::Noisy, Some((rss.median * 0.995, rss.median * 1.005)));
    let mut bounded =
        case("sync/cold:bounded", vec![heap, rss, point("heap.total_blocks", Unit::Blocks, 1000.0)]);
    if week == 57 {
        bounded.judgements.push(waived());
    }
    bounded
}

fn kept(week: usize) -> Case {
    let mut kept = point("degrade.sessions_kept", Unit::Ratio, if week < IMPROVED { 0.95 } else { 0.99 });
    kept.direction = Direction::Higher;
    case("sync/degrade:bounded", vec![kept])
}

fn waived() -> Judgement {
    Judgement {
        metric: "heap.peak_bytes".to_owned(),
        verdict: Verdict::Waived,
        budget: "at most 4 % over v1.2".to_owned(),
        why: "6 % over".to_owned(),
        over: Some(65_536.0),
        waiver: Some(Waiver {
            ceiling: 5.0 * MIB,
            issue: "#12".to_owned(),
            owner: "Ada <ada@example.org>".to_owned(),
            expires: "2026-06-30".to_owned(),
        }),
        ..Judgement::default()
    }
}

fn case(name: &str, points: Vec<Point>) -> Case {
    let corpus = Corpus {
        profile: "heavy".to_owned(),
        scale: 0.1,
        seed: 1,
        digest: "77aa".to_owned(),
        ..Corpus::default()
    };
    Case { case: name.to_owned(), corpus: Some(corpus), points, ..Case::default() }
}

fn point(metric: &str, unit: Unit, median: f64) -> Point {
    let (tier, direction) = (Tier::Exact, Direction::Lower);
    Point { metric: metric.to_owned(), tier, unit, direction, median, range: None, limit: None }
}
