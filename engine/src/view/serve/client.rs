//! A client of the service: it asks by HTTP, and reads the events as they come.

mod calls;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::Instant;

use self::wire::Wire;
use super::events::CLIENT;
use super::frames::{FrameError, Frames};

/// What a client bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an event at most. As reported an event may hold whole files.
    pub frame: usize,
    /// Bytes of an answer at most. As reported an answer may hold a whole session.
    pub body: usize,
    /// Until an answer has come.
    pub answer: Duration,
    /// Without a word on the event stream, until it counts as lost: three signs of life.
    pub silence: Duration,
    /// From a lost connection to the first attempt to have another one; each further one waits twice as long, up to 32 times this.
    pub retry: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frame: 64 << 20,
            body: 256 << 20,
            answer: Duration::from_secs(30),
            silence: 3 * super::HEARTBEAT,
            retry: Duration::from_millis(100),
        }
    }
}

/// Why a client did not get what it wanted.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("failed to connect to {address}: {source}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection is lost: {0}")]
    Lost(#[from] hyper::Error),
    /// The service has ended the event stream.
    #[error("the event stream has ended")]
    Ended,
    /// Nothing came for too long.
    #[error("nothing came for {0:?}")]
    Silent(Duration),
    /// The service says no.
    #[error("{what} is refused with {status}: {why}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The status of the answer.
        status: u16,
        /// What it says.
        why: String,
    },
    /// An event that cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// An answer that is too long to be kept.
    #[error("the answer to {what} has more than {most} bytes; allow more, or ask for less")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The limit.
        most: usize,
    },
    /// An answer that is not what it should be.
    #[error("the answer to {what} cannot be read: {why}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// Why.
        why: String,
    },
}

impl ClientError {
    /// Whether another connection may help.
    pub fn is_lost(&self) -> bool {
        use ClientError::{Connect, Ended, Lost, Silent};
        matches!(self, Connect { .. } | Lost(_) | Ended | Silent(_))
    }
}

/// A client of a service. It has one connection for what it asks, which it opens when it needs it.
pub struct Client {
    address: SocketAddr,
    token: String,
    limits: Limits,
    wire: Option<Wire>,
}

/// What was answered.
struct Answer {
    what: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// A client of the service at an address, which asks for the token.
    pub fn new(address: SocketAddr, token: &str, limits: Limits) -> Client {
        Client { address, token: token.to_owned(), limits, wire: None }
    }

    /// What it bears.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Listens to what happens in some sessions, or in all of them if none is named, on a connection of its own.
    ///
    /// # Errors
    /// When there is no connection, or the service refuses.
    pub async fn events(&self, sessions: &[&str]) -> Result<Events, ClientError> {
        let named: Vec<String> =
            sessions.iter().map(|id| format!("session={}", calls::encoded(id))).collect();
        let path = format!("/event?{}", named.join("&"));
        let opened = async {
            let mut wire = Wire::open(self.address).await?;
            let response = wire.send(self.request(&Method::GET, &path, None)?).await?;
            Ok((wire, response))
        };
        let (wire, response) = within(self.limits.answer, opened).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refused("GET /event".to_owned(), response).await);
        }
        let number = response.headers().get(CLIENT).and_then(|number| number.to_str().ok()?.parse().ok());
        let no_number =
            || ClientError::Unreadable { what: "GET /event".to_owned(), why: format!("it has no {CLIENT}") };
        let number = number.ok_or_else(no_number)?;
        let (silence, body) = (self.limits.silence, response.into_body());
        let frames = Frames::new(self.limits.frame);
        Ok(Events { number, body, frames, silence, heard: Instant::now(), _wire: wire })
    }

    /// Asks for something, and reads the whole answer. A connection that was open already may have been closed at the other end meanwhile:
    /// then it is asked again on a new one. Nothing that is asked here does more when it is asked twice.
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, ClientError> {
        let body = body.map(Bytes::from);
        if let Some(wire) = self.wire.take().filter(|wire| !wire.is_closed()) {
            match self.call_on(wire, &method, path, body.clone()).await {
                Err(ClientError::Lost(_)) => {}
                other => return other,
            }
        }
        let wire = within(self.limits.answer, Wire::open(self.address)).await?;
        self.call_on(wire, &method, path, body).await
    }

    async fn call_on(
        &mut self,
        mut wire: Wire,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Answer, ClientError> {
        let what = format!("{method} {path}");
        let request = self.request(method, path, body)?;
        let answered = async {
            let response = wire.send(request).await?;
            if !response.status().is_success() {
                return Err(self.refused(what, response).await);
            }
            let (head, body) = response.into_parts();
            let body = read(body, self.limits.body, &what).await?;
            Ok(Answer { what, headers: head.headers, body })
        };
        let answer = within(self.limits.answer, answered).await?;
        // Only a connection whose answer was read to its end can be asked again.
        self.wire = Some(wire);
        Ok(answer)
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", self.address.to_string());
        let mut request = request.header("authorization", format!("Bearer {}", self.token));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let what = || format!("{method} {path}");
        let unsayable =
            |why: axum::http::Error| ClientError::Unreadable { what: what(), why: why.to_string() };
        request.body(Full::new(body.unwrap_or_default())).map_err(unsayable)
    }

    async fn refused(&self, what: String, response: Response<Incoming>) -> ClientError {
        let status = response.status().as_u16();
        let body = read(response.into_body(), self.limits.body, &what).await.unwrap_or_default();
        let said: Option<Value> = serde_json::from_slice(&body).ok();
        let why = said.as_ref().and_then(|said| said.pointer("/error/message")?.as_str());
        ClientError::Refused { what, status, why: why.unwrap_or("it does not say why").to_owned() }
    }
}

/// What happens, as it comes. What is not read waits at the server.
pub struct Events {
    number: u64,
    body: Incoming,
    frames: Frames,
    silence: Duration,
    heard: Instant,
    _wire: Wire,
}

impl Events {
    /// The number of this stream at the server.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next frame. Nothing is lost when this is not waited for to its end.
    ///
    /// # Errors
    /// When the stream ends, breaks, is silent for too long, or has a frame that cannot be read.
    pub async fn next(&mut self) -> Result<String, ClientError> {
        loop {
            if let Some(frame) = self.frames.next()? {
                return Ok(frame);
            }
            let piece = tokio::time::timeout_at(self.heard + self.silence, self.body.frame()).await;
            let piece = piece.map_err(|_| ClientError::Silent(self.silence))?.ok_or(ClientError::Ended)??;
            self.heard = Instant::now();
            if let Ok(data) = piece.into_data() {
                self.frames.push(data);
            }
        }
    }
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    tokio::time::timeout(time, work).await.unwrap_or(Err(ClientError::Silent(time)))
}

/// A whole body, of at most so many bytes.
async fn read(mut body: Incoming, most: usize, what: &str) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.frame().await {
        let Ok(piece) = piece?.into_data() else { continue };
        if bytes.len() + piece.len() > most {
            return Err(ClientError::TooLarge { what: what.to_owned(), most });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
