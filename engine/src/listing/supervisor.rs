//! Keeps one service running: notices when it is gone or hangs, ends everything it has started, and starts it again, within limits.
//!
//! [`watch`] decides, [`mod@probe`] asks, [`tree`] ends. The owner of a [`Supervisor`] calls its `tick` with a clock that never goes back;
//! nothing happens between ticks.

mod child;
pub mod probe;
pub mod tree;
pub mod watch;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use child::Service;
use probe::{Health, ProbeError, probe};
use tree::{Ended, Kill, Left, STEP};
use watch::{Action, Event, Policy, Then, Watch, Why};

/// How often it is looked whether a child that is well is still there, in milliseconds.
const LOOK_MS: u64 = 250;

/// How the supervisor learns where the service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// It prints one line `{"listening":"127.0.0.1:4711"}` once it does. Other lines before it are passed over.
    Announced,
    /// It is known beforehand, and the service counts as listening at once.
    Fixed(SocketAddr),
}

/// What is supervised, and how.
pub struct Options {
    /// Makes the command that starts the service. Its standard input is nothing, its output is read by the supervisor, and its errors go
    /// where the supervisor's go.
    pub make: Box<dyn FnMut() -> Command + Send>,
    /// How it is known where it listens.
    pub address: Address,
    /// How it is asked whether it is well.
    pub health: Health,
    /// How it is ended.
    pub kill: Kill,
    /// How patient the supervisor is.
    pub policy: Policy,
    /// How long what is ended has until it is forced; [`tree::GRACE`] where nothing speaks for another.
    pub grace: Duration,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { make: _, address, health, kill, policy, grace } = self;
        let mut debug = formatter.debug_struct("Options");
        debug.field("address", address).field("health", health).field("kill", kill);
        debug.field("policy", policy).field("grace", grace).finish_non_exhaustive()
    }
}

/// What a tick has noticed or done.
#[derive(Debug)]
pub enum Happened {
    /// A child was started.
    Started {
        /// Its number.
        pid: u32,
        /// 1 for the first child, and one more for each after it.
        generation: u64,
    },
    /// No child could be started; counts as one that is gone at once.
    NotStarted {
        /// What happened.
        error: io::Error,
    },
    /// The child listens.
    Listening {
        /// Where.
        address: SocketAddr,
    },
    /// The child is gone, and it was not this supervisor that has ended it.
    Exited {
        /// How it went.
        status: Left,
    },
    /// The child has not answered as it should.
    Unhealthy {
        /// How often in a row.
        failures: u32,
        /// Why, the last time.
        why: ProbeError,
    },
    /// The child did not say in time where it listens.
    NeverListened {
        /// The time that it had, in milliseconds.
        after_ms: u64,
    },
    /// What is left of the child is ended, and another is started.
    Restarting {
        /// After how many milliseconds.
        in_ms: u64,
    },
    /// What is left of the child is ended. There were too many restarts: nothing is started for a while.
    CircuitOpen {
        /// For how many milliseconds.
        for_ms: u64,
    },
    /// The child and what it has started are ended, as far as that is done at all.
    Ended(Ended),
}

/// Keeps one service running. Dropping it ends the service, and waits for that as [`Supervisor::stop`] does.
#[derive(Debug)]
pub struct Supervisor {
    options: Options,
    watch: Watch,
    service: Option<Service>,
    /// Whether the service is being ended, which takes several ticks.
    ending: bool,
    /// Probes in a row that have failed.
    failures: u32,
}

impl Supervisor {
    /// A supervisor that starts the service with its first tick.
    pub fn new(options: Options) -> Supervisor {
        Supervisor { watch: Watch::new(options.policy), options, service: None, ending: false, failures: 0 }
    }

    /// The child's number, if there is one, be it one that is being ended.
    pub fn pid(&self) -> Option<u32> {
        self.service.as_ref().map(|service| service.tree.id())
    }

    /// Where the service listens, if it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.service.as_ref().filter(|_| !self.ending).and_then(Service::address)
    }

    /// When the next tick should come at the latest, in milliseconds of the owner's clock; none when it was stopped.
    pub fn next_ms(&self, now_ms: u64) -> Option<u64> {
        if self.ending {
            return Some(now_ms.saturating_add(u64::try_from(STEP.as_millis()).unwrap_or(u64::MAX)));
        }
        let look = self.service.as_ref().map(|_| now_ms.saturating_add(LOOK_MS));
        let watch = self.watch.next_ms();
        Some(watch?.min(look.unwrap_or(u64::MAX)))
    }

    /// Notices what has happened, and does what there is to do. `now_ms` is in milliseconds and never goes back. Takes no longer than one
    /// probe may; an end that takes longer goes on with the next tick, and nothing is started before it is over.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Happened> {
        let mut happened = Vec::new();
        if !self.go_on_ending(&mut happened) {
            return happened;
        }
        let mut next = Some(self.notice(&mut happened));
        while let Some(event) = next {
            next = match self.watch.on(now_ms, event) {
                Action::Nothing => None,
                Action::Start(generation) => self.start(generation, &mut happened),
                Action::Probe(generation) => Some(self.probe(generation, &mut happened)),
                Action::End { why, then } => self.begin_ending(why, then, &mut happened),
            };
        }
        happened
    }

    /// Ends the service and everything it has started, and waits for that: for the grace, and a few seconds if something cannot be
    /// ended. Nothing is started any more. Gives nothing when there was no service.
    pub fn stop(&mut self) -> Option<Ended> {
        self.watch.on(0, Event::Quit);
        self.ending = false;
        let mut service = self.service.take()?;
        Some(service.tree.end_now(self.options.grace))
    }

    fn notice(&mut self, happened: &mut Vec<Happened>) -> Event {
        let Some(service) = &mut self.service else { return Event::Passed };
        let generation = service.generation;
        if let Some(status) = service.tree.left() {
            happened.push(Happened::Exited { status });
            return Event::Exited(generation);
        }
        match service.newly_listens() {
            Some(address) => {
                happened.push(Happened::Listening { address });
                Event::Listening(generation)
            }
            None => Event::Passed,
        }
    }

    fn start(&mut self, generation: u64, happened: &mut Vec<Happened>) -> Option<Event> {
        self.failures = 0;
        let command = (self.options.make)();
        match Service::start(command, self.options.kill, self.options.address, generation) {
            Ok(service) => {
                happened.push(Happened::Started { pid: service.tree.id(), generation });
                self.service = Some(service);
                None
            }
            Err(error) => {
                happened.push(Happened::NotStarted { error });
                Some(Event::Exited(generation))
            }
        }
    }

    fn probe(&mut self, generation: u64, happened: &mut Vec<Happened>) -> Event {
        let Some(service) = &mut self.service else { return Event::Exited(generation) };
        service.tree.look();
        let Some(address) = service.address().map(reachable) else { return Event::Exited(generation) };
        match probe(self.options.health, address, Duration::from_millis(self.options.policy.probe_ms)) {
            Ok(()) => {
                self.failures = 0;
                Event::Answered(generation)
            }
            Err(why) => {
                self.failures += 1;
                happened.push(Happened::Unhealthy { failures: self.failures, why });
                Event::Unanswered(generation)
            }
        }
    }

    fn begin_ending(&mut self, why: Why, then: Then, happened: &mut Vec<Happened>) -> Option<Event> {
        if why == Why::NeverListened {
            happened.push(Happened::NeverListened { after_ms: self.options.policy.start_ms });
        }
        match then {
            Then::StartIn(in_ms) => happened.push(Happened::Restarting { in_ms }),
            Then::OpenFor(for_ms) => happened.push(Happened::CircuitOpen { for_ms }),
            Then::Nothing => {}
        }
        self.ending = self.service.is_some();
        // Where nothing could be started, the next try is the next tick's, lest one tick tries for ever.
        (self.ending && self.go_on_ending(happened)).then_some(Event::Passed)
    }

    /// Goes on with an end, if there is one; tells whether none is left to go on with.
    fn go_on_ending(&mut self, happened: &mut Vec<Happened>) -> bool {
        let Some(service) = self.service.as_mut().filter(|_| self.ending) else { return true };
        let Some(ended) = service.tree.end(self.options.grace) else { return false };
        happened.push(Happened::Ended(ended));
        (self.service, self.ending) = (None, false);
        true
    }
}

/// Where a service is asked that listens on all addresses: on this machine's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}
