//! OpenCode's sessions, messages and parts, by hand: each a document, in the tree or in a database.

use crate::answer::{Request, Session, State};
use crate::plan::OPENCODE_TREE;
use crate::text::escape;

use super::hand::{Hand, TOKENS, Told, Turn, Words};

/// What a message or part is that cannot be used.
pub(crate) const BROKEN: [(&str, &str); 14] = [
    ("record-empty", ""),
    ("record-blank", "\n \t\r\n"),
    ("record-mark-only", "\u{feff}"),
    ("record-torn", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"never fin"),
    ("record-nul-padding", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"x\"}\0\0\0\0"),
    ("record-two-values", "{\"role\":\"user\"}{\"role\":\"user\"}"),
    ("record-array", "[{\"role\":\"user\",\"type\":\"text\",\"text\":\"x\"}]"),
    ("record-number", "17"),
    ("record-null", "null"),
    ("record-invalid-utf8", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"\u{e000}\"}"),
    ("record-out-of-range", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"x\",\"x\":1e999}"),
    ("record-control-character", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"\u{7}\"}"),
    ("record-bad-escape", "{\"role\":\"user\",\"type\":\"text\",\"text\":\"x\",\"x\":\"\\x41\"}"),
    ("record-open-arrays", "{\"role\":\"user\",\"type\":\"text\",\"text\":[[[[[[[["),
];

const MODEL: &str = "claude-sonnet-4-5";
const TOOL: &str = "grep";

/// The file of a session in the tree. Its turns are files of their own: in it stand fields that nobody needs.
pub(crate) static SESSION: Hand = Hand {
    format: "opencode",
    root: OPENCODE_TREE,
    file: |stem| (format!("{stem}.json"), format!("{stem}.json")),
    is_workspace: false,
    is_document: true,
    head: |told| {
        format!(
            "{{\"id\":\"{}\",\"slug\":\"slug\",\"version\":\"1.0.220\",\"title\":\"Title\",\"directory\":\"/home/dev/{}\",\"time\":{{\"created\":{},\"updated\":{}}}",
            escape(&told.id),
            told.name,
            told.created,
            updated(told)
        )
    },
    open: "",
    turn: |_, turn| format!("\"turn-{}\":0", turn.time),
    compact: None,
    end: "}",
    ignored: |value| format!("\"x\":{value}"),
    kept: |value| format!("\"directory\":{value}"),
    model: MODEL,
    tool: TOOL,
    untold: |_| (),
    own: &[],
};

/// When a session was last changed, as its file says: not when its last request was.
pub(crate) fn updated(told: &Told) -> u64 {
    told.created + 1
}

/// A message: its id, its text, and its parts with theirs.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) data: String,
    pub(crate) parts: Vec<(String, String)>,
}

/// The messages of a turn.
pub(crate) fn messages(turn: &Turn) -> [Message; 2] {
    let text = |id: &str, words: &Words| {
        (format!("{id}p"), format!("{{\"type\":\"text\",\"text\":\"{}\"}}", words.escaped))
    };
    let (id, answer) = (turn.id.clone(), format!("{}a", turn.id));
    let asked = format!("{{\"role\":\"user\",\"time\":{{\"created\":{}}}}}", turn.time);
    let answered = format!(
        "{{\"role\":\"assistant\",\"modelID\":\"{MODEL}\",\"tokens\":{{\"input\":{},\"output\":{},\"reasoning\":1,\
         \"cache\":{{\"read\":1,\"write\":1}}}}}}",
        TOKENS.0 - 2,
        TOKENS.1 - 1
    );
    let called = (
        format!("{answer}q"),
        format!(
            "{{\"type\":\"tool\",\"callID\":\"call_0\",\"tool\":\"{TOOL}\",\
         \"state\":{{\"status\":\"completed\",\"input\":{{}},\"output\":\"\",\"title\":\"\",\"metadata\":{{}}}}}}"
        ),
    );
    [
        Message { parts: vec![text(&id, &turn.prompt)], id, data: asked },
        Message { parts: vec![text(&answer, &turn.answer), called], id: answer, data: answered },
    ]
}

/// The next message, of someone who says something.
pub(crate) fn prompt(id: &str, text: &str) -> Message {
    let part = (format!("{id}p"), format!("{{\"type\":\"text\",\"text\":\"{text}\"}}"));
    Message { id: id.to_owned(), data: "{\"role\":\"user\"}".to_owned(), parts: vec![part] }
}

/// Messages and parts whose fields are of other types than stated, behind a first turn's prompt and answer, and what they change.
pub(crate) fn forms(first: &str) -> (Vec<Message>, fn(&mut Session)) {
    let datas = [
        "{}",
        "{\"role\":17}",
        "{\"role\":\"tool\"}",
        "{\"role\":\"assistant\",\"modelID\":17,\"tokens\":17,\"error\":\"x\",\"time\":[]}",
        "{\"role\":\"assistant\",\"modelID\":\"\",\"tokens\":{\"input\":9223372036854775808,\"output\":1e300,\"reasoning\":1e300,\
         \"cache\":{\"read\":1e300,\"write\":1e300}}}",
        "{\"role\":\"assistant\",\"tokens\":{\"input\":1e300,\"output\":-5,\"reasoning\":\"9\",\"cache\":[]},\"error\":{}}",
        "{\"role\":\"user\",\"time\":{\"created\":\"yesterday\"},\"summary\":{\"diffs\":[null,17,{},[]]}}",
        "{\"role\":\"user\",\"time\":17,\"summary\":[]}",
        "{\"role\":\"system\",\"role\":\"user\",\"time\":{\"created\":9},\"time\":{\"created\":5.9}}",
    ];
    let parts = [
        "{}",
        "{\"type\":17,\"text\":\"x\"}",
        "{\"type\":\"text\",\"text\":17}",
        "{\"type\":\"text\",\"text\":\"no\",\"synthetic\":true}",
        "{\"type\":\"tool\",\"tool\":17}",
        "{\"type\":\"file\",\"mime\":17}",
        "{\"type\":\"part-of-tomorrow\",\"text\":\"x\"}",
    ];
    let said = datas.iter().enumerate().map(|(number, data)| {
        let id = format!("{first}b{number}");
        let of = parts.iter().enumerate().map(|(part, data)| (format!("{id}p{part}"), (*data).to_owned()));
        Message { parts: of.collect(), data: (*data).to_owned(), id }
    });
    (said.collect(), |session| {
        let first = &mut session.requests[0];
        (first.prompt, first.completion) = (i64::MAX as u64, i64::MAX as u64);
        first.state = State::Errored;
        // Of an answer, a text counts also where it is said to be synthetic: in three messages.
        (first.responses, first.response_units) = (4, first.response_units + 3 * 3);
        let of = |number: u64| Request { id: format!("{}b{number}", first.id), ..Request::default() };
        let mut some = [of(6), of(7), of(8)];
        (some[0].edited_files, some[2].timestamp) = (1, 5);
        session.requests.splice(1..1, some);
    })
}
