//! The self-test of the gate, with few samples: that it measures, judges and saves.
#![cfg(target_os = "linux")]

mod bench;

use bench::{call, folder, highwater, json, temporary};

#[test]
fn a_self_test_tells_what_is_seen_and_saves_it_for_this_machine() {
    let state = temporary();
    let out = temporary();
    let mut command = highwater(&["selftest", "--quick", "2", "--markdown", "--corpora"]);
    command.arg(folder("selftest")).arg("--out").arg(out.path()).env("HIGHWATER_STATE", state.path());
    // So few samples cannot show that the promise is kept, and that is said.
    let said = call(command).expect(3);
    assert!(said.out.contains("are too few to tell whether 1 in 100 is kept"), "{}", said.out);
    assert!(said.out.contains("64 B for each session: named in 1 of 1 trials: +"), "{}", said.out);
    assert!(said.out.contains(" in consume (scenarios/src/sync.rs:"), "{}", said.out);

    let saved = json(&state.path().join("calibration.json"));
    assert_eq!(saved, json(&out.path().join("selftest.json")));
    let subjects = saved["subjects"].as_array().expect("a calibration has subjects");
    let own = subjects.iter().find(|subject| subject["name"] == "sync/cold:bounded");
    let metrics = own.expect("our own subject was measured")["metrics"].as_array().expect("it has metrics");
    for name in ["heap.total_bytes", "heap.total_blocks", "heap.retained_bytes"] {
        let metric = metrics.iter().find(|metric| metric["metric"] == name).expect("it was counted");
        assert_eq!((metric["tier"].as_str(), &metric["false_alarms"]["alarms"]), (Some("exact"), &0.into()));
        let curve = metric["curve"].as_array().expect("a metric has a curve");
        let each = curve.iter().find(|point| point["what"] == "64 B").expect("64 B were planted");
        assert_eq!(each["caught"]["alarms"], each["caught"]["trials"], "{name}");
        assert_eq!(each["caught"]["trials"], 8);
    }
    for name in ["threads/partition", "threads/pool"] {
        assert!(subjects.iter().any(|subject| subject["name"] == name), "{name}");
    }
}

#[test]
fn an_unknown_subject_is_answered_with_those_there_are() {
    let said = call(highwater(&["selftest", "--subject", "sync/clod"])).expect(2);
    said.complains(&["--subject sync/clod: known are sync/cold:bounded, threads/partition"]);
}
