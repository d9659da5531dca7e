//! The newer store: a database of SQLite with messages and parts as JSON texts.

use std::collections::BTreeSet;
use std::io;

use crate::dice::Dice;
use crate::opencode::conversation;
use crate::opencode::pages::Pages;
use crate::opencode::{Body, Head, OpenCode, Record, Store, Todo};
use crate::plan::ROOTS;
use crate::sqlite::Sheet;
use crate::write::{Desk, Facts};

/// The tables of OpenCode's and Kilo's first version with a database, and the sums that later ones keep with each session, since their
/// statistics are of those and not of the messages. Nothing else of what later ones added must be there for them to be read.
pub const SCHEMA: &str = "
create table project (id text primary key, worktree text not null, vcs text, name text, icon_url text, icon_color text,
    time_created integer not null, time_updated integer not null, time_initialized integer, sandboxes text not null,
    commands text);
create table session (id text primary key, project_id text not null references project (id) on delete cascade,
    workspace_id text, parent_id text, slug text not null, directory text not null, title text not null,
    version text not null, share_url text, summary_additions integer, summary_deletions integer, summary_files integer,
    summary_diffs text, cost real not null default 0, tokens_input integer not null default 0,
    tokens_output integer not null default 0, tokens_reasoning integer not null default 0,
    tokens_cache_read integer not null default 0, tokens_cache_write integer not null default 0, revert text,
    permission text, time_created integer not null, time_updated integer not null, time_compacting integer,
    time_archived integer);
create index session_project_idx on session (project_id);
create index session_workspace_idx on session (workspace_id);
create index session_parent_idx on session (parent_id);
create table message (id text primary key, session_id text not null references session (id) on delete cascade,
    time_created integer not null, time_updated integer not null, data text not null);
create index message_session_time_created_id_idx on message (session_id, time_created, id);
create table part (id text primary key, message_id text not null references message (id) on delete cascade,
    session_id text not null, time_created integer not null, time_updated integer not null, data text not null);
create index part_message_id_id_idx on part (message_id, id);
create index part_session_idx on part (session_id);
create table todo (session_id text not null references session (id) on delete cascade, content text not null,
    status text not null, priority text not null, position integer not null, time_created integer not null,
    time_updated integer not null, primary key (session_id, position));
create index todo_session_idx on todo (session_id);
create table session_share (session_id text primary key references session (id) on delete cascade, id text not null,
    secret text not null, url text not null, time_created integer not null, time_updated integer not null);
create table permission (project_id text primary key references project (id) on delete cascade,
    time_created integer not null, time_updated integer not null, data text not null);
";

/// The version that sessions are written by.
const VERSION: &str = "1.2.10";

/// A database to write, with all its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Index into [`ROOTS`].
    pub(crate) root: usize,
    /// The file's name.
    pub(crate) file: &'static str,
    pub(crate) sessions: Vec<OpenCode>,
}

impl Database {
    /// The database's file, which is its workspace too.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", ROOTS[self.root].0, self.file)
    }

    /// Writes the database. What a session holds is drawn for it alone, so that it is the same among other sessions.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = self.path();
        let mut tables = Tables {
            sheet: Sheet::create(desk.place(&path)?, SCHEMA)?,
            projects: BTreeSet::new(),
            facts: Facts::default(),
        };
        for plan in &self.sessions {
            let dice = Dice::new(desk.spec, &format!("{path}/{}", plan.id));
            let mut rows = Rows { plan, tables: &mut tables, pages: Pages::default() };
            let session = conversation::write(plan, path.clone(), desk.pool, dice, &mut rows)?;
            desk.deliver(self.root, &plan.id, path.clone(), &session);
        }
        desk.note(tables.sheet.finish()?, path, tables.facts);
        Ok(())
    }
}

/// What all sessions of a database share.
struct Tables {
    sheet: Sheet,
    /// Projects that have a row.
    projects: BTreeSet<String>,
    /// Sums over the sessions so far.
    facts: Facts,
}

/// One session's rows.
struct Rows<'t> {
    plan: &'t OpenCode,
    tables: &'t mut Tables,
    pages: Pages,
}

impl Rows<'_> {
    fn project(&mut self) -> io::Result<()> {
        let project = &self.plan.project;
        if !self.tables.projects.insert(project.id.clone()) {
            return Ok(());
        }
        let sql = "insert into project (id, worktree, vcs, time_created, time_updated, sandboxes) \
                   values (?1, ?2, 'git', ?3, ?3, '[]')";
        let created = project.created as i64;
        self.tables.sheet.insert("project", sql, &[&project.id, &project.worktree, &created])
    }
}

/// What a session cost in $, and its tokens in the order of the table's columns: what was reasoned stands beside what was written.
fn sums(head: &Head<'_>) -> (f64, [i64; 5]) {
    let all = &head.facts.tokens;
    let tokens = [all.input, all.output - all.reasoning, all.reasoning, all.cache_read, all.cache_write];
    (head.cost as f64 / 100_000.0, tokens.map(|count| count as i64))
}

impl Store for Rows<'_> {
    fn bytes(&self) -> u64 {
        self.pages.bytes()
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let data = match record.body {
            Body::Fields(fields) => [b"{", fields, b"}"].concat(),
            Body::Broken(text) => {
                self.tables.facts.skipped_lines += 1;
                text.to_vec()
            }
        };
        let data = String::from_utf8(data).map_err(io::Error::other)?;
        let (created, updated) = (record.created as i64, record.updated as i64);
        let (id, session) = (record.id, &self.plan.id);
        let sheet = &mut self.tables.sheet;
        if let Some(message) = record.message {
            self.pages.part(data.len() as u64);
            let sql = "insert into part (id, message_id, session_id, time_created, time_updated, data) \
                       values (?1, ?2, ?3, ?4, ?5, ?6)";
            return sheet.insert(record.kind, sql, &[&id, &message, session, &created, &updated, &data]);
        }
        self.pages.message(data.len() as u64);
        let sql = "insert into message (id, session_id, time_created, time_updated, data) \
                   values (?1, ?2, ?3, ?4, ?5)";
        sheet.insert(record.kind, sql, &[&id, session, &created, &updated, &data])
    }

    fn todos(&mut self, todos: &[Todo<'_>], time: u64) -> io::Result<()> {
        let sql = "insert into todo (session_id, content, status, priority, position, time_created, time_updated) \
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
        for (position, todo) in (0_i64..).zip(todos) {
            let (content, time) = (&*todo.content.text, time as i64);
            let values: [&dyn rusqlite::ToSql; 6] =
                [&self.plan.id, &content, &todo.status, &todo.priority, &position, &time];
            self.tables.sheet.insert("todo", sql, &values)?;
        }
        Ok(())
    }

    /// What a session changed has no table: newer versions still keep it in files, which are not written here.
    fn diff(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn session(&mut self, head: Head<'_>) -> io::Result<()> {
        self.project()?;
        let plan = self.plan;
        let [additions, deletions, files, created, updated] =
            [head.additions, head.deletions, head.files, plan.start, head.updated]
                .map(|number| number as i64);
        let sql = "insert into session (id, project_id, parent_id, slug, directory, title, version, summary_additions, \
                   summary_deletions, summary_files, time_created, time_updated, cost, tokens_input, tokens_output, \
                   tokens_reasoning, tokens_cache_read, tokens_cache_write) \
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        let (title, directory) = (&*head.title.text, &plan.project.worktree);
        let (cost, [input, output, reasoning, read, write]) = sums(&head);
        let values: [&dyn rusqlite::ToSql; 18] = [
            &plan.id,
            &plan.project.id,
            &plan.parent,
            &head.slug,
            directory,
            &title,
            &VERSION,
            &additions,
            &deletions,
            &files,
            &created,
            &updated,
            &cost,
            &input,
            &output,
            &reasoning,
            &read,
            &write,
        ];
        self.tables.sheet.insert("session", sql, &values)?;
        self.tables.facts.add(head.facts);
        Ok(())
    }
}
