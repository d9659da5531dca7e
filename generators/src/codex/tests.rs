//! Sizes, forks and sums of Codex files.
