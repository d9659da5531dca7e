//! A host and its view at the other end of a connection.

use std::sync::Arc;
use std::time::Duration;

use super::client::{Client, ClientError, Events};
use crate::view::host::{Call, Host};
use crate::view::pipeline::Traffic;
use crate::view::store::{Request, Store};
use crate::view::strategy::Strategy;

/// From one look at what a host gathers to the next: what the session that is shown waits for at most.
const TICK: Duration = Duration::from_millis(16);

/// A further attempt to connect waits at most so many times as long as the first.
const RETRY_MOST: u32 = 32;

/// How often something went wrong that does not end a connection, and how it did last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// How often.
    pub count: u64,
    /// The last time.
    pub last: Option<String>,
}

impl Noted {
    fn add(&mut self, why: impl ToString) {
        self.count += 1;
        self.last = Some(why.to_string());
    }
}

/// A host and a view whose server is a service. It does what a pipeline does in one process; as soon as there is a connection, and after
/// each one that was lost, the view asks for all it shows.
pub struct Remote {
    /// The host.
    pub host: Host,
    /// The view.
    pub view: Store,
    client: Client,
    events: Option<Events>,
    /// What is being asked: asked again, where the connection breaks before the answer.
    pending: Option<Arc<Call>>,
    traffic: Traffic,
    refused: Noted,
    unusable: Noted,
}

impl Remote {
    /// A host and a view that have been told nothing.
    pub fn new(client: Client, strategy: &Strategy) -> Remote {
        Remote {
            host: Host::new(strategy),
            view: Store::new(strategy),
            client,
            events: None,
            pending: None,
            traffic: Traffic::default(),
            refused: Noted::default(),
            unusable: Noted::default(),
        }
    }

    /// Connects, and asks for what is shown.
    ///
    /// # Errors
    /// When there is no connection, or the service refuses.
    pub async fn connect(&mut self, now_ms: i64) -> Result<(), ClientError> {
        // Whatever happens from here on is in the queue when the host says what it wants of it.
        self.events = Some(self.client.events(&[]).await?);
        self.host.connected();
        self.settle(now_ms).await
    }

    /// The connection is lost, or closed.
    pub fn disconnect(&mut self, why: &str) {
        if self.events.take().is_some() {
            self.host.lost(why);
        }
    }

    /// What a person does in the view: what it asks for is carried out.
    ///
    /// # Errors
    /// When the connection breaks. What was asked for is asked again when there is another one.
    pub async fn act(&mut self, requests: Vec<Request>, now_ms: i64) -> Result<(), ClientError> {
        requests.into_iter().for_each(|request| self.host.ask(request));
        self.settle(now_ms).await
    }

    /// Passes on what happens, until the view is as it should be. A connection that is lost is opened again, for as long as it takes.
    ///
    /// # Errors
    /// When the service refuses the connection, or says what cannot be read.
    pub async fn run(
        &mut self,
        clock: impl Fn() -> i64,
        mut until: impl FnMut(&Store) -> bool,
    ) -> Result<(), ClientError> {
        let first = self.client.limits().retry;
        let mut wait = first;
        while !until(&self.view) {
            match self.step(&clock).await {
                Ok(()) => wait = first,
                Err(error) if error.is_lost() => {
                    self.disconnect(&error.to_string());
                    tokio::time::sleep(wait).await;
                    wait = (2 * wait).min(RETRY_MOST * first);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes one frame, or looks at what was gathered.
    async fn step(&mut self, clock: &impl Fn() -> i64) -> Result<(), ClientError> {
        let Some(events) = &mut self.events else { return self.connect(clock()).await };
        let frame = tokio::select! {
            biased;
            frame = events.next() => Some(frame?),
            () = tokio::time::sleep(TICK) => None,
        };
        let now_ms = clock();
        if let Some(frame) = frame {
            self.traffic.frames += 1;
            self.traffic.frame_bytes += frame.len() as u64;
            if let Err(error) = self.host.receive(&frame, now_ms) {
                self.unusable.add(error);
            }
        }
        self.host.tick(now_ms);
        self.settle(now_ms).await
    }

    /// Carries out what the host asks for, and gives the view what is posted.
    async fn settle(&mut self, now_ms: i64) -> Result<(), ClientError> {
        loop {
            self.pending = self.pending.take().or_else(|| self.host.next_call().map(Arc::new));
            if let Some(call) = self.pending.clone() {
                match self.answer(&call).await {
                    Err(error @ ClientError::Refused { .. }) => self.refused.add(error),
                    other => other?,
                }
                self.pending = None;
                continue;
            }
            let Some(post) = self.host.next_post() else { return Ok(()) };
            self.traffic.posts += 1;
            self.traffic.post_bytes += post.len() as u64;
            match self.view.receive(&post, now_ms) {
                Ok(requests) => requests.into_iter().for_each(|request| self.host.ask(request)),
                Err(error) => self.unusable.add(error),
            }
        }
    }

    async fn answer(&mut self, call: &Call) -> Result<(), ClientError> {
        match call {
            Call::Interest(interest) => {
                // Without a stream there is nobody to tell; the next one begins with this.
                if let Some(stream) = self.events.as_ref().map(Events::number) {
                    self.client.set_interest(stream, interest).await?;
                }
            }
            Call::Sessions => {
                let sessions = self.client.sessions().await?;
                self.host.listed(&sessions);
            }
            Call::States => {
                let (asked, statuses) = self.client.states().await?;
                self.host.states(asked, &statuses);
            }
            Call::Do(request) => self.client.carry_out(request).await?,
            Call::Messages(load) => {
                let reply = self.client.messages(&load.session, load.before.as_deref(), load.limit).await?;
                self.traffic.loads += 1;
                self.traffic.loaded_bytes += reply.body.len() as u64;
                if let Err(error) = self.host.loaded(load, reply) {
                    self.unusable.add(error);
                }
            }
        }
        Ok(())
    }

    /// What went from stage to stage.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What the service has refused to do.
    pub fn refused(&self) -> &Noted {
        &self.refused
    }

    /// What the host or the view could not use, and went on without.
    pub fn unusable(&self) -> &Noted {
        &self.unusable
    }
}
