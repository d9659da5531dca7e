//! Which fields of projects and sessions the storage knows, and in which columns of a database they are.

use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Map, Number, Value};

/// A field that has a column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// The keys that lead to the field.
    at: &'static [&'static str],
    kind: Kind,
    /// It is never missing: the tools' importer fills in what is empty.
    needed: bool,
}

/// What the field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    /// A number that may have a fraction. As in JavaScript, 1.0 is 1.
    Number,
    /// Anything, as JSON text.
    Json,
}

use Kind::{Integer, Json, Text};

const fn needed(name: &'static str, at: &'static [&'static str], kind: Kind) -> Column {
    Column { name, at, kind, needed: true }
}

const fn optional(name: &'static str, at: &'static [&'static str], kind: Kind) -> Column {
    Column { name, at, kind, needed: false }
}

/// Fields of a project besides its id.
pub(super) const PROJECT: &[Column] = &[
    needed("worktree", &["worktree"], Text),
    optional("vcs", &["vcs"], Text),
    optional("name", &["name"], Text),
    needed("time_created", &["time", "created"], Integer),
    needed("time_updated", &["time", "updated"], Integer),
    optional("time_initialized", &["time", "initialized"], Integer),
    needed("sandboxes", &["sandboxes"], Json),
    optional("commands", &["commands"], Json),
];

/// Fields of a session besides its id. Databases of older builds lack some columns.
pub(super) const SESSION: &[Column] = &[
    needed("project_id", &["projectID"], Text),
    optional("workspace_id", &["workspaceID"], Text),
    optional("parent_id", &["parentID"], Text),
    needed("slug", &["slug"], Text),
    needed("directory", &["directory"], Text),
    needed("title", &["title"], Text),
    needed("version", &["version"], Text),
    optional("share_url", &["share", "url"], Text),
    optional("summary_additions", &["summary", "additions"], Integer),
    optional("summary_deletions", &["summary", "deletions"], Integer),
    optional("summary_files", &["summary", "files"], Integer),
    optional("summary_diffs", &["summary", "diffs"], Json),
    optional("revert", &["revert"], Json),
    optional("permission", &["permission"], Json),
    needed("time_created", &["time", "created"], Integer),
    needed("time_updated", &["time", "updated"], Integer),
    optional("time_compacting", &["time", "compacting"], Integer),
    optional("time_archived", &["time", "archived"], Integer),
    optional("path", &["path"], Text),
    optional("agent", &["agent"], Text),
    optional("model", &["model"], Json),
    optional("metadata", &["metadata"], Json),
    optional("cost", &["cost"], Kind::Number),
    optional("tokens", &["tokens"], Json),
];

/// What a session says of each file that changed.
const LIGHT: [&str; 4] = ["file", "additions", "deletions", "status"];

impl Column {
    /// Whether every database has it.
    pub(super) fn is_needed(&self) -> bool {
        self.needed
    }

    /// How it is made in a new database.
    pub(super) fn declaration(&self) -> String {
        let kind = match self.kind {
            Text | Json => "TEXT",
            Integer => "INTEGER",
            Kind::Number => "REAL",
        };
        format!("{} {kind}{}", self.name, if self.needed { " NOT NULL" } else { "" })
    }

    /// The field, if it is what it should be.
    fn field(&self, value: &Value) -> Option<Value> {
        let field = self.at.iter().try_fold(value, |value, key| value.get(key))?;
        match self.kind {
            Text => field.is_string().then(|| field.clone()),
            Integer => plain(field.as_number()?).as_i64().map(Value::from),
            Kind::Number => Some(Value::Number(plain(field.as_number()?))),
            Json => (!field.is_null()).then(|| field.clone()),
        }
    }

    fn default(&self) -> Value {
        match self.kind {
            Text => Value::from(""),
            Integer | Kind::Number => Value::from(0),
            Json => Value::Array(Vec::new()),
        }
    }

    /// What the column holds of a record that is [`normal`].
    pub(super) fn to_sql(&self, value: &Value) -> Sql {
        self.field(value).map_or(Sql::Null, |field| self.sql(field))
    }

    /// What the column holds of a record without the field, where it must hold something.
    pub(super) fn empty(&self) -> Sql {
        self.sql(self.default())
    }

    fn sql(&self, field: Value) -> Sql {
        match (self.kind, field) {
            (Json, field) => Sql::Text(field.to_string()),
            (_, Value::String(text)) => Sql::Text(text),
            (_, field) => match (field.as_i64(), field.as_f64()) {
                (Some(integer), _) => Sql::Integer(integer),
                (None, Some(real)) => Sql::Real(real),
                (None, None) => Sql::Null,
            },
        }
    }

    /// Puts what the column holds where it belongs. Some builds have plain text where others have JSON.
    pub(super) fn put_sql(&self, sql: ValueRef<'_>, value: &mut Value) {
        let field = match sql {
            ValueRef::Text(text) | ValueRef::Blob(text) if self.kind == Json => {
                serde_json::from_slice(text).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(text)))
            }
            ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
            ValueRef::Integer(integer) => Value::from(integer),
            ValueRef::Real(real) => Value::from(real),
            ValueRef::Null | ValueRef::Blob(_) => return,
        };
        put(value, self.at, field);
    }
}

/// A record as it is in both layouts: with its id, what is known of it as it should be, and what must not be missing. None when it is no
/// object.
pub(super) fn normal(columns: &[Column], id: &str, mut value: Value) -> Option<Value> {
    value.as_object_mut()?.insert("id".to_owned(), Value::from(id));
    if let Some(diffs) = value.pointer_mut("/summary/diffs").and_then(Value::as_array_mut) {
        diffs.iter_mut().filter_map(Value::as_object_mut).for_each(lighten);
    }
    for column in columns {
        match column.field(&value).or_else(|| column.needed.then(|| column.default())) {
            Some(field) => put(&mut value, column.at, field),
            None => remove(&mut value, column.at),
        }
    }
    Some(value)
}

/// Keys of a record that no column of these holds.
pub(super) fn unknown<'a>(columns: &[&Column], value: &'a Value) -> impl Iterator<Item = &'a str> {
    let fields = value.as_object().into_iter().flatten();
    let is_known = |key: &str| key == "id" || columns.iter().any(|column| column.at[0] == key);
    fields.map(|(key, _)| key.as_str()).filter(|key| !is_known(key)).collect::<Vec<_>>().into_iter()
}

fn lighten(diff: &mut Map<String, Value>) {
    diff.retain(|key, _| LIGHT.contains(&key.as_str()));
}

/// A number as JavaScript writes it.
fn plain(number: &Number) -> Number {
    /// Above, not every integer is a number of JavaScript.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let real = number.as_f64().filter(|real| number.is_f64() && real.fract() == 0.0 && real.abs() < EXACT);
    real.map_or_else(|| number.clone(), |real| Number::from(real as i64))
}

/// Puts a field, and makes the objects that lead to it.
fn put(value: &mut Value, at: &[&str], field: Value) {
    let Some((key, rest)) = at.split_first() else {
        *value = field;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Some(fields) = value.as_object_mut() {
        put(fields.entry(*key).or_insert(Value::Null), rest, field);
    }
}

/// Removes a field, and an object that leads to it and has nothing else.
fn remove(value: &mut Value, at: &[&str]) {
    let (Some(fields), Some((key, rest))) = (value.as_object_mut(), at.split_first()) else { return };
    if let Some(below) = fields.get_mut(*key).filter(|_| !rest.is_empty()) {
        remove(below, rest);
    }
    let is_empty = |below: &Value| rest.is_empty() || below.as_object().is_none_or(Map::is_empty);
    if fields.get(*key).is_some_and(is_empty) {
        fields.remove(*key);
    }
}
