//! Who reads the files for a list, and how many do it at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::body::Bytes;
use tokio::sync::oneshot;

use super::state::{Clock, lock};
use crate::listing::catalog::{Begun, Catalog, Stats, texts};
use crate::listing::row::{Page, Query};
use crate::listing::strategy::{Cache, Read, Strategy};

/// Requests that wait for the thread that reads, at most.
const WAITING: usize = 1024;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
#[error("the list could not be made: {0}")]
pub(super) struct ListError(String);

/// What is done at present, and what was the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Scans of files that are under way.
    pub scans: u64,
    /// The most that were at one time.
    pub most_scans: u64,
    /// What the catalog has done, and what it holds.
    pub catalog: Stats,
}

#[derive(Default)]
struct Counter {
    now: AtomicU64,
    most: AtomicU64,
}

/// A scan that is under way.
struct UnderWay(Arc<Counter>);

impl UnderWay {
    fn begin(counter: &Arc<Counter>) -> UnderWay {
        let now = counter.now.fetch_add(1, Ordering::Relaxed) + 1;
        counter.most.fetch_max(now, Ordering::Relaxed);
        UnderWay(Arc::clone(counter))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes lists.
pub(super) struct Lister {
    counter: Arc<Counter>,
    way: Way,
}

enum Way {
    /// On the service's loop.
    Loop(Arc<OnLoop>),
    /// On a thread of its own.
    Thread(Mutex<Option<Indexer>>, Arc<Mutex<Told>>),
}

struct OnLoop {
    catalog: Mutex<Catalog>,
    read: Read,
    /// Where only one scan may be under way: the others wait for it, and then find its page.
    one: Option<tokio::sync::Mutex<()>>,
    clock: Clock,
}

/// What the thread said of itself after its last list.
#[derive(Default)]
struct Told {
    stats: Stats,
    index_failure: Option<String>,
}

/// The thread that reads, and how it is asked.
struct Indexer {
    requests: SyncSender<Request>,
    thread: JoinHandle<()>,
}

struct Request {
    query: Query,
    reply: oneshot::Sender<Result<Bytes, String>>,
}

impl Lister {
    pub(super) fn new(catalog: Catalog, strategy: &Strategy, clock: Clock) -> Lister {
        let counter = Arc::new(Counter::default());
        let way = if strategy.cache == Cache::Index {
            let told = Arc::new(Mutex::new(Told::default()));
            let (requests, asked) = sync_channel(WAITING);
            let (tell, count) = (Arc::clone(&told), Arc::clone(&counter));
            let thread = std::thread::spawn(move || answer_all(&asked, catalog, &tell, &count, clock));
            Way::Thread(Mutex::new(Some(Indexer { requests, thread })), told)
        } else {
            let one = (strategy.cache == Cache::Pages).then(tokio::sync::Mutex::default);
            Way::Loop(Arc::new(OnLoop { catalog: Mutex::new(catalog), read: strategy.read, one, clock }))
        };
        Lister { counter, way }
    }

    /// Makes a list, as a JSON text.
    pub(super) async fn list(&self, query: Query) -> Result<Bytes, ListError> {
        match &self.way {
            Way::Loop(on_loop) => {
                let (on_loop, counter) = (Arc::clone(on_loop), Arc::clone(&self.counter));
                // A client that goes away does not end the work that was begun for it.
                let work = tokio::spawn(async move { on_loop.list(&query, &counter).await });
                let page = work.await.map_err(|error| ListError(error.to_string()))?;
                page.map(Bytes::from).map_err(|error| ListError(error.to_string()))
            }
            Way::Thread(indexer, _) => {
                let (reply, answer) = oneshot::channel();
                let requests = lock(indexer).as_ref().map(|indexer| indexer.requests.clone());
                let sent =
                    requests.is_some_and(|requests| requests.try_send(Request { query, reply }).is_ok());
                if !sent {
                    return Err(ListError("the service stops, or has too much to do".to_owned()));
                }
                answer
                    .await
                    .map_err(|_| ListError("the thread that reads has ended".to_owned()))?
                    .map_err(ListError)
            }
        }
    }

    /// Says that the service has written a session.
    pub(super) fn invalidate(&self) {
        match &self.way {
            Way::Loop(on_loop) => lock(&on_loop.catalog).invalidate(),
            // The next look at the files sees it.
            Way::Thread(..) => {}
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let catalog = match &self.way {
            Way::Loop(on_loop) => lock(&on_loop.catalog).stats(),
            Way::Thread(_, told) => lock(told).stats,
        };
        Gauges {
            scans: self.counter.now.load(Ordering::Relaxed),
            most_scans: self.counter.most.load(Ordering::Relaxed),
            catalog,
        }
    }

    /// Why the index on disk is no longer written, where it is not.
    pub(super) fn index_failure(&self) -> Option<String> {
        match &self.way {
            Way::Loop(_) => None,
            Way::Thread(_, told) => lock(told).index_failure.clone(),
        }
    }

    /// Whether lists can still be made.
    pub(super) fn is_well(&self) -> bool {
        match &self.way {
            Way::Loop(_) => true,
            Way::Thread(indexer, _) => {
                lock(indexer).as_ref().is_some_and(|indexer| !indexer.thread.is_finished())
            }
        }
    }

    /// Ends the thread, when it has done what it was asked.
    pub(super) fn close(&self) {
        let Way::Thread(indexer, _) = &self.way else { return };
        let indexer = lock(indexer).take();
        if let Some(Indexer { requests, thread }) = indexer {
            drop(requests);
            let _ = thread.join();
        }
    }
}

impl OnLoop {
    async fn list(&self, query: &Query, counter: &Arc<Counter>) -> Result<Vec<u8>, serde_json::Error> {
        let _one = match &self.one {
            Some(one) => Some(one.lock().await),
            None => None,
        };
        let begun = lock(&self.catalog).begin(query, self.clock.now());
        let mut scan = match begun {
            Begun::Done(page) => return page.to_json(),
            Begun::Read(scan) => scan,
        };
        let _under_way = UnderWay::begin(counter);
        let missing = scan.missing(lock(&self.catalog).root());
        match self.read {
            Read::Together => {
                let read = tokio::task::spawn_blocking(move || (texts(&missing), missing)).await;
                let (texts, missing) = read.unwrap_or_default();
                // From here on nothing else is served.
                let mut catalog = lock(&self.catalog);
                for ((at, _), text) in missing.iter().zip(texts) {
                    catalog.supply_text(&mut scan, *at, text);
                }
            }
            Read::OneByOne => {
                for (at, path) in missing {
                    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                    let text = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                    lock(&self.catalog).supply_text(&mut scan, at, text);
                }
            }
            Read::Streamed => {
                for (at, path) in missing {
                    lock(&self.catalog).supply_file(&mut scan, at, &path);
                    tokio::task::yield_now().await;
                }
            }
        }
        let page: Page = lock(&self.catalog).end(scan);
        page.to_json()
    }
}

/// Answers until nobody can ask any more. All who waited while a list was made are answered by the next one: a request is never
/// answered by a look at the files that began before it came.
fn answer_all(
    asked: &Receiver<Request>,
    mut catalog: Catalog,
    told: &Mutex<Told>,
    counter: &Arc<Counter>,
    clock: Clock,
) {
    while let Ok(first) = asked.recv() {
        let mut waiting: Vec<Request> = std::iter::once(first).chain(asked.try_iter()).collect();
        loop {
            // Those who have gone away are not worked for.
            waiting.retain(|request| !request.reply.is_closed());
            let Some(request) = waiting.first() else { break };
            let query = request.query.clone();
            let page = {
                let _under_way = UnderWay::begin(counter);
                catalog.json(&query, clock.now())
            };
            *lock(told) = Told {
                stats: catalog.stats(),
                index_failure: catalog.index_failure().map(ToString::to_string),
            };
            let page = page.map_err(|error| error.to_string());
            let (same, others): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|request| request.query == query);
            for request in same {
                let _ = request.reply.send(page.clone());
            }
            waiting = others;
        }
    }
}
