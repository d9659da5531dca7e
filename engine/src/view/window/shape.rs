//! What is mounted of a part: what the cost of its elements depends on, and the lines that can be seen.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::view::part::Kind;
use crate::view::store::held::{Info, Stored};
use crate::view::store::wide::{is_wide, units};

/// Lines of an output that are shown.
pub const OUTPUT_LINES: usize = 60;
/// Lines of a diff that are shown.
pub const CHANGED_LINES: usize = 200;

/// Tools whose cards show what they have changed.
const EDITS: [&str; 4] = ["edit", "multiedit", "write", "apply_patch"];
/// The tool whose card shows its output. The cards of all others are closed.
const SHELL: &str = "bash";

/// A mounted part, or what a message itself shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its message.
    pub message: Box<str>,
    /// Its id; empty for what the message shows: the files that a turn has changed, or an error.
    pub part: Box<str>,
    /// What it is; a patch or a retry for what the message shows.
    pub kind: Kind,
    /// The tool that was called.
    pub tool: Option<Box<str>>,
    /// Whether it is an image.
    pub is_image: bool,
    /// UTF-16 units of the text that is shown.
    pub chars: u64,
    /// Lines that came or went and are shown, at most [`CHANGED_LINES`].
    pub changed_lines: u32,
    /// Lines of output that are shown, at most [`OUTPUT_LINES`].
    pub output_lines: u32,
    /// Whether the text has a character above U+00FF.
    pub two_byte: bool,
    visible: String,
}

/// What is shown of a part. A field that has another type than it should is not shown.
#[derive(Default, Deserialize)]
struct Seen<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool: Option<&'a RawValue>,
    #[serde(borrow, default)]
    mime: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filename: Option<&'a RawValue>,
    #[serde(borrow, default)]
    state: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct State<'a> {
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

/// The result of an edit, or one of its files.
#[derive(Default, Deserialize)]
struct Edited<'a> {
    #[serde(borrow, default)]
    diff: Option<&'a RawValue>,
    #[serde(borrow, default)]
    patch: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filediff: Option<&'a RawValue>,
    #[serde(borrow, default)]
    files: Option<&'a RawValue>,
    #[serde(borrow, default)]
    results: Option<&'a RawValue>,
    /// The last characters of an output while the tool runs.
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

impl Shape {
    /// What is mounted of a part.
    pub(in crate::view) fn of_part(message: &str, id: &str, part: &Stored) -> Shape {
        let seen: Seen<'_> = serde_json::from_str(part.text()).unwrap_or_default();
        let mut shape = Shape::empty(message, id, part.kind);
        match part.kind {
            Kind::Text | Kind::Reasoning => {
                shape.visible = text(seen.text);
                shape.visible.push_str(part.tail());
            }
            Kind::Tool => shape.tool(&seen),
            Kind::File => {
                shape.visible = text(seen.filename);
                shape.is_image = text(seen.mime).starts_with("image/");
            }
            _ => {}
        }
        shape.measured()
    }

    /// The names of the files that a turn has changed.
    pub(in crate::view) fn of_diffs(message: &str, info: &Info) -> Shape {
        #[derive(Default, Deserialize)]
        struct Told {
            #[serde(default)]
            summary: Summary,
        }
        #[derive(Default, Deserialize)]
        struct Summary {
            #[serde(default)]
            diffs: Vec<File>,
        }
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            file: String,
        }
        let told: Told = serde_json::from_str(&info.text).unwrap_or_default();
        let files: Vec<String> = told.summary.diffs.into_iter().map(|file| file.file).collect();
        let mut shape = Shape::empty(message, "", Kind::Patch);
        shape.visible = files.join("\n");
        shape.measured()
    }

    /// What went wrong with a message.
    pub(in crate::view) fn of_error(message: &str, info: &Info) -> Shape {
        #[derive(Default, Deserialize)]
        struct Told<'a> {
            #[serde(borrow, default)]
            error: Option<&'a RawValue>,
        }
        let told: Told<'_> = serde_json::from_str(&info.text).unwrap_or_default();
        let mut shape = Shape::empty(message, "", Kind::Retry);
        shape.visible = told.error.map_or_else(String::new, |error| error.get().to_owned());
        shape.measured()
    }

    fn empty(message: &str, part: &str, kind: Kind) -> Shape {
        Shape {
            message: message.into(),
            part: part.into(),
            kind,
            tool: None,
            is_image: false,
            chars: 0,
            changed_lines: 0,
            output_lines: 0,
            two_byte: false,
            visible: String::new(),
        }
    }

    fn tool(&mut self, seen: &Seen<'_>) {
        let tool = text(seen.tool);
        let state: State<'_> = read(seen.state);
        if EDITS.contains(&&*tool) {
            let mut lines = Vec::new();
            changes(&read(state.metadata), &mut lines);
            self.changed_lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            self.visible = lines.join("\n");
        } else if tool == SHELL {
            let output = state.output.map(|output| text(Some(output)));
            let output = output.unwrap_or_else(|| text(read::<Edited<'_>>(state.metadata).output));
            let lines: Vec<&str> = output.lines().take(OUTPUT_LINES).collect();
            self.output_lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            self.visible = lines.join("\n");
        } else {
            self.visible = text(state.title);
        }
        self.tool = Some(tool.into());
    }

    fn measured(mut self) -> Shape {
        self.chars = units(&self.visible);
        self.two_byte = is_wide(&self.visible);
        self.visible.shrink_to_fit();
        self
    }

    /// The part has grown by a text.
    pub(super) fn append(&mut self, text: &str) {
        self.visible.push_str(text);
        self.chars += units(text);
        self.two_byte |= is_wide(text);
    }

    /// The lines that can be seen.
    pub fn visible(&self) -> &str {
        &self.visible
    }

    /// Bytes of its texts.
    pub fn bytes(&self) -> u64 {
        let tool = self.tool.as_ref().map_or(0, |tool| tool.len());
        (self.message.len() + self.part.len() + tool + self.visible.len()) as u64
    }
}

/// A text, or an empty one where there is something else.
fn text(raw: Option<&RawValue>) -> String {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// What can be read, or nothing where there is something else.
fn read<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Lines that an edit has changed, until there are enough. What says the same twice is read once.
fn changes(edited: &Edited<'_>, lines: &mut Vec<String>) {
    let many = edited.files.or(edited.results);
    if many.is_some() {
        for one in read::<Vec<&RawValue>>(many) {
            changes(&read(Some(one)), lines);
        }
        return;
    }
    match (edited.diff.or(edited.patch), edited.filediff) {
        (None, Some(_)) => changes(&read(edited.filediff), lines),
        (patch, _) => {
            let patch: Cow<'_, str> = text(patch).into();
            let is_change = |line: &&str| {
                (line.starts_with('+') && !line.starts_with("+++"))
                    || (line.starts_with('-') && !line.starts_with("---"))
            };
            let room = CHANGED_LINES.saturating_sub(lines.len());
            lines.extend(patch.lines().filter(is_change).take(room).map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(part: serde_json::Value) -> Shape {
        let kind = Kind::of(part["type"].as_str().unwrap());
        Shape::of_part("m", "p", &Stored::new(part.to_string().into(), kind))
    }

    fn call(tool: &str, state: serde_json::Value) -> Shape {
        shape(json!({"type": "tool", "tool": tool, "state": state}))
    }

    #[test]
    fn an_edit_shows_its_changed_lines_up_to_a_cap() {
        let patch = "--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n";
        let one = call("edit", json!({"metadata": {"filediff": {"patch": patch, "before": "old"}}}));
        assert_eq!((one.changed_lines, one.visible()), (2, "-old\n+new"));
        let diff = call("edit", json!({"metadata": {"diff": patch, "filediff": {"patch": patch}}}));
        assert_eq!(diff.changed_lines, 2);
        let files = json!({"metadata": {"diff": patch, "files": [{"patch": patch}, {"diff": patch}]}});
        assert_eq!(call("apply_patch", files).changed_lines, 4);
        let long = "+x\n".repeat(CHANGED_LINES);
        let results = json!({"metadata": {"results": [{"diff": "-y"}, {"diff": long}]}});
        let capped = call("multiedit", results);
        assert_eq!((capped.changed_lines, capped.visible().lines().count()), (200, 200));
    }

    #[test]
    fn a_shell_shows_the_beginning_of_its_output_and_others_show_their_title() {
        let shell = call("bash", json!({"output": "line\n".repeat(100), "title": "ls"}));
        assert_eq!((shell.output_lines, shell.chars), (60, 60 * 5 - 1));
        let running = call("bash", json!({"metadata": {"output": "a\nb"}}));
        assert_eq!(running.output_lines, 2);
        let read = call("read", json!({"output": "long\n".repeat(100), "title": "a.rs"}));
        assert_eq!((read.output_lines, read.visible(), read.tool.as_deref()), (0, "a.rs", Some("read")));
    }

    #[test]
    fn a_text_is_shown_whole_and_an_image_by_its_name() {
        let text = shape(json!({"type": "text", "text": "x…"}));
        assert_eq!((text.chars, text.two_byte, text.visible()), (2, true, "x…"));
        let image =
            json!({"type": "file", "mime": "image/png", "filename": "a.png", "url": "data:image/png,x"});
        assert_eq!((shape(image.clone()).is_image, shape(image).visible()), (true, "a.png"));
    }

    #[test]
    fn fields_of_another_type_are_not_shown() {
        let odd = call("edit", json!({"metadata": {"diff": {"a": 1}, "files": 7}}));
        assert_eq!((odd.changed_lines, odd.visible()), (0, ""));
        assert_eq!(call("bash", json!("text")).output_lines, 0);
    }
}
