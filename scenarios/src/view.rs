//! The family `view`: sessions that are shown while they are worked on.

#[cfg_attr(not(test), expect(dead_code, reason = "the scenarios that ask for it come next"))]
#[expect(unused_imports, reason = "the scenarios that ask for it come next")]
pub(crate) mod agent;
