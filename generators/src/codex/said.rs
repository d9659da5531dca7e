//! The records of a Codex file that tell what was said, and what it took: prompts, answers, usage, ends of turns, compactions.

use std::io;

use crate::codex::Form;
use crate::codex::file::{File, Text};
use crate::codex::reading::Usage;
use crate::distribution::{
    CODEX_CACHE_MISS, CODEX_REASONING, CODEX_WINDOW, INPUT_TOKENS, OUTPUT_TOKENS, message_bytes,
};
use crate::page::put;
use crate::plan::Quirk;
use crate::pool::{Pool, Tone};
use crate::text::Preview;

/// Bytes of a compacted record and what follows it, but for its history. H.
const COMPACTION_BYTES: u64 = 4_000;
/// Tokens of a history that was just compacted. A.
const COMPACTED_TOKENS: u64 = 14_000;

impl File<'_> {
    /// The user's text, as the model is given it and as the user wrote it.
    pub(crate) fn prompt(&mut self, index: u64) -> io::Result<()> {
        let codex = self.codex;
        let drawn = message_bytes(&mut self.dice);
        let bytes = self.fit(drawn, 6);
        let mut preview = Preview::new(500);
        let mut text = Vec::new();
        let mut texts = vec![if codex.has(Quirk::ManyLanguages) && index == 0 {
            Pool::join(&mut text, &self.pool.languages.iter().collect::<Vec<_>>(), Some(&mut preview))
        } else {
            let first = if index != codex.requests / 2 {
                None
            } else if codex.has(Quirk::LoneSurrogate) {
                Some(self.dice.pick(&self.pool.surrogates))
            } else {
                codex.has(Quirk::LineSeparator).then(|| self.dice.pick(&self.pool.separators))
            };
            self.pool.compose(&mut text, &mut self.dice, bytes, Tone { first }, Some(&mut preview))
        }];
        let image = self.image(index);
        self.begin("response_item/message");
        let out = &mut self.page.buf;
        put!(out; ",\"role\":\"user\",\"content\":[");
        if codex.form != Form::Bare {
            image.iter().for_each(|url| put!(out; "{\"type\":\"input_image\",\"image_url\":\"", url, "\"},"));
        }
        put!(out; "{\"type\":\"input_text\",\"text\":\"", &text, "\"}");
        if codex.form == Form::Bare {
            image.iter().for_each(|url| put!(out; ",{\"type\":\"input_image\",\"image_url\":\"", url, "\"}"));
            put!(out; ",{\"type\":\"input_text\",\"text\":\"\"},{\"type\":\"input_text\",\"text\":\"");
            preview.push("\n", 1);
            texts.push(self.pool.compose(out, &mut self.dice, 20, Tone::default(), Some(&mut preview)));
            put!(out; "\"}");
        }
        put!(out; "]");
        self.end()?;
        let images = u64::from(image.is_some());
        let time = if codex.form == Form::Bare { 0 } else { self.user_message(&text, image, index)? };
        self.reading.prompt(time, &texts, preview, images);
        if codex.form == Form::Enveloped2025 && self.dice.chance(0.5) {
            self.record(
                "response_item/ghost_snapshot",
                ",\"ghost_commit\":{\"id\":\"9d02c7e85a41bf36\",\"parent\":\"5c1f0a9be2d34478\",\
                \"preexisting_untracked_files\":[\"notes.txt\"],\"preexisting_untracked_dirs\":[]}",
            )?;
        }
        Ok(())
    }

    /// An image for a request, as a URL of its data.
    fn image(&mut self, index: u64) -> Option<Vec<u8>> {
        (index < self.codex.images).then(|| {
            let drawn = self.pool.image_bytes(&mut self.dice) * 2;
            let bytes = self.fit(drawn, 4).max(100);
            let mut url = b"data:image/png;base64,".to_vec();
            self.pool.image_base64(&mut url, &mut self.dice, bytes);
            url
        })
    }

    /// The prompt as the user wrote it: this is where a reader finds it.
    fn user_message(&mut self, text: &[u8], image: Option<Vec<u8>>, index: u64) -> io::Result<u64> {
        let is_current = self.codex.form == Form::Current;
        let time = self.begin("event_msg/user_message");
        let out = &mut self.page.buf;
        put!(out; ",\"message\":\"", text, "\"");
        if !is_current {
            put!(out; ",\"kind\":\"plain\"");
        }
        // An image of the clipboard is a file, one that was dragged here is data.
        let is_local = is_current && index.is_multiple_of(2);
        put!(out; ",\"images\":[");
        if let Some(url) = image.as_ref().filter(|_| !is_local) {
            put!(out; "\"", url, "\"");
        }
        put!(out; "]");
        if is_current {
            put!(out; ",\"local_images\":[", if image.is_some() && is_local { "\"/tmp/codex-clipboard-1.png\"" } else { "" }, "],\"text_elements\":[]");
        }
        self.end()?;
        Ok(time)
    }

    /// Thoughts, which only the service can read; older versions also show a summary.
    pub(crate) fn reasoning(&mut self) -> io::Result<()> {
        let drawn = self.dice.size(CODEX_REASONING);
        let bytes = self.fit(drawn, 8).clamp(40, 20_000);
        let is_current = self.codex.form == Form::Current;
        let mut summary = Vec::new();
        if !is_current {
            self.pool.compose(&mut summary, &mut self.dice, bytes / 8, Tone::default(), None);
        }
        if self.codex.form == Form::Enveloped2025 {
            self.begin("event_msg/agent_reasoning");
            put!(&mut self.page.buf; ",\"text\":\"", &summary, "\"");
            self.end()?;
        }
        self.begin("response_item/reasoning");
        let out = &mut self.page.buf;
        if is_current {
            put!(out; ",\"summary\":[]");
        } else {
            put!(out; ",\"summary\":[{\"type\":\"summary_text\",\"text\":\"", &summary, "\"}]");
        }
        put!(out; ",\"content\":null,\"encrypted_content\":\"gAAAAAB");
        self.pool.signature(out, &mut self.dice, bytes);
        put!(out; "\"");
        self.end()
    }

    /// A text of the model, as shown and as it stands in the conversation.
    pub(crate) fn say(&mut self, text: &Text, phase: &str) -> io::Result<()> {
        let is_current = self.codex.form == Form::Current;
        if self.codex.form != Form::Bare {
            self.begin("event_msg/agent_message");
            put!(&mut self.page.buf; ",\"message\":\"", &text.escaped, "\"");
            if is_current {
                put!(&mut self.page.buf; ",\"phase\":\"", phase, "\"");
            }
            self.end()?;
        }
        self.begin("response_item/message");
        put!(&mut self.page.buf; ",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"", &text.escaped, "\"}]");
        if is_current {
            put!(&mut self.page.buf; ",\"phase\":\"", phase, "\"");
        }
        self.reading.respond(&text.measure);
        self.end()
    }

    /// A response's usage.
    pub(crate) fn usage(&mut self) -> io::Result<()> {
        if self.codex.form == Form::Bare {
            return Ok(());
        }
        let new = self.dice.size(INPUT_TOKENS) as u64;
        let output = 1 + self.dice.size(OUTPUT_TOKENS) as u64;
        let thread = &mut self.thread;
        let cached = if self.dice.chance(CODEX_CACHE_MISS) { 0 } else { thread.context / 128 * 128 };
        let last = Usage {
            input: thread.context + new,
            cached,
            output,
            reasoning: output * u64::from(self.dice.below(60)) / 100,
        };
        thread.total += last;
        thread.context = last.input + output;
        if thread.context as f64 > CODEX_WINDOW.0 as f64 * CODEX_WINDOW.1 {
            thread.context = COMPACTED_TOKENS;
        }
        let total = thread.total;
        self.begin("event_msg/token_count");
        let out = &mut self.page.buf;
        put!(out; ",\"info\":{\"total_token_usage\":{");
        put_usage(out, total);
        put!(out; "},\"last_token_usage\":{");
        put_usage(out, last);
        put!(out; "},\"model_context_window\":", CODEX_WINDOW.0, "},\"rate_limits\":null");
        self.reading.usage(last, total);
        self.end()
    }

    /// The turn was stopped.
    pub(crate) fn abort(&mut self) -> io::Result<()> {
        self.begin("event_msg/turn_aborted");
        if let Some(turn) = self.thread.turn {
            put!(&mut self.page.buf; ",\"turn_id\":\"", turn, "\"");
        }
        put!(&mut self.page.buf; ",\"reason\":\"interrupted\"");
        self.reading.abort();
        self.end()
    }

    /// Bytes of [`File::complete`], about.
    pub(crate) fn end_bytes(&self, answer: &Text) -> u64 {
        let (texts, rest) = match self.codex.form {
            Form::Current => (3, 960),
            Form::Enveloped2025 => (2, 700),
            Form::Bare => (1, 100),
        };
        answer.escaped.len() as u64 * texts + rest
    }

    /// The turn's last text and its end.
    pub(crate) fn complete(&mut self, index: u64, answer: &Text) -> io::Result<()> {
        self.say(answer, "final_answer")?;
        self.usage()?;
        if self.codex.form != Form::Current {
            return Ok(());
        }
        let renamed = self.codex.has(Quirk::EveryPart) && index % 2 == 1;
        self.begin(if renamed { "event_msg/turn_complete" } else { "event_msg/task_complete" });
        if let Some(turn) = self.thread.turn {
            put!(&mut self.page.buf; ",\"turn_id\":\"", turn, "\"");
        }
        put!(&mut self.page.buf; ",\"last_agent_message\":\"", &answer.escaped, "\"");
        self.reading.complete();
        self.end()
    }

    /// Bytes of a compaction, about.
    pub(crate) fn compaction_bytes(&self) -> u64 {
        COMPACTION_BYTES + self.compacted_bytes()
    }

    fn compacted_bytes(&self) -> u64 {
        match &self.history {
            Some(history) if self.codex.form == Form::Current => {
                if self.codex.compacted_bytes > 0 {
                    self.codex.compacted_bytes
                } else {
                    history.bytes()
                }
            }
            _ => 0,
        }
    }

    /// The conversation is summed up, and what is kept of it written again.
    pub(crate) fn compact(&mut self) -> io::Result<()> {
        let bytes = self.compacted_bytes();
        self.begin("compacted");
        put!(&mut self.page.buf; "\"message\":\"");
        self.pool.compose(&mut self.page.buf, &mut self.dice, 600, Tone::default(), None);
        put!(&mut self.page.buf; "\"");
        if self.codex.form == Form::Current
            && let Some(history) = &self.history
        {
            put!(&mut self.page.buf; ",\"replacement_history\":[");
            history.write(&mut self.page, bytes)?;
            put!(&mut self.page.buf; "]");
        }
        self.end()?;
        self.thread.context = COMPACTED_TOKENS;
        if self.codex.form == Form::Current {
            self.turn_context()?;
            self.record("event_msg/context_compacted", "")?;
        }
        Ok(())
    }
}

fn put_usage(out: &mut Vec<u8>, usage: Usage) {
    put!(out; "\"input_tokens\":", usage.input, ",\"cached_input_tokens\":", usage.cached, ",\"output_tokens\":", usage.output,
        ",\"reasoning_output_tokens\":", usage.reasoning, ",\"total_tokens\":", usage.input + usage.output);
}
