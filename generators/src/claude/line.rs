//! The lines of a Claude file, without their common envelope.

use std::io;

use crate::claude::Said;
use crate::claude::file::{File, image_bytes, input_bytes};
use crate::dice::Dice;
use crate::distribution::{EDIT_INPUT_FACTOR, TOOL_ERROR_SHARE, TOOL_RESULT, WHOLE_FILE};
use crate::page::{Id, Iso, put};
use crate::plan::Quirk;
use crate::pool::{Bulk, Passage, Pool, Tone};

/// A block of a model's answer: each stands on a line of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    /// Thoughts: empty in current versions, but signed.
    Thinking,
    /// Text for the user; `open` ends inside a code block.
    Text { open: bool },
    /// A call of a tool.
    Tool { tool: &'static str, id: Id },
}

/// A message of a model, up to its content.
pub(crate) fn message_head(out: &mut Vec<u8>, said: &Said, model: &str) {
    let id = said.response.as_ref().map_or("msg_gateway", |response| &response.0);
    put!(out; ",\"message\":{\"model\":\"", model, "\",\"id\":\"", id, "\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
}

/// A block of a model's answer, noted in `said`.
pub(crate) fn block(file: &mut File<'_>, said: &mut Said, block: Block) {
    match block {
        Block::Thinking => {
            let (pool, dice, out) = (file.pool, &mut file.dice, &mut file.page.buf);
            put!(out; "{\"type\":\"thinking\",\"thinking\":\"");
            if dice.chance(0.15) {
                pool.compose(out, dice, 400, Tone::default(), None);
            }
            put!(out; "\",\"signature\":\"");
            let bytes = 200 + dice.index(1_800);
            pool.signature(out, dice, bytes);
            put!(out; "\"}");
        }
        Block::Text { open } => {
            put!(&mut file.page.buf; "{\"type\":\"text\",\"text\":\"");
            let bytes = file.text_bytes();
            let (pool, dice, out) = (file.pool, &mut file.dice, &mut file.page.buf);
            said.text = Some(if open {
                let first = pool.sentence(dice);
                let last = dice.pick(&pool.open_blocks);
                Pool::join(out, &[first, last], None)
            } else {
                pool.compose(out, dice, bytes, Tone::default(), None)
            });
            put!(out; "\"}");
        }
        Block::Tool { tool, id } => {
            put!(&mut file.page.buf; "{\"type\":\"tool_use\",\"id\":\"toolu_", &id.token(), "\",\"name\":\"", tool, "\",\"input\":{");
            input(file, tool);
            put!(&mut file.page.buf; "}}");
            said.tool = Some(tool);
        }
    }
}

fn input(file: &mut File<'_>, tool: &str) {
    let path = file.pool.path(&mut file.dice);
    let bytes = file.at_most(input_bytes, 12);
    let (pool, dice, out, cwd) = (file.pool, &mut file.dice, &mut file.page.buf, &file.claude.cwd);
    match tool {
        "Bash" => {
            put!(out; "\"command\":\"", &*pool.command(dice).escaped, "\",\"description\":\"Run it\"")
        }
        "Read" => put!(out; "\"file_path\":\"", cwd, "/", path, "\",\"limit\":", dice.below(2_000)),
        "Edit" => {
            put!(out; "\"file_path\":\"", cwd, "/", path, "\",\"old_string\":\"");
            pool.lines(out, dice, bytes);
            put!(out; "\",\"new_string\":\"");
            pool.lines(out, dice, bytes);
            put!(out; "\",\"replace_all\":false");
        }
        "Write" => {
            put!(out; "\"file_path\":\"", cwd, "/", path, "\",\"content\":\"");
            pool.lines(out, dice, bytes * EDIT_INPUT_FACTOR);
            put!(out; "\"");
        }
        "TodoWrite" => {
            put!(out; "\"todos\":[{\"content\":\"Fix it\",\"status\":\"in_progress\",\"activeForm\":\"Fixing it\"}]")
        }
        "Task" => {
            put!(out; "\"description\":\"Look into it\",\"subagent_type\":\"general-purpose\",\"prompt\":\"");
            pool.compose(out, dice, bytes, Tone::default(), None);
            put!(out; "\"");
        }
        _ => {
            put!(out; "\"pattern\":\"", path, "\",\"path\":\"", cwd, "\",\"url\":\"https://example.org/", path, "\"")
        }
    }
}

/// An image block, after another block.
pub(crate) fn image(out: &mut Vec<u8>, pool: &Pool, dice: &mut Dice) {
    let bytes = image_bytes(pool, dice);
    put!(out; ",{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"");
    pool.image_base64(out, dice, bytes);
    put!(out; "\"}}");
}

/// A tool's result: as the model sees it, and once more as the tool gave it; `extra` bytes longer than others.
pub(crate) fn result(file: &mut File<'_>, tool: &str, id: Id, extra: usize) -> io::Result<()> {
    let failed = file.dice.chance(TOOL_ERROR_SHARE);
    let drawn = file.pool.tool_result_bytes(&mut file.dice, TOOL_RESULT) + extra / 2;
    let bytes = file.result_bytes(drawn);
    let (pool, dice, out) = (file.pool, &mut file.dice, &mut file.page.buf);
    let blocks = matches!(tool, "Task" | "WebSearch") || dice.chance(0.05);
    put!(out; ",\"message\":{\"role\":\"user\",\"content\":[{\"tool_use_id\":\"toolu_", &id.token(), "\",\"type\":\"tool_result\",\"content\":",
        if blocks { "[{\"type\":\"text\",\"text\":\"" } else { "\"" });
    let kind = Pool::bulk_kind(dice);
    let content = pool.passage(dice, kind, bytes);
    if extra > 0 && file.claude.has(Quirk::PersistedOutput) {
        // The model saw the beginning; the whole stands in the copy, and so twice as much of it.
        put!(out; "<persisted-output>\\nOutput too large (", bytes * 2, " bytes). Full output saved to: /home/dev/.claude/",
            &id.token(), ".txt\\n\\nPreview (first 2KB):\\n");
        pool.bulk(out, dice, kind, 2_000);
        put!(out; "</persisted-output>", if blocks { "\"}]" } else { "\"" }, ",\"is_error\":false}]},\"toolUseResult\":");
        let whole = pool.passage(dice, kind, bytes * 2);
        return as_given(file, tool, whole);
    }
    file.page.passage(content)?;
    put!(&mut file.page.buf; if blocks { "\"}]" } else { "\"" }, ",\"is_error\":", failed, "}]},\"toolUseResult\":");
    if failed {
        put!(&mut file.page.buf; "\"Error: ");
        file.page.passage(content)?;
        put!(&mut file.page.buf; "\"");
        return Ok(());
    }
    as_given(file, tool, content)
}

/// A tool's result as the tool gave it.
fn as_given(file: &mut File<'_>, tool: &str, content: Passage<'_>) -> io::Result<()> {
    let whole_max = file.limit.map_or(usize::MAX, |_| content.bytes);
    let (pool, dice, page) = (file.pool, &mut file.dice, &mut file.page);
    match tool {
        "Bash" => {
            put!(&mut page.buf; "{\"stdout\":\"");
            page.passage(content)?;
            put!(&mut page.buf; "\",\"stderr\":\"\",\"interrupted\":false,\"isImage\":false,\"noOutputExpected\":false}");
        }
        "Read" => {
            put!(&mut page.buf; "{\"type\":\"text\",\"file\":{\"filePath\":\"", &file.claude.cwd, "/", pool.path(dice), "\",\"content\":\"");
            page.passage(content)?;
            put!(&mut page.buf; "\",\"numLines\":80,\"startLine\":1,\"totalLines\":80}}");
        }
        "Edit" | "Write" => {
            let out = &mut page.buf;
            put!(out; "{\"filePath\":\"", &file.claude.cwd, "/", pool.path(dice), "\",\"oldString\":\"");
            pool.lines(out, dice, 300);
            put!(out; "\",\"newString\":\"");
            pool.lines(out, dice, 300);
            put!(out; "\",\"originalFile\":\"");
            let whole = dice.size(WHOLE_FILE).min(whole_max);
            pool.bulk(out, dice, Bulk::Code, whole);
            put!(out; "\",\"structuredPatch\":[{\"oldStart\":1,\"oldLines\":2,\"newStart\":1,\"newLines\":3,\"lines\":[\" a\",\"-b\",\"+c\"]}],\
                \"userModified\":false,\"replaceAll\":false}");
        }
        "Grep" | "Glob" | "TodoWrite" => {
            put!(&mut page.buf; "[\"");
            page.passage(content)?;
            put!(&mut page.buf; "\"]");
        }
        _ => {
            put!(&mut page.buf; "{\"bytes\":", content.bytes, ",\"code\":200,\"codeText\":\"OK\",\"durationMs\":812,\"url\":\"https://example.org\",\"result\":\"");
            page.passage(content)?;
            put!(&mut page.buf; "\"}");
        }
    }
    Ok(())
}

/// Kinds of lines beside the conversation.
pub(crate) const NOISE: usize = 28;

/// The kind that tells how long a request took.
pub(crate) const TURN_DURATION: usize = NOISE - 1;

/// Of [`BARE`]: a line with a time.
const TIMED: &str = "queue-operation";

/// Of [`BARE`]: a line that names no session, since it may stand in the file of another.
const OF_NO_SESSION: &str = "summary";

/// The line of a kind without an envelope, by type and further fields.
const BARE: &[(&str, &str)] = &[
    ("summary", "\"summary\":\"A title\",\"leafUuid\":\"0\""),
    ("ai-title", "\"aiTitle\":\"A title\""),
    ("custom-title", "\"customTitle\":\"Mine\""),
    ("agent-name", "\"agentName\":\"helper\""),
    ("mode", "\"mode\":\"normal\""),
    ("permission-mode", "\"permissionMode\":\"default\""),
    ("last-prompt", "\"lastPrompt\":\"go on\",\"leafUuid\":\"0\""),
    ("queue-operation", "\"operation\":\"enqueue\",\"content\":\"and the docs\""),
    ("pr-link", "\"prNumber\":7,\"prUrl\":\"https://github.com/example/repo/pull/7\""),
    ("frame-link", "\"frame\":1"),
    ("continued-in", "\"continuedIn\":\"later\""),
    ("cost-state", "\"totalCostUsd\":0.25"),
    ("atis-latch", "\"latched\":true"),
    ("a-type-of-tomorrow", "\"payload\":{\"message\":{\"content\":\"not a prompt\"}}"),
    ("file-history-delta", "\"messageId\":\"0\",\"delta\":{}"),
];

/// Puts a line of a kind beside the conversation and says its type.
pub(crate) fn noise(file: &mut File<'_>, kind: usize, uuid: Id) -> &'static str {
    if let Some((name, fields)) = BARE.get(kind) {
        let time = (*name == TIMED).then(|| file.stamp());
        let out = &mut file.page.buf;
        put!(out; "{\"type\":\"", *name, "\",", *fields);
        if let Some(time) = time {
            put!(out; ",\"timestamp\":\"", Iso(time), "\"");
        }
        if *name != OF_NO_SESSION {
            put!(out; ",\"sessionId\":\"", &file.claude.stem, "\"");
        }
        put!(out; "}");
        return name;
    }
    let time = file.stamp();
    if kind == BARE.len() {
        let out = &mut file.page.buf;
        put!(out; "{\"type\":\"file-history-snapshot\",\"messageId\":\"", uuid, "\",\"snapshot\":{\"messageId\":\"", uuid,
            "\",\"trackedFileBackups\":{\"", &file.pool.paths[0], "\":{\"backupFileName\":null,\"version\":1,\"backupTime\":\"", Iso(time),
            "\"}},\"timestamp\":\"", Iso(time), "\"},\"isSnapshotUpdate\":false}");
        return "file-history-snapshot";
    }
    let (name, fields) = match kind - BARE.len() {
        1 => (
            "system",
            ",\"subtype\":\"stop_hook_summary\",\"hookCount\":1,\"hookInfos\":[{\"command\":\"fmt\"}],\"hookErrors\":[]",
        ),
        2 => (
            "system",
            ",\"subtype\":\"local_command\",\"content\":\"<local-command-stdout></local-command-stdout>\"",
        ),
        3 => (
            "system",
            ",\"subtype\":\"compact_boundary\",\"content\":\"Conversation compacted\",\"compactMetadata\":{\"trigger\":\"auto\"}",
        ),
        4 => (
            "system",
            ",\"subtype\":\"api_error\",\"level\":\"error\",\"error\":{\"status\":529},\"retryInMs\":512",
        ),
        5 => (
            "attachment",
            ",\"attachment\":{\"type\":\"queued_command\",\"prompt\":\"not a prompt\",\"commandMode\":\"prompt\"}",
        ),
        6 => ("attachment", ",\"attachment\":{\"type\":\"skill_listing\",\"content\":\"- a skill\"}"),
        7 => (
            "user",
            ",\"isMeta\":true,\"message\":{\"role\":\"user\",\"content\":\"<local-command-caveat>Caveat: generated</local-command-caveat>\"}",
        ),
        8 => (
            "user",
            ",\"message\":{\"role\":\"user\",\"content\":\"<command-name>/model</command-name>\\n<command-args></command-args>\"}",
        ),
        9 => ("assistant", ",\"message\":null"),
        10 => ("user", ",\"message\":{\"role\":\"user\",\"content\":[]}"),
        11 => (
            "progress",
            ",\"data\":{\"message\":{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a copy\"}]}}}",
        ),
        _ => ("system", ",\"subtype\":\"turn_duration\",\"durationMs\":81234,\"messageCount\":12"),
    };
    file.envelope(name);
    let parent = file.parent();
    put!(&mut file.page.buf; fields);
    if let Some(parent) = parent {
        put!(&mut file.page.buf; ",\"logicalParentUuid\":\"", parent, "\"");
    }
    put!(&mut file.page.buf; ",\"uuid\":\"", uuid, "\",\"timestamp\":\"", Iso(time), "\"}");
    name
}
