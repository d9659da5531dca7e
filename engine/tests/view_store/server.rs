//! A server and a host in a few lines: sessions of made-up messages, and answers to what a view asks for.

use std::collections::BTreeMap;

use highwater_engine::view::Store;
use highwater_engine::view::store::{Mode, Request};
use serde_json::{Value, json};

/// A message and its parts.
pub(crate) type Entry = (Value, Vec<Value>);

/// Sessions with their messages in order.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) sessions: BTreeMap<String, Vec<Entry>>,
    /// Whether answers say where the page before begins.
    pub(crate) is_silent: bool,
    /// Messages that were sent, page by page.
    pub(crate) sent: Vec<usize>,
}

pub(crate) fn user(session: &str, number: usize) -> Value {
    json!({"id": message_id(session, number), "sessionID": session, "role": "user", "time": {"created": number}})
}

pub(crate) fn answer(session: &str, number: usize, parent: usize) -> Value {
    json!({
        "id": message_id(session, number), "sessionID": session, "role": "assistant",
        "parentID": message_id(session, parent), "time": {"created": number},
    })
}

pub(crate) fn message_id(session: &str, number: usize) -> String {
    format!("msg_{session}_{number:05}")
}

pub(crate) fn text_part(session: &str, message: &str, number: usize, text: &str) -> Value {
    let id = format!("prt_{}_{number:03}", &message[4..]);
    json!({"id": id, "sessionID": session, "messageID": message, "type": "text", "text": text})
}

pub(crate) fn tool_part(session: &str, message: &str, number: usize) -> Value {
    let mut part = text_part(session, message, number, "");
    part["type"] = json!("tool");
    part["tool"] = json!("bash");
    part["state"] = json!({"status": "completed", "output": "line\n".repeat(20), "title": "ls"});
    part
}

impl Server {
    /// A session of turns: a user message, and `answers` messages of `parts` calls each.
    pub(crate) fn add(&mut self, session: &str, turns: usize, answers: usize, parts: usize) {
        let mut messages = Vec::new();
        for _ in 0..turns {
            let parent = messages.len();
            let info = user(session, parent);
            let id = message_id(session, parent);
            messages.push((info, vec![text_part(session, &id, 0, "what is this?")]));
            for _ in 0..answers {
                let number = messages.len();
                let id = message_id(session, number);
                let parts = (0..parts).map(|part| tool_part(session, &id, part)).collect();
                messages.push((answer(session, number, parent), parts));
            }
        }
        self.sessions.insert(session.to_owned(), messages);
    }

    /// The bytes of a session's JSON.
    pub(crate) fn bytes(&self, session: &str) -> u64 {
        let entries = self.sessions[session].iter();
        let of = |(info, parts): &Entry| {
            info.to_string().len() + parts.iter().map(|part| part.to_string().len()).sum::<usize>()
        };
        entries.map(of).sum::<usize>() as u64
    }

    pub(crate) fn list(&self) -> String {
        let sessions: Vec<Value> = self.sessions.keys().map(|id| json!({"id": id, "title": id})).collect();
        json!({"type": "sessionsLoaded", "sessions": sessions, "preserve": []}).to_string()
    }

    /// The answer to a request for messages; none to any other.
    pub(crate) fn reply(&mut self, request: &Request) -> Option<String> {
        let (session, mode, before, limit, number) = match request {
            Request::LoadMessages { session, mode, before, limit, request } => {
                (session, *mode, before.as_deref(), *limit, *request)
            }
            Request::Focus { session, request } => (session, Mode::Focus, None, 80, *request),
            _ => return None,
        };
        let all = self.sessions.get(session)?;
        let end = before.map_or(all.len(), position);
        let start = end.saturating_sub(limit);
        self.sent.push(end - start);
        let messages: Vec<Value> =
            all[start..end].iter().map(|(info, parts)| json!({"info": info, "parts": parts})).collect();
        let mut post = json!({
            "type": "messagesLoaded", "sessionID": session, "mode": mode, "messages": messages,
            "request": number,
        });
        if !self.is_silent {
            post["hasMore"] = json!(start > 0);
            post["before"] = if start > 0 { json!(start.to_string()) } else { Value::Null };
        }
        Some(post.to_string())
    }

    /// Answers what the view asks for, until it asks for nothing more. Gives what is no request for messages.
    pub(crate) fn serve(&mut self, store: &mut Store, requests: Vec<Request>) -> Vec<Request> {
        let (mut waiting, mut others) = (requests, Vec::new());
        while let Some(request) = waiting.pop() {
            match self.reply(&request) {
                Some(post) => waiting.extend(store.receive(&post, 0).unwrap()),
                None => others.push(request),
            }
            store.audit().unwrap();
        }
        others
    }

    pub(crate) fn open(&mut self, store: &mut Store, session: &str) {
        let requests = store.open(session);
        self.serve(store, requests);
    }
}

/// The message before which a page ends: a number of this server, or the base64 that a view has built of an id.
fn position(before: &str) -> usize {
    if let Ok(number) = before.parse() {
        return number;
    }
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sextets = before.bytes().map(|byte| letters.iter().position(|letter| *letter == byte).unwrap());
    let bits: Vec<bool> =
        sextets.flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1 == 1)).collect();
    let bytes = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
    let cursor: Value = serde_json::from_slice(&bytes.collect::<Vec<u8>>()).unwrap();
    cursor["time"].as_u64().unwrap() as usize
}
