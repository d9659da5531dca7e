//! Who may ask: programs of this machine that know the token, and no page of a browser that came from elsewhere.

use std::net::SocketAddr;

use axum::extract::{Request, State as Extracted};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Failure;

/// How a WebSocket of a browser, which cannot set other headers, tells the token: as a protocol with this beginning.
const BEARER_PROTOCOL: &str = "bearer.";

/// What is asked of a request.
#[derive(Clone)]
pub(crate) struct Access {
    /// Digests compare in a time that does not depend on how much of them is equal.
    token: blake3::Hash,
    address: SocketAddr,
}

impl Access {
    pub(crate) fn new(token: &str, address: SocketAddr) -> Access {
        Access { token: blake3::hash(token.as_bytes()), address }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(HOST).unwrap_or_default();
        if !self.is_own(host) {
            let why = "the Host of the request is not this service: a name that leads here is not enough";
            return Err(Failure::new(StatusCode::FORBIDDEN, "WRONG_HOST", why));
        }
        if let Some(origin) = text(ORIGIN) {
            let from = origin.split_once("://").map_or("", |(_, from)| from);
            if from != host {
                let why = "pages of another origin may not ask";
                return Err(Failure::new(StatusCode::FORBIDDEN, "WRONG_ORIGIN", why));
            }
        }
        let bearer = |value: &'_ str| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        };
        let told = text(AUTHORIZATION).and_then(bearer).or_else(|| {
            let mut protocols = text(SEC_WEBSOCKET_PROTOCOL)?.split(',').map(str::trim);
            protocols.find_map(|protocol| protocol.strip_prefix(BEARER_PROTOCOL)).map(str::to_owned)
        });
        match told {
            Some(token) if blake3::hash(token.as_bytes()) == self.token => Ok(()),
            Some(_) => Err(Failure::new(
                StatusCode::UNAUTHORIZED,
                "WRONG_TOKEN",
                "the token is not that of this service",
            )),
            None => {
                let why = "no token: send the header `Authorization: Bearer TOKEN`";
                Err(Failure::new(StatusCode::UNAUTHORIZED, "NO_TOKEN", why))
            }
        }
    }

    /// Whether a Host is this service: by its address, or by a name that can only be this machine's. Otherwise a page could reach it by a name of
    /// its own that leads here.
    fn is_own(&self, host: &str) -> bool {
        if host == self.address.to_string() {
            return true;
        }
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        // One that listens on every address is reached by names that it does not know.
        let is_anywhere = self.address.ip().is_unspecified();
        (is_here || is_anywhere) && port == self.address.port().to_string()
    }
}

/// Lets a request through, or says why not.
pub(crate) async fn check(Extracted(access): Extracted<Access>, request: Request, next: Next) -> Response {
    match access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}
