//! One output of a tree: read as it comes, kept within bounds, looked through for phases, and shown where that was asked for.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;

use crate::os;
use crate::subject::capture::Capture;
use crate::subject::marks::{Marks, Rule};
use crate::subject::{Channel, Show};

/// Bytes taken from one output before the others and the tree have their turn.
const DRAIN_MAX: usize = 1 << 20;

/// One output of the tree: a pipe that is read without waiting.
pub(super) struct Stream<R> {
    pipe: Option<R>,
    pub(super) capture: Capture,
    marks: Marks,
    show: Option<(Show, Channel)>,
}

impl<R: Read + AsRawFd> Stream<R> {
    pub(super) fn new(pipe: Option<R>, rule: Rule, show: Option<(Show, Channel)>) -> Stream<R> {
        // A pipe that cannot be read without waiting is not read at all.
        let pipe = pipe.filter(|pipe| os::set_nonblocking(pipe.as_raw_fd()).is_ok());
        Stream { pipe, capture: Capture::default(), marks: Marks::new(rule), show }
    }

    pub(super) fn descriptor(&self) -> Option<i32> {
        self.pipe.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Takes what is there, up to a limit, and gives the phases that it begins; lets go of the pipe when nobody can write to it any more.
    pub(super) fn drain(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        let mut buffer = [0_u8; 64 * 1024];
        let mut taken = 0;
        while let Some(pipe) = self.pipe.as_mut().filter(|_| taken < DRAIN_MAX) {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => {
                    taken += length;
                    names.extend(self.marks.push(&buffer[..length]));
                    self.capture.push(&buffer[..length]);
                    if let Some((show, channel)) = self.show {
                        show(channel, &buffer[..length]);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.pipe = None,
            }
        }
        names
    }
}
