//! OpenMetrics 1.0, the text that Prometheus and its relatives read: every metric a gauge, its case and phase in labels.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use harness::record::{Case, Metric, Run, Tier, Unit};

use super::unit;
use crate::{metric, rows};

/// What all samples of one name are.
struct Family<'r> {
    unit: Unit,
    /// The metric's own name, for the help.
    name: &'r str,
    samples: Vec<(&'r Case, Option<&'r str>, &'r Metric)>,
}

/// Every figure as a sample of `highwater_NAME`, every case's verdict as `highwater_case_verdict`, what the run is of as the
/// labels of `highwater_run`. That is a gauge and no `info`, because Prometheus' own text format, in which the rest can be read as well, has no such type.
pub fn report(run: &Run) -> String {
    let run = &crate::plain_run(run);
    let mut text = String::new();
    for (name, family) in families(run) {
        head(
            &mut text,
            &name,
            &format!("{} of a case of highwater: the median of its samples.", family.name),
            family.unit,
        );
        for (case, phase, metric) in family.samples {
            let tier = match metric.tier {
                Tier::Exact => "exact",
                Tier::Noisy => "noisy",
                Tier::Modelled => "modelled",
            };
            let mut labels = labels_of(case);
            labels.extend(phase.map(|phase| ("phase", phase.to_owned())));
            labels.push(("tier", tier.to_owned()));
            sample(&mut text, &name, &labels, metric.median);
        }
    }
    head(&mut text, "highwater_case_verdict", "1 for the gravest verdict of a case.", Unit::Count);
    for case in &run.cases {
        let verdict = rows::worst(case).map_or("none", rows::name);
        let labels = [("case", case.case.clone()), ("verdict", verdict.to_owned())];
        sample(&mut text, "highwater_case_verdict", &labels, 1.0);
    }
    info(&mut text, run);
    text.push_str("# EOF\n");
    text
}

/// The samples by the name that they have here. Two metrics whose names differ only in signs that are not allowed would be one family;
/// their cases keep them apart.
fn families(run: &Run) -> BTreeMap<String, Family<'_>> {
    let mut families: BTreeMap<String, Family<'_>> = BTreeMap::new();
    for case in &run.cases {
        for (full, found) in &case.metrics {
            let (name, phase) = metric::split(full);
            let unit = found.unit;
            let family =
                families.entry(allowed(name, unit)).or_insert(Family { unit, name, samples: Vec::new() });
            family.samples.push((case, phase, found));
        }
    }
    families
}

/// A name of OpenMetrics: of letters, digits and `_`, and ending in its unit where that is bytes or seconds. A gauge's name must not
/// end as the parts of other types do (`_total`, `_count`, `_sum`, `_bucket`, `_info`).
fn allowed(name: &str, kind: Unit) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let mut allowed: String = "highwater_".chars().chain(letters).collect();
    let taken = ["_total", "_count", "_sum", "_bucket", "_info"];
    if matches!(kind, Unit::Bytes | Unit::Seconds) && !allowed.ends_with(unit(kind)) {
        let _ = write!(allowed, "_{}", unit(kind));
    } else if taken.iter().any(|ending| allowed.ends_with(ending)) {
        allowed.push_str("_value");
    }
    allowed
}

fn head(text: &mut String, name: &str, help: &str, kind: Unit) {
    let _ = writeln!(text, "# TYPE {name} gauge");
    if matches!(kind, Unit::Bytes | Unit::Seconds) {
        let _ = writeln!(text, "# UNIT {name} {}", unit(kind));
    }
    let _ = writeln!(text, "# HELP {name} {}", escaped(help));
}

fn labels_of(case: &Case) -> Vec<(&'static str, String)> {
    let mut labels = vec![("case", case.case.clone())];
    if let Some(corpus) = &case.corpus {
        labels.push(("profile", corpus.profile.clone()));
        labels.push(("scale", corpus.scale.to_string()));
        labels.push(("seed", corpus.seed.to_string()));
    }
    labels
}

fn info(text: &mut String, run: &Run) {
    head(text, "highwater_run", "1 for the run that the other samples are of.", Unit::Count);
    let artifact = &run.artifact;
    let labels = [
        ("version", artifact.version.clone()),
        ("commit", artifact.commit.clone().unwrap_or_default()),
        ("tag", artifact.tag.clone().unwrap_or_default()),
        ("target", run.environment.target.clone()),
        ("toolchain", run.environment.toolchain.clone()),
        ("verdict", rows::name(run.verdict).to_owned()),
    ];
    sample(text, "highwater_run", &labels, 1.0);
}

fn sample(text: &mut String, name: &str, labels: &[(&str, String)], value: f64) {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let _ = writeln!(text, "{name}{{{}}} {value}", labels.join(","));
}

/// Inside quotes and in help, three signs are written in another way.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}
