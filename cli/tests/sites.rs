//! The allocation sites of the engine's own cases, of real profiles: whose code they are named after, and how large they are saved.
#![cfg(target_os = "linux")]

mod bench;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bench::{corpus, temporary};
use harness::instrument::Instrument;
use harness::record::Moment;
use harness::sites::{Origin, Profile};
use scenarios::runner::{Input, Options, Runner};

/// The corpus that all tests share, as scenarios take it.
fn smoke() -> generators::Corpus {
    let manifest = serde_json::from_value(corpus().manifest.clone()).expect("the program writes manifests");
    generators::Corpus { root: corpus().root.clone(), manifest }
}

/// The profile of a case, on the corpus that all tests share.
fn profile(case: &str) -> Result<Profile, String> {
    let scratch = temporary();
    let options = Options {
        program: env!("CARGO_BIN_EXE_highwater").into(),
        scratch: scratch.path().join("scratch"),
        instruments: vec![(Instrument::Dhat, 1)],
        timeout: Duration::from_secs(120),
        ticks: scenarios::runner::TICKS,
        browser: Default::default(),
        inject: None,
    };
    let input = Input::from_corpus(&smoke());
    let stop = AtomicBool::new(false);
    let mut observe = |_: scenarios::runner::Event<'_>| {};
    let mut runner = Runner::new(&options, &input, &stop, &mut observe);
    let spec = scenarios::cases().into_iter().find(|spec| spec.name == case).expect("the case exists");
    scenarios::sites::profile(&mut runner, &spec)
}

#[test]
fn nearly_every_byte_of_worker_and_parent_is_named_after_the_engine() {
    for case in ["sync/cold:bounded", "sync/cold:as-reported"] {
        let profile = profile(case).unwrap();
        let roles: Vec<&str> = profile.processes.iter().map(|process| process.role.as_str()).collect();
        assert_eq!(roles, ["parent", "worker-1"]);
        for process in &profile.processes {
            let is_ours = |site: &&harness::sites::Site| {
                let own = site.own().expect("every site has a stack");
                let file = own.file.as_deref().unwrap_or_default();
                own.origin == Origin::Own
                    && (file.starts_with("engine/src/") || file.starts_with("scenarios/src/"))
            };
            let ours: u64 = process.sites.iter().filter(is_ours).map(|site| site.total_bytes).sum();
            let all = process.bytes(Moment::Total);
            let others: Vec<_> =
                process.sites.iter().filter(|site| !is_ours(site)).map(|site| site.own()).collect();
            assert!(ours as f64 > all as f64 * 0.999, "{case} {}: {ours} of {all}; {others:?}", process.role);
        }
    }
}

#[test]
fn a_profile_repeats_and_is_saved_small() {
    let one = profile("sync/cold:bounded").unwrap();
    assert_eq!(one, profile("sync/cold:bounded").unwrap());
    assert_eq!(one.corpus.as_deref(), corpus().manifest["digest"].as_str());
    let path = temporary();
    let path: &Path = &path.path().join("saved.json");
    one.save(path).unwrap();
    let bytes = std::fs::metadata(path).unwrap().len();
    assert!(bytes < 300_000, "{bytes}");
    assert_eq!(Profile::load(path).unwrap(), one);
}

#[test]
fn a_case_of_many_samples_says_that_it_has_no_sites() {
    let error = profile("sync/survive:bounded").unwrap_err();
    assert!(error.contains("sync/survive:bounded is no single run"), "{error}");
}
