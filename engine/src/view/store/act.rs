//! What a person does.

use serde_json::json;
use serde_json::value::RawValue;

use super::Store;
use super::held::{Info, Stored};
use super::request::Request;
use crate::view::drafts::{self, Image, Remark};
use crate::view::part::Kind;
use crate::view::strategy;

impl Store {
    /// Shows a session. Gives what is to be asked for: nothing, if it is shown already.
    pub fn open(&mut self, session: &str) -> Vec<Request> {
        if self.is_shown(session) {
            return Vec::new();
        }
        if let Some(left) = self.current.replace(session.into()) {
            self.leave(&left);
        }
        self.window.reset();
        self.changes.is_layout = true;
        if self.maps.loaded.contains(session) {
            self.ask_again(session);
        } else {
            self.ask_newest(session);
        }
        self.settle()
    }

    /// Looks for what is older: by a screen, or a batch of turns, and messages are asked for where those that are held end.
    pub fn scroll_up(&mut self, now_ms: i64) -> Vec<Request> {
        let Some(session) = self.current.clone() else { return Vec::new() };
        if self.window.scroll_up(&self.maps, &session, now_ms) {
            self.ask_older(&session);
        }
        self.changes.is_layout = true;
        self.settle()
    }

    /// Goes down by a screen. Where newer messages had to go for older ones, the end of what is held leads to the newest page: the server
    /// knows no page that comes after another.
    pub fn scroll_down(&mut self) -> Vec<Request> {
        let Some(session) = self.current.clone() else { return Vec::new() };
        if self.window.scroll_down(&self.maps, &session) {
            return self.scroll_to_end();
        }
        self.changes.is_layout = true;
        self.settle()
    }

    /// Goes to the newest message, which is asked for if it is not held.
    pub fn scroll_to_end(&mut self) -> Vec<Request> {
        let Some(session) = self.current.clone() else { return Vec::new() };
        self.show_end(&session);
        self.settle()
    }

    fn show_end(&mut self, session: &str) {
        self.window.show_end();
        self.changes.is_layout = true;
        if self.is_detached(session) {
            // What comes is shown from its end, like a session that is opened.
            self.maps.loaded.take(&mut self.maps.ledger, session);
            self.ask_newest(session);
        }
    }

    /// Keeps what is typed in a box, under a key of [`drafts::key`]. Of a session that is gone nothing is kept where drafts end with it.
    pub fn type_draft(&mut self, key: &str, text: &str) {
        if self.keeps_draft(key) {
            self.maps.drafts.write(&mut self.maps.ledger, key, text);
        }
    }

    /// Keeps a remark on a line.
    pub fn remark(&mut self, key: &str, remark: Remark) {
        if self.keeps_draft(key) {
            self.maps.drafts.remark(&mut self.maps.ledger, key, remark);
        }
    }

    /// Keeps an image that was pasted into a box.
    pub fn attach_image(&mut self, key: &str, image: Image) {
        if self.keeps_draft(key) {
            self.maps.drafts.attach(&mut self.maps.ledger, key, image);
        }
    }

    fn keeps_draft(&mut self, key: &str) -> bool {
        let ends = self.maps.drafts.choice() != strategy::Drafts::Ever;
        drafts::session_of(key).filter(|_| ends).is_none_or(|session| self.keeps(session))
    }

    /// What a box says.
    pub fn draft(&self, key: &str) -> Option<&str> {
        self.maps.drafts.text(key)
    }

    /// The remarks that wait to be sent with it.
    pub fn remarks(&self, key: &str) -> &[Remark] {
        self.maps.drafts.remarks(key)
    }

    /// The images in a box.
    pub fn images(&self, key: &str) -> &[Image] {
        self.maps.drafts.images(key)
    }

    /// How many images of a box had to go for others.
    pub fn images_dropped(&self, key: &str) -> u32 {
        self.maps.drafts.dropped(key)
    }

    /// Sends what is in a box to a session. The message is shown at once, under the id that the server will give it; while the session works, it
    /// waits. Nothing is sent to a session that is gone.
    pub fn send(&mut self, session: &str, key: &str, message: &str, now_ms: i64) -> Vec<Request> {
        if !self.keeps(session) {
            return Vec::new();
        }
        let (text, images) = self.maps.drafts.take(&mut self.maps.ledger, key);
        let info = json!({
            "id": message, "sessionID": session, "role": "user", "time": {"created": now_ms},
            "agent": self.maps.agents.get(session).map_or("code", |agent| agent),
        });
        let raw = serde_json::value::to_raw_value(&info);
        let Some((_, _, info)) = raw.ok().and_then(|raw| Info::read(&raw).ok()) else { return Vec::new() };
        self.maps.messages.put(&mut self.maps.ledger, session, message, info);
        let said = json!({
            "id": part_id(message, 0), "sessionID": session, "messageID": message, "type": "text", "text": text,
        });
        self.put_own(message, 0, said.to_string(), Kind::Text);
        for (number, image) in images.into_iter().enumerate() {
            let part = file_part(session, message, number + 1, image);
            self.put_own(message, number + 1, part, Kind::File);
        }
        self.maps.optimistic.put(&mut self.maps.ledger, session, message, ());
        if self.maps.status.get(session).is_some_and(|status| status.is_busy) {
            self.maps.queued.put(&mut self.maps.ledger, session, message, ());
        } else {
            self.dispatch(session, message);
        }
        if self.is_shown(session) {
            self.show_end(session);
        }
        self.settle()
    }

    fn put_own(&mut self, message: &str, number: usize, text: String, kind: Kind) {
        let mut part = Stored::new(text.into_boxed_str(), kind);
        part.is_optimistic = true;
        self.maps.put_part(message, &part_id(message, number), part);
    }

    fn dispatch(&mut self, session: &str, message: &str) {
        let parts = self.maps.parts.of(message).map(|(_, part)| part.text().to_owned()).collect();
        let (session, message) = (session.to_owned(), message.to_owned());
        self.outbox.push(Request::SendMessage { session, message, parts });
    }

    /// A session does not work any more: the next prompt of its queue goes.
    pub(super) fn send_queued(&mut self, session: &str) {
        let next = self.maps.queued.of(session).next().map(|(message, ())| message.to_owned());
        let Some(message) = next else { return };
        self.maps.queued.take(&mut self.maps.ledger, session, &message);
        self.dispatch(session, &message);
    }

    /// The server has a message that was made here. Where images have a cap, it keeps them from now on.
    pub(super) fn confirm(&mut self, session: &str, message: &str) {
        let maps = &mut self.maps;
        maps.optimistic.take(&mut maps.ledger, session, message);
        maps.queued.take(&mut maps.ledger, session, message);
        if maps.drafts.choice() != strategy::Drafts::Capped {
            return;
        }
        let own = maps.parts.of(message).filter(|(_, part)| part.is_optimistic && part.kind == Kind::File);
        let references = own.filter_map(|(id, part)| {
            let mut reference = Stored::new(with_reference(id, part.text())?.into(), Kind::File);
            reference.is_optimistic = true;
            Some((id.to_owned(), reference))
        });
        for (id, reference) in references.collect::<Vec<(String, Stored)>>() {
            self.maps.put_part(message, &id, reference);
            self.changed(session, message, &id);
        }
    }

    /// Deletes a session.
    pub fn delete_session(&mut self, session: &str) -> Vec<Request> {
        self.forget(session);
        self.maps.loaded.take(&mut self.maps.ledger, session);
        self.outbox.push(Request::DeleteSession { session: session.to_owned() });
        self.settle()
    }

    /// Answers a request for permission; nothing, if it is not there any more.
    pub fn reply_permission(&mut self, id: &str, reply: &str) -> Vec<Request> {
        let asked = self.maps.permissions.take(&mut self.maps.ledger, id);
        let (id, reply) = (id.to_owned(), reply.to_owned());
        let request = |session: Box<str>| Request::ReplyPermission { session: session.into(), id, reply };
        asked.map(|asked| request(asked.session)).into_iter().collect()
    }

    /// Answers a question; nothing, if it is not there any more.
    pub fn reply_question(&mut self, id: &str, answer: &str) -> Vec<Request> {
        let asked = self.maps.questions.take(&mut self.maps.ledger, id);
        let (id, answer) = (id.to_owned(), answer.to_owned());
        let request = |session: Box<str>| Request::ReplyQuestion { session: session.into(), id, answer };
        asked.map(|asked| request(asked.session)).into_iter().collect()
    }

    /// Chooses the agent that a session works with.
    pub fn select_agent(&mut self, session: &str, agent: &str) {
        if self.keeps(session) {
            self.maps.agents.put(&mut self.maps.ledger, session, agent.into());
        }
    }

    /// Chooses the model that a session works with.
    pub fn override_model(&mut self, session: &str, model: &str) {
        if self.keeps(session) {
            self.maps.overrides.put(&mut self.maps.ledger, session, model.into());
        }
    }
}

/// The id of a part that is made here: that of its message with a number, so that parts are in order.
fn part_id(message: &str, number: usize) -> String {
    format!("prt_{}{number:02}", message.strip_prefix("msg_").unwrap_or(message))
}

/// The JSON of an image. The image becomes part of it where it is: there is never a second copy of it.
fn file_part(session: &str, message: &str, number: usize, image: Image) -> String {
    let Image { filename, mime, data_url, .. } = image;
    let head = json!({
        "id": part_id(message, number), "sessionID": session, "messageID": message, "type": "file",
        "mime": mime, "filename": filename,
    });
    let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let data_url = if data_url.bytes().any(needs_escape) {
        // A URL of base64 never does; this is text that only looks like one.
        let quoted = json!(data_url).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    } else {
        data_url
    };
    let head = head.to_string();
    let before = format!("{},\"url\":\"", &head[..head.len() - 1]);
    let mut text = data_url;
    text.reserve_exact(before.len() + 2);
    text.insert_str(0, &before);
    text.push_str("\"}");
    text
}

/// The JSON of an image with its name on the server in place of itself.
fn with_reference(id: &str, text: &str) -> Option<String> {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
        #[serde(rename = "sessionID", borrow)]
        session: &'a RawValue,
        #[serde(rename = "messageID", borrow)]
        message: &'a RawValue,
        r#type: String,
        #[serde(borrow)]
        mime: &'a RawValue,
        #[serde(borrow)]
        filename: &'a RawValue,
        #[serde(skip_deserializing)]
        url: String,
    }
    let mut file: File<'_> = serde_json::from_str(text).ok()?;
    file.url = format!("attachment:{id}");
    serde_json::to_string(&file).ok()
}
