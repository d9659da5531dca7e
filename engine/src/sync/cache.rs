//! What is kept on disk between runs: everything in one file, or one file a workspace.

pub mod fragment;
pub mod monolith;
