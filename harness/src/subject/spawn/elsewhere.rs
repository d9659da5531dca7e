//! Systems other than Linux: the first process is waited for and killed; its descendants are only known by their records.

use std::io::Read;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::capture::Capture;
use super::super::{Channel, Show};
use super::{End, Output, Subject, Watched, command, failed};
use crate::Error;

const PAUSE: Duration = Duration::from_millis(2);
/// How long descendants that hold an output may outlive the first process before its group is killed.
const LINGER: Duration = Duration::from_secs(2);

pub(in crate::subject) fn run(subject: &Subject, stop: &AtomicBool) -> Result<Watched, Error> {
    let began = Instant::now();
    let mut command = command(subject)?;
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(failed(subject))?;
    let show = subject.foreign.as_ref().and_then(|foreign| foreign.show);
    let stdout = read(child.stdout.take(), show, Channel::Out);
    let stderr = read(child.stderr.take(), show, Channel::Err);
    let status = follow(&mut child, subject.timeout, stop, began).map_err(failed(subject))?;
    if !wait_for([&stdout, &stderr]) {
        kill(&mut child);
        wait_for([&stdout, &stderr]);
    }
    Ok(Watched {
        pid: child.id(),
        status,
        tree: None,
        wall: began.elapsed(),
        cpu: Duration::ZERO,
        stdout: finish(stdout),
        stderr: finish(stderr),
        stragglers: Vec::new(),
        doubts: doubts(subject),
    })
}

fn doubts(subject: &Subject) -> Vec<String> {
    let foreign = subject.foreign.as_ref().map(|_| {
        "process trees, resident memory and phases of foreign programs are read on Linux only; here only what processes record of themselves is known".to_owned()
    });
    foreign.into_iter().collect()
}

fn follow(child: &mut Child, timeout: Duration, stop: &AtomicBool, began: Instant) -> std::io::Result<End> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(end(status));
        }
        let stopped = stop.load(Relaxed);
        if stopped || began.elapsed() > timeout {
            kill(child);
            child.wait()?;
            return Ok(if stopped { End::Stopped } else { End::TimedOut });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    crate::os::kill(-(child.id() as i32));
}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    // It may have ended in between, which is what was wanted.
    let _ = child.kill();
}

#[cfg(unix)]
fn end(status: std::process::ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Exit(status.code().unwrap_or(-1)),
    }
}

#[cfg(not(unix))]
fn end(status: std::process::ExitStatus) -> End {
    End::Exit(status.code().unwrap_or(-1))
}

fn read(
    pipe: Option<impl Read + Send + 'static>,
    show: Option<Show>,
    channel: Channel,
) -> JoinHandle<Capture> {
    thread::spawn(move || {
        let mut capture = Capture::default();
        let mut buffer = [0_u8; 16 * 1024];
        if let Some(mut pipe) = pipe {
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                capture.push(&buffer[..length]);
                if let Some(show) = show {
                    show(channel, &buffer[..length]);
                }
            }
        }
        capture
    })
}

/// Waits until nobody holds the outputs any more, but not for ever; gives whether that is so.
fn wait_for(readers: [&JoinHandle<Capture>; 2]) -> bool {
    let began = Instant::now();
    let are_done = || readers.iter().all(|reader| reader.is_finished());
    while !are_done() && began.elapsed() < LINGER {
        thread::sleep(PAUSE);
    }
    are_done()
}

/// What was read; nothing where somebody out of reach still holds the output.
fn finish(reader: JoinHandle<Capture>) -> Output {
    if reader.is_finished() { reader.join().unwrap_or_default().finish() } else { Output::default() }
}
