//! Memory profiling and regression budgets, from realistic corpora to the gate of a merge.

fn main() {}
