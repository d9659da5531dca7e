//! The family `snapshots` by real processes, judged by the project's own budgets: every tripwire breaks its limit, and ours keeps them.

mod bench;

use bench::{case, judged, metric, temporary};

/// What is left out are histories of hundreds of megabytes, and the repeated copies of each single fix.
const CASES: [&str; 10] = [
    "snapshots/idle:bounded",
    "snapshots/persistent",
    "snapshots/day",
    "snapshots/oversize",
    "snapshots/touch",
    "snapshots/limits",
    "snapshots/snippet",
    "snapshots/replay",
    "snapshots/isolation",
    "snapshots/growth",
];

#[test]
fn a_daemon_at_rest_copies_nothing_and_its_defects_are_found_where_they_are() {
    let out = temporary();
    let run = judged(&CASES, out.path());
    assert_eq!(run["verdict"], "pass");
    for name in ["snapshots/idle:bounded", "snapshots/persistent:bounded", "snapshots/day:bounded"] {
        assert_eq!(metric(&run, name, "scenario.events_cloned_per_tick"), 0.0, "{name}");
        assert!(metric(&run, name, "heap.churn_bytes_per_tick") < 4096.0, "{name}");
        assert_eq!(metric(&run, name, "rate.live_bytes_per_day"), 0.0, "{name}");
    }
    // Upstream's path with state fetches 53 sessions each second, and keeps nothing: churn, and no leak.
    assert_eq!(metric(&run, "snapshots/persistent:as-landed", "scenario.fetches_per_tick"), 53.0);
    let notes = case(&run, "snapshots/persistent:as-landed")["notes"].to_string();
    assert!(notes.contains("churn, not a leak"), "{notes}");
    for scenario in ["oversize", "touch", "limits", "snippet", "replay"] {
        assert!(metric(&run, &format!("snapshots/{scenario}:as-reported"), "scenario.defects") > 0.0);
        assert_eq!(metric(&run, &format!("snapshots/{scenario}:bounded"), "scenario.defects"), 0.0);
    }
    // What is counted is equal in both samples.
    for case in run["cases"].as_array().expect("a run has cases") {
        let demoted = case["metrics"].as_object().expect("a case has metrics").iter();
        let demoted: Vec<&String> =
            demoted.filter(|(_, metric)| metric["demoted"] == true).map(|(name, _)| name).collect();
        assert_eq!(demoted, Vec::<&String>::new(), "{}", case["case"]);
    }
}

#[test]
fn a_tick_costs_the_same_among_a_hundred_times_the_sessions_or_events() {
    let out = temporary();
    let run = judged(&["snapshots/sessions-law:bounded", "snapshots/events-law:bounded"], out.path());
    for name in ["snapshots/sessions-law:bounded", "snapshots/events-law:bounded"] {
        assert!(metric(&run, name, "law.churn_exponent") <= 0.05, "{name}");
        assert_eq!(case(&run, name)["sweep"].as_array().map(Vec::len), Some(5));
    }
    assert_eq!(case(&run, "snapshots/events-law:bounded")["laws"][0]["of"], "events");
}
