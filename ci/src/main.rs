//! What continuous integration runs: cargo xtask ci.

fn main() {}
