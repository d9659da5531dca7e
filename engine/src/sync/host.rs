//! The process that asks: starts workers, takes in what they send, and tells what became of them.

mod receive;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use receive::{Receive, Received};

use super::Event;
use super::discover::workspaces;
use super::failure::{Cause, Evidence, Failure, HeapDeath, classify, code_and_signal, largest_root};
use super::fingerprint::{NO_STATE, combined, fingerprint};
use super::frame::{FrameError, FrameWriter, Kind};
use super::library::Library;
use super::protocol::{Done, Job, Skipped, Work};
use super::strategy::{End, Retry, Strategy};

/// Attempts when work is repeated as it was: the reported engine retries once.
const ATTEMPTS_SAME: u32 = 2;
/// Attempts when work is reduced: as it was, reduced, and reduced without the file that ended both.
const ATTEMPTS_REDUCED: u32 = 3;

/// Which attempt a worker is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// By how much its heap is larger than the first one's, in percent (the reported engine's 4096 MB, then 6144).
    pub heap_percent: u32,
}

/// Starts workers over one person's history, and holds what they found.
pub struct Host<'a> {
    /// The person's home directory.
    pub home: PathBuf,
    /// Where the cache is; made when it does not exist.
    pub cache: PathBuf,
    /// How it is done.
    pub strategy: Strategy,
    /// How long a worker may take.
    pub timeout: Duration,
    /// Attempts at most.
    pub attempts: u32,
    /// The command that starts a worker, which must call [`worker::run`](super::worker::run) with its standard streams.
    pub command: &'a mut dyn FnMut(Attempt) -> Command,
    /// What the heap limit of an attempt's worker wrote, if it did.
    pub heap_death: &'a dyn Fn(Attempt) -> Option<HeapDeath>,
    /// Is told of phases and progress.
    pub observe: &'a mut dyn FnMut(Event<'_>),
    held: Option<Held>,
}

/// What a run left in memory.
struct Held {
    fingerprint: u64,
    library: Library,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whether nothing had to be done, because nothing has changed since the last run of this host.
    pub from_memory: bool,
    /// Workspaces that were found.
    pub workspaces: u64,
    /// What the worker that delivered did.
    pub work: Work,
    /// What was passed over.
    pub skipped: Skipped,
    /// What became of each worker that did not deliver.
    pub failures: Vec<Failure>,
    /// Whether everything was delivered in the end.
    pub complete: bool,
}

impl<'a> Host<'a> {
    /// A host that holds nothing yet.
    pub fn new(
        home: &Path,
        cache: &Path,
        strategy: Strategy,
        command: &'a mut dyn FnMut(Attempt) -> Command,
        heap_death: &'a dyn Fn(Attempt) -> Option<HeapDeath>,
        observe: &'a mut dyn FnMut(Event<'_>),
    ) -> Host<'a> {
        let timeout = Duration::from_secs(600);
        let attempts = match strategy.retry {
            Retry::SameWork => ATTEMPTS_SAME,
            Retry::ReducedWork => ATTEMPTS_REDUCED,
        };
        let (home, cache) = (home.to_owned(), cache.to_owned());
        Host { home, cache, strategy, timeout, attempts, command, heap_death, observe, held: None }
    }

    /// What the last run found.
    pub fn library(&self) -> Option<&Library> {
        self.held.as_ref().map(|held| &held.library)
    }

    /// Brings what is held up to date.
    ///
    /// # Errors
    /// When the cache folder cannot be made. What becomes of workers is told in the [`Outcome`].
    pub fn sync(&mut self) -> io::Result<Outcome> {
        (self.observe)(Event::Phase("receive"));
        if let Some(outcome) = self.unchanged() {
            return Ok(outcome);
        }
        self.held = None;
        std::fs::create_dir_all(&self.cache)?;
        let mut failures: Vec<Failure> = Vec::new();
        for number in 1..=self.attempts {
            let attempt = Attempt { number, heap_percent: if number == 1 { 100 } else { 150 } };
            let received = self.attempt(attempt, &failures);
            match received.end {
                Ok(done) => return Ok(self.complete(received.library, done, failures)),
                Err(failure) => {
                    let retries = failure.cause.is_worth_a_retry();
                    failures.push(failure);
                    self.keep_better(received.library);
                    if !retries {
                        break;
                    }
                }
            }
        }
        if let Some(last) = failures.last_mut() {
            if last.cause.is_about_memory() {
                last.largest = largest_root(&self.home);
            }
            last.kept = self.held.as_ref().map_or(0, |held| held.library.len() as u64);
        }
        Ok(Outcome {
            from_memory: false,
            workspaces: failures.last().map_or(0, |failure| failure.total),
            work: Work::default(),
            skipped: Skipped::default(),
            failures,
            complete: false,
        })
    }

    fn unchanged(&self) -> Option<Outcome> {
        let held = self.held.as_ref()?;
        let mut skipped = Skipped::default();
        let workspaces = workspaces(&self.home, &mut skipped);
        let prints: Vec<_> = workspaces
            .iter()
            .map(|workspace| fingerprint(self.strategy.fingerprint, &self.home, workspace))
            .collect();
        (combined(&workspaces, &prints) == held.fingerprint).then(|| Outcome {
            from_memory: true,
            workspaces: workspaces.len() as u64,
            work: Work::default(),
            skipped,
            failures: Vec::new(),
            complete: true,
        })
    }

    fn complete(&mut self, library: Library, done: Done, failures: Vec<Failure>) -> Outcome {
        self.held = Some(Held { fingerprint: done.fingerprint, library });
        Outcome {
            from_memory: false,
            workspaces: done.workspaces,
            work: done.work,
            skipped: done.skipped,
            failures,
            complete: true,
        }
    }

    /// Keeps what arrived in a failed attempt, when it is more than what is held.
    fn keep_better(&mut self, library: Library) {
        if self.held.as_ref().is_none_or(|held| held.library.len() < library.len()) {
            self.held = Some(Held { fingerprint: NO_STATE, library });
        }
    }

    /// One worker, from its start to its end.
    fn attempt(&mut self, attempt: Attempt, failures: &[Failure]) -> AttemptResult {
        let library = Library::new(&self.cache, self.strategy.keep);
        let mut receive = Receive::new(library, &self.strategy, &self.cache);
        let child = (self.command)(attempt).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                let cause = Cause::NotStarted(error.to_string());
                return AttemptResult { end: Err(receive.failure(cause)), library: receive.library };
            }
        };
        let job = Job {
            home: self.home.clone(),
            cache: self.cache.clone(),
            strategy: self.strategy,
            reduced: attempt.number > 1 && self.strategy.retry == Retry::ReducedWork,
            avoid: avoided(failures),
        };
        let deadline = Instant::now() + self.timeout;
        let received = converse(&mut child, &job, &mut receive, deadline, self.observe);
        let status = match (&received, self.strategy.end) {
            (Ok(Received::Done(_)), End::Wait) => child.wait(),
            _ => end(&mut child, &received),
        };
        let error = match received {
            Ok(Received::Done(done)) => {
                receive.complete();
                return AttemptResult { end: Ok(*done), library: receive.library };
            }
            Ok(Received::Failed(message)) => {
                let failure = receive.failure(Cause::Reported(message));
                return AttemptResult { end: Err(failure), library: receive.library };
            }
            Err(error) => error,
        };
        let (code, signal) = status.map_or((None, None), code_and_signal);
        let timed_out = matches!(&error, FrameError::Io(error) if error.kind() == io::ErrorKind::TimedOut);
        let evidence =
            Evidence { heap: (self.heap_death)(attempt), timed_out, frame: Some(&error), code, signal };
        let failure = receive.failure(classify(&evidence));
        AttemptResult { end: Err(failure), library: receive.library }
    }
}

struct AttemptResult {
    library: Library,
    end: Result<Done, Failure>,
}

/// The files that ended two workers.
fn avoided(failures: &[Failure]) -> Vec<Box<str>> {
    let mut files: Vec<Box<str>> = failures.iter().filter_map(|failure| failure.file.clone()).collect();
    files.sort_unstable();
    let twice = files.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
    twice.collect()
}

/// Ends a worker that has not ended itself. One that has just torn its stream is given the chance to say why.
fn end(child: &mut Child, received: &Result<Received, FrameError>) -> io::Result<std::process::ExitStatus> {
    let is_dying = match received {
        Ok(Received::Done(_)) => false,
        Ok(Received::Failed(_)) => true,
        Err(FrameError::Torn(_)) => true,
        Err(FrameError::Io(error)) => error.kind() != io::ErrorKind::TimedOut,
        Err(_) => false,
    };
    drop(child.stdin.take());
    if !is_dying {
        // It may already be gone, which is what is wanted.
        let _ = child.kill();
    }
    child.wait()
}

/// Gives the worker its job, and takes in what it sends until it is done or its stream ends.
fn converse(
    child: &mut Child,
    job: &Job,
    receive: &mut Receive<'_>,
    deadline: Instant,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Received, FrameError> {
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the worker has no streams").into());
    };
    let mut commands = FrameWriter::new(input);
    commands.write(Kind::Job, &serde_json::to_vec(job).map_err(io::Error::from)?)?;
    let received = receive.all(output, &mut commands, deadline, observe);
    child.stdin = None;
    received
}
