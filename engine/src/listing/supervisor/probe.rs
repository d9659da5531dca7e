//! Asks a service whether it is well.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// Not at all; nothing is ever known against it.
    None,
    /// By a connection alone. The kernel completes it for a service that hangs, so that this finds dead services only: the fix that
    /// was proposed.
    Tcp,
    /// By `GET /health`, which the service itself has to answer.
    Http,
}

/// Bytes that an answer may have, its head included.
pub const ANSWER_BYTES: usize = 4 << 10;

/// Why a service is not well.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It listens where others could reach it.
    #[error(
        "{address} is not an address of this machine alone; let the service listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// Where.
        address: SocketAddr,
    },
    /// No connection came about.
    #[error("no connection to {address}: {source}; is the service still there?")]
    Connect {
        /// Where to.
        address: SocketAddr,
        /// What happened.
        source: io::Error,
    },
    /// The answer was not complete in time.
    #[error(
        "{address} took the connection and gave {bytes} bytes of an answer within {after_ms} ms; its loop may hang"
    )]
    Late {
        /// Who was asked.
        address: SocketAddr,
        /// The time that it had.
        after_ms: u64,
        /// What came of the answer.
        bytes: usize,
    },
    /// The connection broke.
    #[error("{address} broke the connection: {source}")]
    Broken {
        /// Who was asked.
        address: SocketAddr,
        /// What happened.
        source: io::Error,
    },
    /// The answer ended before it was complete.
    #[error("{address} ended its answer after {bytes} bytes, before it was complete")]
    Short {
        /// Who was asked.
        address: SocketAddr,
        /// What came of the answer.
        bytes: usize,
    },
    /// The answer is too long.
    #[error("{address} answered with more than {ANSWER_BYTES} bytes; the answer to /health has to be short")]
    Long {
        /// Who was asked.
        address: SocketAddr,
    },
    /// The answer is no HTTP.
    #[error("{address} answered, but not in HTTP; is it another service's port?")]
    NotHttp {
        /// Who was asked.
        address: SocketAddr,
    },
    /// The service says itself that it is not well.
    #[error("{address} answered /health with status {code}")]
    Status {
        /// Who was asked.
        address: SocketAddr,
        /// The status, which is none of 200 to 299.
        code: u16,
    },
}

/// Asks the service at `address`, and takes no longer than `deadline` for all of it.
///
/// # Errors
/// When it is not well, by what `health` can see.
pub fn probe(health: Health, address: SocketAddr, deadline: Duration) -> Result<(), ProbeError> {
    if health == Health::None {
        return Ok(());
    }
    if !address.ip().is_loopback() {
        return Err(ProbeError::NotLoopback { address });
    }
    let until = Instant::now() + deadline;
    let stream = TcpStream::connect_timeout(&address, deadline)
        .map_err(|source| ProbeError::Connect { address, source })?;
    match health {
        Health::None | Health::Tcp => Ok(()),
        Health::Http => Exchange { stream, address, deadline, until, answer: Vec::new() }.run(),
    }
}

/// One question and its answer.
struct Exchange {
    stream: TcpStream,
    address: SocketAddr,
    deadline: Duration,
    until: Instant,
    answer: Vec<u8>,
}

impl Exchange {
    fn run(mut self) -> Result<(), ProbeError> {
        let address = self.address;
        let question =
            format!("GET /health HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
        let left = self.left()?;
        let written = self
            .stream
            .set_write_timeout(Some(left))
            .and_then(|()| self.stream.write_all(question.as_bytes()));
        written.map_err(|source| self.broken(source))?;
        while !is_complete(&self.answer) {
            if self.read()? == 0 {
                break;
            }
        }
        self.judge()
    }

    /// What is left of the time, which is for the whole answer: one that comes byte by byte does not get more of it.
    fn left(&self) -> Result<Duration, ProbeError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.late()) } else { Ok(left) }
    }

    fn read(&mut self) -> Result<usize, ProbeError> {
        let left = self.left()?;
        let mut buffer = [0; 1024];
        let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
        match read {
            Ok(count) => {
                self.answer.extend_from_slice(&buffer[..count]);
                if self.answer.len() > ANSWER_BYTES {
                    return Err(ProbeError::Long { address: self.address });
                }
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read(),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn late(&self) -> ProbeError {
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        ProbeError::Late { address: self.address, after_ms, bytes: self.answer.len() }
    }

    /// A deadline that has passed is told as either of two kinds, by the operating system.
    fn broken(&self, source: io::Error) -> ProbeError {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.late(),
            _ => ProbeError::Broken { address: self.address, source },
        }
    }

    fn judge(&self) -> Result<(), ProbeError> {
        let (address, bytes) = (self.address, self.answer.len());
        let Some((head, body)) = head_and_body(&self.answer) else {
            let is_http = b"HTTP/1.".iter().zip(&self.answer).all(|(expected, byte)| expected == byte);
            return Err(if is_http {
                ProbeError::Short { address, bytes }
            } else {
                ProbeError::NotHttp { address }
            });
        };
        let Some(code) = status(head) else { return Err(ProbeError::NotHttp { address }) };
        if !(200..300).contains(&code) {
            return Err(ProbeError::Status { address, code });
        }
        if content_length(head).is_some_and(|length| body.len() < length) {
            return Err(ProbeError::Short { address, bytes });
        }
        Ok(())
    }
}

/// Whether nothing more has to be read. Without a length the answer goes on to the end of the connection, which was asked to be closed.
fn is_complete(answer: &[u8]) -> bool {
    head_and_body(answer)
        .is_some_and(|(head, body)| content_length(head).is_some_and(|length| body.len() >= length))
}

fn head_and_body(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((&answer[..end], &answer[end + 4..]))
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let (version, rest) = line.split_once(' ')?;
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    rest.get(..3)?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(head).ok()?;
    text.split("\r\n").skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests;
