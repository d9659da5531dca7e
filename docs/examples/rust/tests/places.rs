//! Five regressions of different kinds, each found at the function that has it.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness::instrument::Instrument;
use harness::record::Moment;
use harness::sites::{self, Profile, Site};
use harness::subject::Subject;

/// A home with 200 sessions of 60 records, each of about 500 bytes.
fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = scratch("places-home");
        let project = home.join(".claude/projects/p");
        fs::create_dir_all(&project).unwrap();
        let record = |n: usize| {
            let kind = ["user", "assistant", "progress"][n % 3];
            format!("{{\"type\":\"{kind}\",\"n\":{n},\"text\":\"{}\"}}\n", "x".repeat(460))
        };
        let text: String = (0..60).map(record).collect();
        (0..200).for_each(|n| fs::write(project.join(format!("{n}.jsonl")), &text).unwrap());
        home
    })
}

/// A run of the program under dhat: its sites, and what it printed.
fn profile(scratch: &Path, planted: Option<&str>) -> (Profile, String) {
    let record_dir = scratch.join(planted.unwrap_or("nothing"));
    let _ = fs::remove_dir_all(&record_dir);
    fs::create_dir_all(&record_dir).unwrap();
    let subject = Subject {
        program: env!("CARGO_BIN_EXE_planted").into(),
        args: planted.into_iter().map(Into::into).collect(),
        env: vec![("HOME".into(), home().into())],
        instrument: Instrument::Dhat,
        heap_limit_bytes: None,
        cwd: scratch.to_owned(),
        record_dir: record_dir.clone(),
        timeout: Duration::from_secs(60),
        foreign: None,
    };
    let sample = subject.run(&AtomicBool::new(false)).unwrap();
    assert!(sample.status.is_success(), "{}: {}", sample.status, sample.stderr.text());
    let text = sample.stdout.text().to_string();
    (sites::read(&record_dir, "example/planted:head").unwrap(), text)
}

/// The site of the only process that grew most at its peak.
fn most_grown<'a>(base: &Profile, head: &'a Profile) -> &'a Site {
    let growth = |site: &Site| {
        let before = base.processes[0].sites.iter().find(|other| other.identity() == site.identity());
        site.bytes(Moment::Peak) as i64 - before.map_or(0, |site| site.bytes(Moment::Peak)) as i64
    };
    head.processes[0].sites.iter().max_by_key(|site| growth(site)).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&scratch).unwrap();
    scratch
}

#[test]
fn the_site_that_grew_most_is_named_after_the_planted_function() {
    let scratch = scratch("places");
    let (base, answer) = profile(&scratch, None);
    for (planted, function) in [
        ("clone", "copy_summaries"),
        ("buffer", "fill_buffer"),
        ("leak", "leak_index"),
        ("cache", "remember"),
        ("parent", "excerpt"),
    ] {
        let (head, same_answer) = profile(&scratch, Some(planted));
        assert_eq!(same_answer, answer, "{planted}");
        assert!(head.bytes(Moment::Peak) > base.bytes(Moment::Peak), "{planted}");
        let own = most_grown(&base, &head).own().unwrap();
        assert_eq!((own.function.as_str(), own.file.as_deref()), (function, Some("src/bin/planted.rs")));
    }
}

#[test]
fn two_runs_of_one_program_have_the_same_sites() {
    let scratch = scratch("places-twice");
    let (one, _) = profile(&scratch, None);
    let (other, _) = profile(&scratch, None);
    assert_eq!(one, other);
}

/// What makes the case of the cache worth testing: its function has no address of its own.
#[test]
fn the_small_function_is_inlined_and_still_found() {
    let scratch = scratch("places-inlined");
    profile(&scratch, Some("cache"));
    let text = fs::read_to_string(scratch.join("cache/planted.dhat.json")).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    let frames: Vec<&str> = profile["ftbl"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
    let addresses = |function: &str| -> Vec<&str> {
        let has_name = |frame: &&&str| frame.contains(function) && frame.contains("src/bin/planted.rs");
        frames.iter().filter(has_name).filter_map(|frame| frame.split(": ").next()).collect()
    };
    let (small, caller) = (addresses(": remember ("), addresses(": summarise ("));
    assert!(
        !small.is_empty() && small.iter().all(|address| caller.contains(address)),
        "{small:?} {caller:?}"
    );
}
