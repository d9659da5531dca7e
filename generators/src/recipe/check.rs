//! What a recipe may say: whoever gets one from a stranger must be able to generate from it.

use std::path::Path;

use crate::Error;
use crate::profile::Profile;
use crate::recipe::{Format, GRID, History, Quantiles, Recipe, SCHEMA, known};

/// The longest name.
const NAME_MAX: usize = 40;

/// The most log directories.
const ROOTS_MAX: u64 = 64;
/// The most sessions, files or workspaces of a format: ten times as many as anyone has reported.
const COUNT_MAX: u64 = 1_000_000;
/// The most bytes of a format: 1 PiB.
const BYTES_MAX: u64 = 1 << 50;
/// The most requests, calls, tokens, lines.
const EVENTS_MAX: u64 = 1 << 50;
/// The most requests of a session: ten times as many as anyone has reported of a whole history.
const REQUESTS_MAX: u64 = 100_000;
/// The deepest nesting that anyone counts.
const DEPTH_MAX: u64 = 1 << 32;

pub(super) fn refuse(path: &Path, field: &str, why: String) -> Error {
    Error::Recipe { path: path.to_path_buf(), field: field.to_owned(), why }
}

/// What is wrong, with the field that says it.
type Flaw = (String, String);

impl Recipe {
    /// Itself, when everything in it can be meant.
    pub(super) fn checked(self, path: &Path) -> Result<Recipe, Error> {
        let flaw = self.flaw();
        flaw.map_or(Ok(self), |(field, why)| Err(refuse(path, &field, why)))
    }

    fn flaw(&self) -> Option<Flaw> {
        if self.schema != SCHEMA {
            return Some((
                "schema".to_owned(),
                format!("this program reads \"{SCHEMA}\"; fit the history again with it"),
            ));
        }
        if let Some(why) = name_flaw(&self.name) {
            return Some(("name".to_owned(), why));
        }
        if self.histories().next().is_none() {
            return Some(("file".to_owned(), "it has no history: fit a directory that has one".to_owned()));
        }
        self.histories().find_map(|(format, history)| {
            history.flaw(format).map(|(field, why)| (format!("{format}.{field}"), why))
        })
    }
}

pub(super) fn name_flaw(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts || name.len() > NAME_MAX || !name.chars().all(is_plain) {
        return Some(format!(
            "give small letters, digits and dashes, beginning with a letter, {NAME_MAX} at most"
        ));
    }
    let taken = Profile::BUILT_IN.iter().any(|profile| profile.name() == name);
    taken.then(|| format!("\"{name}\" is a profile of this program: choose another name"))
}

impl History {
    fn flaw(&self, format: Format) -> Option<Flaw> {
        self.count_flaw()
            .or_else(|| self.sense_flaw())
            .or_else(|| self.table_flaw(format))
            .or_else(|| self.sum_flaw())
            .or_else(|| {
                let maps = [
                    ("tools", &self.tools, known::TOOLS),
                    ("records", &self.records, known::RECORDS),
                    ("shapes", &self.shapes, known::SHAPES),
                ];
                maps.into_iter().find_map(|(field, map, known)| {
                    let stranger =
                        map.keys().find(|name| *name != known::OTHER && !known.contains(&name.as_str()));
                    if stranger.is_some() {
                        let why =
                            "it has a name that no public list names: count that as \"other\"".to_owned();
                        return Some((field.to_owned(), why));
                    }
                    let large = map.values().any(|count| *count > EVENTS_MAX);
                    large.then(|| (field.to_owned(), format!("no count may be above {EVENTS_MAX}")))
                })
            })
    }

    fn count_flaw(&self) -> Option<Flaw> {
        let counts = [
            ("roots", self.roots, 1, ROOTS_MAX),
            ("workspaces", self.workspaces, 1, COUNT_MAX),
            ("empty_workspaces", self.empty_workspaces, 0, COUNT_MAX),
            ("sessions", self.sessions, 1, COUNT_MAX),
            ("files", self.files, 1, COUNT_MAX),
            ("bytes", self.bytes, 0, BYTES_MAX),
            ("subagents", self.subagents, 0, self.files),
            ("subagent_bytes", self.subagent_bytes, 0, self.bytes),
            ("requests", self.requests, 0, EVENTS_MAX),
            ("output_tokens", self.output_tokens, 0, EVENTS_MAX),
            ("longest_line", self.longest_line, 0, BYTES_MAX),
            ("depth", self.depth, 0, DEPTH_MAX),
        ];
        counts.into_iter().find_map(|(field, value, least, most)| {
            let wrong = !(least..=most).contains(&value);
            wrong.then(|| (field.to_owned(), format!("{value} is not from {least} to {most}")))
        })
    }

    fn sense_flaw(&self) -> Option<Flaw> {
        if self.workspaces > self.sessions {
            let why =
                format!("{} workspaces cannot each have one of {} sessions", self.workspaces, self.sessions);
            return Some(("workspaces".to_owned(), why));
        }
        let means_nothing = !(-1.0..=1.0).contains(&self.rank_correlation);
        means_nothing.then(|| {
            let why = format!("{} is not from -1 to 1", self.rank_correlation);
            ("rank_correlation".to_owned(), why)
        })
    }

    fn table_flaw(&self, format: Format) -> Option<Flaw> {
        let tables = &self.quantiles;
        let always = [
            ("sessions_per_workspace", Some(tables.sessions_per_workspace), COUNT_MAX),
            ("bytes_per_session", Some(tables.bytes_per_session), BYTES_MAX),
            ("requests_per_session", Some(tables.requests_per_session), REQUESTS_MAX),
            ("bytes_per_line", Some(tables.bytes_per_line), BYTES_MAX),
            ("tool_calls_per_request", Some(tables.tool_calls_per_request), COUNT_MAX),
            ("subagents_per_session", tables.subagents_per_session, COUNT_MAX),
            ("bytes_per_subagent", tables.bytes_per_subagent, BYTES_MAX),
        ];
        let has_subagents = tables.subagents_per_session.is_some() || tables.bytes_per_subagent.is_some();
        if has_subagents && format != Format::Claude {
            return Some((
                "quantiles".to_owned(),
                "only claude has subagents: remove their tables".to_owned(),
            ));
        }
        always.into_iter().find_map(|(field, table, most)| {
            let why = table_flaw(&table?, most as f64)?;
            Some((format!("quantiles.{field}"), why))
        })
    }

    /// A table that stands for more than the history says it has in all: what is generated by it would have no end.
    fn sum_flaw(&self) -> Option<Flaw> {
        let tables = &self.quantiles;
        let main = self.bytes - self.subagent_bytes;
        let sums = [
            ("sessions_per_workspace", Some(tables.sessions_per_workspace), self.workspaces, self.sessions),
            ("bytes_per_session", Some(tables.bytes_per_session), self.sessions, main),
            ("requests_per_session", Some(tables.requests_per_session), self.sessions, self.requests),
            ("subagents_per_session", tables.subagents_per_session, self.sessions, self.subagents),
            ("bytes_per_subagent", tables.bytes_per_subagent, self.subagents, self.subagent_bytes),
        ];
        sums.into_iter().find_map(|(field, table, count, total)| {
            let (table, count, total) = (table?, count as f64, total as f64);
            // Values are rounded to four digits, and what lies between two shares is not known.
            let is_too_long = table.at(1.0) > total * 1.01 + 1.0;
            let is_too_much = table.least_mean() * count > total * 1.5 + count;
            (is_too_long || is_too_much).then(|| {
                let why = format!(
                    "its values are those of more than the {total} that the history says it has in all"
                );
                (format!("quantiles.{field}"), why)
            })
        })
    }
}

fn table_flaw(table: &Quantiles, most: f64) -> Option<String> {
    let strange = table.0.iter().find(|value| !(0.0..=most).contains(*value));
    if let Some(value) = strange {
        return Some(format!("{value} is not from 0 to {most}"));
    }
    let falls = table.0.windows(2).position(|pair| pair[0] > pair[1])?;
    Some(format!(
        "the value at share {} is below that at {}: quantiles never fall",
        GRID[falls + 1],
        GRID[falls]
    ))
}
