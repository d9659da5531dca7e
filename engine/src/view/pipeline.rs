//! Server, host and view in one process, on a clock that is passed in.

use serde_json::Value;

use super::host::{Call, Host, HostError};
use super::ledger::Ledgers;
use super::server::{ClientId, Interest, Server, ServerError};
use super::storage::{Cursor, Storage};
use super::store::{PostError, Request, Store};
use super::strategy::Strategy;

/// Why something did not get through.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The host could not use what it was given.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The view could not use what it was given.
    #[error(transparent)]
    View(#[from] PostError),
}

/// What went from stage to stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames from the server to the host.
    pub frames: u64,
    /// Their bytes.
    pub frame_bytes: u64,
    /// Bytes of messages that were asked for.
    pub loaded_bytes: u64,
    /// How many messages that were, each as often as it came.
    pub loaded_messages: u64,
    /// How often messages were asked for.
    pub loads: u64,
    /// Posts from the host to the view.
    pub posts: u64,
    /// Their bytes.
    pub post_bytes: u64,
}

/// Server, host and view.
pub struct Pipeline {
    /// The server.
    pub server: Server,
    /// The host.
    pub host: Host,
    /// The view.
    pub view: Store,
    client: ClientId,
    traffic: Traffic,
}

impl Pipeline {
    /// A pipeline over a storage. `directory` is where its sessions work.
    pub fn new(storage: Storage, strategy: &Strategy, directory: &str) -> Pipeline {
        let mut server = Server::new(storage, strategy, directory);
        let client = server.subscribe(Interest::All);
        let (host, view) = (Host::new(strategy), Store::new(strategy));
        Pipeline { server, host, view, client, traffic: Traffic::default() }
    }

    /// The view begins: it asks for the list of sessions, and for their states.
    ///
    /// # Errors
    /// When what is asked for cannot be had.
    pub fn begin(&mut self, now_ms: i64) -> Result<(), PipelineError> {
        self.host.connected();
        self.pump(now_ms)
    }

    /// The connection is lost.
    pub fn disconnect(&mut self, why: &str) {
        self.server.unsubscribe(self.client);
        self.host.lost(why);
    }

    /// The connection comes back.
    ///
    /// # Errors
    /// When what is asked for cannot be had.
    pub fn connect(&mut self, now_ms: i64) -> Result<(), PipelineError> {
        self.client = self.server.subscribe(Interest::All);
        self.host.connected();
        self.pump(now_ms)
    }

    /// What a person does in the view: what it asks for is carried out.
    ///
    /// # Errors
    /// When what is asked for cannot be had.
    pub fn act(&mut self, requests: Vec<Request>, now_ms: i64) -> Result<(), PipelineError> {
        requests.into_iter().for_each(|request| self.host.ask(request));
        self.settle(now_ms)?;
        self.pump(now_ms)
    }

    /// Passes on everything that waits, until nothing does.
    ///
    /// # Errors
    /// When something cannot be read, or what is asked for cannot be had.
    pub fn pump(&mut self, now_ms: i64) -> Result<(), PipelineError> {
        self.server.tick(now_ms)?;
        while let Some(frame) = self.server.next_frame(self.client) {
            self.traffic.frames += 1;
            self.traffic.frame_bytes += frame.len() as u64;
            self.host.receive(&frame, now_ms)?;
            drop(frame);
            self.settle(now_ms)?;
        }
        self.host.tick(now_ms);
        self.settle(now_ms)
    }

    /// Carries out what the host asks for, and gives the view what is posted.
    fn settle(&mut self, now_ms: i64) -> Result<(), PipelineError> {
        loop {
            while let Some(call) = self.host.next_call() {
                self.answer(call, now_ms)?;
            }
            let Some(post) = self.host.next_post() else { return Ok(()) };
            self.traffic.posts += 1;
            self.traffic.post_bytes += post.len() as u64;
            let requests = self.view.receive(&post, now_ms)?;
            drop(post);
            requests.into_iter().for_each(|request| self.host.ask(request));
        }
    }

    fn answer(&mut self, call: Call, now_ms: i64) -> Result<(), PipelineError> {
        match call {
            Call::Interest(interest) => self.server.set_interest(self.client, interest),
            Call::Sessions => {
                let sessions = self.server.sessions()?;
                self.host.listed(&sessions);
            }
            Call::States => {
                let asked: Vec<Value> = self.server.asked().cloned().collect();
                self.host.states(asked, &self.server.statuses()?);
            }
            Call::Do(request) => {
                let sent = match &request {
                    Request::SendMessage { session, message, .. } => Some((session.clone(), message.clone())),
                    _ => None,
                };
                self.server.carry_out(request, now_ms)?;
                sent.into_iter().for_each(|(session, message)| self.host.sent(&session, &message));
            }
            Call::Messages(load) => {
                let before =
                    load.before.as_deref().map(Cursor::from_text).transpose().map_err(ServerError::from)?;
                let reply = match self.server.messages(&load.session, before.as_ref(), load.limit) {
                    Err(ServerError::NoSession(session)) => {
                        self.host.gone(&session);
                        return Ok(());
                    }
                    reply => reply?,
                };
                self.traffic.loaded_messages += reply.messages as u64;
                self.traffic.loads += 1;
                self.traffic.loaded_bytes += reply.body.len() as u64;
                self.host.loaded(&load, reply)?;
            }
        }
        Ok(())
    }

    /// What the stages hold.
    pub fn ledgers(&self) -> Ledgers {
        Ledgers {
            server_rows: self.server.rows_ledger(),
            server_queues: self.server.queues_ledger(),
            host_transient: self.host.transient_ledger(),
            host_retained: self.host.retained_ledger(),
            view_heap: *self.view.ledger(),
            view_window: *self.view.window().ledger(),
        }
    }

    /// What went from stage to stage.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }
}
