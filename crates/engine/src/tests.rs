//! Tests of several modules at once that need what is not public.

pub(crate) mod crafted;
mod hostile;
