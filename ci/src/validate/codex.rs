//! Codex CLI itself: the threads that it lists, and the prompts of each as it reads them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;
use crate::validate::process::wait;

const NAME: &str = "codex";

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Where threads come from: without the list, those of other programs and of subagents are not listed.
const SOURCES: [&str; 10] = [
    "cli",
    "vscode",
    "exec",
    "appServer",
    "subAgent",
    "subAgentReview",
    "subAgentCompact",
    "subAgentThreadSpawn",
    "subAgentOther",
    "unknown",
];

/// Compares the prompts of every thread.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    if bench.manifest.of(NAME).next().is_none() {
        return Ok(Vec::new());
    }
    let mut comparison = Comparison::new(NAME, "threads");
    for file in bench.manifest.of(NAME).filter(|file| file.sessions > 0 && file.requests > 0) {
        let Some(id) = bench.manifest.session_id(&file.path) else { continue };
        if let Some(why) = at(NAME, file) {
            comparison.leave_out(id, why);
        }
        // A thread that is also in the archive is one thread to it.
        if !file.has("copied") {
            comparison.tell(id, &[("prompts", file.requests)]);
        }
    }
    let mut server = Server::start(bench)?;
    for id in server.threads()? {
        let prompts = server.prompts(&id)?;
        comparison.find(&id, &[("prompts", prompts)]);
    }
    server.stop()?;
    Ok(vec![comparison])
}

/// A running `codex app-server`, which is asked by JSON-RPC, a message a line.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    asked: u64,
}

impl Server {
    fn start(bench: &Bench<'_>) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("failed to start codex app-server: {error}");
        let err = std::fs::File::create(bench.home.scratch.join("stderr")).map_err(failed)?;
        let mut command = bench.home.command(bench.programs.join(NAME));
        command.args(["app-server", "-c", "analytics.enabled=false"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(err);
        let mut child = command.spawn().map_err(failed)?;
        let (sender, lines) = channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let input = child.stdin.take();
        let mut server = Server { child, input, lines, asked: 0 };
        server.ask(
            "initialize",
            json!({"clientInfo": {"name": "highwater", "title": "highwater", "version": "0"}}),
        )?;
        server.say(&json!({"method": "initialized"}))?;
        Ok(server)
    }

    fn say(&mut self, message: &Value) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("codex app-server takes no input")?;
        writeln!(input, "{message}")
            .and_then(|()| input.flush())
            .map_err(|error| format!("codex app-server has ended: {error}"))
    }

    /// Asks and waits for the answer; what it says by itself is passed over.
    fn ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({"id": id, "method": method, "params": params}))?;
        let began = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(began.elapsed());
            let line = self.lines.recv_timeout(left).map_err(|_| {
                format!("codex app-server did not answer {method} within {} s", LIMIT.as_secs())
            })?;
            let Ok(mut said) = serde_json::from_str::<Value>(&line) else { continue };
            if said["id"] == id {
                return match said.get("error") {
                    Some(error) => Err(format!("codex app-server refused {method} {params}: {error}")),
                    None => Ok(said["result"].take()),
                };
            }
        }
    }

    /// The ids of all threads, archived ones too.
    fn threads(&mut self) -> Result<Vec<String>, String> {
        let mut threads = Vec::new();
        for archived in [false, true] {
            let mut cursor = Value::Null;
            loop {
                let params = json!({"limit": 100, "cursor": cursor, "archived": archived,
                    "modelProviders": [], "sourceKinds": SOURCES});
                let page = self.ask("thread/list", params)?;
                let ids =
                    page["data"].as_array().into_iter().flatten().filter_map(|thread| thread["id"].as_str());
                threads.extend(ids.map(str::to_owned));
                cursor = page["nextCursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
        }
        Ok(threads)
    }

    fn prompts(&mut self, thread: &str) -> Result<u64, String> {
        let read = self.ask("thread/read", json!({"threadId": thread, "includeTurns": true}))?;
        let turns = read["thread"]["turns"].as_array().cloned().unwrap_or_default();
        let items = turns.iter().filter_map(|turn| turn["items"].as_array()).flatten();
        Ok(items.filter(|item| item["type"] == "userMessage").count() as u64)
    }

    /// Ends it as an editor does: by closing its input.
    fn stop(mut self) -> Result<(), String> {
        self.input = None;
        wait(&mut self.child, Duration::from_secs(20))
            .map(drop)
            .map_err(|why| format!("codex app-server {why}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After an error it still runs; one that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
