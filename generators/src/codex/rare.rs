//! What few Codex files have: records of every type, also of types to come, and lines that break readers.

use std::io;

use crate::codex::file::File;
use crate::page::put;
use crate::plan::Quirk;

/// Events of which a file of the current form may have any, with their fields. `%` stands for the turn's id.
const EVENTS: &[(&str, &str)] = &[
    ("event_msg/agent_reasoning", ",\"text\":\"**Looking around**\""),
    ("event_msg/agent_reasoning_raw_content", ",\"text\":\"First the tests.\""),
    (
        "event_msg/exec_command_end",
        ",\"call_id\":\"call_0\",\"process_id\":\"7\",\"turn_id\":\"%\",\"command\":[\"bash\",\"-lc\",\"ls\"],\"cwd\":\"/home/dev\",\
         \"parsed_cmd\":[{\"type\":\"unknown\",\"cmd\":\"ls\"}],\"source\":\"agent\",\"stdout\":\"a\\n\",\"stderr\":\"\",\"aggregated_output\":\"a\\n\",\
         \"exit_code\":0,\"duration\":{\"secs\":0,\"nanos\":51000000},\"formatted_output\":\"a\\n\",\"status\":\"completed\"",
    ),
    (
        "event_msg/item_completed",
        ",\"thread_id\":\"01a7c9e4-0000-7000-8000-000000000000\",\"turn_id\":\"%\",\"item\":{\"type\":\"Plan\",\"id\":\"item_1\",\"text\":\"1. Read\"}",
    ),
    (
        "event_msg/image_generation_end",
        ",\"call_id\":\"ig_0\",\"status\":\"completed\",\"revised_prompt\":\"a lighthouse\",\"result\":\"iVBORw0KGgo=\"",
    ),
    (
        "event_msg/entered_review_mode",
        ",\"target\":{\"type\":\"uncommittedChanges\"},\"user_facing_hint\":\"current changes\"",
    ),
    ("event_msg/exited_review_mode", ",\"review_output\":null"),
    ("event_msg/thread_rolled_back", ",\"num_turns\":0"),
    (
        "event_msg/thread_goal_updated",
        ",\"threadId\":\"01a7c9e4-0000-7000-8000-000000000000\",\"turnId\":\"%\",\"goal\":{\"objective\":\"Fix it\",\"status\":\"active\"}",
    ),
    ("event_msg/sub_agent_activity", ",\"agent_path\":\"/main/helper\",\"kind\":\"started\""),
    ("event_msg/context_compacted", ""),
    ("response_item/compaction", ",\"encrypted_content\":\"gAAAAABq\""),
    (
        "response_item/ghost_snapshot",
        ",\"ghost_commit\":{\"id\":\"9d02c7e85a41bf36\",\"parent\":null,\"preexisting_untracked_files\":[],\"preexisting_untracked_dirs\":[]}",
    ),
];

/// Calls that are records of their own type, with the name that a reader counts and whether they have an output.
const CALLS: &[(&str, &str, &str)] = &[
    (
        "response_item/local_shell_call",
        "local_shell",
        ",\"call_id\":\"call_1\",\"status\":\"completed\",\"action\":{\"type\":\"exec\",\"command\":[\"ls\"],\"timeout_ms\":1000,\
         \"working_directory\":null,\"env\":null,\"user\":null}",
    ),
    (
        "response_item/tool_search_call",
        "tool_search",
        ",\"call_id\":\"call_2\",\"status\":\"completed\",\"execution\":\"client\",\"arguments\":{\"query\":\"issues\"}",
    ),
    (
        "response_item/image_generation_call",
        "image_generation",
        ",\"id\":\"ig_0\",\"status\":\"completed\",\"revised_prompt\":\"a lighthouse\",\"result\":\"iVBORw0KGgo=\"",
    ),
];

/// Records of types that few versions write, or none yet: nobody reads them.
const UNKNOWN: &[(&str, &str)] = &[
    ("world_state", "\"state\":{\"cwd\":\"/home/dev\"}"),
    ("inter_agent_communication", "\"from\":\"/main\",\"to\":\"/main/helper\",\"content\":\"not a prompt\""),
    ("inter_agent_communication_metadata", "\"trigger_turn\":true"),
    ("token_usage_record", "\"input_tokens\":12,\"output_tokens\":3"),
    ("security_risk_score", "\"score\":0.1"),
    ("retained_context", "\"items\":[]"),
    ("realtime_item", "\"text\":\"hello\""),
    ("a_type_of_tomorrow", "\"type\":\"user_message\",\"message\":\"not a prompt\""),
    (
        "event_msg/an_event_of_tomorrow",
        ",\"message\":\"not a prompt\",\"info\":{\"total_token_usage\":{\"input_tokens\":9}}",
    ),
    (
        "response_item/an_item_of_tomorrow",
        ",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"nothing\"}]",
    ),
];

impl File<'_> {
    /// Every type of record and every tool.
    pub(crate) fn every_part(&mut self) -> io::Result<()> {
        let turn = self.thread.turn.map_or_else(String::new, |turn| turn.to_string());
        for (name, fields) in EVENTS {
            self.record(name, &fields.replace('%', &turn))?;
        }
        self.reasoning()?;
        for (name, tool, fields) in CALLS {
            self.record(name, fields)?;
            self.reading.call(tool);
        }
        self.record(
            "response_item/tool_search_output",
            ",\"call_id\":\"call_2\",\"status\":\"completed\",\"execution\":\"client\",\"tools\":[]",
        )?;
        for (tool, _) in crate::distribution::CODEX_TOOLS {
            let id = self.call_id();
            self.run(&[(tool, id)], false)?;
        }
        // A turn whose history was compacted says again where it is, and may go on with another model.
        self.another_model();
        self.turn_context()
    }

    /// What breaks readers, at the file's end.
    pub(crate) fn quirks(&mut self) -> io::Result<()> {
        if self.codex.has(Quirk::UnknownTypes) {
            for (name, fields) in UNKNOWN {
                self.record(name, fields)?;
            }
        }
        if self.codex.has(Quirk::BadOperation) {
            // Lines without a type are no records, but they are lines: those are not counted.
            for line in [
                "{\"type\":7}",
                "{\"id\":7}",
                "{\"type\":\"message\",\"payload\":[]}",
                "{\"timestamp\":null,\"payload\":{}}",
            ] {
                self.line("odd", line)?;
            }
            for line in [
                "[1,2]",
                "null",
                "\"text\"",
                "{\"type\":\"event_msg\",",
                "{\"type\":\"event_msg\",\"payload\":{\"a\":\"\\u12\"}}",
            ] {
                self.line("broken", line)?;
                self.reading.skip();
            }
        }
        if self.codex.has(Quirk::Torn) {
            put!(&mut self.page.buf; "{\"type\":\"response_item\",\"payload\":{\"type\":\"message\",\"content\":[{\"text\":\"cut of");
            self.page.record("broken");
            self.page.end_torn();
            self.reading.skip();
        }
        Ok(())
    }

    fn line(&mut self, kind: &'static str, line: &str) -> io::Result<()> {
        put!(&mut self.page.buf; line);
        self.page.record(kind);
        self.page.end_line()
    }
}
