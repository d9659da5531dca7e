//! A server that answers as much of GitHub's API as the action asks for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A comment on the pull request.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    /// `Bot` for the workflow's token, `User` for a person.
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct State {
    comments: Vec<Comment>,
    /// Whether the token can only read, as that of a pull request from a fork.
    is_fork: bool,
    requests: Vec<String>,
}

/// The server; it ends with the test.
pub(crate) struct GitHub {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl GitHub {
    /// A repository with a pull request that has these comments.
    pub(crate) fn start(comments: Vec<Comment>, is_fork: bool) -> GitHub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { comments, is_fork, requests: Vec::new() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &mut shared.lock().unwrap());
            }
        });
        GitHub { url, state }
    }

    pub(crate) fn comments(&self) -> Vec<Comment> {
        self.state.lock().unwrap().comments.clone()
    }

    /// What was asked for, as `GET /path`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn answer(mut stream: TcpStream, state: &mut State) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let (mut length, mut has_token) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line == "expect: 100-continue" {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        }
        has_token |= line == "authorization: bearer secret-token";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    state.requests.push(format!("{method} {path}"));
    let (status, value) =
        if has_token { reply(&method, &path, &body, state) } else { (401, json!({"message": "no token"})) };
    let text = value.to_string();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes())).unwrap();
}

fn reply(method: &str, path: &str, body: &[u8], state: &mut State) -> (u16, Value) {
    let forbidden = || (403, json!({ "message": "Resource not accessible by integration" }));
    let shown = |comment: &Comment| json!({ "id": comment.id, "body": comment.body, "user": { "type": comment.kind, "login": "x" } });
    let text = || serde_json::from_slice::<Value>(body).unwrap()["body"].as_str().unwrap().to_owned();
    if path == "/user" {
        return forbidden();
    }
    if method == "GET" && path.starts_with("/repos/ada/engine/issues/7/comments?") {
        let page: usize = path.rsplit_once("page=").unwrap().1.parse().unwrap();
        let comments = state.comments.iter().skip(100 * (page - 1)).take(100);
        return (200, comments.map(shown).collect());
    }
    if state.is_fork {
        return forbidden();
    }
    if method == "POST" && path == "/repos/ada/engine/issues/7/comments" {
        let comment = Comment { id: 1000 + state.comments.len() as u64, kind: "Bot", body: text() };
        state.comments.push(comment.clone());
        return (201, shown(&comment));
    }
    let id = path.strip_prefix("/repos/ada/engine/issues/comments/").and_then(|id| id.parse::<u64>().ok());
    match state.comments.iter_mut().find(|comment| Some(comment.id) == id) {
        Some(comment) if method == "PATCH" => {
            comment.body = text();
            (200, shown(comment))
        }
        _ => (404, json!({ "message": "Not Found" })),
    }
}
