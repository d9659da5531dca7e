//! A row of a list, and a page of rows as JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::files::{Stamp, Unusable};
use super::summary::Summary;

/// Bytes of a row as JSON, about: a page is written into one block.
const ROW_BYTES: usize = 400;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// Most rows.
    pub limit: usize,
    /// Rows to pass over, of those sorted by time of modification, newest first.
    pub offset: usize,
    /// Only sessions of this project, by the name of its directory.
    pub project: Option<String>,
    /// Only sessions with this text in their title, id or working directory, in any case.
    pub text: Option<String>,
}

impl Query {
    /// The newest sessions.
    pub fn newest(limit: usize) -> Query {
        Query { limit, ..Query::default() }
    }
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The directory of its project, by name.
    pub project: Arc<str>,
    /// Its id: its file's name.
    pub id: Arc<str>,
    /// What its file was when it was looked at.
    pub stamp: Stamp,
    /// What its file says.
    pub summary: Arc<Summary>,
    /// Where its project is.
    pub project_root: Arc<str>,
    /// Its working directory.
    pub work_dir: Arc<str>,
    /// Whether that is there.
    pub work_dir_exists: bool,
}

impl Row {
    /// Whether a query's text is in it.
    pub fn has(&self, lower_case: &str) -> bool {
        [&*self.summary.title, &self.id, &self.work_dir]
            .iter()
            .any(|text| text.to_lowercase().contains(lower_case))
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Row", 9)?;
        row.serialize_field("id", &*self.id)?;
        row.serialize_field("title", &self.summary.title)?;
        row.serialize_field("createdAt", &self.summary.created)?;
        row.serialize_field("modifiedAt", &Time(self.stamp.modified_ns))?;
        row.serialize_field("messageCount", &self.summary.messages)?;
        row.serialize_field("projectPath", &*self.project)?;
        row.serialize_field("projectRoot", &*self.project_root)?;
        row.serialize_field("workDir", &*self.work_dir)?;
        row.serialize_field("workDirExists", &self.work_dir_exists)?;
        row.end()
    }
}

/// A time in ns since 1970, written as the field's tools do.
struct Time(i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::from_millisecond(self.0.div_euclid(1_000_000)) {
            Ok(time) => serializer.collect_str(&format_args!("{time:.3}")),
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Rows of all pages.
    pub total: usize,
    /// Files that give no row, of those that were looked at.
    pub unusable: Unusable,
}

impl Page {
    /// The page as a JSON text.
    ///
    /// # Errors
    /// Hardly: everything in it can be written.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Json<'a> {
            sessions: &'a [Row],
            total: usize,
            unreadable: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            first_unreadable: Option<&'a str>,
        }
        let mut text = Vec::with_capacity(128 + self.rows.len() * ROW_BYTES);
        let json = Json {
            sessions: &self.rows,
            total: self.total,
            unreadable: self.unusable.count,
            first_unreadable: self.unusable.first.as_deref(),
        };
        serde_json::to_writer(&mut text, &json)?;
        Ok(text)
    }
}

/// What is on disk of the directories that sessions name; looked at once for a page.
#[derive(Debug, Default)]
pub struct Places(BTreeMap<Arc<str>, Place>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    exists: bool,
    repository: Option<Arc<str>>,
}

impl Places {
    /// A row with what is on disk now.
    pub fn row(&mut self, project: &Arc<str>, id: &Arc<str>, stamp: Stamp, summary: &Arc<Summary>) -> Row {
        let work_dir = match &summary.work_dir {
            Some(told) => self.shared(told),
            None => self.shared(&unsanitised(project)),
        };
        let exists = self.place(&work_dir).exists;
        let root = summary.root.as_deref().map_or_else(|| Arc::clone(&work_dir), |root| self.shared(root));
        let repository = self.place(&root).repository.clone();
        Row {
            project: Arc::clone(project),
            id: Arc::clone(id),
            stamp,
            summary: Arc::clone(summary),
            project_root: repository.unwrap_or(root),
            work_dir,
            work_dir_exists: exists,
        }
    }

    /// Whether the directories are what they were.
    pub(super) fn are_current(&self) -> bool {
        self.0.iter().all(|(directory, place)| look(directory) == *place)
    }

    fn shared(&self, text: &str) -> Arc<str> {
        self.0.get_key_value(text).map_or_else(|| text.into(), |(known, _)| Arc::clone(known))
    }

    fn place(&mut self, directory: &Arc<str>) -> &Place {
        self.0.entry(Arc::clone(directory)).or_insert_with(|| look(directory))
    }
}

/// Looks for a directory, and for the repository that it is in. A path that is not absolute says nothing.
fn look(directory: &str) -> Place {
    let path = Path::new(directory);
    if !path.is_absolute() {
        return Place { exists: false, repository: None };
    }
    let repository = path.ancestors().find(|above| above.join(".git").exists());
    Place { exists: path.is_dir(), repository: repository.and_then(Path::to_str).map(Into::into) }
}

/// The directory that a project's name was made of, as well as can be told: every sign that is no letter became a dash.
fn unsanitised(project: &str) -> String {
    project.replace('-', "/")
}
