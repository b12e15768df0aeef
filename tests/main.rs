//! The integration tests, as one crate.

mod validation;
