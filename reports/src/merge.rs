//! Runs of several machines, each of other cases of one build, joined to one run.

use std::collections::BTreeMap;
use std::fmt::Debug;

use harness::record::{Environment, Run};

use crate::Error;

/// One of the runs, and what to call it when it does not fit the others.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it comes from.
    pub name: String,
    /// The run.
    pub run: Run,
}

/// All cases of the runs, in their order, with the judgements that they have. Laws, crossings and worths stay; doubts that several have
/// stand once; the worst verdict is the whole's, and the earliest time.
///
/// The environment is the first run's. Where another machine differs from it in what figures may depend on a little, such as the model of
/// its processor, that is a doubt.
///
/// # Errors
/// [`Error::Apart`] when there is no run, when one has no cases, when they are not of one build in one kind of environment, and when two
/// have the same case.
pub fn merge(parts: Vec<Part>) -> Result<Run, Error> {
    let mut parts = parts.into_iter();
    let first = parts.next().ok_or_else(|| apart("there are none".to_owned()))?;
    measured(&first)?;
    let mut seen: BTreeMap<String, String> = owners(&first);
    let Part { name: first_name, run: mut whole } = first;
    for part in parts {
        measured(&part)?;
        fits(&first_name, &whole, &part)?;
        for (what, owner) in owners(&part) {
            if let Some(other) = seen.insert(what.clone(), owner) {
                return Err(apart(format!("{other} and {} both have {what}", part.name)));
            }
        }
        let doubts = machines(&first_name, &whole.environment, &part);
        add(&mut whole, part.run);
        whole.doubts.extend(doubts);
    }
    Ok(whole)
}

fn apart(why: String) -> Error {
    Error::Apart { why }
}

fn measured(part: &Part) -> Result<(), Error> {
    if part.run.cases.is_empty() && part.run.worth.is_empty() {
        return Err(apart(format!("{} has no cases: nothing was measured there", part.name)));
    }
    Ok(())
}

/// Which run each case and each comparison of choices is of.
fn owners(part: &Part) -> BTreeMap<String, String> {
    let cases = part.run.cases.iter().map(|case| format!("the case {}", case.case));
    let worth =
        part.run.worth.iter().map(|worth| format!("the worth in {} of {}", worth.metric, worth.scenario));
    cases.chain(worth).map(|what| (what, part.name.clone())).collect()
}

/// What must be equal, because figures of different builds, or under different allocators, are not of one run.
fn fits(name: &str, whole: &Run, part: &Part) -> Result<(), Error> {
    let (ours, theirs) = (&whole.artifact, &part.run.artifact);
    let (here, there) = (&whole.environment, &part.run.environment);
    let fields = [
        field("schema", &whole.schema, &part.run.schema),
        field("artifact.version", &ours.version, &theirs.version),
        field("artifact.commit", &ours.commit, &theirs.commit),
        field("artifact.tag", &ours.tag, &theirs.tag),
        field("artifact.dirty", &ours.dirty, &theirs.dirty),
        field("environment.platform", &here.platform, &there.platform),
        field("environment.target", &here.target, &there.target),
        field("environment.toolchain", &here.toolchain, &there.toolchain),
        field("environment.allocator", &here.allocator, &there.allocator),
        field("environment.lockfile", &here.lockfile, &there.lockfile),
        field("environment.profile", &here.profile, &there.profile),
        field("environment.page_bytes", &here.page_bytes, &there.page_bytes),
        field("environment.cores", &here.cores, &there.cores),
    ];
    match fields.into_iter().flatten().next() {
        None => Ok(()),
        Some(differs) => Err(apart(format!("{name} and {} differ in {differs}", part.name))),
    }
}

/// Where a machine differs from the first in what only noisy figures feel. Runners of a service are seldom all of one model, so that this
/// is no reason to refuse them.
fn machines(name: &str, here: &Environment, part: &Part) -> Vec<String> {
    let there = &part.run.environment;
    let fields = [
        field("kernel", &here.kernel, &there.kernel),
        field("cpu", &here.cpu, &there.cpu),
        field("memory_bytes", &here.memory_bytes, &there.memory_bytes),
        field("huge_pages", &here.huge_pages, &there.huge_pages),
        field("memory_limit_bytes", &here.memory_limit_bytes, &there.memory_limit_bytes),
        field("cpu_limit_cores", &here.cpu_limit_cores, &there.cpu_limit_cores),
    ];
    let say = |differs| {
        format!(
            "{name} and {} were measured on machines that differ in {differs}: times and resident memory of one are not those of the other",
            part.name
        )
    };
    fields.into_iter().flatten().map(say).collect()
}

/// A field that is not equal, with both values.
fn field<T: PartialEq + Debug>(name: &str, ours: &T, theirs: &T) -> Option<String> {
    (ours != theirs).then(|| format!("{name}: {ours:?} and {theirs:?}"))
}

fn add(whole: &mut Run, part: Run) {
    whole.time = earliest(std::mem::take(&mut whole.time), part.time);
    whole.verdict = whole.verdict.max(part.verdict);
    whole.cases.extend(part.cases);
    whole.crossings.extend(part.crossings);
    whole.worth.extend(part.worth);
    for doubt in part.doubts {
        if !whole.doubts.contains(&doubt) {
            whole.doubts.push(doubt);
        }
    }
}

/// Texts of times compare as the times do only where they have as many digits.
fn earliest(one: String, other: String) -> String {
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match (time(&one), time(&other)) {
        (Some(first), Some(second)) if second < first => other,
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    fn parts() -> [Part; 2] {
        let (mut cold, mut swept) = (specimen::judged(), specimen::swept());
        cold.doubts.push("shared".to_owned());
        swept.doubts = vec!["shared".to_owned(), "own".to_owned()];
        swept.time = "2026-01-02T03:04:04.5Z".to_owned();
        [Part { name: "cold".to_owned(), run: cold }, Part { name: "law".to_owned(), run: swept }]
    }

    fn refusal(change: fn(&mut Run)) -> String {
        let mut parts = parts();
        change(&mut parts[1].run);
        merge(parts.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_has_what_its_parts_have() {
        let [cold, law] = parts();
        let whole = merge(parts().to_vec()).unwrap();
        let cases: Vec<_> = cold.run.cases.iter().chain(&law.run.cases).cloned().collect();
        assert_eq!(whole.cases, cases);
        assert!(!law.run.crossings.is_empty(), "the specimen has a crossing");
        assert_eq!(whole.crossings, law.run.crossings);
        assert_eq!(whole.verdict, cold.run.verdict);
        assert_eq!(whole.time, law.run.time);
        let shared = whole.doubts.iter().filter(|doubt| *doubt == "shared").count();
        assert_eq!((shared, whole.doubts.last().map(String::as_str)), (1, Some("own")));
        // In the other order nothing but the order differs.
        let [cold, law] = parts();
        let other = merge(vec![law, cold]).unwrap();
        assert_eq!((other.verdict, other.time), (whole.verdict, whole.time));
    }

    #[test]
    fn one_run_alone_stays_as_it_is() {
        let [cold, _] = parts();
        assert_eq!(merge(vec![cold.clone()]).unwrap(), cold.run);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let both = "the runs cannot be joined: cold and law";
        let differs = |change| refusal(change);
        assert_eq!(differs(|run| run.schema = 2), format!("{both} differ in schema: 1 and 2"));
        assert_eq!(
            differs(|run| run.artifact.commit = None),
            format!(
                "{both} differ in artifact.commit: Some(\"0123456789abcdef0123456789abcdef01234567\") and None"
            )
        );
        assert_eq!(
            differs(|run| run.environment.allocator = "jemalloc".to_owned()),
            format!("{both} differ in environment.allocator: \"system\" and \"jemalloc\"")
        );
        assert_eq!(
            differs(|run| run.cases[1].case = "sync/cold:bounded".to_owned()),
            format!("{both} both have the case sync/cold:bounded")
        );
        assert_eq!(
            differs(|run| run.cases.clear()),
            "the runs cannot be joined: law has no cases: nothing was measured there"
        );
    }

    #[test]
    fn another_processor_is_a_doubt() {
        let mut parts = parts();
        parts[1].run.environment.cpu = "Other CPU".to_owned();
        let doubts = merge(parts.to_vec()).unwrap().doubts;
        assert_eq!(
            doubts.last().unwrap(),
            "cold and law were measured on machines that differ in cpu: \"Example CPU 9000\" and \"Other CPU\": times and resident memory of one are not those of the other"
        );
    }
}
