//! What Strongroom can protect: one folder per kind of resource, each a [`Source`].
//!
//! A source delivers entries (path, metadata, content) and takes a stored tree back. It never
//! sees a repository; the engine never sees what stands behind a source. Sources are blocking:
//! the job runner calls them on threads of its own. Imports `domain` only; a source folder
//! imports no other source folder, though `server` is given others to read its members.

pub mod command;
mod database;
mod dumps;
mod error;
pub mod files;
mod fs;
pub mod mariadb;
pub mod postgres;
mod process;
mod registry;
mod secret;
pub mod server;
mod source;
mod tools;
mod trailer;
pub mod volume;
mod warnings;

pub use crate::{
    error::SourceError,
    registry::{Registry, SourceConfig},
    source::{
        Entries, Found, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source,
    },
    warnings::Warnings,
};
