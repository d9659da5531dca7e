//! What makes a file of a corpus hard or seldom.

/// What breaks readers, or is seldom enough that a corpus must be made to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quirk {
    /// A `\ud83d` without its partner.
    LoneSurrogate,
    /// A raw U+2028.
    LineSeparator,
    /// The last line was not written to its end.
    Torn,
    /// Times that go back.
    OutOfOrder,
    /// Lines written again under the same uuid.
    Rewritten,
    /// A tool's result before its call.
    ResultFirst,
    /// Lines or operations that must be skipped.
    BadOperation,
    /// An append log that does not begin with a state.
    NoFirstState,
    /// Every type of line beside the conversation, also unknown ones.
    UnknownTypes,
    /// A code block that the text's end closes.
    OpenBlock,
    /// More languages in a text than a reader tells apart.
    ManyLanguages,
    /// A request deleted from the array: a null stays.
    DeletedRequest,
    /// A request cut off again.
    DroppedRequest,
    /// Every kind of response part and every tool.
    EveryPart,
    /// A gateway that gives every response the same id.
    Gateway,
    /// Times as numbers.
    NumericTime,
    /// A session that does not say its id.
    NoSessionId,
    /// A prompt that nothing answers.
    Unanswered,
    /// The same session in two workspaces.
    Copied,
    /// A copy of another session's beginning.
    Resumed,
    /// More than one record that begins a session, in one file.
    SeveralMetas,
    /// A result of which the model saw the beginning, and the line holds the whole.
    PersistedOutput,
    /// Images of a whole screen, a dictionary of bytes each.
    ByteDictionary,
    /// Thousands of entries that append to one array and cut it off.
    EntryStorm,
}

impl Quirk {
    /// The name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Quirk::LoneSurrogate => "lone-surrogate",
            Quirk::LineSeparator => "line-separator",
            Quirk::Torn => "torn",
            Quirk::OutOfOrder => "out-of-order",
            Quirk::Rewritten => "rewritten",
            Quirk::ResultFirst => "result-first",
            Quirk::BadOperation => "bad-operation",
            Quirk::NoFirstState => "no-first-state",
            Quirk::UnknownTypes => "unknown-types",
            Quirk::OpenBlock => "open-block",
            Quirk::ManyLanguages => "many-languages",
            Quirk::DeletedRequest => "deleted-request",
            Quirk::DroppedRequest => "dropped-request",
            Quirk::EveryPart => "every-part",
            Quirk::Gateway => "gateway",
            Quirk::NumericTime => "numeric-time",
            Quirk::NoSessionId => "no-session-id",
            Quirk::Unanswered => "unanswered",
            Quirk::Copied => "copied",
            Quirk::Resumed => "resumed",
            Quirk::SeveralMetas => "several-metas",
            Quirk::PersistedOutput => "persisted-output",
            Quirk::ByteDictionary => "byte-dictionary",
            Quirk::EntryStorm => "entry-storm",
        }
    }
}
