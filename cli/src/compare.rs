//! `highwater compare`: two saved runs side by side, or two commands measured in turn.

use anyhow::{Context, Result, bail};
use scenarios::exec::{self as commands, Arm, Program};

use crate::gate::{self, read_run};
use crate::{args, exec, show};

/// Prints the comparison. It judges nothing: `gate --baseline` does.
pub(crate) fn compare(args: &args::Compare) -> Result<i32> {
    if let (Some(base), Some(head)) = (&args.base, &args.head) {
        return two_commands(args, base, head);
    }
    let (Some(base), Some(head)) = (&args.base_run, &args.head_run) else {
        bail!("compare needs two runs, or --base and --head with a command each");
    };
    let (base, head) = (read_run(base)?, read_run(head)?);
    let comparison = reports::compare::compare(&base, &head);
    show::result(&reports::compare::text(&comparison));
    Ok(0)
}

/// Measures two commands in turn, and prints their figures side by side.
fn two_commands(args: &args::Compare, base: &str, head: &str) -> Result<i32> {
    let (base, head) = (program("--base", base)?, program("--head", head)?);
    let name = match &args.name {
        Some(name) if !name.is_empty() && commands::plain(name) == *name => name.clone(),
        Some(name) => bail!("--name {name}: use letters, digits, `_`, `.` and `-`"),
        None => commands::of_program(base.path()),
    };
    let arm = |strategy: &str, program| Arm { name: format!("compare/{name}:{strategy}"), program };
    let mut taken = exec::measure(&args.measuring, &[arm("base", base), arm("head", head)])?;
    gate::leave_unjudged(&mut taken.run, UNJUDGED);
    taken.publish(&args.measuring, reports::compare::commands)
}

/// Why the comparison has no verdict.
const UNJUDGED: &str = "nothing was judged: the statistics of the gate are not part of this comparison";

/// A command line as words, by the rules of a shell but without one: nothing is expanded, piped or redirected.
fn program(option: &str, line: &str) -> Result<Program> {
    let words = shlex::split(line).with_context(|| {
        format!("{option} {line}: a quote is not closed, or a backslash stands at the end")
    })?;
    if words.is_empty() {
        bail!("{option} is empty: give a command with its arguments in one text");
    }
    Ok(Program::find(words.into_iter().map(Into::into).collect())?)
}
