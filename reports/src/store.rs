//! Runs on disk: `run.json`, whole or not at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use harness::record::{Run, SCHEMA};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Reads a saved run.
pub fn read(path: &Path) -> Result<Run, Error> {
    read_versioned(path, "run", SCHEMA)
}

/// Writes a run, so that a reader finds the old file or the new one, never a part.
pub fn write(path: &Path, run: &Run) -> Result<(), Error> {
    if let Some(what) = first_figure_that_is_not_finite(run) {
        return Err(Error::NotFinite { path: path.to_owned(), what });
    }
    let mut text = serde_json::to_string_pretty(run).expect("records hold only text, numbers and lists");
    text.push('\n');
    // Figures deeper in, of laws and judgements: what could not be read again is not written.
    if let Err(error) = serde_json::from_str::<Run>(&text) {
        return Err(Error::NotFinite { path: path.to_owned(), what: format!("a figure ({error})") });
    }
    write_atomically(path, text.as_bytes())
}

/// Writes a file beside its place and renames it into place. Folders that are missing are made.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let attempt = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut beside = tempfile::Builder::new().permissions_of_a_plain_file().tempfile_in(folder)?;
        beside.write_all(content)?;
        beside.as_file().sync_all()?;
        beside.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    };
    attempt().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Temporary files are private by default; a report is for everyone whom the user's umask allows.
trait PlainFile {
    fn permissions_of_a_plain_file(&mut self) -> &mut Self;
}

impl PlainFile for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_of_a_plain_file(&mut self) -> &mut Self {
        use std::os::unix::fs::PermissionsExt as _;
        self.permissions(fs::Permissions::from_mode(0o666))
    }

    #[cfg(not(unix))]
    fn permissions_of_a_plain_file(&mut self) -> &mut Self {
        self
    }
}

/// Reads a JSON file whose first field `schema` says which version it is of.
pub(crate) fn read_versioned<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
    schema: u32,
) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }
    let text = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let wrong = |error: serde_json::Error| explain(path, what, &text, &error);
    // The version alone comes first: of another version, nothing else is sure to be readable.
    let version: Version = serde_json::from_slice(&text).map_err(wrong)?;
    if version.schema != u64::from(schema) {
        return Err(Error::Schema { path: path.to_owned(), found: version.schema, expected: schema });
    }
    serde_json::from_slice(&text).map_err(wrong)
}

fn explain(path: &Path, what: &'static str, text: &[u8], error: &serde_json::Error) -> Error {
    // A number cut off after its point is an invalid number at the very end.
    let last_line = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let at_end = error.line() > text.iter().filter(|byte| **byte == b'\n').count()
        && error.column() >= last_line.len();
    if error.is_eof() || (error.is_syntax() && at_end) {
        return Error::Torn { path: path.to_owned(), line: error.line() };
    }
    Error::Malformed { path: path.to_owned(), what, why: error.to_string() }
}

/// JSON has no NaN and no infinity; they would be written as `null` and refused by the next reader.
fn first_figure_that_is_not_finite(run: &Run) -> Option<String> {
    let of_cases = run.cases.iter().flat_map(|case| {
        let metrics = case.metrics.iter().flat_map(|(name, metric)| {
            let figures = metric.samples.iter().chain([&metric.median]);
            figures.map(move |figure| (name.as_str(), *figure))
        });
        let processes = case.processes.iter().flat_map(|process| {
            let phases = process.phases.iter().flat_map(|phase| &phase.metrics);
            process.metrics.iter().chain(phases).map(|(name, reading)| (name.as_str(), reading.value))
        });
        metrics.chain(processes).map(|(name, figure)| (case.case.as_str(), name, figure))
    });
    let of_worth = run.worth.iter().flat_map(|worth| {
        let choices = worth.choices.iter().flat_map(|choice| [choice.alone, choice.last, choice.shapley]);
        let figures = choices.chain(worth.combinations.iter().copied());
        figures.map(|figure| (worth.scenario.as_str(), worth.metric.as_str(), figure))
    });
    let (case, name, _) = of_cases.chain(of_worth).find(|(_, _, figure)| !figure.is_finite())?;
    Some(format!("{name} of {case}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    fn saved() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/run.json");
        write(&path, &specimen::run()).unwrap();
        (folder, path)
    }

    #[test]
    fn a_run_reads_back_as_it_was_written() {
        let (_folder, path) = saved();
        assert_eq!(read(&path).unwrap(), specimen::run());
    }

    #[test]
    fn the_schema_is_the_first_field_of_the_file() {
        let (_folder, path) = saved();
        assert!(fs::read_to_string(path).unwrap().starts_with("{\n  \"schema\": 1,\n"));
    }

    #[test]
    fn nothing_is_left_beside_a_written_run() {
        let (_folder, path) = saved();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_run_cut_off_at_any_byte_is_called_torn() {
        let (_folder, path) = saved();
        let whole = fs::read(&path).unwrap();
        for end in (0..whole.len() - 2).step_by(31) {
            fs::write(&path, &whole[..end]).unwrap();
            assert!(matches!(read(&path), Err(Error::Torn { .. })), "cut at {end}");
        }
    }

    #[test]
    fn a_run_of_another_schema_says_which_and_what_to_do() {
        let (_folder, path) = saved();
        fs::write(&path, r#"{"schema": 7, "unknown": true}"#).unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(said.ends_with("has schema 7, but this program reads schema 1: take the run again, or read it with the highwater that wrote it"), "{said}");
    }

    #[test]
    fn a_file_that_is_no_run_says_what_is_missing() {
        let (_folder, path) = saved();
        fs::write(&path, r#"{"schema": 1}"#).unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(said.contains("is not a run of highwater: missing field `environment`"), "{said}");
    }

    #[test]
    fn a_figure_that_json_cannot_hold_is_refused_by_name() {
        let (_folder, path) = saved();
        let mut run = specimen::run();
        let metric = run.cases[1].metrics.get_mut("rss.peak_bytes");
        metric.unwrap().samples[0] = f64::NAN;
        let said = write(&path, &run).unwrap_err().to_string();
        assert!(said.contains(&format!("rss.peak_bytes of {}", run.cases[1].case)), "{said}");
    }

    #[test]
    fn a_law_without_an_end_is_refused() {
        let (_folder, path) = saved();
        let mut run = specimen::swept();
        let estimate = harness::record::Estimate { value: 1.0, low: f64::NEG_INFINITY, high: 2.0 };
        run.cases.iter_mut().find_map(|case| case.laws.first_mut()).unwrap().bytes_per_session = estimate;
        assert!(matches!(write(&path, &run), Err(Error::NotFinite { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_written_run_is_as_readable_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, path) = saved();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
