//! Statuses, the envelope of errors, and what is said of each thing that can be wrong with a value.

mod envelope;
mod validation;
