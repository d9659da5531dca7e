//! The JSON Schema of `run.json`, for those who read it with other tools, is the one that the code has.

use std::path::Path;

use harness::record::{Case, Environment, Metric, Process, Run, SCHEMA, Tier, Unit, Verdict};

/// Set to write the schema anew instead of comparing it.
const UPDATE: &str = "UPDATE_SCHEMA";

fn schema() -> String {
    let schema = schemars::schema_for!(Run);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/run.schema.json");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(committed == schema(), "{} is out of date: run this test with {UPDATE}=1", path.display());
}

#[test]
fn a_run_fits_the_schema_and_reads_back() {
    let metric = Metric {
        tier: Tier::Exact,
        unit: Unit::Bytes,
        direction: Default::default(),
        median: 7.0,
        samples: vec![7.0, 7.0],
        demoted: false,
        interval: None,
    };
    let case = Case {
        case: "sync/cold:bounded".into(),
        metrics: [("heap.peak_bytes".to_owned(), metric)].into(),
        processes: vec![Process { role: "parent".into(), ..Process::default() }],
        ..Case::default()
    };
    let run = Run {
        schema: SCHEMA,
        environment: Environment::default(),
        artifact: Default::default(),
        time: "2026-01-01T00:00:00Z".into(),
        verdict: Verdict::Pass,
        cases: vec![case],
        crossings: Vec::new(),
        worth: Vec::new(),
        doubts: Vec::new(),
    };
    let value = serde_json::to_value(&run).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema()).unwrap()).unwrap();
    assert!(
        validator.is_valid(&value),
        "{:?}",
        validator.iter_errors(&value).next().map(|error| error.to_string())
    );
    assert!(serde_json::to_string(&run).unwrap().starts_with(r#"{"schema":1,"#));
    assert_eq!(serde_json::from_value::<Run>(value).unwrap(), run);
}

#[test]
fn a_run_without_its_cases_does_not_fit_the_schema() {
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema()).unwrap()).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({"schema": 1})));
}
