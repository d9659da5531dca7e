//! The JSON Schema of a file of budgets: what an editor knows of it while it is written.

/// The schema. It refuses what could never be meant; that names exist and limits fit each other is seen when the file is read.
pub const SCHEMA: &str = include_str!("../../schema/budgets.schema.json");

/// Where editors find the schema of this version.
pub const SCHEMA_ADDRESS: &str = concat!(
    "https://raw.githubusercontent.com/highwater-rs/highwater/v",
    env!("CARGO_PKG_VERSION"),
    "/reports/schema/budgets.schema.json"
);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::budget::{Budgets, parse};
    use crate::metric::METRICS;

    const OWN: &str = include_str!("../../../ci/budgets.toml");
    const GOOD: &str = r#"
[[budget]]
case = "app/*"
metric = "tree.peak_high_bytes@parse"
ceiling = "8 MiB"
reason = "so"

[[budget]]
case = "app/start:main"
metric = "time.wall_seconds"
growth = "2 %"
reason = "so"

[[sum]]
case = "app/start:main"
parts = ["tree.peak_high_bytes@parse"]
within = "tree.peak_high_bytes"
container = "512 MiB"
reason = "so"

[[budget]]
case = "app/start:main"
metric = "tree.peak_high_bytes"
ceiling = 67108864
reason = "so"

[[budget]]
case = "app/start:main"
metric = "tree.peak_high_bytes@parse"
ceiling = "8 MiB"
reason = "so"

[[waiver]]
case = "app/start:main"
metric = "tree.peak_high_bytes"
ceiling = "9 MiB"
issue = "7"
owner = "ada"
expires = 2026-01-31
"#;

    fn schema() -> Value {
        serde_json::from_str(SCHEMA).unwrap()
    }

    /// A file as editors see it; a date is a text there.
    fn seen(text: &str) -> Value {
        fn value(toml: toml::Value) -> Value {
            match toml {
                toml::Value::String(text) => text.into(),
                toml::Value::Integer(number) => number.into(),
                toml::Value::Float(number) => number.into(),
                toml::Value::Boolean(is) => is.into(),
                toml::Value::Datetime(date) => date.to_string().into(),
                toml::Value::Array(items) => items.into_iter().map(value).collect(),
                toml::Value::Table(table) => {
                    table.into_iter().map(|(key, item)| (key, value(item))).collect()
                }
            }
        }
        value(toml::Value::Table(text.parse().unwrap()))
    }

    fn complaints(text: &str) -> Vec<String> {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        validator.iter_errors(&seen(text)).map(|error| error.to_string()).collect()
    }

    #[test]
    fn what_the_gate_reads_fits_the_schema() {
        for text in [OWN, GOOD, ""] {
            Budgets::parse(text, Path::new("budgets.toml")).unwrap();
            assert_eq!(complaints(text), Vec::<String>::new());
        }
    }

    #[test]
    fn what_the_schema_refuses_the_gate_refuses_too() {
        let limit =
            |line: &str| format!("[[budget]]\ncase = \"a/b:c\"\nmetric = \"rss.peak_bytes\"\n{line}\n");
        let said = |line: &str| limit(&format!("{line}\nreason = \"so\""));
        for wrong in [
            said(""),
            said("ceilling = 1"),
            said("ceiling = 1\nfloor = 1"),
            said("ceiling = \"8 furlongs\""),
            said("ceiling = -1"),
            said("ceiling = true"),
            said("ratio = { of = \"a/b:c\" }"),
            said("ratio = { of = \"a/b:c\", at_most = 0 }"),
            said("ceiling = 1\ntripwire = \"yes\""),
            limit("ceiling = 1"),
            limit("ceiling = 1\nreason = \" \""),
            said("ceiling = 1").replace("rss.peak_bytes", "rss.peak"),
            said("ceiling = 1").replace("a/b:c", "abc"),
            "[[order]]\nmetric = \"rss.peak_bytes\"\ncases = [\"a/b:c\"]\nreason = \"so\"\n".to_owned(),
            "[[waiver]]\ncase = \"a/b:c\"\nmetric = \"rss.peak_bytes\"\nceiling = 1\n".to_owned(),
            "[[budgets]]\n".to_owned(),
        ] {
            assert!(!complaints(&wrong).is_empty(), "{wrong}");
            assert!(Budgets::parse(&wrong, Path::new("budgets.toml")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_schema_has_the_keys_and_metrics_that_there_are() {
        let schema = schema();
        for (entry, known) in parse::KEYS {
            let mut keys: Vec<&str> = schema["$defs"][entry]["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let mut known = known.to_vec();
            keys.sort_unstable();
            known.sort_unstable();
            assert_eq!(keys, known, "{entry}");
        }
        let offered: Vec<String> =
            serde_json::from_value(schema["$defs"]["Metric"]["anyOf"][0]["enum"].clone()).unwrap();
        let known: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
        assert_eq!(offered, known);
    }
}
