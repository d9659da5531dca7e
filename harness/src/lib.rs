//! Measures the heap and resident memory of closures, phases and process trees.

pub mod record;
