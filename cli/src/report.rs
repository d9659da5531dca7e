//! `highwater report`: a saved run in another form.

use std::path::Path;

use anyhow::{Context, Result};

use crate::args::{self, Form};
use crate::gate::{self, read_run};
use crate::{folder, show};

/// Prints a run; its verdict is not an exit code here.
pub(crate) fn report(args: &args::Report) -> Result<i32> {
    let run = read_run(&args.run)?;
    let text = match args.form {
        Form::Text => reports::text::table(&run, show::style()),
        Form::Markdown => reports::markdown::report(&run),
        Form::Html => {
            let path = gate::run_path(&args.run);
            folder::page(&run, path.parent().unwrap_or(Path::new(".")))
        }
        Form::Json => {
            std::fs::read_to_string(gate::run_path(&args.run)).context("failed to read the run again")?
        }
    };
    show::result(&text);
    Ok(0)
}
