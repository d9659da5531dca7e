//! Where a measurement takes place.
