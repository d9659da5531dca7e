//! The server of a view by its sockets: whom it lets in, what its streams say, and what waits for a client that does not read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use highwater_engine::view::message::Message;
use highwater_engine::view::part::Part;
use highwater_engine::view::serve::{self, Client, Limits, Options, Remote, Service, Times};
use highwater_engine::view::server::Server;
use highwater_engine::view::storage::Storage;
use highwater_engine::view::strategy::Strategy;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "view_serve/access.rs"]
mod access;
#[path = "view_serve/asked.rs"]
mod asked;
#[path = "view_serve/stalled.rs"]
mod stalled;
#[path = "view_serve/streams.rs"]
mod streams;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const DIRECTORY: &str = "/home/dev/demo";
/// The sessions that are there.
const S: &str = "ses_1";
const OTHER: &str = "ses_2";
/// Whatever takes longer never comes.
const SOON: Duration = Duration::from_secs(4);

/// A service over a storage of its own.
struct Bench {
    folder: TempDir,
    strategy: Strategy,
    service: Service,
}

/// A service that gives a sign of life only after an hour.
async fn bench(strategy: Strategy) -> Bench {
    bench_with(strategy, Duration::from_secs(3_600)).await
}

async fn bench_with(strategy: Strategy, heartbeat: Duration) -> Bench {
    bench_of(strategy, heartbeat, Times::default()).await
}

async fn bench_of(strategy: Strategy, heartbeat: Duration, times: Times) -> Bench {
    let folder = TempDir::new().unwrap();
    let service = started(database(folder.path()), strategy, (heartbeat, times), 0).await;
    Bench { folder, strategy, service }
}

async fn started(storage: Storage, strategy: Strategy, times: (Duration, Times), port: u16) -> Service {
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], port)), false).await.unwrap();
    let server = Server::new(storage, &strategy, DIRECTORY);
    let (heartbeat, times) = (times.0, Times { tick: Duration::from_millis(20), ..times.1 });
    serve::start(listener, Options { server, token: TOKEN.to_owned(), times, heartbeat }).unwrap()
}

/// A database with both sessions, with nothing in them.
fn database(folder: &Path) -> Storage {
    seeded(Storage::database(&folder.join("kilo.db")).unwrap())
}

fn seeded(mut storage: Storage) -> Storage {
    let time = json!({"created": 1, "updated": 1});
    let project = json!({"id": "p1", "worktree": DIRECTORY, "vcs": "git", "sandboxes": [], "time": time});
    storage.put_project(&project).unwrap();
    for id in [S, OTHER] {
        let session = json!({
            "id": id, "slug": "calm-fox", "projectID": "p1", "directory": DIRECTORY, "title": "Demo",
            "version": "7.0.0", "time": time,
        });
        storage.put_session(&session).unwrap();
    }
    storage
}

impl Bench {
    fn client(&self) -> Client {
        let retry = Duration::from_millis(5);
        Client::new(self.service.address(), TOKEN, Limits { retry, ..Limits::default() })
    }

    /// A host and a view that show a session.
    async fn showing(&self, session: &str) -> Remote {
        let mut remote = Remote::new(self.client(), &self.strategy);
        remote.connect(0).await.unwrap();
        let requests = remote.view.open(session);
        remote.act(requests, 0).await.unwrap();
        remote
    }

    /// Lets a view take what happens until it shows the same as one that comes now.
    async fn same(&self, remote: &mut Remote, session: &str) {
        let fresh = self.showing(session).await.view;
        let (messages, expected) = (fresh.messages(session).count(), fresh.transcript(session));
        assert!(expected.is_some());
        let mut now_ms = 0;
        let clock = || {
            now_ms += 1_000;
            now_ms
        };
        let run = run_with(remote, clock, |view| {
            view.messages(session).count() == messages && view.transcript(session) == expected
        });
        assert!(tokio::time::timeout(SOON, run).await.is_ok(), "the view never shows what the server has");
        assert_eq!((remote.unusable().count, remote.refused().count), (0, 0));
        remote.view.audit().unwrap();
    }

    /// Sends a request as it is, and gives all that comes back.
    async fn raw(&self, request: String) -> (u16, String, Value) {
        let address = self.service.address();
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        });
        let answer = answer.await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String, Value) {
        let host = self.service.address();
        let headers = format!("Host: {host}\r\nAuthorization: Bearer {TOKEN}\r\n");
        self.raw(request(method, path, &headers, body)).await
    }

    fn clients(&self) -> usize {
        self.service.server().lock().unwrap().clients()
    }

    /// Waits until so many clients are left.
    async fn clients_become(&self, clients: usize) {
        let wait = async {
            while self.clients() != clients {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let left = tokio::time::timeout(Duration::from_secs(1), wait).await;
        assert!(left.is_ok(), "{} clients, {clients} expected", self.clients());
    }
}

fn request(method: &str, path: &str, headers: &str, body: Option<Value>) -> String {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\n{headers}{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Passes on what happens, on a clock that counts.
async fn run_with(
    remote: &mut Remote,
    clock: impl FnMut() -> i64,
    until: impl FnMut(&highwater_engine::view::Store) -> bool,
) {
    let clock = std::cell::RefCell::new(clock);
    remote.run(|| (clock.borrow_mut())(), until).await.unwrap();
}

/// Says a message of a model without parts.
fn say(server: &mut Server, session: &str, message: &str, created: i64) {
    let info =
        json!({"id": message, "sessionID": session, "role": "assistant", "time": {"created": created}});
    server.put_message(Message::new(info).unwrap()).unwrap();
}

/// Says a part.
fn put(server: &mut Server, session: &str, message: &str, part: &str, rest: Value, now_ms: i64) {
    let mut value = json!({"id": part, "sessionID": session, "messageID": message});
    value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    server.put_part(Part::new(value).unwrap(), now_ms).unwrap();
}

/// A step of a model: it thinks, writes, and calls a tool.
fn step(server: &mut Server, session: &str, number: usize) {
    let (message, created) = (format!("msg_{number:04}"), number as i64 * 1_000);
    let part = |kind: &str| format!("prt_{number:04}{kind}");
    say(server, session, &message, created);
    let thought = json!({"type": "reasoning", "text": format!("what to do in step {number}")});
    put(server, session, &message, &part("a"), thought, created);
    put(server, session, &message, &part("b"), json!({"type": "text", "text": ""}), created);
    let mut text = String::new();
    for word in ["I ", "look ", "at \u{1F980} ", "it.\n"] {
        server.delta(session, &message, &part("b"), "text", word);
        text.push_str(word);
    }
    put(server, session, &message, &part("b"), json!({"type": "text", "text": text}), created);
    for (status, output) in [("pending", ""), ("running", "one"), ("running", "one two"), ("completed", "")] {
        let state = json!({
            "status": status, "input": {"command": "ls"}, "output": "one two three".repeat(number),
            "metadata": {"output": output},
        });
        let call = json!({"type": "tool", "tool": "bash", "callID": "c", "state": state});
        put(server, session, &message, &part("c"), call, created);
    }
    server.set_status(session, &json!({"type": "idle"})).unwrap();
}
