//! Python: a `sitecustomize` that keeps `tracemalloc`'s peak.

use std::ffi::OsString;

use super::{has_record, in_front, named, private_dir, program, variable, write_private};
use crate::Error;
use crate::record;
use crate::subject::{Member, Subject, Tree};

const SITECUSTOMIZE: &str = include_str!("sitecustomize.py");
const PYTHONPATH: &str = "PYTHONPATH";

/// The variable that makes Python import our `sitecustomize`, with the user's own directories behind.
pub(super) fn path(subject: &Subject) -> Result<(OsString, OsString), Error> {
    let dir = private_dir(subject, "python")?;
    write_private(&dir.join("sitecustomize.py"), SITECUSTOMIZE.as_bytes(), 0o600)?;
    let given = variable(subject, PYTHONPATH).filter(|given| !given.is_empty());
    let value = match given {
        Some(given) => in_front(subject, dir, &given)?,
        None => dir.into_os_string(),
    };
    Ok((PYTHONPATH.into(), value))
}

/// Processes of Python that left no record.
pub(super) fn unread(tree: &Tree, processes: &[record::Process]) -> Vec<String> {
    let unread = tree.members.iter().filter(|member| is_python(member) && !has_record(member, processes));
    unread
        .map(|member| {
            format!(
                "{} was not read by tracemalloc: python -I, -E and -S import no sitecustomize of PYTHONPATH, nor does a process \
                 that was started without that variable, and one killed within its first quarter of a second leaves no record",
                named(member)
            )
        })
        .collect()
}

fn is_python(member: &Member) -> bool {
    [program(member), &member.command].iter().any(|name| name.starts_with("python"))
}
