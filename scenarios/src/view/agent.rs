//! Sessions as the tool makes them: what an agent tells its server, act by act, and what is stored of it.
//!
//! Nothing here knows the engine: what is told, and what must be read of what was stored, is said by the writer alone.

mod call;
mod content;
mod database;
mod digest;
mod ids;
mod info;
mod outline;
mod plan;
mod script;
mod session;
mod stored;
mod tool;
mod tree;
mod words;

use serde_json::Value;

pub(crate) use call::{Payload, tool_call};
pub(crate) use content::FileState;
pub(crate) use database::write_database;
#[cfg(test)]
pub(crate) use digest::Digester;
pub(crate) use plan::{Family, Plan, START_MS, Spread, Touch};
pub(crate) use script::Script;
pub(crate) use stored::Written;
pub(crate) use tool::{Mix, PATCHING, TOOLS, Tool};
pub(crate) use tree::write_tree;
pub(crate) use words::Width;

/// What a session's agent tells its server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// A session is new or changed.
    Session(Value),
    /// A message is new or changed.
    Message(Value),
    /// A part is new or changed: the whole of it.
    Part(Value),
    /// A part grows.
    Delta {
        /// Its session.
        session: String,
        /// Its message.
        message: String,
        /// The part.
        part: String,
        /// What of it grows.
        field: &'static str,
        /// By what.
        text: String,
    },
    /// A message is gone; its parts went before.
    RemoveMessage {
        /// Its session.
        session: String,
        /// The message.
        message: String,
    },
    /// A part is gone.
    RemovePart {
        /// Its session.
        session: String,
        /// Its message.
        message: String,
        /// The part.
        part: String,
    },
    /// A session works, waits, or rests.
    Status {
        /// The session.
        session: String,
        /// Its state.
        status: Value,
    },
    /// What became of all files of a session. Their contents are made when they are asked for.
    Diff {
        /// The session.
        session: String,
        /// The files, by path.
        files: Vec<FileState>,
    },
    /// The things to do have changed.
    Todos {
        /// The session.
        session: String,
        /// All of them.
        todos: Value,
    },
    /// A call asks whether it may.
    Permission(Value),
    /// It was answered.
    PermissionReplied {
        /// The session.
        session: String,
        /// The request.
        id: String,
    },
    /// The person is asked something.
    Question(Value),
    /// It was answered.
    QuestionReplied {
        /// The session.
        session: String,
        /// The request.
        id: String,
    },
    /// Something went wrong.
    Error {
        /// The session.
        session: String,
        /// What.
        error: Value,
    },
    /// A session is gone.
    Deleted {
        /// The session.
        session: String,
    },
}

/// An act and when it is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// ms since 1970, by the virtual clock.
    pub(crate) at_ms: i64,
    /// The act.
    pub(crate) act: Act,
}

#[cfg(test)]
mod tests;
