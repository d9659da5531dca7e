//! The stream of what happens, for one client.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::state::{Next, Shared};
use crate::http::Failure;
use crate::view::server::{ClientId, Interest};

/// The header that tells a client the number of its stream.
pub(super) const CLIENT: &str = "x-client";

/// Until the server is looked at again that somebody else has.
const BUSY: Duration = Duration::from_millis(1);

/// A client that listens, until this is dropped.
struct Subscriber {
    state: Shared,
    client: ClientId,
    number: u64,
    bell: watch::Receiver<()>,
    stopped: watch::Receiver<bool>,
}

/// Subscribes, and answers with a stream that ends when the client goes or the service stops.
pub(super) async fn open(state: &Shared, interest: Interest) -> Result<Response, Failure> {
    let shared = Arc::clone(state);
    // A client that goes before it gets its stream has subscribed nevertheless: then this is dropped where it is made.
    let subscriber = state.blocking(move |server| {
        let client = server.subscribe(interest);
        let (number, bell, stopped) = (shared.enter(client), shared.bell(), shared.stopped.clone());
        Subscriber { state: shared, client, number, bell, stopped }
    });
    let subscriber = subscriber.await?;
    let number = subscriber.number.to_string();
    let chunks = stream::unfold(subscriber, |mut subscriber| async {
        let frame = subscriber.next().await?;
        Some((Ok::<Bytes, Infallible>(written(&frame)), subscriber))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, [(CLIENT, number)], Body::from_stream(chunks)).into_response())
}

/// A frame as an event. It is JSON on one line.
fn written(frame: &str) -> Bytes {
    let mut text = String::with_capacity(frame.len() + 8);
    text.push_str("data: ");
    text.push_str(frame);
    text.push_str("\n\n");
    text.into()
}

impl Subscriber {
    /// The next frame; none when the service stops.
    async fn next(&mut self) -> Option<Arc<str>> {
        loop {
            if *self.stopped.borrow() {
                return None;
            }
            // A ring from now on is heard, also while the queue is looked at.
            self.bell.borrow_and_update();
            match self.state.next_frame(self.client) {
                Next::Frame(frame) => return Some(frame),
                Next::Busy => tokio::time::sleep(BUSY).await,
                Next::Nothing => tokio::select! {
                    rung = self.bell.changed() => rung.ok()?,
                    _ = self.stopped.changed() => {}
                },
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let (state, number) = (Arc::clone(&self.state), self.number);
        match Handle::try_current() {
            // The loop does not wait until the server is free.
            Ok(runtime) => drop(runtime.spawn_blocking(move || state.leave(number))),
            Err(_) => state.leave(number),
        }
    }
}
