//! Which crate knows which: invariants 1 to 5 and 10, read from the manifests.

use std::collections::BTreeSet;
use std::fs;

use toml::Table;

use crate::{assert_none, root};

/// The crates of the project and which of the others each may know, also in its tests.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("generators", &[]),
    ("harness", &[]),
    ("reports", &["harness"]),
    ("scenarios", &["engine", "generators", "harness"]),
    ("cli", &["generators", "harness", "reports", "scenarios"]),
    ("ci", &[]),
    ("docs/examples/rust", &["harness"]),
];

/// What the tests and benches of a crate may know beside.
const TESTS_MAY_KNOW: &[(&str, &[&str])] = &[("cli", &["engine"])];

/// The libraries, whose errors are typed: invariant 10.
const LIBRARIES: &[&str] = &["engine", "generators", "harness", "scenarios", "reports"];

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("failed to parse {}: {error}", path.display()))
}

/// Names in every table called `kind`, also in those of single targets.
fn dependencies(manifest: &Table, kind: &str) -> BTreeSet<String> {
    let names = |table: &Table| -> Vec<String> {
        let found = table.get(kind).and_then(|value| value.as_table());
        found.into_iter().flat_map(|table| table.keys().cloned()).collect()
    };
    let targets = manifest.get("target").and_then(|value| value.as_table());
    let of_targets =
        targets.into_iter().flat_map(|table| table.values()).filter_map(|value| value.as_table());
    of_targets.chain([manifest]).flat_map(names).collect()
}

/// Complaints about a crate that knows another which it must not know.
fn forbidden_arrows(folder: &str, manifest: &Table) -> Vec<String> {
    let allowed = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, names)| names)
    };
    let is_ours =
        |name: &String| MAY_KNOW.iter().any(|(ours, _)| name == ours || *name == format!("highwater-{ours}"));
    let mut complaints = Vec::new();
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for name in dependencies(manifest, kind).into_iter().filter(is_ours) {
            let known = allowed(MAY_KNOW).contains(&name.as_str());
            let in_tests = kind == "dev-dependencies" && allowed(TESTS_MAY_KNOW).contains(&name.as_str());
            if !known && !in_tests {
                complaints.push(format!("{folder}/Cargo.toml: {folder} must not know {name} ({kind})"));
            }
        }
    }
    complaints
}

#[test]
fn crates_know_only_those_below_them() {
    assert_none(
        MAY_KNOW.iter().flat_map(|(folder, _)| forbidden_arrows(folder, &manifest(folder))).collect(),
    );
}

#[test]
fn every_crate_of_the_workspace_has_its_arrows_written_down() {
    let workspace = manifest("");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: BTreeSet<&str> = members.iter().filter_map(|member| member.as_str()).collect();
    assert_eq!(members, MAY_KNOW.iter().map(|(folder, _)| *folder).collect());
}

#[test]
fn only_scenarios_knows_engine_and_harness() {
    let both = |folder: &str| {
        let names = dependencies(&manifest(folder), "dependencies");
        names.contains("engine") && names.contains("harness")
    };
    let found: Vec<&str> = MAY_KNOW.iter().map(|(folder, _)| *folder).filter(|folder| both(folder)).collect();
    assert_eq!(found, ["scenarios"]);
}

/// Complaints about an engine that could be built otherwise when it is measured.
fn features_of_the_engine(manifest: &Table) -> Vec<String> {
    let features = manifest.get("features").and_then(|value| value.as_table());
    let names = features.into_iter().flat_map(|table| table.keys());
    names
        .map(|name| {
            format!("engine/Cargo.toml: feature {name:?}; the engine is built the same, measured or not")
        })
        .collect()
}

#[test]
fn the_engine_has_no_features() {
    assert_none(features_of_the_engine(&manifest("engine")));
}

/// Complaints about a library whose errors have no type.
fn untyped_errors(folder: &str, manifest: &Table) -> Vec<String> {
    let untyped = ["anyhow", "eyre", "color-eyre"];
    let names = dependencies(manifest, "dependencies");
    let found = names.iter().filter(|name| untyped.contains(&name.as_str()));
    found
        .map(|name| format!("{folder}/Cargo.toml: {name}; a library returns typed errors (thiserror)"))
        .collect()
}

#[test]
fn libraries_return_typed_errors() {
    assert_none(LIBRARIES.iter().flat_map(|folder| untyped_errors(folder, &manifest(folder))).collect());
}

mod bad_examples {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_is_found_in_every_kind_of_dependency() {
        for table in
            ["dependencies", "build-dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"]
        {
            let manifest = format!("[{table}]\nharness.workspace = true\nserde = \"1\"").parse().unwrap();
            assert_eq!(forbidden_arrows("engine", &manifest).len(), 1, "{table}");
            assert!(forbidden_arrows("reports", &manifest).is_empty(), "{table}");
        }
    }

    #[test]
    fn a_package_name_is_no_way_around() {
        let manifest = "[dependencies]\nhighwater-engine = { path = \"../engine\" }".parse().unwrap();
        assert_eq!(forbidden_arrows("reports", &manifest).len(), 1);
    }

    #[test]
    fn what_only_tests_may_know_the_program_may_not() {
        let of = |table: &str| format!("[{table}]\nengine.workspace = true").parse().unwrap();
        assert!(forbidden_arrows("cli", &of("dev-dependencies")).is_empty());
        assert_eq!(forbidden_arrows("cli", &of("dependencies")).len(), 1);
    }

    #[test]
    fn a_feature_of_the_engine_is_found() {
        assert_eq!(features_of_the_engine(&"[features]\nbench = []".parse().unwrap()).len(), 1);
    }

    #[test]
    fn an_untyped_error_is_found() {
        assert_eq!(untyped_errors("engine", &"[dependencies]\nanyhow = \"1\"".parse().unwrap()).len(), 1);
    }
}
