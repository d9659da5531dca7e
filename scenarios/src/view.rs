//! The family `view`: sessions that are shown while they are worked on.

pub(crate) mod agent;
