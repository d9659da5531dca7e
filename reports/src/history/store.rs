//! Where histories are kept: a file of SQLite for one machine, a PostgreSQL server for a team.
//!
//! Both have the same tables and get the same statements. One writer writes at a time, and what [`Store::add`] has acknowledged is
//! on the disk. Each run is kept whole, as the line of its [`Entry`], and its figures a second time in a form that is quick to
//! read as series.

mod connection;
mod error;
mod figures;
mod lines;
mod prune;
mod read;
mod schema;
mod target;
mod tls;
mod write;

use std::fs;
use std::path::Path;

use connection::{Connection, Purpose};
pub use error::{Failed, StoreError};
pub use lines::{BadLine, Imported};
pub use prune::{Keep, Pruned};
pub use target::{Server, Target};
use write::Names;

use super::entry::{Entry, ID_DIGITS};
use super::series::{Selection, Timeline};

/// An open history.
pub struct Store {
    connection: Connection,
    /// The target, without its password.
    name: String,
    names: Names,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is kept now.
    New,
    /// Its run was there already, maybe with another branch or subject; nothing was changed.
    Known {
        /// The id under which it is kept.
        id: String,
        /// The branch that it is kept as one of.
        branch: Option<String>,
    },
}

impl Store {
    /// Opens a history, and makes it where there is none. An older schema is brought to the newest, at once or not at all.
    pub fn open(target: &Target) -> Result<Store, StoreError> {
        let connection = match target {
            Target::File(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let made = fs::create_dir_all(folder.unwrap_or(Path::new(".")));
                made.map_err(|source| StoreError::Folder { path: path.clone(), source })?;
                Connection::file(path)
            }
            Target::Server(server) => Connection::server(server),
        };
        let (mut connection, name) = (connection?, target.to_string());
        schema::migrate(&mut connection, &name)?;
        Ok(Store { connection, name, names: Names::default() })
    }

    /// Opens a history to read it: a file that is missing is an error.
    pub fn open_existing(target: &Target) -> Result<Store, StoreError> {
        match target {
            Target::File(path) if !path.exists() => Err(StoreError::Missing { path: path.clone() }),
            _ => Store::open(target),
        }
    }

    /// How many runs a history has. Nothing is changed by that: no tables are made, and an older schema stays.
    pub fn count(target: &Target) -> Result<i64, StoreError> {
        let mut connection = match target {
            Target::File(path) if !path.exists() => return Err(StoreError::Missing { path: path.clone() }),
            Target::File(path) => Connection::file(path)?,
            Target::Server(server) => Connection::server(server)?,
        };
        let failed = |why| StoreError::Failed { what: "read", store: target.to_string(), why };
        match schema::version(&mut connection).map_err(failed)? {
            0 => Ok(0),
            found if found > schema::NEWEST => {
                Err(StoreError::Newer { store: target.to_string(), found, known: schema::NEWEST })
            }
            _ => {
                let runs = connection.number("SELECT count(*) FROM highwater_runs", &[]).map_err(failed)?;
                Ok(runs.unwrap_or(0))
            }
        }
    }

    /// Adds a run, whole or not at all. Once this returns, the run is on the disk; adding it again changes nothing.
    pub fn add(&mut self, entry: &Entry) -> Result<Added, StoreError> {
        let line = entry.to_line();
        // What could not be read again is not written, such as a figure that is no number.
        let entry = Entry::from_line(&line)?;
        self.attempt("add to", |connection, names| {
            connection.within(Purpose::Write, |connection| write::add(connection, names, &entry, &line))
        })
    }

    /// The runs that are selected, without series.
    pub fn runs(&mut self, selection: &Selection) -> Result<Timeline, StoreError> {
        self.attempt("read", |connection, _| {
            connection.within(Purpose::Read, |connection| Ok(read::runs(connection, selection)?.alone()))
        })
    }

    /// The series that are selected, with the runs that have them.
    pub fn timeline(&mut self, selection: &Selection) -> Result<Timeline, StoreError> {
        self.attempt("read", |connection, _| {
            connection.within(Purpose::Read, |connection| {
                read::runs(connection, selection)?.with_series(connection, selection)
            })
        })
    }

    /// The whole entry of the run whose id begins so.
    pub fn entry(&mut self, beginning: &str) -> Result<Entry, StoreError> {
        let no_run = |store: &str| StoreError::NoRun { store: store.to_owned(), id: beginning.to_owned() };
        let digits = beginning.to_ascii_lowercase();
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_hexadecimal || digits.is_empty() || digits.len() > ID_DIGITS {
            return Err(no_run(&self.name));
        }
        let (ids, line) = self.attempt("read", |connection, _| {
            connection.within(Purpose::Read, |connection| read::lines(connection, &digits))
        })?;
        if ids.len() > 1 {
            return Err(StoreError::Ambiguous { store: self.name.clone(), id: digits, count: ids.len() });
        }
        Ok(Entry::from_line(&line.ok_or_else(|| no_run(&self.name))?)?)
    }

    /// Does something with the database; a failure names the history and what was attempted.
    fn attempt<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&mut Connection, &mut Names) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        match work(&mut self.connection, &mut self.names) {
            Ok(value) => {
                self.names.keep();
                Ok(value)
            }
            Err(why) => {
                self.names.forget();
                Err(StoreError::Failed { what, store: self.name.clone(), why })
            }
        }
    }
}
