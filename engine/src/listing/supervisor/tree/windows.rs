//! Processes of a service on Windows. Compiled, and not run there yet.

use std::io;
use std::process::{ChildStdout, Command};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

use super::{Ended, FORCE, Kill, Left, STEP, mark};

/// A child and what it has started. Dropping it ends nothing.
#[derive(Debug)]
pub struct Tree {
    child: Box<dyn ChildWrapper>,
    left: Option<Left>,
    begun: Option<Instant>,
    ended: Ended,
}

impl Tree {
    /// Starts the child; for [`Kill::Group`] and [`Kill::Tree`] in a job object, which holds what it starts.
    ///
    /// # Errors
    /// When it cannot be started, or cannot be put into a job.
    pub fn start(mut command: Command, kill: Kill) -> io::Result<Tree> {
        mark(&mut command);
        let mut wrap = CommandWrap::from(command);
        if matches!(kill, Kill::Group | Kill::Tree) {
            wrap.wrap(JobObject);
        }
        Ok(Tree { child: wrap.spawn()?, left: None, begun: None, ended: Ended::default() })
    }

    /// The child's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the child prints, if it is piped and was not taken yet.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    /// How the child went, if it did.
    pub fn left(&mut self) -> Option<Left> {
        if self.left.is_none() {
            self.left = match self.child.try_wait() {
                Ok(status) => status.map(|status| Left { code: status.code(), signal: None }),
                Err(_) => Some(Left { code: None, signal: None }),
            };
        }
        self.left
    }

    /// Nothing: the job knows what the child has started.
    pub fn look(&mut self) {}

    /// Begins to end it, or goes on with that, without waiting; to be called every [`STEP`] until it gives what came of it. There is no
    /// request to end, and so no grace.
    pub fn end(&mut self, _grace: Duration) -> Option<Ended> {
        let now = Instant::now();
        if self.begun.is_none() {
            self.ended.killed += u32::from(self.child.start_kill().is_ok());
        }
        let begun = *self.begun.get_or_insert(now);
        let is_gone = self.left().is_some();
        if !is_gone && now < begun + FORCE {
            return None;
        }
        let mut ended = std::mem::take(&mut self.ended);
        ended.reaped = u32::from(is_gone);
        if !is_gone {
            ended.survivors.push(self.id());
        }
        ended.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(ended)
    }

    /// Ends it, and waits until that is done.
    pub fn end_now(&mut self, grace: Duration) -> Ended {
        loop {
            if let Some(ended) = self.end(grace) {
                return ended;
            }
            std::thread::sleep(STEP);
        }
    }
}
