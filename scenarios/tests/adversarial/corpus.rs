//! The corpus of these tests, and a limit on how long they may take.

use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use generators::{Corpus, Profile, Spec};

/// A reader that waits for a pipe waits for ever; the slowest that does not takes a few seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// The corpus, made once for all tests of the process.
pub(crate) fn corpus() -> &'static Corpus {
    static CORPUS: LazyLock<(tempfile::TempDir, Corpus)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let spec = Spec { profile: Profile::Adversarial, scale: 0.01, seed: 1 };
        let corpus = generators::ensure(dir.path(), &spec, 2, &AtomicBool::new(false), &|_| ()).unwrap();
        (dir, corpus)
    });
    &CORPUS.1
}

/// Does something on a thread, and fails when it does not end.
pub(crate) fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(LIMIT) {
        Ok(done) => done,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it has not ended in {LIMIT:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => panic!("it ended without a result"),
        },
    }
}
