//! `highwater compare`: two saved runs side by side.

use anyhow::Result;

use crate::args;
use crate::gate::read_run;
use crate::show;

/// Prints the comparison. It judges nothing: `gate --baseline` does.
pub(crate) fn compare(args: &args::Compare) -> Result<i32> {
    let (base, head) = (read_run(&args.base)?, read_run(&args.head)?);
    let comparison = reports::compare::compare(&base, &head);
    show::result(&reports::compare::text(&comparison));
    Ok(0)
}
