//! The pieces of a VS Code request: variables, response parts, tool calls and their results.

use crate::dice::Dice;
use crate::distribution::{EDIT_INPUT_FACTOR, TOOL_INPUT};
use crate::page::{Id, put};
use crate::pool::{Bulk, Pool};
use crate::text::Preview;
use crate::vscode::turn::{Turn, Wishes, single};
use crate::vscode::{Shape, Style};

/// A call of a tool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    pub(crate) id: Id,
}

/// A location of a file in the project.
pub(crate) fn uri(out: &mut Vec<u8>, style: &Style, path: &str) {
    put!(out; "{\"$mid\":1,\"fsPath\":\"", &style.project, "/", path, "\",\"external\":\"file://", &style.project, "/", path,
        "\",\"path\":\"", &style.project, "/", path, "\",\"scheme\":\"file\"}");
}

/// What is attached to a request.
pub(crate) fn variables(
    out: &mut Vec<u8>,
    style: &Style,
    wishes: Wishes<'_>,
    request: &mut crate::answer::Request,
    pool: &Pool,
    dice: &mut Dice,
) {
    put!(out; "{\"kind\":\"file\",\"id\":\"vscode.implicit.file\",\"name\":\"file\",\"value\":");
    uri(out, style, pool.path(dice));
    put!(out; ",\"automaticallyAdded\":true}");
    let Some(encoding @ (0 | 1)) = wishes.image else {
        return;
    };
    let bytes = wishes.image_bytes.unwrap_or_else(|| pool.image_bytes(dice));
    put!(out; ",{\"kind\":\"image\",\"id\":\"", dice.id(), "\",\"name\":\"Pasted Image\",\"mimeType\":\"image/png\",\"value\":{");
    if encoding == 0 {
        pool.image_dict(out, bytes);
    } else {
        put!(out; "\"type\":\"Buffer\",\"data\":[");
        pool.image_array(out, bytes * 2);
        put!(out; "]");
    }
    put!(out; "},\"isPasted\":true,\"references\":[]}");
    request.images += 1;
}

/// A tool's call as shown in the response.
pub(crate) fn invocation(
    out: &mut Vec<u8>,
    style: &Style,
    turn: &mut Turn,
    at: usize,
    pool: &Pool,
    dice: &mut Dice,
) {
    let call = turn.calls[at];
    put!(out; "{\"kind\":\"toolInvocationSerialized\",\"toolId\":\"copilot_", call.tool, "\",\"toolCallId\":\"", call.id,
        "\",\"invocationMessage\":{\"value\":\"Using \\\"", call.tool, "\\\"\",\"supportThemeIcons\":false},\"pastTenseMessage\":{\"content\":{\"value\":\"Used ",
        call.tool, "\"},\"isTrusted\":false},\"isComplete\":true");
    if style.shape == Shape::V2 {
        put!(out; ",\"isConfirmed\":true");
    } else {
        put!(out; ",\"isConfirmed\":{\"type\":", dice.below(5), "},\"source\":{\"type\":\"internal\",\"label\":\"Built-In\"}");
    }
    match call.tool {
        "run_in_terminal" => terminal(out, turn, pool, dice),
        "read_file" | "list_dir" | "file_search" => {
            put!(out; ",\"resultDetails\":[");
            uri(out, style, pool.path(dice));
            put!(out; "]}");
        }
        "manage_todo_list" => {
            put!(out; ",\"toolSpecificData\":{\"kind\":\"todoList\",\"todoList\":[{\"id\":\"1\",\"title\":\"Write the test\",\"status\":\"in-progress\"}]}}");
        }
        _ => {
            put!(out; ",\"resultDetails\":{\"input\":\"");
            pool.bulk(out, dice, Bulk::Nested, 200);
            put!(out; "\",\"output\":[{\"type\":\"embed\",\"isText\":true,\"value\":\"");
            pool.bulk(out, dice, Bulk::Log, 300);
            put!(out; "\"}],\"isError\":false}}");
        }
    }
}

/// A command line in one of the forms it had over the years, with its output.
fn terminal(out: &mut Vec<u8>, turn: &mut Turn, pool: &Pool, dice: &mut Dice) {
    let command = pool.command(dice);
    let line = &*command.escaped;
    put!(out; ",\"toolSpecificData\":{\"kind\":\"terminal\",\"language\":\"sh\",");
    match dice.below(4) {
        0 => put!(out; "\"commandLine\":\"", line, "\""),
        1 => put!(out; "\"confirmation\":{\"commandLine\":\"", line, "\"}"),
        2 => {
            put!(out; "\"commandLine\":{\"original\":\"", line, "\",\"toolEdited\":\"", line, " 2>&1\"}")
        }
        _ => {
            put!(out; "\"commandLine\":{\"original\":\"", line, "\"},\"confirmation\":{\"commandLine\":\"never run\"}")
        }
    }
    put!(out; ",\"terminalCommandOutput\":{\"text\":\"");
    pool.bulk(out, dice, Bulk::Log, 700);
    put!(out; "\",\"lineCount\":20},\"terminalCommandState\":{\"exitCode\":0,\"duration\":", dice.below(90_000), "}}}");
    turn.request.commands.push(Preview::of(&command.text, 200));
}

/// An edit of a file as shown in the response.
pub(crate) fn edit_group(out: &mut Vec<u8>, style: &Style, pool: &Pool, dice: &mut Dice) {
    put!(out; "{\"kind\":\"textEditGroup\",\"uri\":");
    uri(out, style, pool.path(dice));
    put!(out; ",\"edits\":[[");
    for i in 0..1 + dice.below(3) {
        put!(out; if i > 0 { "," } else { "" }, "{\"text\":\"");
        let bytes = dice.size(TOOL_INPUT);
        pool.lines(out, dice, bytes);
        put!(out; "\",\"range\":{\"startLineNumber\":", i + 1, ",\"startColumn\":1,\"endLineNumber\":", i + 9, ",\"endColumn\":1}}");
    }
    put!(out; "]],\"done\":true}");
}

/// A mention of a file.
pub(crate) fn reference(out: &mut Vec<u8>, style: &Style, pool: &Pool, dice: &mut Dice) {
    put!(out; "{\"kind\":\"inlineReference\",\"inlineReference\":");
    uri(out, style, pool.path(dice));
    put!(out; "}");
}

/// Kinds of parts that are seldom seen.
pub(crate) const RARE: usize = 16;

/// A part that is seldom seen. Some have a `value` that is text of the response.
pub(crate) fn rare(
    out: &mut Vec<u8>,
    style: &Style,
    turn: &mut Turn,
    kind: usize,
    pool: &Pool,
    dice: &mut Dice,
) {
    let sentence = pool.sentence(dice);
    let text = &*sentence.escaped;
    match kind {
        0 => put!(out; "{\"kind\":\"progressMessage\",\"content\":{\"value\":\"", text, "\"}}"),
        1 => {
            put!(out; "{\"kind\":\"codeblockUri\",\"uri\":");
            uri(out, style, pool.path(dice));
            put!(out; ",\"isEdit\":true}");
        }
        2 => {
            put!(out; "{\"kind\":\"progressTaskSerialized\",\"content\":{\"value\":\"", text, "\"},\"progress\":[]}")
        }
        3 => {
            put!(out; "{\"kind\":\"confirmation\",\"title\":\"Continue to iterate?\",\"message\":{\"value\":\"", text, "\"},\"data\":{},\"isUsed\":true}")
        }
        4 => put!(out; "{\"kind\":\"undoStop\",\"id\":\"", dice.id(), "\"}"),
        5 => put!(out; "{\"kind\":\"mcpServersStarting\",\"didStartServerIds\":[]}"),
        6 => put!(out; "{\"kind\":\"warning\",\"content\":{\"value\":\"", text, "\"}}"),
        7 => {
            put!(out; "{\"kind\":\"command\",\"command\":{\"id\":\"workbench.action.chat.open\",\"title\":\"Open\"}}")
        }
        8 => {
            put!(out; "{\"kind\":\"multiDiffData\",\"multiDiffData\":{\"title\":\"Changes\",\"resources\":[]}}")
        }
        9 => {
            put!(out; "{\"kind\":\"treeData\",\"treeData\":{\"label\":\"src\",\"children\":[{\"label\":\"lib.rs\"}]}}")
        }
        10 => put!(out; "{\"kind\":\"extensions\",\"extensions\":[\"rust-lang.rust-analyzer\"]}"),
        11 => {
            put!(out; "{\"kind\":\"elicitationSerialized\",\"title\":{\"value\":\"Input needed\"},\"message\":\"", text, "\",\"state\":\"accepted\"}")
        }
        12 => {
            put!(out; "{\"kind\":\"notebookEditGroup\",\"uri\":{\"path\":\"/n.ipynb\",\"scheme\":\"file\"},\"edits\":[],\"done\":true}")
        }
        13 => put!(out; "null"),
        14 => {
            put!(out; "{\"kind\":\"markdownContent\",\"value\":{\"value\":\"", text, "\",\"isTrusted\":false}}");
            turn.request.respond(&single(sentence));
        }
        _ => {
            put!(out; "{\"kind\":\"hook\",\"hookType\":\"PostToolUse\",\"value\":\"\"}");
        }
    }
}

/// A tool's result that is an image, in base64.
pub(crate) fn image_result(out: &mut Vec<u8>, turn: &mut Turn, pool: &Pool, dice: &mut Dice) {
    put!(out; "{\"kind\":\"toolInvocationSerialized\",\"toolId\":\"mcp_playwright_screenshot\",\"toolCallId\":\"", dice.id(),
        "\",\"invocationMessage\":\"Taking a screenshot\",\"isConfirmed\":{\"type\":1},\"isComplete\":true,\"resultDetails\":{\"output\":{\"type\":\"data\",\
        \"mimeType\":\"image/png\",\"base64Data\":\"");
    let bytes = pool.image_bytes(dice) * 3;
    pool.image_base64(out, dice, bytes);
    put!(out; "\"}}}");
    turn.request.images += 1;
}

/// A tool's call in the result's metadata: its arguments are JSON in a string, of at most so many bytes.
pub(crate) fn call(
    out: &mut Vec<u8>,
    style: &Style,
    call: &Call,
    bytes_max: usize,
    pool: &Pool,
    dice: &mut Dice,
) {
    put!(out; "{\"name\":\"", call.tool, "\",\"arguments\":\"{\\\"filePath\\\":\\\"", &style.project, "/", pool.path(dice));
    let edit = matches!(call.tool, "replace_string_in_file" | "create_file");
    let bytes = dice.size(TOOL_INPUT) / 2 * if edit { EDIT_INPUT_FACTOR } else { 1 };
    put!(out; "\\\",\\\"content\\\":\\\"");
    pool.bulk(out, dice, Bulk::Nested, bytes.min(bytes_max));
    put!(out; "\\\"}\",\"id\":\"", call.id, "\"}");
}

/// A tool's result in the result's metadata.
pub(crate) fn call_result(out: &mut Vec<u8>, call: &Call, bytes: usize, pool: &Pool, dice: &mut Dice) {
    put!(out; "\"", call.id, "\":{\"$mid\":20,\"content\":[{\"$mid\":21,\"value\":\"");
    let kind = Pool::bulk_kind(dice);
    pool.bulk(out, dice, kind, bytes);
    put!(out; CALL_RESULT_END);
}

/// What a tool's result ends with.
pub(crate) const CALL_RESULT_END: &str = "\"}]}";
