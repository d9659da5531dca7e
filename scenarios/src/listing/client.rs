//! An application's side of the service: requests by HTTP, and a WebSocket.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The token of the services of scenarios, which nobody else can reach.
pub(super) const TOKEN: &str = "scenario-scenario-scenario";

/// A connection that stays open.
pub(super) struct Client {
    address: SocketAddr,
    requests: SendRequest<Full<Bytes>>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

fn in_words(error: impl std::fmt::Display) -> String {
    format!("the service could not be asked: {error}")
}

impl Client {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> Result<Client, String> {
        let stream = TcpStream::connect(address).await.map_err(in_words)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(in_words)?;
        // It ends with the connection.
        tokio::spawn(connection);
        Ok(Client { address, requests })
    }

    /// Asks for something.
    pub(super) async fn get(&mut self, path: &str) -> Result<Reply, String> {
        self.send(Method::GET, path, None).await
    }

    /// Sends a request, with a body of JSON or none.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Reply, String> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(in_words)?;
        let response = self.requests.send_request(request).await.map_err(in_words)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(in_words)?.to_bytes();
        Ok(Reply { status, body })
    }
}

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the WebSocket of a session.
pub(super) async fn open(address: SocketAddr, path: &str) -> Result<Socket, String> {
    let mut request = format!("ws://{address}{path}").into_client_request().map_err(in_words)?;
    let protocols = format!("highwater, bearer.{TOKEN}").parse().map_err(in_words)?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocols);
    let (socket, _) = tokio_tungstenite::connect_async(request).await.map_err(in_words)?;
    Ok(socket)
}
