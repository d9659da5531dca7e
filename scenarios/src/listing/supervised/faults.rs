//! Ways in which a service fails, and whether they are noticed.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::listing::Strategy;
use engine::listing::supervisor::watch::Policy;
use engine::listing::supervisor::{Address, Happened, Options, Supervisor};
use harness::meter;
use harness::record::{Tier, Unit};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use super::super::child::{Child, SPIN, command};
use super::super::client::Client;
use super::super::{Account, Task, service};
use crate::answer::Defect;

/// A thousandth of the real times, but for how long an answer may take, which is real.
const QUICK: Policy = Policy {
    probe_every_ms: 60,
    probe_ms: 250,
    failures: 5,
    attempts_ms: [0, 1, 2],
    stable_ms: 60,
    open_ms: 1_000,
    start_ms: 30_000,
};
/// Longer than five probes take, each with its time and the time until the next.
const LONG_ENOUGH: Duration = Duration::from_millis(3_000);
/// How long something may take that is no measure of anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Probes under load, and those who ask meanwhile.
const PROBES: u64 = 30;
const ASKERS: usize = 4;
/// From one try to start a child that crashes to the next, at most before the circuit is to open.
const STARTS_MAX: usize = 4;

/// Looks for every defect.
pub(in crate::listing) fn run(task: &Task) -> Result<Account, String> {
    let mut account = Account::default();
    let mut note = |name: &str, found: Result<Option<String>, String>| {
        let found = found.map_err(|error| format!("{name}: {error}"))?;
        account.defects.push(Defect { name: name.to_owned(), found });
        Ok::<(), String>(())
    };
    let strategy = task.strategy;
    let service = || (strategy, Child::Service(strategy));
    note(
        "a service that was killed is not started again",
        failed(service(), |pid| signal(pid, Signal::KILL)),
    )?;
    note("a service that was stopped is not noticed", failed(service(), |pid| signal(pid, Signal::STOP)))?;
    note("a service that spins is not noticed", failed((strategy, Child::Spins(strategy)), |_| spin()))?;
    note("a service that crashes at once is started again and again", flapping(strategy))?;
    note("a service under load is taken for one that hangs", loaded(strategy))?;
    let undetected = account.defects.iter().filter(|defect| defect.found.is_some()).count();
    meter::set("scenario.undetected", Unit::Count, Tier::Exact, undetected as f64);
    Ok(account)
}

fn signal(pid: u32, signal: Signal) -> Result<(), String> {
    let pid = Pid::from_raw(pid.cast_signed()).ok_or("a child without a number")?;
    kill_process(pid, signal).map_err(|error| format!("failed to signal the service: {error}"))
}

fn spin() -> Result<(), String> {
    fs::write(SPIN, "").map_err(|error| format!("failed to write {SPIN}: {error}"))
}

fn supervisor(strategy: Strategy, child: Child, policy: Policy) -> Supervisor {
    Supervisor::new(Options {
        make: Box::new(move || {
            // The sign was for the one before.
            let _ = fs::remove_file(SPIN);
            command(&child)
        }),
        address: Address::Announced,
        health: strategy.health,
        kill: strategy.kill,
        policy,
        grace: Duration::from_millis(500),
    })
}

/// A supervisor, and the time since it was made.
struct Watched {
    supervisor: Supervisor,
    begun: Instant,
}

impl Watched {
    fn new(supervisor: Supervisor) -> Watched {
        Watched { supervisor, begun: Instant::now() }
    }

    fn tick(&mut self) -> Vec<Happened> {
        let happened = self.supervisor.tick(self.begun.elapsed().as_millis() as u64);
        std::thread::sleep(Duration::from_millis(2));
        happened
    }

    /// Ticks until the service listens.
    fn until_listening(&mut self) -> Result<u32, String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            self.tick();
            if let (Some(pid), Some(_)) = (self.supervisor.pid(), self.supervisor.address()) {
                return Ok(pid);
            }
        }
        Err("the service did not start to listen".to_owned())
    }
}

/// Makes a service fail, and looks whether another takes its place: once, after five probes at most.
fn failed(
    (strategy, child): (Strategy, Child),
    fail: impl Fn(u32) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let mut watched = Watched::new(supervisor(strategy, child, QUICK));
    let first = watched.until_listening()?;
    fail(first)?;
    let (begun, mut failures, mut starts) = (Instant::now(), 0, 0);
    let mut is_well_since: Option<Instant> = None;
    while begun.elapsed() < LONG_ENOUGH
        && is_well_since.is_none_or(|since| since.elapsed() < LONG_ENOUGH / 10)
    {
        for happened in watched.tick() {
            match happened {
                Happened::Unhealthy { failures: count, .. } => failures = failures.max(count),
                Happened::Started { .. } => {
                    starts += 1;
                }
                Happened::Listening { .. } if starts > 0 => is_well_since = Some(Instant::now()),
                _ => {}
            }
        }
    }
    meter::set("scenario.probes_to_notice", Unit::Count, Tier::Noisy, f64::from(failures));
    let second = watched.supervisor.pid();
    watched.supervisor.stop();
    Ok(match (starts, second) {
        (1, Some(second)) if second != first && failures <= QUICK.failures => None,
        (0, _) => Some(format!("nothing was noticed in {} ms", begun.elapsed().as_millis())),
        _ => Some(format!("it was started {starts} times, after {failures} probes")),
    })
}

/// A child that ends as soon as it listens: after some tries there is to be a pause.
fn flapping(strategy: Strategy) -> Result<Option<String>, String> {
    let mut watched = Watched::new(supervisor(strategy, Child::Crashes(strategy), QUICK));
    let (begun, mut starts) = (Instant::now(), 0);
    while begun.elapsed() < PATIENCE {
        for happened in watched.tick() {
            match happened {
                Happened::Started { .. } => starts += 1,
                Happened::CircuitOpen { .. } if starts <= STARTS_MAX => return Ok(None),
                Happened::CircuitOpen { .. } => return Ok(Some(format!("{starts} starts before the pause"))),
                _ => {}
            }
        }
    }
    Ok(Some(format!("{starts} starts in {} s, and no pause", PATIENCE.as_secs())))
}

/// Half an hour of probes, one after the other, while clients ask for all they can get.
fn loaded(strategy: Strategy) -> Result<Option<String>, String> {
    let mut watched = Watched::new(supervisor(strategy, Child::Service(strategy), Policy::default()));
    let first = watched.until_listening()?;
    let address = watched.supervisor.address().ok_or("the service does not listen")?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let load = std::thread::spawn(move || service::block_on(ask_until(address, asked)));
    let mut now = watched.begun.elapsed().as_millis() as u64;
    let mut restarted = false;
    for _ in 0..PROBES {
        now += Policy::default().probe_every_ms;
        let happened = watched.supervisor.tick(now);
        restarted |= happened.iter().any(|happened| matches!(happened, Happened::Restarting { .. }));
        std::thread::sleep(Duration::from_millis(20));
    }
    stop.store(true, Ordering::Relaxed);
    let answered = load.join().map_err(|_| "the load ended in a panic".to_owned())??;
    let last = watched.supervisor.pid();
    watched.supervisor.stop();
    if answered == 0 {
        return Err("no request was answered: there was no load".to_owned());
    }
    Ok((restarted || last != Some(first))
        .then(|| format!("it was restarted, with {answered} requests answered")))
}

/// Asks for lists until it is to stop; how many were answered.
async fn ask_until(address: std::net::SocketAddr, stop: Arc<AtomicBool>) -> u64 {
    let mut askers = tokio::task::JoinSet::new();
    for _ in 0..ASKERS {
        let stop = Arc::clone(&stop);
        askers.spawn(async move {
            let mut answered = 0;
            let Ok(mut client) = Client::connect(address).await else { return 0 };
            while !stop.load(Ordering::Relaxed) {
                match timeout(PATIENCE, client.get("/api/sessions?limit=100")).await {
                    Ok(Ok(reply)) if reply.status == 200 => answered += 1,
                    _ => break,
                }
            }
            answered
        });
    }
    askers.join_all().await.into_iter().sum()
}
