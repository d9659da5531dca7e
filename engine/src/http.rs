//! What the services of all families share: who may ask, how long things may take, and how refusals are said.

mod access;
mod asked;
mod connections;
mod failure;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;

pub(crate) use access::{Access, check};
pub(crate) use asked::{json_of, number};
pub(crate) use connections::Connections;
pub(crate) use failure::Failure;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Until the head of a request has come, also of the next one on a connection that stays open.
    pub head: Duration,
    /// Until the body of a request has come.
    pub body: Duration,
    /// From one message of a WebSocket to the next.
    pub idle: Duration,
    /// From one look at what is due to the next.
    pub tick: Duration,
    /// For what is under way when the service stops.
    pub stop: Duration,
}

impl Default for Times {
    /// Those of the real service, where it has them.
    fn default() -> Times {
        Times {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            tick: Duration::from_secs(1),
            stop: Duration::from_secs(5),
        }
    }
}

/// Why a service cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Others than this machine could reach the address.
    #[error(
        "{0} can be reached from other machines; take a loopback address such as 127.0.0.1, or say that this is wanted"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("failed to listen on {address}: {source}")]
    Failed {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Listens on an address: only on this machine's own, unless others are wanted.
///
/// # Errors
/// When others could reach it, or it cannot be had.
pub async fn listen(address: SocketAddr, others_wanted: bool) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() && !others_wanted {
        return Err(ListenError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| ListenError::Failed { address, source })
}

/// Where a listener listens.
pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    let unspecified = SocketAddr::from((IpAddr::from([0, 0, 0, 0]), 0));
    listener.local_addr().map_err(|source| ListenError::Failed { address: unspecified, source })
}
