//! `highwater schema`: the JSON Schemas of files, for editors and other tools.

use anyhow::Result;

use crate::args::schema::Of;
use crate::{args, show};

const RUN: &str = include_str!("../../harness/schema/run.schema.json");

/// Prints a schema.
pub(crate) fn schema(args: &args::schema::Schema) -> Result<i32> {
    show::result(match args.of {
        Of::Project => scenarios::project::SCHEMA,
        Of::Budgets => reports::budget::SCHEMA,
        Of::Run => RUN,
    });
    Ok(0)
}
