//! The records of a Codex file that frame its turns: what a session and each turn of it begin with.

use std::io;

use crate::codex::Form;
use crate::codex::file::File;
use crate::dice::Dice;
use crate::distribution::{CODEX_TEXTS, CODEX_WINDOW};
use crate::page::{Id, Iso, put};
use crate::plan::Quirk;
use crate::pool::Tone;

/// The texts of [`CODEX_TEXTS`].
#[derive(Clone, Copy)]
enum Standing {
    Instructions,
    Permissions,
    Agents,
    Mode,
    Skills,
}

impl File<'_> {
    /// Begins a record, named by its kind and its item's type (`response_item/message`), and returns its time. Where there is no item, the
    /// payload's first field follows without a comma.
    pub(crate) fn begin(&mut self, name: &'static str) -> u64 {
        self.page.record(name);
        let (kind, item) = name.split_once('/').unwrap_or((name, ""));
        self.is_item = kind == "response_item";
        let is_bare = self.codex.form == Form::Bare;
        let time = if is_bare { 0 } else { self.stamp() };
        let out = &mut self.page.buf;
        if !is_bare {
            put!(out; "{\"timestamp\":\"", Iso(time), "\",");
            // Newer versions number their lines.
            if self.codex.has(Quirk::EveryPart) {
                put!(out; "\"ordinal\":", self.ordinal, ",");
            }
            put!(out; "\"type\":\"", kind, "\",\"payload\":");
        }
        self.ordinal += 1;
        self.item_start = out.len();
        put!(out; "{");
        if !item.is_empty() {
            put!(out; "\"type\":\"", item, "\"");
        }
        time
    }

    /// Ends a record.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        put!(&mut self.page.buf; "}");
        if let Some(history) = &mut self.history
            && self.is_item
        {
            history.add(&self.page.buf[self.item_start..]);
        }
        if self.codex.form != Form::Bare {
            put!(&mut self.page.buf; "}");
        }
        self.page.end_line()
    }

    /// A record with fields that are given.
    pub(crate) fn record(&mut self, name: &'static str, fields: &str) -> io::Result<()> {
        self.begin(name);
        put!(&mut self.page.buf; fields);
        self.end()
    }

    /// What is the same in all sessions: texts of the tool and of its user, cut where the file shall be short.
    fn standing(&mut self, which: Standing) {
        let parts = if matches!(which, Standing::Instructions) { 3 } else { 8 };
        let bytes = self.fit(CODEX_TEXTS[which as usize], parts);
        let mut dice = Dice::new(self.spec, &format!("codex text {}", which as usize));
        self.pool.compose(&mut self.page.buf, &mut dice, bytes, Tone::default(), None);
    }

    /// The record that a session begins with.
    pub(crate) fn meta(&mut self, id: Id, cwd: &str) -> io::Result<()> {
        const GIT: &str = "\"git\":{\"commit_hash\":\"5c1f0a9be2d34478a6c09d17f3b85e2210c4d7aa\",\"branch\":\"main\",\
            \"repository_url\":\"https://github.com/example/project.git\"}";
        let codex = self.codex;
        if codex.form == Form::Bare {
            // No type, so no record.
            put!(&mut self.page.buf; "{");
            if !codex.has(Quirk::NoSessionId) {
                put!(&mut self.page.buf; "\"id\":\"", id, "\",");
                self.reading.id(&id.to_string());
            }
            put!(&mut self.page.buf; "\"timestamp\":\"", Iso(codex.start), "\",\"instructions\":null,", GIT, "}");
            self.page.record("session");
            return self.page.end_line();
        }
        let is_current = codex.form == Form::Current;
        let source = *self.dice.pick(&["cli", "cli", "cli", "vscode"]);
        self.begin("session_meta");
        let out = &mut self.page.buf;
        put!(out; "\"id\":\"", id, "\",");
        if let Some((parent, _)) = &codex.forks {
            put!(out; "\"forked_from_id\":\"", parent.id, "\",");
        }
        put!(out; "\"timestamp\":\"", Iso(codex.start), "\",\"cwd\":\"", cwd, "\",\"originator\":\"codex_cli_rs\",\"cli_version\":\"",
            if is_current { "0.114.0" } else { "0.44.0" }, "\"");
        if is_current {
            put!(out; ",\"source\":\"", source, "\",\"model_provider\":\"openai\",\"base_instructions\":{\"text\":\"");
            self.standing(Standing::Instructions);
            put!(&mut self.page.buf; "\"}");
        } else {
            put!(out; ",\"instructions\":\"");
            self.standing(Standing::Agents);
            put!(&mut self.page.buf; "\",\"source\":\"", source, "\"");
        }
        put!(&mut self.page.buf; ",", GIT);
        self.reading.id(&id.to_string());
        self.reading.cwd(cwd);
        self.end()
    }

    /// What the tool tells the model before the first prompt, as messages of a developer and of the user.
    pub(crate) fn opening(&mut self) -> io::Result<()> {
        if self.codex.form == Form::Current {
            self.told("developer", "<permissions instructions>\\n", Standing::Permissions)?;
        }
        let head = if self.codex.form == Form::Enveloped2025 {
            "<user_instructions>\\n\\n"
        } else {
            "# AGENTS.md instructions for /home/dev\\n\\n<INSTRUCTIONS>\\n"
        };
        self.told("user", head, Standing::Agents)?;
        if self.codex.form == Form::Current {
            self.told(
                "developer",
                "<collaboration_mode># Collaboration Mode: Default\\n\\n",
                Standing::Mode,
            )?;
        }
        Ok(())
    }

    /// A message that no person wrote; the user's also tells where it is.
    fn told(&mut self, role: &str, head: &str, text: Standing) -> io::Result<()> {
        self.begin("response_item/message");
        put!(&mut self.page.buf; ",\"role\":\"", role, "\",\"content\":[{\"type\":\"input_text\",\"text\":\"", head);
        self.standing(text);
        put!(&mut self.page.buf; "\"}");
        if role == "user" {
            put!(&mut self.page.buf; ",{\"type\":\"input_text\",\"text\":\"<environment_context>\\n  <cwd>", &self.codex.cwd,
                "</cwd>\\n  <shell>bash</shell>\\n  <timezone>Etc/UTC</timezone>\\n</environment_context>\"}");
        }
        put!(&mut self.page.buf; "]");
        self.end()
    }

    /// A turn's beginning.
    pub(crate) fn turn(&mut self, index: u64) -> io::Result<()> {
        match self.codex.form {
            Form::Bare => return self.state(),
            Form::Enveloped2025 => return self.turn_context(),
            Form::Current => {}
        }
        let turn = self.dice.id().at(self.thread.time);
        self.thread.turn = Some(turn);
        // Both names are read, and which one is written depends on the version.
        let renamed = self.codex.has(Quirk::EveryPart) && index % 2 == 1;
        self.begin(if renamed { "event_msg/turn_started" } else { "event_msg/task_started" });
        put!(&mut self.page.buf; ",\"turn_id\":\"", turn, "\",\"model_context_window\":", CODEX_WINDOW.0, ",\"collaboration_mode_kind\":\"default\"");
        self.end()?;
        self.reading.turn(turn.to_string());
        if self.thread.has_limits && self.dice.chance(0.3) {
            self.record("event_msg/token_count", ",\"info\":null,\"rate_limits\":{\"limit_id\":\"codex\",\"primary\":{\"used_percent\":12.0,\
                \"window_minutes\":300,\"resets_at\":1774000000},\"secondary\":null,\"credits\":null,\"plan_type\":\"plus\"}")?;
        }
        self.turn_context()
    }

    /// A line of no type between the items of a bare file.
    fn state(&mut self) -> io::Result<()> {
        put!(&mut self.page.buf; "{\"record_type\":\"state\"}");
        self.page.record("state");
        self.page.end_line()
    }

    pub(crate) fn turn_context(&mut self) -> io::Result<()> {
        let (codex, model) = (self.codex, self.thread.model);
        let time = self.begin("turn_context");
        let out = &mut self.page.buf;
        if codex.form == Form::Enveloped2025 {
            put!(out; "\"cwd\":\"", &codex.cwd, "\",\"approval_policy\":\"on-request\",\"sandbox_policy\":{\"mode\":\"workspace-write\",\
                \"network_access\":false,\"exclude_tmpdir_env_var\":false,\"exclude_slash_tmp\":false},\"model\":\"", model,
                "\",\"effort\":\"medium\",\"summary\":\"auto\"");
        } else {
            if let Some(turn) = self.thread.turn {
                put!(out; "\"turn_id\":\"", turn, "\",");
            }
            let mut date = Vec::new();
            put!(&mut date; Iso(time));
            put!(out; "\"cwd\":\"", &codex.cwd, "\",\"current_date\":\"", &date[..10], "\",\"timezone\":\"Etc/UTC\",\"approval_policy\":\"on-request\",\
                \"sandbox_policy\":{\"type\":\"workspace-write\",\"writable_roots\":[\"/home/dev/.codex/memories\"],\"network_access\":false,\
                \"exclude_tmpdir_env_var\":false,\"exclude_slash_tmp\":false},\"model\":\"", model, "\",\"personality\":\"pragmatic\",\
                \"collaboration_mode\":{\"mode\":\"default\",\"settings\":{\"model\":\"", model, "\",\"reasoning_effort\":\"high\",\
                \"developer_instructions\":\"");
            self.standing(Standing::Mode);
            put!(&mut self.page.buf; "\"}},\"realtime_active\":false,\"effort\":\"high\",\"summary\":\"none\",\"user_instructions\":\"");
            self.standing(Standing::Skills);
            put!(&mut self.page.buf; "\",\"truncation_policy\":{\"mode\":\"tokens\",\"limit\":10000}");
        }
        self.reading.model(model);
        self.reading.cwd(&codex.cwd);
        self.end()
    }
}
