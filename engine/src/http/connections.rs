//! Connections: a bounded number, each with deadlines, so that slow ones cost little and end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use super::Times;

/// Most connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 512;
/// Bytes of the head of a request, and of what is read ahead.
const HEAD_BYTES: usize = 32 * 1024;

/// Serves connections.
pub(crate) struct Connections {
    pub(crate) router: Router,
    pub(crate) times: Times,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Connections {
    /// Accepts until the service stops, and then waits for what is under way.
    pub(crate) async fn accept(mut self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut open = JoinSet::new();
        loop {
            let accepted = async {
                let place = Arc::clone(&room).acquire_owned().await.ok()?;
                Some((listener.accept().await, place))
            };
            let accepted = tokio::select! {
                accepted = accepted => accepted,
                _ = self.stopped.wait_for(|stopped| *stopped) => break,
            };
            while open.try_join_next().is_some() {}
            match accepted {
                Some((Ok((stream, _)), place)) => {
                    let serve = serve(stream, self.router.clone(), self.times, self.stopped.clone());
                    open.spawn(async move {
                        serve.await;
                        drop(place);
                    });
                }
                // Such as too many open files: those that are open end some time.
                Some((Err(_), _)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                None => break,
            }
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }
}

async fn serve(stream: TcpStream, router: Router, times: Times, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            use tower_service::Service;
            let response = router.clone().call(request.map(Body::new)).await;
            response.map_err(|never: Infallible| never)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(times.head).max_buf_size(HEAD_BYTES);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(times.idle));
    let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // A connection that fails is its client's affair.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
