//! Every format of the specimen as a whole, and what texts of foreign programs can do to them.

use harness::record::{Case, Direction, Judgement, Run, Verdict};

use super::{annotations, benchmark, csv, junit, openmetrics};
use crate::{specimen, summary};

/// Texts that would end a cell, an element, a label or a command, if they were written as they are.
const EVIL: &str = "a\"b,c\n]]><x/>&\r::error::d%0Ae\\f\u{1b}[31m`|<script>alert(1)</script>";

/// The specimen, a broken limit of which is explained by sites.
fn grown() -> Run {
    let mut run = specimen::judged();
    let case = run.cases.iter_mut().find(|case| case.case == "sync/cold:bounded").unwrap();
    case.growth.push(specimen::grown());
    let judgement = case.verdicts.iter_mut().find(|judgement| judgement.metric == "heap.peak_bytes").unwrap();
    judgement.verdict = Verdict::Regression;
    judgement.budget = "at most 4 MiB".to_owned();
    judgement.why = "5 MiB (5,242,880 B) against at most 4 MiB (4,194,304 B)".to_owned();
    run
}

/// A run whose every foreign text is hostile.
fn hostile() -> Run {
    let mut run = specimen::foreign();
    let mut growth = specimen::grown();
    for site in &mut growth.sites {
        site.function = EVIL.to_owned();
        site.file = Some(format!("src/{EVIL}"));
    }
    let case = &mut run.cases[0];
    case.case = format!("exec/{EVIL}:as-given");
    case.growth = vec![growth];
    case.verdicts = vec![Judgement {
        metric: "heap.peak_bytes".to_owned(),
        verdict: Verdict::Regression,
        budget: format!("at most {EVIL}"),
        why: EVIL.to_owned(),
        ..Judgement::default()
    }];
    run.cases[1].error = Some(EVIL.to_owned());
    let phase = run.cases[0].metrics["rss.peak_bytes"].clone();
    run.cases[0].metrics.insert(format!("rss.peak_bytes@{EVIL}"), phase);
    run.artifact.commit = Some(EVIL.to_owned());
    run.doubts = vec![EVIL.to_owned()];
    run.verdict = Verdict::Error;
    run
}

#[test]
fn csv_of_a_run() {
    insta::assert_snapshot!(csv::report(&grown()).unwrap());
}

#[test]
fn junit_of_a_run() {
    insta::assert_snapshot!(junit::report(&grown()).unwrap());
}

#[test]
fn bmf_of_a_run() {
    insta::assert_snapshot!(benchmark::bmf(&specimen::swept()).unwrap());
}

#[test]
fn github_benchmark_of_a_run() {
    insta::assert_snapshot!(benchmark::github(&specimen::swept()).unwrap());
}

#[test]
fn openmetrics_of_a_run() {
    insta::assert_snapshot!(openmetrics::report(&grown()));
}

#[test]
fn annotations_of_a_run() {
    insta::assert_snapshot!(annotations::report(&grown()));
}

#[test]
fn summary_of_a_run() {
    insta::assert_snapshot!(summary::report(&grown()));
}

#[test]
fn summary_of_a_run_within_its_budgets() {
    insta::assert_snapshot!(summary::report(&specimen::waived()));
}

#[test]
fn annotations_of_hostile_texts_are_commands_of_ours_alone() {
    let text = annotations::report(&hostile());
    let (text, other) = text.split_once('\n').unwrap();
    assert!(
        other.starts_with("::error title=highwater%3A error of ") && other.lines().count() == 1,
        "{other}"
    );
    let (properties, message) = text.strip_prefix("::error ").unwrap().split_once("::").unwrap();
    // A name of a property before each `=`, and nothing that a text has brought in.
    let names: Vec<&str> =
        properties.split(',').filter_map(|property| Some(property.split_once('=')?.0)).collect();
    assert_eq!(names, ["file", "line", "title"], "{properties}");
    assert!(message.contains("d%250Ae"), "{message}");
}

#[test]
fn csv_of_hostile_texts_has_whole_lines() {
    let text = csv::report(&hostile()).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let lines: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(lines.iter().all(|line| line.len() == 16));
    assert!(lines.iter().any(|line| line[0].starts_with("exec/a\"b,c")), "{text}");
}

#[test]
fn csv_of_a_case_that_looks_like_a_formula_is_a_text() {
    let mut run = specimen::foreign();
    run.cases[0].case = "=1+1".to_owned();
    let text = csv::report(&run).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("'=1+1,"), "{text}");
}

#[test]
fn json_of_hostile_texts_can_be_read_again() {
    for text in [benchmark::bmf(&hostile()).unwrap(), benchmark::github(&hostile()).unwrap()] {
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value.to_string().contains("exec/a\\\"b,c"), "{text}");
    }
}

/// What Bencher's parser of the format takes (its crates `bencher_adapter` and `bencher_valid`); a name's length is in bytes there.
#[test]
fn bmf_is_what_bencher_takes() {
    let measure = serde_json::json!({
        "type": "object",
        "required": ["value"],
        "additionalProperties": false,
        "properties": {
            "value": { "type": "number" }, "lower_value": { "type": "number" }, "upper_value": { "type": "number" }
        }
    });
    let name =
        |most: usize| serde_json::json!({ "minLength": 1, "maxLength": most, "pattern": "^\\S(.*\\S)?$" });
    let schema = serde_json::json!({
        "type": "object",
        "propertyNames": name(1024),
        "additionalProperties": { "type": "object", "propertyNames": name(64), "additionalProperties": measure }
    });
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut long = specimen::swept();
    let metric = long.cases[0].metrics["heap.peak_bytes"].clone();
    long.cases[0].metrics.insert(format!("heap.peak_bytes@{}", "p".repeat(48)), metric.clone());
    let most = format!("heap.peak_bytes@{}", "q".repeat(48 - 1));
    long.cases[0].metrics.insert(most.clone() + "q", metric.clone());
    long.cases[0].metrics.insert(format!("{most}ü"), metric.clone());
    long.cases[0].metrics.insert(format!("{most} "), metric);
    for (run, refused) in [(specimen::swept(), 0), (hostile(), 1), (long, 2)] {
        let text = benchmark::bmf(&run).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        assert!(schema.is_valid(&value), "{:?}", schema.iter_errors(&value).next());
        assert_eq!(benchmark::refused_by_bencher(&run), refused);
    }
}

/// What github-action-benchmark makes of an entry (its `extractCustomBenchmarkResult`): a name and a unit to show, a figure to
/// compare, and a range, of which it reads `± NUMBER`.
#[test]
fn entries_are_what_github_action_benchmark_takes() {
    let text = serde_json::json!({ "type": "string", "minLength": 1 });
    let schema = serde_json::json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "unit", "value"],
            "additionalProperties": false,
            "properties": {
                "name": text, "unit": { "type": "string" }, "value": { "type": "number" },
                "range": { "type": "string", "pattern": "^± [0-9]+([.][0-9]+)?(e-?[0-9]+)?$" }, "extra": { "type": "string" }
            }
        }
    });
    let schema = jsonschema::validator_for(&schema).unwrap();
    for run in [specimen::swept(), hostile()] {
        let value = serde_json::from_str(&benchmark::github(&run).unwrap()).unwrap();
        assert!(schema.is_valid(&value), "{:?}", schema.iter_errors(&value).next());
        let names: Vec<&str> =
            value.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        let unlike: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(names.len(), unlike.len(), "series are told apart by their names");
    }
}

#[test]
fn openmetrics_of_hostile_texts_has_a_sample_on_each_line() {
    let text = openmetrics::report(&hostile());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("highwater_"), "{line}");
        let value = line.rsplit_once("} ").unwrap().1;
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(text.contains("a\\\"b,c"), "{text}");
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn summary_of_hostile_texts_has_no_element_of_theirs() {
    let page = summary::report(&hostile());
    // What stands between fences is shown as it is.
    let outside: Vec<&str> = page.split("```").step_by(2).collect();
    assert_eq!(outside.len(), 2, "{page}");
    assert!(outside.iter().all(|part| !part.contains("<script") && !part.contains("<x/>")), "{page}");
}

#[test]
fn what_more_of_is_better_is_left_out_and_counted() {
    let run = specimen::run();
    let higher =
        |case: &Case| case.metrics.values().filter(|metric| metric.direction == Direction::Higher).count();
    let left_out: usize = run.cases.iter().map(higher).sum();
    assert_eq!((benchmark::larger_is_better(&run), left_out), (2, 2));
    let all: usize = run.cases.iter().map(|case| case.metrics.len()).sum();
    let entries: Vec<serde_json::Value> = serde_json::from_str(&benchmark::github(&run).unwrap()).unwrap();
    assert_eq!(entries.len() + left_out, all);
    assert!(entries.iter().all(|entry| !entry["name"].as_str().unwrap().contains("degrade.told")));
}

#[test]
fn a_run_that_failed_as_a_whole_says_so_in_every_form() {
    let mut run = specimen::judged();
    run.cases.retain(|case| case.error.is_none());
    run.cases.iter_mut().for_each(|case| case.verdicts.retain(|found| found.verdict == Verdict::Pass));
    run.verdict = Verdict::Error;
    run.doubts = vec!["nothing was judged: the base is of another allocator".to_owned()];
    let forms = [summary::report(&run), junit::report(&run).unwrap(), annotations::report(&run)];
    for text in forms.iter().chain([&crate::html::report(&run, &|_| None)]) {
        assert!(text.contains("nothing was judged: the base is of another allocator"), "{text}");
    }
    assert!(
        forms[1].contains("<error ") && forms[0].starts_with("## Memory: nothing was judged"),
        "{}",
        forms[0]
    );
}

#[test]
fn a_run_that_nobody_wanted_judged_is_within_no_budget() {
    let text = summary::report(&specimen::run());
    assert!(text.starts_with("## Memory: not judged: "), "{text}");
}

#[test]
fn no_text_makes_junit_something_else_than_xml() {
    let mut run = hostile();
    run.cases[1].error = Some("\u{ffff}\u{fffe}\u{1}".to_owned());
    let text = junit::report(&run).unwrap();
    assert!(!text.contains(['\u{ffff}', '\u{fffe}', '\u{1}']) && text.contains("\u{fffd}"), "{text}");
}

#[test]
fn csv_has_limits_of_what_was_not_measured() {
    let mut run = specimen::judged();
    let case = run.cases.iter_mut().find(|case| !case.metrics.is_empty()).unwrap();
    let name = case.case.clone();
    case.verdicts = vec![Judgement {
        metric: "v8.heap_peak_bytes".to_owned(),
        verdict: Verdict::Error,
        ..Judgement::default()
    }];
    let text = csv::report(&run).unwrap();
    let line = text.lines().find(|line| line.contains("v8.heap_peak_bytes")).unwrap();
    assert!(
        line.starts_with(&format!("{name},v8.heap_peak_bytes,,,,,")) && line.contains(",error,"),
        "{line}"
    );
}
