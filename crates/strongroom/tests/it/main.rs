//! The real binary: its command line, its recovery from a kill, its storage on S3, its demo, TLS,
//! the vendors' clients.

mod cli;
mod common;
mod copies;
mod demo;
mod recovery;
mod repo;
mod s3;
mod tls;
mod vendors;
