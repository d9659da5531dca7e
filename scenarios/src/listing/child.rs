//! Processes that a supervisor watches over: a real service that may fail in a chosen way, and what it has started.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use engine::listing::Strategy;
use engine::listing::serve::{self, Times};
use serde::{Deserialize, Serialize};

use super::service;
use crate::subject::{self, HOME};

/// The word with which the program is called to be such a process.
pub const CHILD: &str = "listing-child";

/// Where descendants note their numbers, below the working directory.
pub(super) const PIDS: &str = "pids";
/// The sign: when this file is there, a service that may spin does.
pub(super) const SPIN: &str = "spin";
/// How long a descendant lives if nobody ends it.
const LIFE: Duration = Duration::from_secs(60);

/// What the process is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Child {
    /// A service that works.
    Service(Strategy),
    /// A service that works until the sign to spin is there.
    Spins(Strategy),
    /// A service that ends as soon as it listens.
    Crashes(Strategy),
    /// A service with descendants of every kind.
    Family(Strategy),
    /// A descendant: how it stands to its parent, and its name.
    Descendant(Tie, String),
}

/// How a descendant stands to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Tie {
    /// In its process group.
    Near,
    /// In a process group of its own.
    Group,
    /// In a session of its own, and the child of a process that is gone.
    Daemon,
    /// The one that a daemon leaves behind.
    Left,
}

/// The command that starts such a process.
pub(super) fn command(child: &Child) -> Command {
    let mut command = Command::new(subject::own_program());
    // It is no measured process, whatever the one that starts it is.
    command
        .arg(CHILD)
        .arg(serde_json::to_string(child).unwrap_or_default())
        .env_remove(harness::instrument::INSTRUMENT);
    command
}

/// Is what the argument says; gives the exit code.
pub(crate) fn run(argument: &str) -> i32 {
    let done = match serde_json::from_str(argument) {
        Ok(Child::Service(strategy)) => serve(strategy, std::future::pending()),
        Ok(Child::Spins(strategy)) => serve(strategy, wait_and_spin()),
        Ok(Child::Crashes(strategy)) => serve(strategy, async {}),
        Ok(Child::Family(strategy)) => family().and_then(|()| serve(strategy, std::future::pending())),
        Ok(Child::Descendant(tie, name)) => descend(tie, &name),
        Err(error) => Err(io::Error::other(error)),
    };
    i32::from(done.is_err())
}

/// Ends this process when the one that supervises it is gone without having ended it: killed, most likely. Elsewhere than on Linux nothing
/// can do that, and it stays.
pub(super) fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// Serves until something has happened on the same loop.
fn serve(strategy: Strategy, until: impl Future<Output = ()>) -> io::Result<()> {
    end_with_parent();
    let served = service::block_on(async {
        let listener = serve::listen(service::any_port(), false).await.map_err(io::Error::other)?;
        let options = service::options(HOME, strategy, Times::default(), None);
        let server = serve::start(listener, options).map_err(io::Error::other)?;
        announce(server.address())?;
        until.await;
        Ok(())
    });
    served.map_err(io::Error::other)?
}

/// Says where it listens, on the line that a supervisor waits for.
pub(super) fn announce(address: std::net::SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({"listening": address.to_string()}))?;
    out.flush()
}

/// Looks for the sign to spin; then nothing else is done on this loop.
async fn wait_and_spin() {
    while !Path::new(SPIN).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    loop {
        std::hint::spin_loop();
    }
}

fn family() -> io::Result<()> {
    fs::create_dir_all(PIDS)?;
    start(Tie::Near, "near")?;
    start(Tie::Group, "group")?;
    start(Tie::Daemon, "daemon")
}

fn start(tie: Tie, name: &str) -> io::Result<()> {
    let mut command = command(&Child::Descendant(tie, name.to_owned()));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    #[cfg(unix)]
    if tie == Tie::Group {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    command.spawn().map(drop)
}

fn descend(tie: Tie, name: &str) -> io::Result<()> {
    if tie == Tie::Daemon {
        #[cfg(unix)]
        rustix::process::setsid()?;
        return start(Tie::Left, name);
    }
    // Written whole, or not there.
    let (beside, path) = (format!("{PIDS}/.{name}"), format!("{PIDS}/{name}"));
    fs::write(&beside, std::process::id().to_string()).and_then(|()| fs::rename(beside, path))?;
    std::thread::sleep(LIFE);
    Ok(())
}
