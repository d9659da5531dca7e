//! The runs of a history as a table for people.

use super::series::{RunMark, Timeline};
use crate::{aligned, plain};

/// Digits of an id that are shown; `history` finds a run by them.
const ID_DIGITS: usize = 12;
/// Digits of a commit that are shown, as git does.
const COMMIT_DIGITS: usize = 9;
/// Most characters of a branch or tag.
const NAME_WIDTH: usize = 24;
/// Most characters of the subject.
const SUBJECT_WIDTH: usize = 60;

/// One line for each run, oldest first, beneath a head. A `+` behind a commit stands for changes that were not committed.
pub fn table(timeline: &Timeline) -> String {
    let head = ["run", "time", "commit", "tag", "branch", "verdict", "subject"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(timeline.runs.iter().map(row)).collect();
    aligned::lines(&rows, "lllllll").join("\n") + "\n"
}

/// The first digits of a run's id.
pub fn short_id(id: &str) -> &str {
    id.get(..ID_DIGITS).unwrap_or(id)
}

fn row(run: &RunMark) -> Vec<String> {
    // Texts of commits come from outside.
    let shown = |text: Option<&String>, width| match text {
        Some(text) => plain::cut(&plain::line(text), width),
        None => "-".to_owned(),
    };
    let commit = run.commit.as_deref().map(|commit| {
        let digits: String = plain::line(commit).chars().take(COMMIT_DIGITS).collect();
        format!("{digits}{}", if run.dirty == Some(true) { "+" } else { "" })
    });
    let time =
        run.moment().map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M").to_string());
    vec![
        short_id(&run.id).to_owned(),
        time,
        commit.unwrap_or_else(|| "-".to_owned()),
        shown(run.tag.as_ref(), NAME_WIDTH),
        shown(run.change.branch.as_ref(), NAME_WIDTH),
        format!("{:?}", run.verdict).to_lowercase(),
        shown(run.change.subject.as_ref(), SUBJECT_WIDTH),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::entry::{Change, Entry};
    use crate::history::series::Selection;
    use crate::specimen;

    #[test]
    fn a_run_is_a_line_that_no_terminal_obeys() {
        let mut tagged = specimen::run();
        tagged.time = "2026-01-02T03:05:00Z".to_owned();
        tagged.artifact.tag = Some("v1.0.0".to_owned());
        tagged.artifact.commit = None;
        let change = Change {
            branch: Some("topic/\u{1b}[2J".to_owned()),
            subject: Some(format!("red \u{202e}herring {}", "x".repeat(100))),
            ..Change::default()
        };
        let entries = [Entry::of(&specimen::run(), change), Entry::of(&tagged, Change::default())];
        insta::assert_snapshot!(table(&Timeline::of(&entries, &Selection::default())));
    }
}
