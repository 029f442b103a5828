//! The real binary: its command line, its recovery from a kill, its demo.

mod cli;
mod common;
mod demo;
mod recovery;
