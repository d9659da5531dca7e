//! OpenCode's tree with defects in files of each kind, and Kilo's damaged database.

use crate::adversarial::kilo::Damaged;
use crate::adversarial::opencode::{BROKEN, Message, SESSION, forms, messages, prompt, updated};
use crate::adversarial::rows::ROWS;
use crate::adversarial::sketch::Sketch;
use crate::adversarial::{Body, Hostile};
use crate::answer::Session;
use crate::plan::{Draft, Item, KILO, OPENCODE_TREE, ROOTS, Small};
use crate::special::Special;
use crate::text::Preview;

use super::names;

/// The project of all sessions.
const PROJECT: &str = "adversarial";
/// Where messages and parts are.
const STORAGE: &str = ".local/share/opencode/storage";
/// Rows that change ids: here those are the names of files.
const OF_IDS: [&str; 4] = ["path-id", "markup-id", "long-id", "empty-id"];

impl Draft {
    pub(super) fn hostile_tree(&mut self) {
        self.tree_project();
        for row in ROWS.iter().filter(|row| !OF_IDS.contains(&row.quirk)) {
            let mut sketch = self.of_tree(row.quirk);
            sketch.size = row.size.of(&self.spec);
            (row.make)(&mut sketch);
            self.tree_session(&sketch, row.quirk, Some(row.quirk));
        }
        for (quirk, text) in BROKEN {
            let sketch = self.of_tree(quirk);
            let [message, part] = self.among(&sketch, quirk);
            // What belongs to a message that is skipped is not read.
            let below = format!("{STORAGE}/part/{}/unread.json", stem_of(&message));
            self.tree_record(below, "{\"type\":", 0, vec![quirk]);
            for path in [message, part] {
                let file = record(path, Body::Text(text.to_owned(), 0), quirk);
                self.items.push(Item::Hostile(Hostile { skipped_lines: 1, ..file }.into()));
            }
            self.tree_session(&sketch, quirk, Some(quirk));
        }
        let mut sketch = self.of_tree("record-forms");
        let (said, change) = forms(&sketch.turns[0].id);
        said.iter().for_each(|message| self.tree_message(message, "record-forms", Some("record-forms"), 0));
        sketch.change = Some(change);
        self.tree_session(&sketch, "record-forms", Some("record-forms"));
        self.ids_that_go_on();
        if cfg!(unix) {
            let rest = SESSION_ENDING.len();
            let longest = "n".repeat(255 - rest);
            for (quirk, stem) in names(&longest) {
                let sketch = self.of_tree(stem);
                self.tree_session(&sketch, stem, Some(quirk));
            }
            self.tree_entries();
        }
    }

    fn tree_project(&mut self) {
        self.workspaces.insert((OPENCODE_TREE, PROJECT.to_owned()));
        let project = format!(
            "{{\"id\":\"{PROJECT}\",\"worktree\":\"/home/dev/{PROJECT}\",\"time\":{{\"created\":1}}}}"
        );
        let path = format!("{STORAGE}/project/{PROJECT}.json");
        self.items.push(Item::File(Small { path, content: project, kind: "project" }.into()));
    }

    /// A session of the tree that grows: its last message has one more part, or not yet.
    pub(in crate::plan) fn grown_tree(&mut self, has_part: bool) {
        self.tree_project();
        let stem = "grown-tree";
        let mut sketch = self.of_tree(stem);
        if has_part {
            let answer = format!("{}a", sketch.last().id);
            let path = format!("{STORAGE}/part/{answer}/{answer}r.json");
            self.tree_record(path, "{\"type\":\"text\",\"text\":\"And more\"}", 0, Vec::new());
            sketch.change = Some(|session| {
                if let Some(request) = session.requests.last_mut() {
                    (request.responses, request.response_units) = (2, request.response_units + 1 + 8);
                }
            });
        }
        self.tree_session(&sketch, stem, None);
    }

    pub(super) fn hostile_database(&mut self) {
        self.workspaces.insert((KILO, Damaged::FILE.to_owned()));
        self.items.push(Item::Damaged(Damaged::new(&self.spec).into()));
    }

    /// A session with two turns, whose ids are in their order.
    fn of_tree(&self, stem: &str) -> Sketch {
        let mut sketch = SESSION.sketch(&self.spec, PROJECT, stem);
        for (number, turn) in (1..).zip(&mut sketch.turns) {
            turn.id = format!("msg_{}_{number}", sketch.told.id);
        }
        sketch
    }

    /// The files of a session: one of its own, and those of its messages and parts.
    fn tree_session(&mut self, sketch: &Sketch, stem: &str, quirk: Option<&'static str>) {
        let mut file = SESSION.finish(sketch, stem, PROJECT, Vec::from_iter(quirk));
        if let Some(session) = &mut file.session {
            finish(session, sketch, stem);
            for turn in &sketch.turns {
                for message in messages(turn) {
                    self.tree_message(&message, stem, quirk, sketch.size);
                }
            }
        }
        self.items.push(Item::Hostile(file.into()));
    }

    fn tree_message(&mut self, message: &Message, session: &str, quirk: Option<&'static str>, size: u64) {
        let path = format!("{STORAGE}/message/{session}/{}.json", message.id);
        self.tree_record(path, &message.data, size, Vec::from_iter(quirk));
        for (id, data) in &message.parts {
            let path = format!("{STORAGE}/part/{}/{id}.json", message.id);
            self.tree_record(path, data, size, Vec::from_iter(quirk));
        }
    }

    fn tree_record(&mut self, path: String, text: &str, size: u64, quirks: Vec<&'static str>) {
        let file = record(path, Body::Text(text.to_owned(), size), "");
        self.items.push(Item::Hostile(Hostile { quirks, ..file }.into()));
    }

    /// A message between the turns of a session, and a part of its first one.
    fn among(&self, sketch: &Sketch, stem: &str) -> [String; 2] {
        let first = &sketch.turns[0].id;
        [format!("{STORAGE}/message/{stem}/{first}b.json"), format!("{STORAGE}/part/{first}/{first}q.json")]
    }

    /// Messages and parts whose ids go on where others end: their files' names are in another order.
    fn ids_that_go_on(&mut self) {
        let mut sketch = self.of_tree("record-ids");
        let id = format!("{}a-", sketch.turns[0].id);
        let mut message = prompt(&id, "second");
        message.parts.push((format!("{id}p-"), "{\"type\":\"text\",\"text\":\"third\"}".to_owned()));
        self.tree_message(&message, "record-ids", Some("record-ids"), 0);
        sketch.change = Some(|session| {
            let mut asked = session.requests[0].clone();
            asked.id.push_str("a-");
            let asked = crate::answer::Request {
                id: asked.id,
                preview: "second\nthird".to_owned(),
                message_units: 12,
                ..Default::default()
            };
            session.requests.insert(1, asked);
        });
        self.tree_session(&sketch, "record-ids", Some("record-ids"));
    }

    /// What bears the name of a session, message or part and is no regular file; and links to those that are.
    fn tree_entries(&mut self) {
        let entries = [
            ("directory", Special::Directory),
            ("symlink-loop", Special::Symlink("symlink-loop.json".to_owned())),
            ("dangling-symlink", Special::Symlink("there-is-nothing".to_owned())),
            ("pipe", Special::Pipe),
        ];
        for (quirk, special) in entries {
            let refused = |path, special: &Special| Hostile {
                is_refused: true,
                ..record(path, Body::Special(special.clone()), quirk)
            };
            let path = format!("{}/{PROJECT}/{quirk}.json", ROOTS[OPENCODE_TREE].0);
            self.items.push(Item::Hostile(refused(path, &special).into()));
            let stem = format!("record-{quirk}");
            let sketch = self.of_tree(&stem);
            for path in self.among(&sketch, &stem) {
                let to_itself = Special::Symlink(format!("{}.json", stem_of(&path)));
                let special = if quirk == "symlink-loop" { &to_itself } else { &special };
                self.items.push(Item::Hostile(refused(path, special).into()));
            }
            self.tree_session(&sketch, &stem, Some(quirk));
        }
        self.tree_links();
    }

    /// A part that is a link to another of its message, and a session that is one to another: its messages are its own.
    fn tree_links(&mut self) {
        let quirk = "symlink-to-session";
        let mut sketch = self.of_tree(quirk);
        let first = sketch.turns[0].id.clone();
        let [_, part] = self.among(&sketch, quirk);
        let special = Special::Symlink(format!("{first}p.json"));
        self.items.push(Item::Hostile(record(part, Body::Special(special), quirk).into()));
        sketch.change = Some(|session| {
            let request = &mut session.requests[0];
            (request.preview, request.message_units) = ("Question 1\nQuestion 1".to_owned(), 21);
        });
        let before = self.items.len();
        self.tree_session(&sketch, quirk, Some(quirk));
        let special = Special::Symlink("symlink-target.json".to_owned());
        if let Some(Item::Hostile(file)) = self.items[before..].last_mut() {
            file.body = Body::Special(special);
        }
        let target = self.of_tree("symlink-target");
        self.tree_session(&target, "symlink-target", Some(quirk));
    }
}

/// How the names of files end.
const SESSION_ENDING: &str = ".json";

/// What a reader finds otherwise than in other formats: ids that are names, and a time of the last change.
fn finish(session: &mut Session, sketch: &Sketch, stem: &str) {
    (session.id, session.last) = (Preview::of(stem, 128), updated(&sketch.told));
}

fn record(path: String, body: Body, quirk: &'static str) -> Hostile {
    Hostile {
        root: OPENCODE_TREE,
        name: path.clone(),
        path,
        body,
        quirks: vec![quirk],
        skipped_lines: 0,
        is_refused: false,
        session: None,
    }
}

/// The name of a file without its ending.
fn stem_of(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.strip_suffix(SESSION_ENDING)).unwrap_or_default()
}
