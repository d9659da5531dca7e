//! The parts of messages, without their ids.

use crate::dice::Dice;
use crate::distribution::{EDIT_INPUT_FACTOR, THINKING, TOOL_INPUT};
use crate::page::put;
use crate::pool::{Bulk, Pool, Tone};

/// Of a command's output a copy is kept that is no longer, S: 30,000 characters.
const COPIED_BYTES: usize = 30_000;

/// How far a call of a tool came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    Running,
    Completed,
    Failed,
}

/// A call of a tool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    pub(crate) progress: Progress,
    /// Bytes of its output, or of the file that it edits.
    pub(crate) bytes: usize,
    /// When it began, ms since 1970.
    pub(crate) start: u64,
    /// Whether an image comes with its output.
    pub(crate) image: bool,
}

/// Puts a call; tells the command line that it has run, as a reader sees it.
pub(crate) fn tool<'a>(out: &mut Vec<u8>, pool: &'a Pool, dice: &mut Dice, call: Call) -> Option<&'a str> {
    let (tool, start) = (call.tool, call.start);
    put!(out; "\"type\":\"tool\",\"callID\":\"toolu_", &dice.id().token(), "\",\"tool\":\"", tool, "\",\"state\":{\"status\":\"");
    if call.progress == Progress::Pending {
        put!(out; "pending\",\"input\":{},\"raw\":\"\"}");
        return None;
    }
    put!(out; match call.progress {
        Progress::Running => "running",
        Progress::Failed => "error",
        _ => "completed",
    }, "\",\"input\":{");
    let command = input(out, pool, dice, call);
    put!(out; "}");
    match call.progress {
        Progress::Failed => {
            put!(out; ",\"error\":\"Error: File not found\",\"time\":{\"start\":", start, ",\"end\":", start + 40, "}");
        }
        Progress::Running => {
            put!(out; ",\"title\":\"\",\"metadata\":{\"output\":\"\"},\"time\":{\"start\":", start, "}");
        }
        _ => completed(out, pool, dice, call),
    }
    put!(out; "}");
    command
}

fn input<'a>(out: &mut Vec<u8>, pool: &'a Pool, dice: &mut Dice, call: Call) -> Option<&'a str> {
    let bytes = dice.size(TOOL_INPUT).min(call.bytes.max(80));
    match call.tool {
        "bash" => {
            let command = pool.command(dice);
            put!(out; "\"command\":\"", &*command.escaped, "\",\"description\":\"Runs it\"");
            return Some(&command.text);
        }
        "edit" => {
            put!(out; "\"filePath\":\"/home/dev/", pool.path(dice), "\",\"oldString\":\"");
            pool.lines(out, dice, bytes);
            put!(out; "\",\"newString\":\"");
            pool.lines(out, dice, bytes);
            put!(out; "\"");
        }
        "write" => {
            put!(out; "\"filePath\":\"/home/dev/", pool.path(dice), "\",\"content\":\"");
            pool.lines(out, dice, (bytes * EDIT_INPUT_FACTOR).min(call.bytes.max(80)));
            put!(out; "\"");
        }
        "task" => {
            put!(out; "\"description\":\"Look around\",\"subagent_type\":\"explore\",\"prompt\":\"");
            pool.compose(out, dice, bytes, Tone::default(), None);
            put!(out; "\"");
        }
        "todowrite" => {
            put!(out; "\"todos\":");
            todos(out);
        }
        "webfetch" => {
            put!(out; "\"url\":\"https://example.org/", pool.path(dice), "\",\"format\":\"markdown\"")
        }
        "grep" | "glob" => put!(out; "\"pattern\":\"fn .*\",\"path\":\"", pool.path(dice), "\""),
        _ => put!(out; "\"filePath\":\"/home/dev/", pool.path(dice), "\""),
    }
    None
}

fn todos(out: &mut Vec<u8>) {
    put!(out; "[{\"content\":\"Find the cause\",\"status\":\"completed\",\"priority\":\"high\",\"id\":\"1\"},\
        {\"content\":\"Fix it\",\"status\":\"in_progress\",\"priority\":\"high\",\"id\":\"2\"}]");
}

/// What a call has when it is done: its output, most of which the metadata repeat.
fn completed(out: &mut Vec<u8>, pool: &Pool, dice: &mut Dice, call: Call) {
    put!(out; ",\"output\":\"");
    let begin = out.len();
    match call.tool {
        "edit" | "write" => put!(out; "Done."),
        "bash" => pool.bulk(out, dice, Bulk::Log, call.bytes),
        "read" => pool.bulk(out, dice, Bulk::Code, call.bytes),
        _ => {
            let kind = Pool::bulk_kind(dice);
            pool.bulk(out, dice, kind, call.bytes);
        }
    }
    let output = begin..out.len();
    put!(out; "\",\"title\":\"", pool.path(dice), "\",\"metadata\":{");
    match call.tool {
        "bash" => {
            put!(out; "\"output\":\"");
            let copied = last_lines(&out[output.clone()]);
            out.extend_from_within(output.end - copied..output.end);
            put!(out; "\",\"exit\":0,\"description\":\"Runs it\",\"truncated\":false");
        }
        "read" => {
            put!(out; "\"truncated\":false,\"display\":{\"type\":\"file\",\"path\":\"", pool.path(dice), "\",\"text\":\"");
            out.extend_from_within(output);
            put!(out; "\",\"lineStart\":1,\"lineEnd\":90,\"totalLines\":90}");
        }
        "edit" => edited(out, pool, dice, call.bytes),
        "todowrite" => {
            put!(out; "\"todos\":");
            todos(out);
        }
        "task" => put!(out; "\"sessionId\":\"ses_", &dice.id().token(), "\""),
        _ => put!(out; "\"count\":12,\"truncated\":false"),
    }
    put!(out; "},\"time\":{\"start\":", call.start, ",\"end\":", call.start + 40, "}");
    if call.image {
        put!(out; ",\"attachments\":[{");
        image(out, pool, dice);
        put!(out; "}]");
    }
}

/// How many bytes at the end of a log are whole lines and not too many.
fn last_lines(log: &[u8]) -> usize {
    let late = log.len().saturating_sub(COPIED_BYTES);
    if late == 0 {
        return log.len();
    }
    let end_of_line = log[late..].windows(2).position(|pair| pair == b"\\n");
    log.len() - late - end_of_line.map_or(log.len() - late, |at| at + 2)
}

/// What an edit keeps of the file: its difference, and the file before and after.
fn edited(out: &mut Vec<u8>, pool: &Pool, dice: &mut Dice, bytes: usize) {
    put!(out; "\"diff\":\"@@ -1,9 +1,9 @@\\n");
    pool.lines(out, dice, bytes / 8);
    put!(out; "\",\"filediff\":{\"file\":\"/home/dev/", pool.path(dice), "\",\"before\":\"");
    let begin = out.len();
    pool.lines(out, dice, bytes);
    let before = begin..out.len();
    put!(out; "\",\"after\":\"");
    out.extend_from_within(before);
    pool.lines(out, dice, 1);
    put!(out; "\",\"additions\":1,\"deletions\":0},\"diagnostics\":{}");
}

/// Puts an image.
pub(crate) fn image(out: &mut Vec<u8>, pool: &Pool, dice: &mut Dice) {
    put!(out; "\"type\":\"file\",\"mime\":\"image/png\",\"filename\":\"screen.png\",\"url\":\"data:image/png;base64,");
    let bytes = pool.image_bytes(dice);
    pool.image_base64(out, dice, bytes);
    put!(out; "\"");
}

/// Puts thoughts of at most so many bytes.
pub(crate) fn reasoning(out: &mut Vec<u8>, pool: &Pool, dice: &mut Dice, most: usize, start: u64) {
    put!(out; "\"type\":\"reasoning\",\"text\":\"");
    let bytes = dice.size(THINKING).min(most);
    pool.compose(out, dice, bytes, Tone::default(), None);
    put!(out; "\",\"metadata\":{\"anthropic\":{\"signature\":\"");
    pool.signature(out, dice, 200);
    put!(out; "\"}},\"time\":{\"start\":", start, ",\"end\":", start + 900, "}");
}

/// Puts one file's changes; they are of the form that versions of one time wrote: the file before and after, or a patch.
pub(crate) fn diff(
    out: &mut Vec<u8>,
    pool: &Pool,
    dice: &mut Dice,
    is_whole: bool,
    bytes: usize,
) -> (u64, u64) {
    put!(out; "{\"file\":\"", pool.path(dice), "\",");
    let additions = if is_whole {
        put!(out; "\"before\":\"");
        pool.lines(out, dice, bytes);
        put!(out; "\",\"after\":\"");
        pool.lines(out, dice, bytes)
    } else {
        put!(out; "\"patch\":\"@@ -1,9 +1,9 @@\\n");
        pool.lines(out, dice, bytes)
    };
    put!(out; "\",\"additions\":", additions, ",\"deletions\":3,\"status\":\"modified\"}");
    (additions, 3)
}
