//! The older store: `storage/{project,session,message,part,todo,session_diff}`, a file for every record.

use std::io;

use crate::opencode::{Body, Head, OpenCode, Record, Store, Todo};
use crate::page::put;
use crate::plan::ROOTS;
use crate::write::{Desk, Facts};

/// The version that sessions of files were last written by.
const VERSION: &str = "1.0.220";

/// One session's files.
pub(crate) struct Tree<'t, 'a> {
    plan: &'t OpenCode,
    desk: &'t mut Desk<'a>,
    storage: &'static str,
    bytes: u64,
}

impl<'t, 'a> Tree<'t, 'a> {
    pub(crate) fn new(plan: &'t OpenCode, desk: &'t mut Desk<'a>) -> Self {
        let root = ROOTS[plan.root].0;
        Tree { plan, desk, storage: root.strip_suffix("/session").unwrap_or(root), bytes: 0 }
    }

    /// Writes a file below the storage.
    fn file(
        &mut self,
        path: &str,
        kind: &'static str,
        facts: Facts,
        put: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        let path = format!("{}/{path}.json", self.storage);
        let mut page = self.desk.open(&path)?;
        put(&mut page.buf);
        page.record(kind);
        page.end_torn();
        self.bytes += page.bytes();
        self.desk.close(page, path, facts)
    }

    fn project(&mut self) -> io::Result<()> {
        let project = &self.plan.project;
        self.file(&format!("project/{}", project.id), "project", Facts::default(), |out| {
            put!(out; "{\"id\":\"", &project.id, "\",\"worktree\":\"", &project.worktree, "\",\"vcs\":\"git\",\"time\":{\"created\":",
                project.created, ",\"initialized\":", project.created, "}}");
        })
    }
}

impl Store for Tree<'_, '_> {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let session = &self.plan.id;
        let path = match record.message {
            Some(message) => format!("part/{message}/{}", record.id),
            None => format!("message/{session}/{}", record.id),
        };
        let skipped_lines = u64::from(matches!(record.body, Body::Broken(_)));
        self.file(&path, record.kind, Facts { skipped_lines, ..Facts::default() }, |out| match record.body {
            Body::Broken(text) => put!(out; text),
            Body::Fields(fields) => {
                put!(out; "{\"id\":\"", record.id, "\",\"sessionID\":\"", session);
                if let Some(message) = record.message {
                    put!(out; "\",\"messageID\":\"", message);
                }
                put!(out; "\",", fields, "}");
            }
        })
    }

    fn todos(&mut self, todos: &[Todo<'_>], _: u64) -> io::Result<()> {
        self.file(&format!("todo/{}", self.plan.id), "todo", Facts::default(), |out| {
            for (i, todo) in todos.iter().enumerate() {
                put!(out; if i > 0 { "," } else { "[" }, "{\"content\":\"", &*todo.content.escaped, "\",\"status\":\"", todo.status,
                    "\",\"priority\":\"", todo.priority, "\",\"id\":\"", i + 1, "\"}");
            }
            put!(out; "]");
        })
    }

    fn diff(&mut self, diffs: &[u8]) -> io::Result<()> {
        self.file(&format!("session_diff/{}", self.plan.id), "session-diff", Facts::default(), |out| {
            put!(out; "[", diffs, "]");
        })
    }

    fn session(&mut self, head: Head<'_>) -> io::Result<()> {
        let plan = self.plan;
        if plan.opens_project {
            self.project()?;
        }
        self.file(&format!("session/{}/{}", plan.project.id, plan.id), "session", head.facts, |out| {
            put!(out; "{\"id\":\"", &plan.id, "\",\"slug\":\"", &head.slug, "\",\"version\":\"", VERSION, "\",\"projectID\":\"", &plan.project.id,
                "\",\"directory\":\"", &plan.project.worktree);
            if let Some(parent) = &plan.parent {
                put!(out; "\",\"parentID\":\"", parent);
            }
            put!(out; "\",\"title\":\"", &*head.title.escaped, "\",\"time\":{\"created\":", plan.start, ",\"updated\":", head.updated,
                "},\"summary\":{\"additions\":", head.additions, ",\"deletions\":", head.deletions, ",\"files\":", head.files, "}}");
        })
    }
}
