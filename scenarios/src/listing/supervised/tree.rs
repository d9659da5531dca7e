//! The end of a service with everything that it has started.

use std::fs;
use std::time::{Duration, Instant};

use engine::listing::supervisor::watch::Policy;
use engine::listing::supervisor::{Address, Options, Supervisor};
use harness::meter;
use harness::record::{Tier, Unit};
use rustix::process::{Pid, Signal, kill_process};

use super::super::child::{Child, PIDS, command};
use super::super::{Account, Task};
use crate::subject::HOME;

/// Descendants of the service: one in its group, one in another, one in another session whose parent is gone.
const DESCENDANTS: [&str; 3] = ["near", "group", "daemon"];
/// How long processes have until they are forced, and how long they may then take to be gone.
const GRACE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a service with descendants, and another process that is not its; ends it, and looks who is left.
pub(in crate::listing) fn run(task: &Task) -> Result<Account, String> {
    fs::create_dir_all(HOME).map_err(|error| format!("failed to make a home: {error}"))?;
    let strategy = task.strategy;
    let mut other = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .map_err(|error| format!("failed to start sleep, which is not to be ended: {error}"))?;
    let mut supervisor = Supervisor::new(Options {
        make: Box::new(move || command(&Child::Family(strategy))),
        address: Address::Announced,
        health: strategy.health,
        kill: strategy.kill,
        policy: Policy::default(),
        grace: GRACE,
    });
    let pids = started(&mut supervisor)?;
    let begun = Instant::now();
    supervisor.stop();
    let took = begun.elapsed();
    std::thread::sleep(AFTER);
    let states: Vec<Option<char>> = pids.iter().map(|pid| state(*pid)).collect();
    let survivors = states.iter().flatten().filter(|state| **state != 'Z').count();
    let zombies = states.iter().flatten().filter(|state| **state == 'Z').count();
    for (name, value) in [("scenario.survivors", survivors), ("scenario.zombies", zombies)] {
        meter::set(name, Unit::Count, Tier::Exact, value as f64);
    }
    meter::set("scenario.end_seconds", Unit::Seconds, Tier::Noisy, took.as_secs_f64());
    // What a strategy leaves behind is not to outlive its measurement.
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = kill_process(pid, Signal::KILL);
    }
    let is_there = other.try_wait().map_err(|error| error.to_string())?.is_none();
    let _ = other.kill();
    let _ = other.wait();
    if is_there {
        Ok(Account::default())
    } else {
        Err("a process that is not the service's was ended, too".to_owned())
    }
}

/// Waits until the service listens and all of its descendants are there; their numbers, and its own.
fn started(supervisor: &mut Supervisor) -> Result<Vec<u32>, String> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        supervisor.tick(begun.elapsed().as_millis() as u64);
        let number = |name: &&str| fs::read_to_string(format!("{PIDS}/{name}")).ok()?.parse().ok();
        let descendants: Option<Vec<u32>> = DESCENDANTS.iter().map(number).collect();
        if let (Some(mut pids), Some(pid), Some(_)) = (descendants, supervisor.pid(), supervisor.address()) {
            pids.push(pid);
            return Ok(pids);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err("the service and its descendants did not start".to_owned())
}

/// The state of a process, as `/proc` has it; none when it is gone.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}
