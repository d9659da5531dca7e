//! What is well, what is not, and how long the answer may take.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Health, ProbeError, probe};

const GENEROUS: Duration = Duration::from_secs(20);

/// A service for one question, which answers in its own way.
fn service(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = Vec::new();
        while !question.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            question.push(byte[0]);
        }
        assert!(question.starts_with(b"GET /health HTTP/1.1\r\n"));
        answer(&mut stream);
    });
    address
}

fn answers(text: &'static str) -> SocketAddr {
    service(move |stream| stream.write_all(text.as_bytes()).unwrap())
}

/// A port with a listener that never takes a connection, as with a process that hangs.
fn frozen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn an_answer_of_2xx_is_well() {
    probe(Health::Http, answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), GENEROUS).unwrap();
    probe(Health::Http, answers("HTTP/1.0 204 No Content\r\n\r\n"), GENEROUS).unwrap();
    let kept_open = service(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    probe(Health::Http, kept_open, GENEROUS).unwrap();
}

#[test]
fn a_frozen_service_is_well_for_tcp_alone() {
    let (_listener, address) = frozen();
    for _ in 0..20 {
        probe(Health::Tcp, address, GENEROUS).unwrap();
    }
    let late = probe(Health::Http, address, Duration::from_millis(100));
    assert!(matches!(late, Err(ProbeError::Late { after_ms: 100, bytes: 0, .. })), "{late:?}");
    probe(Health::None, address, GENEROUS).unwrap();
}

#[test]
fn the_deadline_is_for_the_whole_answer() {
    let address = service(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    let late = probe(Health::Http, address, Duration::from_millis(200));
    assert!(matches!(late, Err(ProbeError::Late { bytes, .. }) if bytes > 40), "{late:?}");
    assert!(begun.elapsed() < GENEROUS, "the answer alone takes 80 s");
}

#[test]
fn a_slow_answer_within_the_deadline_is_an_answer() {
    let address = service(|stream| {
        thread::sleep(Duration::from_millis(300));
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    probe(Health::Http, address, GENEROUS).unwrap();
}

#[test]
fn what_is_wrong_has_a_name() {
    let sick = probe(Health::Http, answers("HTTP/1.1 503 Busy\r\n\r\n"), GENEROUS);
    assert!(matches!(sick, Err(ProbeError::Status { code: 503, .. })), "{sick:?}");
    let other = probe(Health::Http, answers("SSH-2.0-x\r\n"), GENEROUS);
    assert!(matches!(other, Err(ProbeError::NotHttp { .. })), "{other:?}");
    let cut = probe(Health::Http, answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), GENEROUS);
    assert!(matches!(cut, Err(ProbeError::Short { bytes: 40, .. })), "{cut:?}");
    let cut = probe(Health::Http, answers("HTTP/1."), GENEROUS);
    assert!(matches!(cut, Err(ProbeError::Short { bytes: 7, .. })), "{cut:?}");

    let endless = service(|stream| while stream.write_all(b"HTTP/1.1 200 OK\r\nX: y\r\n").is_ok() {});
    let long = probe(Health::Http, endless, GENEROUS);
    assert!(matches!(long, Err(ProbeError::Long { .. })), "{long:?}");

    let (listener, gone) = frozen();
    drop(listener);
    for health in [Health::Tcp, Health::Http] {
        let refused = probe(health, gone, GENEROUS);
        assert!(matches!(refused, Err(ProbeError::Connect { .. })), "{refused:?}");
    }
    let elsewhere = probe(Health::Tcp, "192.0.2.1:80".parse().unwrap(), GENEROUS);
    assert!(matches!(elsewhere, Err(ProbeError::NotLoopback { .. })), "{elsewhere:?}");
}
