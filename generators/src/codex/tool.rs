//! The records of a Codex file's tools: calls, outputs, and the events that repeat them.

use std::io;

use crate::codex::Form;
use crate::codex::file::File;
use crate::distribution::{CODEX_OUTPUT_BYTES_MAX, CODEX_PATCH, TOOL_ERROR_SHARE, TOOL_RESULT};
use crate::page::{hex, put};
use crate::pool::{Bulk, Pool};
use crate::text::escape;

/// What an output and its record end with, in bytes.
const OUTPUT_END_BYTES: usize = 60;

impl File<'_> {
    /// A call of a tool.
    pub(crate) fn call(&mut self, tool: &'static str, id: &str) -> io::Result<()> {
        match tool {
            "apply_patch" => self.patch(id)?,
            "web_search" => {
                let query = self.query();
                self.begin("response_item/web_search_call");
                put!(&mut self.page.buf; ",\"status\":\"completed\",\"action\":{\"type\":\"search\",\"query\":\"", &query, "\"}");
                self.end()?;
                self.event("event_msg/web_search_end", id, |out| {
                    put!(out; ",\"query\":\"", &query, "\",\"action\":{\"type\":\"search\",\"query\":\"", &query, "\"}");
                })?;
            }
            _ => {
                let arguments = self.arguments(tool);
                self.begin("response_item/function_call");
                put!(&mut self.page.buf; ",\"name\":\"", tool, "\",\"arguments\":\"", &escape(&arguments), "\",\"call_id\":\"", id, "\"");
                self.end()?;
            }
        }
        self.reading.call(tool);
        Ok(())
    }

    /// An event that repeats a call, in forms that have such events.
    fn event(&mut self, name: &'static str, id: &str, fields: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        if self.codex.form != Form::Current {
            return Ok(());
        }
        self.begin(name);
        put!(&mut self.page.buf; ",\"call_id\":\"", id, "\"");
        fields(&mut self.page.buf);
        self.end()
    }

    /// Words to search for, escaped.
    fn query(&mut self) -> String {
        escape(self.pool.path(&mut self.dice))
    }

    /// A function's arguments: JSON, which its line holds as a string.
    fn arguments(&mut self, tool: &str) -> String {
        let cwd = &self.codex.cwd;
        let command = escape(&self.pool.command(&mut self.dice).text);
        let path = self.pool.path(&mut self.dice);
        match tool {
            "exec_command" => format!(
                "{{\"cmd\":\"{command}\",\"workdir\":\"{cwd}\",\"yield_time_ms\":1000,\"max_output_tokens\":6000}}"
            ),
            "write_stdin" => {
                let session = self.dice.below(100_000);
                format!(
                    "{{\"session_id\":{session},\"chars\":\"\",\"yield_time_ms\":1000,\"max_output_tokens\":6000}}"
                )
            }
            "shell" => format!(
                "{{\"command\":[\"bash\",\"-lc\",\"{command}\"],\"workdir\":\"{cwd}\",\"timeout_ms\":120000}}"
            ),
            "update_plan" => format!(
                "{{\"plan\":[{{\"step\":\"Read {path}\",\"status\":\"completed\"}},{{\"step\":\"Change it\",\"status\":\"in_progress\"}}]}}"
            ),
            "view_image" => format!("{{\"path\":\"{cwd}/{path}.png\"}}"),
            _ => format!("{{\"query\":\"{path}\",\"perPage\":10}}"),
        }
    }

    /// A patch, told as a call and as an event with its outcome.
    fn patch(&mut self, id: &str) -> io::Result<()> {
        let (pool, drawn) = (self.pool, self.dice.size(CODEX_PATCH));
        let bytes = self.fit(drawn, 8);
        let path = pool.path(&mut self.dice);
        let mut diff = Vec::new();
        while diff.len() < bytes {
            let sign = *self.dice.pick(&["+", "+", "-", " "]);
            put!(&mut diff; sign, &*self.dice.pick(&pool.code_lines).escaped);
        }
        self.begin("response_item/custom_tool_call");
        put!(&mut self.page.buf; ",\"status\":\"completed\",\"call_id\":\"", id, "\",\"name\":\"apply_patch\",\"input\":\"*** Begin Patch\\n\
            *** Update File: ", path, "\\n@@\\n", &diff, "*** End Patch\\n\"");
        self.end()?;
        let turn = self.thread.turn;
        let cwd = &self.codex.cwd;
        self.event("event_msg/patch_apply_end", id, |out| {
            if let Some(turn) = turn {
                put!(out; ",\"turn_id\":\"", turn, "\"");
            }
            put!(out; ",\"stdout\":\"Success. Updated the following files:\\nM ", path, "\\n\",\"stderr\":\"\",\"success\":true,\"changes\":{\"", cwd, "/", path,
                "\":{\"type\":\"update\",\"unified_diff\":\"@@ -1,2 +1,3 @@\\n", &diff, "\",\"move_path\":null}},\"status\":\"completed\"");
        })
    }

    /// A tool's output, as long as there is room when it fills up.
    pub(crate) fn output(&mut self, tool: &str, id: &str, is_fill: bool) -> io::Result<()> {
        let output = match tool {
            "web_search" => return Ok(()),
            "apply_patch" => {
                self.begin("response_item/custom_tool_call_output");
                put!(&mut self.page.buf; ",\"call_id\":\"", id, "\",\"output\":\"{\\\"output\\\":\\\"Success. Updated the following files:\\\\nM a\\\\n\\\",\
                    \\\"metadata\\\":{\\\"exit_code\\\":0,\\\"duration_seconds\\\":0.0}}\"");
                return self.end();
            }
            "view_image" => return self.viewed(id),
            "update_plan" => b"Plan updated".to_vec(),
            _ => {
                let drawn =
                    self.pool.tool_result_bytes(&mut self.dice, TOOL_RESULT).min(CODEX_OUTPUT_BYTES_MAX);
                self.begin("response_item/function_call_output");
                put!(&mut self.page.buf; ",\"call_id\":\"", id, "\",\"output\":\"");
                let bytes = self.room(drawn, is_fill);
                let begin = self.page.buf.len();
                self.result(tool, bytes);
                put!(&mut self.page.buf; "\"");
                let result =
                    if tool.starts_with("mcp__") { self.page.buf[begin..].to_vec() } else { Vec::new() };
                self.end()?;
                return if result.is_empty() { Ok(()) } else { self.answered(id, &result) };
            }
        };
        self.begin("response_item/function_call_output");
        put!(&mut self.page.buf; ",\"call_id\":\"", id, "\",\"output\":\"", &output, "\"");
        self.end()
    }

    fn room(&self, drawn: usize, is_fill: bool) -> usize {
        match self.left() {
            Some(left) if is_fill => (left as usize).saturating_sub(OUTPUT_END_BYTES),
            _ => self.fit(drawn, 2),
        }
    }

    /// What a tool wrote, about so many bytes with what is around it.
    fn result(&mut self, tool: &str, bytes: usize) {
        let (pool, dice, out) = (self.pool, &mut self.dice, &mut self.page.buf);
        let code = u32::from(dice.chance(TOOL_ERROR_SHARE));
        if tool == "shell" {
            put!(out; "{\\\"output\\\":\\\"");
            pool.bulk(out, dice, Bulk::Nested, bytes.saturating_sub(60));
            put!(out; "\\\",\\\"metadata\\\":{\\\"exit_code\\\":", code, ",\\\"duration_seconds\\\":0.1}}");
            return;
        }
        let chunk = dice.below(1 << 24).to_be_bytes();
        put!(out; "Chunk ID: ", &hex(&chunk[1..]), "\\nWall time: 0.", dice.below(9_000) + 1_000, " seconds\\nProcess exited with code ", code,
            "\\nOriginal token count: ", bytes / 4, "\\nOutput:\\n");
        let kind = if tool == "exec_command" { Pool::bulk_kind(dice) } else { Bulk::Log };
        pool.bulk(out, dice, kind, bytes.saturating_sub(100));
    }

    /// An image that the model looked at: an output of several parts.
    fn viewed(&mut self, id: &str) -> io::Result<()> {
        let drawn = self.pool.image_bytes(&mut self.dice);
        let bytes = self.fit(drawn, 4).max(100);
        self.begin("response_item/function_call_output");
        put!(&mut self.page.buf; ",\"call_id\":\"", id, "\",\"output\":[{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,");
        self.pool.image_base64(&mut self.page.buf, &mut self.dice, bytes);
        put!(&mut self.page.buf; "\"}]");
        self.end()
    }

    /// What a server of tools answered, once more.
    fn answered(&mut self, id: &str, result: &[u8]) -> io::Result<()> {
        self.event("event_msg/mcp_tool_call_end", id, |out| {
            put!(out; ",\"invocation\":{\"server\":\"github\",\"tool\":\"search_issues\",\"arguments\":{\"perPage\":10}},\
                \"duration\":{\"secs\":0,\"nanos\":812000000},\"result\":{\"Ok\":{\"content\":[{\"type\":\"text\",\"text\":\"",
                result, "}],\"isError\":false}}");
        })
    }
}
