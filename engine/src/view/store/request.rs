//! What a view asks of its host.

use super::post::Mode;

/// What a view asks of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Messages of a session, which is the one that is shown.
    LoadMessages {
        /// The session.
        session: String,
        /// What will become of those that are there.
        mode: Mode,
        /// Where the page ends; none for the newest.
        before: Option<String>,
        /// How many at most.
        limit: usize,
        /// A number, for the answer to name.
        request: u64,
    },
    /// The newest page of a session that is shown again, in the mode [`Mode::Focus`].
    Focus {
        /// The session.
        session: String,
        /// A number, for the answer to name.
        request: u64,
    },
    /// The list of all sessions.
    LoadSessions,
    /// What sessions ask and in which state they are: what is not told again is over.
    LoadStates,
    /// A prompt.
    SendMessage {
        /// The session.
        session: String,
        /// The id of the message.
        message: String,
        /// The JSON of its parts; images are in it as `data:` URLs.
        parts: Vec<String>,
    },
    /// That a session is deleted.
    DeleteSession {
        /// The session.
        session: String,
    },
    /// An answer to a request for permission.
    ReplyPermission {
        /// The session.
        session: String,
        /// Which.
        id: String,
        /// `once`, `always` or `reject`.
        reply: String,
    },
    /// An answer to a question.
    ReplyQuestion {
        /// The session.
        session: String,
        /// Which.
        id: String,
        /// What was answered.
        answer: String,
    },
}
