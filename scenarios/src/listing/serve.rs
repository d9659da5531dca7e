//! The service by hand: on a person's own home, alone or with a supervisor that starts it again.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::listing::serve::{self, Options, Times};
use engine::listing::supervisor::{self, Address, Happened, Supervisor, tree, watch::Policy};
use engine::listing::{Strategy, strategy};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::child;
use super::service;
use crate::subject;

/// The word with which the program is called to be the service that another one supervises.
pub const SERVED: &str = "listing-served";
/// The environment variable with the token of a supervised service: what stands in arguments everybody can read.
const TOKEN: &str = "HIGHWATER_SERVE_TOKEN";
/// How often it is looked whether the service is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What is served, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Serve {
    /// The home whose sessions are listed.
    pub home: PathBuf,
    /// The address to listen on; port 0 is any that is free.
    pub address: SocketAddr,
    /// Whether other machines may reach it.
    pub others: bool,
    /// The choices.
    pub strategy: Strategy,
    /// The file of the index; none: it is kept in memory.
    pub index: Option<PathBuf>,
}

/// What the service says while it runs.
#[derive(Debug)]
pub enum Said {
    /// It listens.
    Listening(SocketAddr),
    /// Something happened to it, in a sentence.
    News(String),
}

/// The choices behind a name among the strategies of `listing`.
pub fn strategy(name: &str) -> Option<Strategy> {
    crate::find(strategy::named(), name)
}

/// A token that cannot be guessed.
pub fn new_token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// An id for a new session, in the form of a UUID of version 4.
fn new_id() -> String {
    let hex = new_token();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn options(serve: &Serve, token: String) -> Options {
    Options {
        home: serve.home.clone(),
        strategy: serve.strategy,
        token,
        index: serve.index.clone(),
        new_id: Box::new(new_id),
        times: Times::default(),
    }
}

/// Serves until it is to stop.
///
/// # Errors
/// Says why it cannot serve.
pub fn alone(
    wanted: &Serve,
    token: String,
    stop: &AtomicBool,
    say: &mut dyn FnMut(Said),
) -> Result<(), String> {
    service::block_on(async {
        let listener =
            serve::listen(wanted.address, wanted.others).await.map_err(|error| error.to_string())?;
        let server = serve::start(listener, options(wanted, token)).map_err(|error| error.to_string())?;
        say(Said::Listening(server.address()));
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
        server.shut_down().await;
        Ok(())
    })?
}

/// Is the service that another process supervises; gives the exit code.
pub(crate) fn served(argument: &str) -> i32 {
    child::end_with_parent();
    let never = AtomicBool::new(false);
    let served =
        serde_json::from_str::<Serve>(argument).map_err(|error| error.to_string()).and_then(|wanted| {
            let token = std::env::var(TOKEN).map_err(|_| format!("{TOKEN} is not set"))?;
            alone(&wanted, token, &never, &mut |said| {
                if let Said::Listening(address) = said {
                    // Who reads it is gone, or is not: then nobody needs it.
                    let _ = child::announce(address);
                }
            })
        });
    if let Err(error) = &served {
        // Where the supervisor's own errors go.
        let _ = writeln!(std::io::stderr().lock(), "error: {error}");
    }
    i32::from(served.is_err())
}

/// Serves in a process of its own, which is started again when it fails, until it is to stop; then everything that it has started ends.
///
/// # Errors
/// When the first process ends before it listens: the next one would, too. It has said why.
pub fn supervised(
    wanted: &Serve,
    token: &str,
    stop: &AtomicBool,
    say: &mut dyn FnMut(Said),
) -> Result<(), String> {
    // The one that takes another's place listens where that one did.
    let address = Arc::new(Mutex::new(wanted.address));
    let (next, first, token) = (Arc::clone(&address), wanted.clone(), token.to_owned());
    let mut supervisor = Supervisor::new(supervisor::Options {
        make: Box::new(move || {
            let address = next.lock().map_or(first.address, |address| *address);
            command(&Serve { address, ..first.clone() }, &token)
        }),
        address: Address::Announced,
        health: wanted.strategy.health,
        kill: wanted.strategy.kill,
        policy: Policy::default(),
        grace: tree::GRACE,
    });
    say(Said::News(format!("how far processes are ended with the service: {}", tree::limits())));
    let begun = Instant::now();
    let mut has_listened = false;
    while !stop.load(Ordering::Relaxed) {
        for happened in supervisor.tick(begun.elapsed().as_millis() as u64) {
            match happened {
                Happened::Listening { address: found } => {
                    if let Ok(mut address) = address.lock() {
                        *address = found;
                    }
                    has_listened = true;
                    say(Said::Listening(found));
                }
                Happened::Exited { .. } | Happened::NotStarted { .. } if !has_listened => {
                    return Err(in_words(&happened));
                }
                other => say(Said::News(in_words(&other))),
            }
        }
        std::thread::sleep(LOOK);
    }
    if let Some(ended) = supervisor.stop()
        && !ended.survivors.is_empty()
    {
        say(Said::News(format!("processes that could not be ended: {:?}", ended.survivors)));
    }
    Ok(())
}

fn command(wanted: &Serve, token: &str) -> Command {
    let mut command = Command::new(subject::own_program());
    command.arg(SERVED).arg(serde_json::to_string(wanted).unwrap_or_default()).env(TOKEN, token);
    command
}

fn in_words(happened: &Happened) -> String {
    match happened {
        Happened::Started { pid, .. } => format!("started process {pid}"),
        Happened::NotStarted { error } => format!("the service could not be started: {error}"),
        Happened::Listening { address } => format!("listening on {address}"),
        Happened::Exited { status } => match (status.code, status.signal) {
            (Some(code), _) => format!("the service ended with exit code {code}"),
            (None, Some(signal)) => format!("the service was ended by signal {signal}"),
            (None, None) => "the service ended".to_owned(),
        },
        Happened::Unhealthy { failures, why } => {
            format!("the service does not answer ({failures} in a row): {why}")
        }
        Happened::NeverListened { after_ms } => format!("the service did not listen within {after_ms} ms"),
        Happened::Restarting { in_ms } => format!("starting it again in {in_ms} ms"),
        Happened::CircuitOpen { for_ms } => {
            format!("it fails again and again: the next try is in {} s", for_ms / 1_000)
        }
        Happened::Ended(ended) => {
            format!("its processes were ended: {} asked, {} forced", ended.terminated, ended.killed)
        }
    }
}
