//! Samples become the metrics of a case.
