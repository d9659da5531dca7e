//! A service that was started: its processes, and where it listens.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::Address;
use super::tree::{Kill, Tree};

/// Bytes of a line that are looked at; where a service listens is a short one.
const LINE_BYTES: usize = 64 << 10;

/// A started service.
#[derive(Debug)]
pub(super) struct Service {
    pub tree: Tree,
    pub generation: u64,
    address: Arc<OnceLock<SocketAddr>>,
    listens: bool,
}

#[derive(Deserialize)]
struct Announcement {
    listening: SocketAddr,
}

impl Service {
    /// Starts the service. A thread of its own reads what it prints, to the end, so that it never waits for a full pipe.
    pub(super) fn start(
        mut command: Command,
        kill: Kill,
        address: Address,
        generation: u64,
    ) -> io::Result<Service> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut tree = Tree::start(command, kill)?;
        let known = match address {
            Address::Announced => OnceLock::new(),
            Address::Fixed(address) => OnceLock::from(address),
        };
        let known = Arc::new(known);
        if let Some(stdout) = tree.stdout() {
            let announced = Arc::clone(&known);
            let reader = thread::Builder::new().name("service-stdout".to_owned());
            if let Err(error) = reader.spawn(move || drain(stdout, &announced)) {
                tree.end_now(Duration::ZERO);
                return Err(error);
            }
        }
        Ok(Service { tree, generation, address: known, listens: false })
    }

    /// Where it listens, once that is known.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// The same, once: when it is known for the first time.
    pub(super) fn newly_listens(&mut self) -> Option<SocketAddr> {
        let address = self.address().filter(|_| !self.listens)?;
        self.listens = true;
        Some(address)
    }
}

/// Reads all there is, and keeps nothing but the address of the first line that has one. Other lines before it are passed over.
fn drain(mut from: impl Read, address: &OnceLock<SocketAddr>) {
    let (mut buffer, mut line) = ([0; 8 << 10], Vec::new());
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if address.get().is_some() {
            continue;
        }
        for byte in &buffer[..count] {
            if *byte != b'\n' {
                if line.len() < LINE_BYTES {
                    line.push(*byte);
                }
                continue;
            }
            if let Ok(announcement) = serde_json::from_slice::<Announcement>(&line) {
                // It is empty: nobody else fills it, and the first line that has an address was not read yet.
                let _ = address.set(announcement.listening);
                line = Vec::new();
                break;
            }
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, drain};
    use std::io::Read;
    use std::sync::OnceLock;

    /// Gives a few bytes at a time.
    struct Crumbs<'a>(&'a [u8], usize);

    impl Read for Crumbs<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(buffer.len());
            (&mut self.0).take(count as u64).read(buffer)
        }
    }

    #[test]
    fn the_first_line_with_an_address_counts_however_it_comes() {
        let text = "\nrunning 1 test\n{\"listening\":7}\n{\"listening\":\"127.0.0.1:81\"}\n{\"listening\":\"127.0.0.1:82\"}\n";
        for size in [1, 7, 8 << 10] {
            let address = OnceLock::new();
            drain(Crumbs(text.as_bytes(), size), &address);
            assert_eq!(address.get(), Some(&"127.0.0.1:81".parse().unwrap()), "{size} bytes at a time");
        }
    }

    #[test]
    fn a_line_without_end_is_read_and_not_kept() {
        let mut text = vec![b' '; LINE_BYTES];
        text.extend_from_slice(b"{\"listening\":\"127.0.0.1:81\"}\n{\"listening\":\"127.0.0.1:82\"}\n");
        let address = OnceLock::new();
        drain(text.as_slice(), &address);
        assert_eq!(address.get(), Some(&"127.0.0.1:82".parse().unwrap()));
    }
}
