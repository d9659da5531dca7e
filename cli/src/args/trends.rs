//! What can be typed to see trends, drift and releases.

use clap::{Args as Arguments, ValueEnum};

/// Weeks that the growth towards a limit is read from.
const WEEKS: f64 = 26.0;

/// Show where figures changed for good, the commits between, and when limits are reached
///
/// Examples:
///   highwater history trend 'sync/cold:*' --metric 'heap.*'
///   highwater history trend --branch main --last 200 --format html > trend.html
///
/// A change of level is found by E-divisive with the defaults of Apache Otava; of exact figures every
/// level of three runs is one. Where the compiler, Cargo.lock, the kernel or the corpus changed at the
/// same runs, that is said in place of the commits.
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Trend {
    /// Cases, such as 'sync/cold:*'; all when left out.
    #[arg(value_name = "CASE-PATTERN")]
    pub(crate) cases: Option<String>,
    /// Metrics, such as 'heap.*'; all when left out.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) metric: Option<String>,
    /// Only runs of this branch.
    #[arg(long)]
    pub(crate) branch: Option<String>,
    /// Only the last so many runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) last: Option<u64>,
    /// Leave out changes smaller than so many percent of the level before.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub(crate) min_change: f64,
    /// Read the growth towards a limit from at most so many last weeks.
    #[arg(long, default_value_t = WEEKS, value_parser = weeks)]
    pub(crate) weeks: f64,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Show what became better and worse since a release, worst first
///
/// Ten commits that each cost 3 % pass ten gates, and are a third together: this shows the third, and how far each figure is from
/// the best of all releases.
///
/// Examples:
///   highwater history drift --branch main
///   highwater history drift --since v1.2 --format markdown
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Drift {
    /// The tag of the release; the last one before the newest run when left out.
    #[arg(long, value_name = "TAG")]
    pub(crate) since: Option<String>,
    /// Only runs of this branch.
    #[arg(long)]
    pub(crate) branch: Option<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Report on a release: against the last and that of a year before, waivers, debt, headroom
///
/// Examples:
///   highwater history releases
///   highwater history releases v2.0 --format html > release.html
#[derive(Debug, Arguments)]
#[command(verbatim_doc_comment)]
pub(crate) struct Releases {
    /// The tag of the release; the newest when left out.
    pub(crate) tag: Option<String>,
    /// Only runs of this branch.
    #[arg(long)]
    pub(crate) branch: Option<String>,
    /// Read the growth towards a limit from at most so many weeks before the release.
    #[arg(long, default_value_t = WEEKS, value_parser = weeks)]
    pub(crate) weeks: f64,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// How a page about a history is shown.
#[derive(Debug, Arguments)]
pub(crate) struct Shown {
    /// In which form.
    #[arg(long, value_enum, default_value_t = PageForm::Text)]
    pub(crate) format: PageForm,
}

/// Forms of a page about a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageForm {
    /// Tables for the terminal.
    Text,
    /// For a merge request or the notes of a release.
    Markdown,
    /// One file for a browser, with drawings.
    Html,
    /// The data, for other programs.
    Json,
}

fn percent(text: &str) -> Result<f64, String> {
    number(text, "a part in percent, 0 or more")
}

fn weeks(text: &str) -> Result<f64, String> {
    number(text, "weeks, such as 26")
        .and_then(|weeks| if weeks >= 1.0 { Ok(weeks) } else { Err("write at least 1 week".to_owned()) })
}

fn number(text: &str, what: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("write {what}"))
}
