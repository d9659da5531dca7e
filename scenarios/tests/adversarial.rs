//! The engine's readers over the adversarial corpus make of each file what its manifest says, end, and do not panic.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod adversarial {
    mod corpus;
    mod listing;
    mod snapshots;
    mod storage;
    mod sync;
}
