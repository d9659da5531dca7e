//! Environments: what must be equal for two runs to be compared, and of what a difference is only said.
//!
//! Exact figures depend on what [`baseline::Key`](crate::baseline::Key) names, and on nothing else. Resident memory depends on the system, too: a
//! change of the kernel or of the allocator has been taken for a change of the code before.

use harness::record::Environment;

use crate::bytes::format_bytes;

/// A field of an environment: its name, and its value as text.
type Field = (&'static str, fn(&Environment) -> String);

/// Without these equal, noisy figures of two runs say nothing about the code.
const REFUSED: &[Field] = &[
    ("target", |environment| environment.target.clone()),
    ("kernel", |environment| environment.kernel.clone()),
    ("allocator", |environment| environment.allocator.clone()),
    ("build profile", |environment| environment.profile.clone()),
    ("number of cores", |environment| environment.cores.to_string()),
    ("page size", |environment| environment.page_bytes.to_string()),
    ("huge pages setting", |environment| environment.huge_pages.clone()),
    ("memory limit of the container", |environment| limit(environment.memory_limit_bytes.map(format_bytes))),
    ("processor limit of the container", |environment| limit(environment.cpu_limit_cores)),
];

/// A difference of these is said: it may be the very change that is looked at, or moves resident memory only a little.
const SAID: &[Field] = &[
    ("toolchain", |environment| environment.toolchain.clone()),
    ("Cargo.lock", |environment| environment.lockfile.clone()),
    ("processor", |environment| environment.cpu.clone()),
    ("memory of the machine", |environment| environment.memory_bytes.to_string()),
];

fn limit(limit: Option<impl ToString>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

/// Why noisy figures of two environments are not compared; none when they may be.
pub(crate) fn refusal(base: &Environment, head: &Environment) -> Option<String> {
    let (field, base, head) = differences(REFUSED, base, head).next()?;
    Some(format!("the baseline's {field} is {base}, this run's is {head}"))
}

/// Differences that make a comparison doubtful, as sentences.
pub(crate) fn warnings(base: &Environment, head: &Environment) -> Vec<String> {
    in_words(differences(SAID, base, head))
}

/// The differences that make resident memory another thing: field, base, head.
pub(crate) fn of_machine<'e>(
    base: &'e Environment,
    head: &'e Environment,
) -> impl Iterator<Item = (&'static str, String, String)> + 'e {
    differences(REFUSED, base, head)
}

/// Every difference: field, base, head.
pub(crate) fn differing<'e>(
    base: &'e Environment,
    head: &'e Environment,
) -> impl Iterator<Item = (&'static str, String, String)> + 'e {
    differences(REFUSED, base, head).chain(differences(SAID, base, head))
}

/// Every difference, as sentences.
pub(crate) fn all(base: &Environment, head: &Environment) -> Vec<String> {
    in_words(differing(base, head))
}

fn in_words(differences: impl Iterator<Item = (&'static str, String, String)>) -> Vec<String> {
    let sentence = |(field, base, head)| format!("the {field} differs: {base} in base, {head} in head");
    differences.map(sentence).collect()
}

fn differences<'e>(
    fields: &'static [Field],
    base: &'e Environment,
    head: &'e Environment,
) -> impl Iterator<Item = (&'static str, String, String)> + 'e {
    let both = fields.iter().map(move |(name, value)| (*name, value(base), value(head)));
    both.filter(|(_, base, head)| base != head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn another_kernel_is_refused_and_another_processor_is_said() {
        let base = specimen::run().environment;
        let kernel = Environment { kernel: "7.0.0".to_owned(), ..base.clone() };
        let refused = refusal(&base, &kernel).unwrap();
        assert!(refused.starts_with("the baseline's kernel is ") && refused.ends_with("this run's is 7.0.0"));
        let cpu = Environment { cpu: "another".to_owned(), ..base.clone() };
        assert_eq!(refusal(&base, &cpu), None);
        assert_eq!(warnings(&base, &cpu).len(), 1);
        assert_eq!(all(&base, &base), [""; 0]);
    }

    #[test]
    fn a_container_that_allows_less_is_another_environment() {
        let base = specimen::run().environment;
        let small = Environment { memory_limit_bytes: Some(1 << 29), ..base.clone() };
        assert_eq!(
            refusal(&base, &small).unwrap(),
            "the baseline's memory limit of the container is none, this run's is 512 MiB"
        );
    }
}
