//! The messages of a Gemini session that say something.

use std::io;

use crate::answer::Request;
use crate::distribution::{
    CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, THINKING, TOOL_ERROR_SHARE, TOOL_INPUT, message_bytes,
};
use crate::gemini::{ENVELOPE_BYTES, Messages};
use crate::page::{Iso, put};
use crate::plan::Quirk;
use crate::pool::{Bulk, Pool, Tone};
use crate::text::{Atom, Measure, Preview};

impl<'a> Messages<'a> {
    fn first_piece(&mut self, index: u64) -> Option<&'a Atom> {
        let pool = self.pool;
        if index != self.gemini.requests / 2 {
            return None;
        }
        if self.gemini.has(Quirk::LoneSurrogate) {
            return Some(self.dice.pick(&pool.surrogates));
        }
        self.gemini.has(Quirk::LineSeparator).then(|| self.dice.pick(&pool.separators))
    }

    pub(super) fn user(&mut self, index: u64) -> io::Result<Request> {
        let (id, timestamp) = self.begin("user")?;
        let bytes = message_bytes(&mut self.dice).min(self.room(index) / 4);
        let tone = Tone { first: self.first_piece(index) };
        let image = index < self.gemini.images;
        let list = image || self.dice.chance(0.4);
        let mut preview = Preview::new(500);
        let out = &mut self.page.buf;
        put!(out; if list { "[{\"text\":\"" } else { "\"" });
        let start = out.len();
        let mut texts = vec![if self.gemini.has(Quirk::ManyLanguages) && index == 0 {
            let atoms: Vec<&Atom> = self.pool.languages.iter().collect();
            Pool::join(out, &atoms, Some(&mut preview))
        } else {
            self.pool.compose(out, &mut self.dice, bytes, tone, Some(&mut preview))
        }];
        if self.gemini.logs {
            log(&mut self.logs, &self.gemini.id, index, timestamp, &out[start..]);
        }
        if list {
            // What a file that is mentioned holds comes as texts of its own.
            put!(out; "\"},{\"text\":\"\"},\"");
            preview.push("\n", 1);
            texts.push(self.pool.compose(out, &mut self.dice, 40, Tone::default(), Some(&mut preview)));
            put!(out; "\"");
            if image {
                put!(out; ",{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"");
                let bytes = self.pool.image_bytes(&mut self.dice);
                self.pool.image_base64(out, &mut self.dice, bytes);
                put!(out; "\"}}");
            }
            put!(out; "]}");
        } else {
            put!(out; "\"}");
        }
        let mut request = Request { id, timestamp, images: u64::from(image), ..Request::default() };
        request.say(&Measure::joined(&texts), preview);
        Ok(request)
    }

    /// A message of the model: a text of about so many bytes, and a call of a tool with so long an output.
    pub(super) fn gemini(
        &mut self,
        request: &mut Request,
        bytes: usize,
        call: Option<(&'static str, usize)>,
    ) -> io::Result<()> {
        self.begin("gemini")?;
        let out = &mut self.page.buf;
        put!(out; "\"");
        if bytes > 0 {
            let measure = if call.is_none() && self.gemini.has(Quirk::OpenBlock) {
                let atoms = [self.pool.sentence(&mut self.dice), self.dice.pick(&self.pool.open_blocks)];
                Pool::join(out, &atoms, None)
            } else {
                self.pool.compose(out, &mut self.dice, bytes, Tone::default(), None)
            };
            request.respond(&measure);
        }
        put!(out; "\",\"thoughts\":[");
        if self.dice.chance(0.5) {
            put!(out; "{\"subject\":\"Considering the next step\",\"description\":\"");
            let bytes = self.dice.size(THINKING).min(ENVELOPE_BYTES / 2);
            self.pool.compose(out, &mut self.dice, bytes, Tone::default(), None);
            put!(out; "\",\"timestamp\":\"", Iso(self.time), "\"}");
        }
        put!(out; "]");
        // A model is not told where nothing was counted, and only there: readers that count usage pass such a message over.
        if self.tokens(request) || self.dice.chance(0.5) {
            put!(&mut self.page.buf; ",\"model\":\"", self.model, "\"");
            request.model = self.model;
        } else {
            put!(&mut self.page.buf; ",\"model\":\"\"");
        }
        if let Some((tool, bytes)) = call {
            self.call(tool, bytes);
            request.call(tool);
        }
        put!(&mut self.page.buf; "}");
        Ok(())
    }

    /// Says what the message took, if anything was counted.
    fn tokens(&mut self, request: &mut Request) -> bool {
        if self.dice.chance(0.02) {
            put!(&mut self.page.buf; ",\"tokens\":null");
            return false;
        }
        let [new, cached, output, thoughts] =
            [INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS, OUTPUT_TOKENS].map(|law| self.dice.size(law) as u64);
        let input = new + cached;
        put!(&mut self.page.buf; ",\"tokens\":{\"input\":", input, ",\"output\":", output, ",\"cached\":", cached,
            ",\"thoughts\":", thoughts, ",\"tool\":0,\"total\":", input + output + thoughts, "}");
        request.prompt += input;
        request.completion += output + thoughts;
        let tokens = &mut self.facts.tokens;
        tokens.responses += 1;
        tokens.input += new;
        tokens.cache_read += cached;
        tokens.output += output + thoughts;
        tokens.reasoning += thoughts;
        true
    }

    /// A call with its result, which most tools give twice: for the model and for the screen.
    fn call(&mut self, tool: &'static str, bytes: usize) {
        let id = self.dice.between(1_735_689_600_000, 1_785_689_600_000);
        let failed = self.dice.chance(TOOL_ERROR_SHARE);
        let out = &mut self.page.buf;
        put!(out; ",\"toolCalls\":[{\"id\":\"", tool, "-", id, "\",\"name\":\"", tool, "\",\"args\":{");
        match tool {
            "run_shell_command" => {
                put!(out; "\"command\":\"", &*self.pool.command(&mut self.dice).escaped, "\"");
            }
            "replace" | "write_file" => {
                put!(out; "\"file_path\":\"", self.pool.path(&mut self.dice), "\",\"content\":\"");
                let bytes = self.dice.size(TOOL_INPUT).min(bytes.max(80));
                self.pool.lines(out, &mut self.dice, bytes);
                put!(out; "\"");
            }
            _ => put!(out; "\"file_path\":\"", self.pool.path(&mut self.dice), "\""),
        }
        put!(out; "},\"result\":[{\"functionResponse\":{\"id\":\"", tool, "-", id, "\",\"name\":\"", tool, "\",\"response\":{\"",
            if failed { "error" } else { "output" }, "\":\"");
        let start = out.len();
        let kind = if tool == "run_shell_command" { Bulk::Log } else { Pool::bulk_kind(&mut self.dice) };
        self.pool.bulk(out, &mut self.dice, kind, bytes);
        let output = start..out.len();
        put!(out; "\"}}}],\"status\":\"", if failed { "error" } else { "success" }, "\",\"timestamp\":\"", Iso(self.time),
            "\",\"displayName\":\"", tool, "\",\"description\":\"\",\"renderOutputAsMarkdown\":true,\"resultDisplay\":");
        match tool {
            "replace" | "write_file" => {
                put!(out; "{\"fileName\":\"main.rs\",\"fileDiff\":\"");
                out.extend_from_within(output);
                put!(out; "\",\"originalContent\":null,\"newContent\":\"\"}");
            }
            "run_shell_command" | "list_directory" => {
                put!(out; "\"");
                out.extend_from_within(output);
                put!(out; "\"");
            }
            _ => put!(out; "\"Read.\""),
        }
        put!(out; "}]");
    }
}

/// Adds a prompt to the elements of `logs.json`.
fn log(logs: &mut Vec<u8>, session: &str, index: u64, time: u64, said: &[u8]) {
    put!(logs; if index > 0 { ",\n  " } else { "\n  " }, "{\"sessionId\":\"", session, "\",\"messageId\":", index,
        ",\"type\":\"user\",\"message\":\"", said, "\",\"timestamp\":\"", Iso(time), "\"}");
}
