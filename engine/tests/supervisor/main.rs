//! The supervisor over real processes: dead, frozen and flapping services, and descendants that got away from their parents.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod run;

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use highwater_engine::listing::supervisor::Happened;
use highwater_engine::listing::supervisor::probe::{Health, ProbeError};
use highwater_engine::listing::supervisor::tree::Kill;
use rustix::process::Signal;

use run::*;

/// The service, when this program is started as one.
#[test]
#[expect(
    clippy::zombie_processes,
    reason = "a service that does not wait for what it started is what is tested"
)]
fn child_entry() {
    let Ok(role) = env::var(ROLE) else { return };
    if role == "crash" {
        std::process::exit(3);
    }
    if let Ok(script) = env::var(SCRIPT) {
        Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).spawn().unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\n{{\"listening\":\"{}\"}}", listener.local_addr().unwrap()).unwrap();
    if role == "chatty" {
        stdout.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    }
}

#[test]
fn a_killed_child_is_restarted_once() {
    let _alone = alone();
    let mut run = Run::new("serve", None, Health::Http, Kill::Tree);
    run.until(1, listening);
    let first = run.pid();
    signal(first, Signal::KILL);
    wait_for("end", || (!is_alive(first)).then_some(()));
    run.until(2, listening);
    run.steps(20);
    assert_eq!((run.count(started), run.count(restarting)), (2, 1));
    assert!(run.count(unhealthy) < 5, "its end is seen, and not only that it does not answer");
    let exited =
        |happened: &Happened| matches!(happened, Happened::Exited { status } if status.signal == Some(9));
    assert_eq!(run.count(exited), 1);
    assert!(state(first).is_none() && is_alive(run.pid()));
    let (second, ended) = (run.pid(), run.stop());
    assert_eq!((ended.terminated, ended.killed, ended.survivors), (1, 0, Vec::new()));
    assert!(state(second).is_none());
    assert!(run.supervisor.tick(u64::MAX).is_empty() && run.supervisor.next_ms(0).is_none());
}

#[test]
fn a_frozen_child_is_found_by_http_within_five_probes() {
    let _alone = alone();
    let mut run = Run::new("serve", None, Health::Http, Kill::Tree);
    run.until(1, listening);
    run.steps(3);
    let frozen = run.pid();
    signal(frozen, Signal::STOP);
    run.until(2, listening);
    let late =
        |happened: &Happened| matches!(happened, Happened::Unhealthy { why: ProbeError::Late { .. }, .. });
    assert_eq!((run.count(late), run.count(unhealthy), run.count(started)), (5, 5, 2));
    assert!(state(frozen).is_none());
    run.stop();
    assert_eq!(zombies(), Vec::<i32>::new());
}

#[test]
fn a_frozen_child_is_never_found_by_tcp() {
    let _alone = alone();
    let mut run = Run::new("serve", None, Health::Tcp, Kill::Tree);
    run.until(1, listening);
    let frozen = run.pid();
    signal(frozen, Signal::STOP);
    run.steps(40);
    assert_eq!((run.count(unhealthy), run.count(restarting)), (0, 0));
    assert_eq!(state(frozen).unwrap().0, 'T');
    assert_eq!(run.stop().killed, 0, "woken, it can do what it was asked");
}

#[test]
fn a_child_that_prints_much_does_not_wait_for_the_pipe() {
    let _alone = alone();
    let mut run = Run::new("chatty", None, Health::Http, Kill::Tree);
    run.until(1, listening);
    run.steps(20);
    assert_eq!(run.count(unhealthy), 0, "{:?}", run.seen);
}

#[test]
fn a_flapping_child_opens_the_circuit() {
    let _alone = alone();
    let mut run = Run::new("crash", None, Health::Http, Kill::Tree);
    run.until(1, opened);
    assert_eq!((run.count(started), run.count(restarting)), (4, 3));
    let exited =
        |happened: &Happened| matches!(happened, Happened::Exited { status } if status.code == Some(3));
    assert_eq!(run.count(exited), 4);
    run.step(59_000);
    assert_eq!(run.count(started), 4);
    run.step(1_000);
    run.until(2, opened);
    assert_eq!((run.count(started), run.count(restarting)), (5, 3));
    assert!(run.supervisor.stop().is_none());
    assert_eq!(zombies(), Vec::<i32>::new());
}

#[test]
fn a_child_that_never_listens_or_never_starts_counts_as_gone() {
    let _alone = alone();
    let sleep = || {
        let mut command = Command::new("sleep");
        command.arg("90");
        command
    };
    let mut run = Run::of(Box::new(sleep), Health::Http, Kill::Tree);
    run.step(0);
    let first = run.pid();
    run.step(30_000);
    run.until(2, started);
    assert_eq!(run.count(|happened| matches!(happened, Happened::NeverListened { after_ms: 30_000 })), 1);
    assert!(state(first).is_none());
    run.stop();

    let mut run = Run::of(Box::new(|| Command::new("/nowhere/service")), Health::Http, Kill::Tree);
    run.until(1, opened);
    assert_eq!(run.count(|happened| matches!(happened, Happened::NotStarted { .. })), 4);
}

#[test]
fn a_detached_grandchild_outlives_every_kill_but_the_tree() {
    let folder = tempfile::tempdir().unwrap();
    for kill in [Kill::Child, Kill::ParentFirst, Kill::Group, Kill::Tree] {
        let _alone = alone();
        let file = folder.path().join(format!("{kill:?}"));
        let script = detached(&file, "exec sleep 90");
        let mut run = Run::new("serve", Some(script), Health::Http, kill);
        run.until(1, listening);
        let (child, grandchild) = (run.pid(), read_pid(&file));
        wait_for("orphan", || (state(grandchild)?.1 != child).then_some(()));
        let ended = run.stop();
        assert!(state(child).is_none());
        if kill == Kill::Tree {
            assert_eq!(ended.survivors, Vec::<u32>::new());
            assert!(state(grandchild).is_none());
            assert_eq!(zombies(), Vec::<i32>::new());
        } else {
            assert!(is_alive(grandchild), "{kill:?}");
            assert_eq!(ended.killed, u32::from(kill != Kill::Group), "the group goes when it is asked");
            assert_eq!(ended.survivors, [u32::try_from(grandchild).unwrap()], "{kill:?}");
        }
    }
}

#[test]
fn who_does_not_end_when_asked_is_forced_after_the_grace() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("trap \\\"\\\" TERM; {}", "for turn in 1 2 3; do sleep 30; done");
    let mut run = Run::new("serve", Some(detached(&file, &script)), Health::Http, Kill::Tree);
    run.until(1, listening);
    let stubborn = read_pid(&file);
    wait_for("sleep", || children(stubborn).into_iter().next());
    let ended = run.stop();
    assert!(ended.killed >= 1 && ended.took_ms >= 500, "{ended:?}");
    assert!(ended.survivors.is_empty() && state(stubborn).is_none());
    assert_eq!(zombies(), Vec::<i32>::new());
}

#[test]
fn who_was_seen_once_is_known_without_a_marker() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (file, hold) = (folder.path().join("pid"), folder.path().join("hold"));
    fs::write(&hold, "").unwrap();
    let script = format!(
        "setsid env -i /bin/sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 90' & \
         while [ -e {1} ]; do sleep 0.01; done",
        file.display(),
        hold.display()
    );
    let mut run = Run::new("serve", Some(script), Health::Http, Kill::Tree);
    run.until(1, listening);
    let unmarked = read_pid(&file);
    wait_for("other program", || {
        fs::read(format!("/proc/{unmarked}/cmdline")).ok()?.starts_with(b"sleep").then_some(())
    });
    assert!(
        !String::from_utf8_lossy(&fs::read(format!("/proc/{unmarked}/environ")).unwrap())
            .contains("HIGHWATER")
    );
    run.steps(2);
    fs::remove_file(&hold).unwrap();
    wait_for("orphan", || (state(unmarked)?.1 == own()).then_some(()));
    run.stop();
    assert!(state(unmarked).is_none());
    assert_eq!(zombies(), Vec::<i32>::new());
}

#[test]
fn orphans_of_a_dead_child_go_before_the_next_one_starts() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut run = Run::new("serve", Some(detached(&file, "exec sleep 90")), Health::Http, Kill::Tree);
    run.until(1, listening);
    let orphan = read_pid(&file);
    signal(run.pid(), Signal::KILL);
    run.until(2, started);
    assert!(state(orphan).is_none());
}

#[test]
fn other_children_of_the_same_process_are_left_alone() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new("serve", None, Health::Http, Kill::Tree);
    run.until(1, listening);
    let mut bystander = Command::new("sleep").arg("90").spawn().unwrap();
    let mut dead_bystander = Command::new("true").spawn().unwrap();
    let file = folder.path().join("pid");
    // Its child is an orphan that comes to this process, too, since this process adopts.
    assert!(Command::new("sh").args(["-c", &detached(&file, "exec sleep 90")]).status().unwrap().success());
    let orphan = read_pid(&file);
    wait_for("orphan", || (state(orphan)?.1 == own()).then_some(()));
    run.steps(3);
    run.stop();
    assert!(bystander.try_wait().unwrap().is_none() && is_alive(orphan));
    assert!(dead_bystander.wait().unwrap().success(), "nobody has waited for it in our place");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn orphans_that_were_never_seen_are_waited_for() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut run = Run::new("serve", Some(detached(&file, "exit")), Health::Http, Kill::Tree);
    run.until(1, listening);
    let short = read_pid(&file);
    wait_for("zombie or nobody", || state(short).is_none_or(|(state, _)| state == 'Z').then_some(()));
    run.steps(3);
    assert!(state(short).is_none());
    run.stop();
    // The leader of its session could as well be a child that this process has started itself.
    assert!(zombies().len() <= 1);
}

#[test]
fn dropping_a_supervisor_ends_the_service() {
    let _alone = alone();
    let mut run = Run::new("serve", None, Health::None, Kill::Group);
    run.until(1, listening);
    let pid = run.pid();
    drop(run);
    assert!(state(pid).is_none());
}
