//! The service by its sockets: what it answers, whom it refuses, and what it bounds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use highwater_engine::listing::serve::{self, ListenError, Options, ServeError, Times};
use highwater_engine::listing::strategy::{self, Strategy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A service on a thread of its own.
struct Service {
    home: TempDir,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

fn options(home: &Path, strategy: Strategy, times: Times) -> Options {
    let last = AtomicU64::new(0);
    let new_id = move || format!("new-{}", last.fetch_add(1, Ordering::Relaxed));
    Options {
        home: home.to_owned(),
        strategy,
        token: TOKEN.to_owned(),
        index: None,
        new_id: Box::new(new_id),
        times,
    }
}

impl Service {
    fn start(strategy: Strategy, times: Times) -> Service {
        let home = TempDir::new().unwrap();
        let options = options(home.path(), strategy, times);
        let (told, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
                let server = serve::start(listener, options).unwrap();
                told.send(server.address()).unwrap();
                let _ = stopped.await;
                server.shut_down().await;
            });
        });
        Service { home, address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    fn bounded() -> Service {
        Service::start(strategy::BOUNDED, Times::default())
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request as it is, and gives all that comes back.
    fn raw(&self, request: &str) -> String {
        let mut stream = self.connect();
        // Who refuses a request need not read it to its end.
        let _ = stream.write_all(request.as_bytes());
        rest(&mut stream)
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_with(method, path, body, &format!("Authorization: Bearer {TOKEN}\r\n"))
    }

    fn ask_with(&self, method: &str, path: &str, body: Option<Value>, headers: &str) -> (u16, Value) {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let length = body.len();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        parsed(&self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.address
        )))
    }

    fn create(&self, work_dir: &str) -> String {
        let (status, answer) = self.ask("POST", "/api/sessions", Some(json!({"workDir": work_dir})));
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    fn titles(&self) -> Vec<String> {
        let (_, page) = self.ask("GET", "/api/sessions", None);
        let rows = page["sessions"].as_array().unwrap();
        rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // What it said came before that.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8(bytes).unwrap()
}

fn parsed(response: &str) -> (u16, Value) {
    let status =
        response.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {response:?}")).parse().unwrap();
    let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn sessions_are_made_listed_renamed_read_and_deleted() {
    for (name, strategy) in strategy::named() {
        let service = Service::start(strategy, Times::default());
        let id = service.create("/w/one");
        assert_eq!(service.titles(), ["Untitled Session"], "{name}");
        let session = format!("/api/sessions/{id}");
        assert_eq!(service.ask("PATCH", &session, Some(json!({"title": "  A   title "}))).0, 200);
        assert_eq!(service.titles(), ["A title"], "{name}");
        for text in ["one", "two", "three"] {
            let record = json!({"type": "user", "uuid": text, "message": {"role": "user", "content": text}});
            assert_eq!(service.ask("POST", &format!("{session}/append"), Some(record)).0, 200);
        }
        let (_, page) = service.ask("GET", "/api/sessions?limit=5&offset=0", None);
        let row = &page["sessions"][0];
        assert_eq!(
            (&row["messageCount"], &row["workDir"], &page["total"]),
            (&json!(3), &json!("/w/one"), &json!(1))
        );
        let (_, first) = service.ask("GET", &format!("{session}/messages?limit=2"), None);
        assert_eq!(first["messages"][1]["text"], "two");
        let (_, second) =
            service.ask("GET", &format!("{session}/messages?limit=2&cursor={}", first["nextCursor"]), None);
        assert_eq!((&second["messages"][0]["text"], &second["nextCursor"]), (&json!("three"), &Value::Null));
        assert_eq!(
            service.ask("GET", &format!("{session}/messages?cursor=3"), None).1["error"]["code"],
            "BAD_CURSOR"
        );
        assert_eq!(service.ask("POST", &format!("{session}/clear"), None).0, 200);
        assert_eq!(service.ask("GET", &session, None).1["session"]["messageCount"], 0);
        let batch = json!({"ids": [id, "absent"]});
        let (_, answer) = service.ask("POST", "/api/sessions/batch-delete", Some(batch));
        assert_eq!((&answer["deleted"], &answer["failed"][0]["code"]), (&json!([id]), &json!("NO_SESSION")));
        assert!(service.titles().is_empty(), "{name}");
        // What was deleted is not started; what could not be deleted is not marked.
        assert_eq!(
            service.ask("POST", &format!("{session}/start"), None).1["error"]["code"],
            "SESSION_DELETED"
        );
        assert_eq!(service.ask("POST", "/api/sessions/absent/start", None).1["error"]["code"], "NO_SESSION");
    }
}

#[test]
fn a_search_and_wrong_numbers_are_answered() {
    let service = Service::bounded();
    for title in ["Red apple", "Green apple", "Red plum"] {
        service.ask("POST", "/api/sessions", Some(json!({"workDir": "/w", "title": title})));
    }
    let (_, page) = service.ask("GET", "/api/sessions?q=APPLE&limit=1", None);
    assert_eq!((&page["total"], page["sessions"].as_array().unwrap().len()), (&json!(2), 1));
    for bad in ["limit=0", "limit=1001", "limit=x", "offset=-1"] {
        let (status, answer) = service.ask("GET", &format!("/api/sessions?{bad}"), None);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("BAD_NUMBER")), "{bad}");
    }
}

#[test]
fn only_who_knows_the_token_and_comes_from_here_is_let_in() {
    let service = Service::bounded();
    let code = |headers: &str| {
        let (status, answer) = service.ask_with("GET", "/api/sessions", None, headers);
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(code(""), (401, "NO_TOKEN".to_owned()));
    assert_eq!(code("Authorization: Bearer 0123456789abcdef\r\n"), (401, "WRONG_TOKEN".to_owned()));
    assert_eq!(code(&format!("Authorization: Basic {TOKEN}\r\n")), (401, "NO_TOKEN".to_owned()));
    assert_eq!(code(&format!("{right}Origin: https://example.com\r\n")), (403, "WRONG_ORIGIN".to_owned()));
    assert_eq!(code(&format!("{right}Origin: null\r\n")), (403, "WRONG_ORIGIN".to_owned()));
    assert_eq!(code(&format!("{right}Origin: http://{}\r\n", service.address)), (200, String::new()));
    // A name that somebody else made lead here.
    let port = service.address.port();
    let named =
        |host: &str| {
            parsed(&service.raw(&format!(
                "GET /api/sessions HTTP/1.1\r\nHost: {host}\r\n{right}Connection: close\r\n\r\n"
            )))
            .0
        };
    assert_eq!(named(&format!("example.com:{port}")), 403);
    assert_eq!(named(&format!("127.0.0.1:{port}.example.com")), 403);
    assert_eq!(named(&format!("localhost:{port}")), 200);
    // Every route asks, but the one that tells nothing.
    for path in ["/api/stats", "/api/sessions/x", "/api/sessions/x/messages", "/ws/x", "/sdk/x"] {
        assert_eq!(service.ask_with("GET", path, None, "").0, 401, "{path}");
    }
    assert_eq!(service.ask_with("GET", "/health", None, ""), (200, json!({"ok": true})));
}

#[test]
fn it_listens_for_this_machine_only() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = runtime.block_on(serve::listen(everywhere, false));
    assert!(matches!(refused, Err(ListenError::NotLoopback(_))));
    assert!(runtime.block_on(serve::listen(everywhere, true)).is_ok());
    let home = TempDir::new().unwrap();
    let weak = runtime.block_on(async {
        let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
        let options = Options {
            token: "short".to_owned(),
            ..options(home.path(), strategy::BOUNDED, Times::default())
        };
        serve::start(listener, options).err()
    });
    assert!(matches!(weak, Some(ServeError::WeakToken)));
}

#[test]
fn an_id_never_leaves_the_folder() {
    let service = Service::bounded();
    service.create("/w/one");
    let secret = service.home.path().join("secret.jsonl");
    std::fs::write(&secret, "{}\n").unwrap();
    for id in [
        "..%2F..%2Fsecret",
        "%2e%2e",
        "..%5C..%5Csecret",
        "a%00b",
        "-w-one%2Fnew-0",
        "x".repeat(129).as_str(),
    ] {
        for (method, tail) in
            [("GET", ""), ("DELETE", ""), ("GET", "/messages"), ("POST", "/clear"), ("POST", "/start")]
        {
            let (status, answer) = service.ask(method, &format!("/api/sessions/{id}{tail}"), None);
            assert_eq!((status, &answer["error"]["code"]), (400, &json!("BAD_ID")), "{method} {id}{tail}");
        }
    }
    assert!(secret.exists());
    // A working directory becomes the name of one directory.
    let id = service.create("/../../../etc/x");
    let found =
        service.home.path().join(".claude/projects").join("----------etc-x").join(format!("{id}.jsonl"));
    assert!(found.exists());
}

#[test]
fn heads_bodies_and_slow_clients_are_bounded() {
    let short = Duration::from_millis(300);
    let service = Service::start(strategy::BOUNDED, Times { head: short, body: short, ..Times::default() });
    let right = format!("Host: {}\r\nAuthorization: Bearer {TOKEN}\r\n", service.address);
    let big =
        service.raw(&format!("GET /api/sessions HTTP/1.1\r\n{right}X: {}\r\n\r\n", "x".repeat(10 << 20)));
    assert!(big.is_empty() || big.starts_with("HTTP/1.1 431"), "{}", &big[..big.len().min(80)]);

    // A body that says that it is too large, and one that turns out to be.
    let post = format!("POST /api/sessions HTTP/1.1\r\n{right}Content-Type: application/json\r\n");
    let told = service.raw(&format!("{post}Content-Length: 1073741824\r\nConnection: close\r\n\r\n{{"));
    assert!(told.starts_with("HTTP/1.1 413") || told.starts_with("HTTP/1.1 408"), "{told}");
    let mut stream = service.connect();
    write!(stream, "{post}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let sent = (0..16_384).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count();
    assert!(sent < 16_384, "a gigabyte was taken");
    assert!(sent * 0x10000 < 64 << 20, "{sent} chunks were taken");

    // Heads and bodies that come too slowly.
    let slow = |first: &str| {
        let mut stream = service.connect();
        stream.write_all(first.as_bytes()).unwrap();
        let begun = Instant::now();
        let answer = rest(&mut stream);
        assert!(begun.elapsed() < Duration::from_secs(10));
        answer
    };
    assert!(!slow("GET /api/sess").contains("200"));
    // One that was answered, and says nothing more.
    assert!(slow(&format!("GET /api/sessions HTTP/1.1\r\n{right}\r\n")).starts_with("HTTP/1.1 200"));
    assert!(slow(&format!("{post}Content-Length: 30\r\n\r\n{{")).starts_with("HTTP/1.1 408"));
    // And everybody else is served.
    assert_eq!(service.ask("GET", "/api/sessions", None).0, 200);
}

#[test]
fn bodies_are_what_they_should_be() {
    let service = Service::bounded();
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    let post = |kind: &str, body: &str| {
        let text = format!(
            "POST /api/sessions HTTP/1.1\r\nHost: {}\r\n{right}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            service.address,
            body.len()
        );
        let (status, answer) = parsed(&service.raw(&text));
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    // A form of a page elsewhere can send text without being asked whether it may.
    assert_eq!(post("text/plain", r#"{"workDir":"/w"}"#), (415, "NOT_JSON".to_owned()));
    assert_eq!(post("application/json", "{"), (400, "BAD_JSON".to_owned()));
    assert_eq!(post("application/json", r#"{"workDir":"/w","x":1}"#), (400, "BAD_JSON".to_owned()));
    assert_eq!(post("application/json", r#"{"workDir":""}"#), (400, "BAD_VALUE".to_owned()));
    let id = service.create("/w");
    let (status, _) = service.ask("POST", &format!("/api/sessions/{id}/append"), Some(json!([1])));
    assert_eq!(status, 400);
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(address: SocketAddr, path: &str) -> Socket {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    let protocols = format!("highwater, bearer.{TOKEN}");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocols.parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap();
    match message.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        Message::Close(frame) => json!({"closed": frame.map(|frame| u16::from(frame.code))}),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_live_session_talks_asks_and_ends() {
    let service =
        Service::start(strategy::BOUNDED, Times { idle: Duration::from_millis(700), ..Times::default() });
    let address = service.address;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = open(address, "/ws/s1").await;
        say(&mut client, json!({"type": "ping"})).await;
        assert_eq!(hear(&mut client).await, json!({"type": "pong"}));
        say(&mut client, json!({"type": "user_message", "content": "hello"})).await;
        assert_eq!(hear(&mut client).await["code"], "NO_PROCESS");
        say(&mut client, json!({"type": "nonsense"})).await;
        assert_eq!(hear(&mut client).await["code"], "BAD_MESSAGE");

        let mut process = open(address, "/sdk/s1").await;
        say(&mut process, json!({"type": "system", "subtype": "init", "slash_commands": ["help"]})).await;
        assert_eq!(hear(&mut client).await["message"]["subtype"], "init");
        say(&mut client, json!({"type": "user_message", "content": "hello"})).await;
        assert_eq!(hear(&mut process).await["message"]["content"], "hello");
        say(
            &mut process,
            json!({"type": "control_request", "request_id": "r1", "request": {"tool": "Bash"}}),
        )
        .await;
        let asked = hear(&mut client).await;
        assert_eq!((&asked["requestId"], &asked["request"]["tool"]), (&json!("r1"), &json!("Bash")));
        say(&mut client, json!({"type": "permission_response", "requestId": "r1", "allow": false})).await;
        assert_eq!(hear(&mut process).await["response"]["behavior"], "deny");

        // Who is silent for too long is let go.
        assert_eq!(hear(&mut client).await, json!({"closed": 1008}));
    });
    let (_, stats) = service.ask("GET", "/api/stats", None);
    assert!(stats["containers"]["sessions"].as_u64() <= Some(1), "{stats}");
}

#[test]
fn who_listens_too_slowly_is_let_go_and_a_stop_is_told() {
    let service =
        Service::start(strategy::BOUNDED, Times { idle: Duration::from_secs(2), ..Times::default() });
    let address = service.address;
    let id = service.create("/w");
    let clients = || service.ask("GET", &format!("/api/sessions/{id}"), None).1["live"]["clients"].as_u64();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut idle = runtime.block_on(async {
        let _slow = open(address, &format!("/ws/{id}")).await;
        let mut process = open(address, &format!("/sdk/{id}")).await;
        assert_eq!(clients(), Some(1));
        let text = "x".repeat(200_000);
        for _ in 0..400 {
            say(&mut process, json!({"type": "assistant", "text": text})).await;
        }
        say(&mut process, json!({"type": "result"})).await;
        for _ in 0..200 {
            if clients() == Some(0) {
                return open(address, "/ws/s2").await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the slow client is still there");
    });
    drop(service);
    assert_eq!(runtime.block_on(hear(&mut idle)), json!({"closed": 1001}));
}
