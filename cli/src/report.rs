//! `highwater report`: a saved run in another format.

use std::path::Path;

use anyhow::{Context, Result};
use harness::record::Run;
use reports::exchange::{annotations, benchmark, csv, junit, openmetrics};

use crate::args::{self, Format};
use crate::gate::{self, read_run};
use crate::{folder, show};

/// Prints or writes a run; its verdict is not an exit code here.
pub(crate) fn report(args: &args::Report) -> Result<i32> {
    let run = read_run(&args.run)?;
    let text = text(&run, &gate::run_path(&args.run), args)?;
    match &args.out {
        Some(out) => {
            reports::store::write_atomically(out, text.as_bytes())?;
            show::note(&format!("wrote {}", out.display()));
        }
        // Of a run without failures there are no annotations: not even an empty line.
        None if text.is_empty() => {}
        None => show::result(&text),
    }
    Ok(0)
}

fn text(run: &Run, file: &Path, args: &args::Report) -> Result<String> {
    Ok(match args.format {
        // A file is no terminal.
        Format::Text if args.out.is_some() => reports::text::table(run, show::PLAIN),
        Format::Text => reports::text::table(run, show::style()),
        Format::Markdown => reports::markdown::report(run),
        Format::Html => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder::page(run, folder.unwrap_or(Path::new(".")))
        }
        Format::Json => std::fs::read_to_string(file).context("failed to read the run again")?,
        Format::Junit => junit::report(run)?,
        Format::Csv => csv::report(run)?,
        Format::Bmf => {
            let why = "Bencher takes names of 64 bytes at most; --format csv has them";
            say_left_out(benchmark::refused_by_bencher(run), why);
            benchmark::bmf(run)?
        }
        Format::GithubBenchmark => {
            let why =
                "more of them is better, and the file is for customSmallerIsBetter; --format bmf has them";
            say_left_out(benchmark::larger_is_better(run), why);
            benchmark::github(run)?
        }
        Format::OpenMetrics => openmetrics::report(run),
        Format::Summary => reports::summary::report(run),
        Format::Annotations => annotations::report(run),
    })
}

fn say_left_out(count: usize, why: &str) {
    if count > 0 {
        show::note(&format!("left out {count} figures: {why}"));
    }
}
