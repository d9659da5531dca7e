//! Histories as lines of text, to be moved from one store to another.

use std::io::{self, BufRead, Write};

use super::connection::Purpose;
use super::error::StoreError;
use super::write::{self, unpacked};
use super::{Added, Store};
use crate::history::entry::{Entry, LineError};

/// Lines of one transaction of an import.
const BATCH: usize = 200;

/// What became of the lines of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Runs that are new.
    pub added: usize,
    /// Runs that were there already.
    pub known: usize,
    /// Lines that were left out.
    pub bad: Vec<BadLine>,
}

/// A line that was left out of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: LineError,
}

impl Store {
    /// Writes every entry as the line that was added, in the order of the commits; gives how many. Two stores of the same runs
    /// write the same bytes.
    pub fn export(&mut self, out: &mut dyn Write) -> Result<usize, StoreError> {
        let sql = "SELECT e.content FROM highwater_runs r JOIN highwater_entries e ON e.run = r.number ORDER BY r.moment, r.measured, r.number";
        let (mut count, mut written) = (0, Ok(()));
        self.attempt("read", |connection, _| {
            connection.query(sql, &[], &mut |row| {
                if written.is_ok() {
                    written = writeln!(out, "{}", unpacked(row.bytes(0)?)?);
                    count += 1;
                }
                Ok(())
            })
        })?;
        written.and_then(|()| out.flush()).map_err(StoreError::Write)?;
        Ok(count)
    }

    /// Adds the entries of an export. Lines that are none are left out and named, all others added; empty ones are passed over.
    pub fn import(&mut self, lines: &mut dyn BufRead) -> Result<Imported, StoreError> {
        let mut imported = Imported::default();
        let mut batch = Vec::new();
        for number in 1.. {
            let Some(line) = next_line(lines).map_err(StoreError::Read)? else { break };
            match line {
                Ok(line) if line.is_empty() => {}
                Ok(line) => match Entry::from_line(&line) {
                    Ok(entry) => batch.push((entry, line)),
                    Err(why) => imported.bad.push(BadLine { line: number, why }),
                },
                Err(why) => imported.bad.push(BadLine { line: number, why }),
            }
            if batch.len() == BATCH {
                self.add_all(&mut batch, &mut imported)?;
            }
        }
        self.add_all(&mut batch, &mut imported)?;
        Ok(imported)
    }

    fn add_all(
        &mut self,
        batch: &mut Vec<(Entry, String)>,
        imported: &mut Imported,
    ) -> Result<(), StoreError> {
        let added = self.attempt("add to", |connection, names| {
            connection.within(Purpose::Write, |connection| {
                let add = |(entry, line): &(Entry, String)| write::add(connection, names, entry, line);
                batch.iter().map(add).collect::<Result<Vec<Added>, _>>()
            })
        })?;
        let new = added.iter().filter(|added| **added == Added::New).count();
        imported.added += new;
        imported.known += added.len() - new;
        batch.clear();
        Ok(())
    }
}

/// The next line without its end; `None` at the end of all.
fn next_line(lines: &mut dyn BufRead) -> io::Result<Option<Result<String, LineError>>> {
    let mut line = Vec::new();
    if lines.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(Some(String::from_utf8(line).map_err(|error| LineError::NoEntry { why: error.to_string() })))
}
