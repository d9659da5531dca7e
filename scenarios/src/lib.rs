//! The scenarios and strategies that highwater measures.
