//! Making a repository.

use std::sync::Arc;

use bytes::Bytes;
use strongroom_domain::Clock;
use zeroize::Zeroizing;

use super::{Repository, VERSION, to_json};
use crate::backend::{Backend, Handle};
use crate::chunk::{ContentRule, Polynomial};
use crate::crypto::kdf::KdfCost;
use crate::crypto::{MasterKey, fill_random};
use crate::error::{Error, Result};
use crate::format::config::Config;
use crate::id::Id;

/// How to make a repository.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// The first password.
    pub password: Zeroizing<String>,
    /// Cost of turning the password into a key.
    pub kdf: KdfCost,
    /// Cut content where this repository does, so that what is copied between the two is found
    /// again by backups to either.
    pub chunker_of: Option<Repository>,
    /// Where content is cut, unless another repository says so.
    pub content_rule: ContentRule,
}

impl InitOptions {
    /// With the cost that a human password deserves.
    pub fn new(password: impl Into<String>) -> Self {
        Self {
            password: Zeroizing::new(password.into()),
            kdf: KdfCost::HUMAN,
            chunker_of: None,
            content_rule: ContentRule::Rabin,
        }
    }
}

impl Repository {
    /// Makes a repository in an empty place.
    pub fn init(
        backend: Arc<dyn Backend>,
        clock: Arc<dyn Clock>,
        options: &InitOptions,
    ) -> Result<Self> {
        let exists = |e| Error::storage("read", Handle::CONFIG, e);
        if backend.exists(Handle::CONFIG).map_err(exists)? {
            return Err(Error::AlreadyInitialised(backend.url()));
        }
        backend.create().map_err(|source| match source.kind() {
            std::io::ErrorKind::DirectoryNotEmpty => Error::Invalid(source.to_string()),
            _ => Error::storage_of("create", format!("repository `{}`", backend.url()), source),
        })?;
        let mut id = [0; 32];
        fill_random(&mut id);
        let config = Config {
            version: VERSION,
            id: Id::from_bytes(id),
            chunker_polynomial: match &options.chunker_of {
                Some(other) => other.0.config.chunker_polynomial,
                None => Polynomial::random(),
            },
            strongroom_chunker: match &options.chunker_of {
                Some(other) => other.0.config.strongroom_chunker,
                None => options.content_rule,
            },
        };
        let key = MasterKey::random();
        let unlisted = Self::assemble(
            Arc::clone(&backend),
            Arc::clone(&clock),
            (key.clone(), None),
            config.clone(),
        );
        let key_file = unlisted.add_key(&options.password, options.kdf)?;
        let repository = Self::assemble(backend, clock, (key, Some(key_file)), config);
        let json = to_json(&repository.0.config)?;
        // The config comes last: with it the place is a repository. Of two who make one at the
        // same time, the one who comes too late leaves a key that opens nothing.
        let sealed = Bytes::from(repository.cipher().seal(&json));
        let written = repository.backend().put_new(Handle::CONFIG, sealed);
        written.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::AlreadyInitialised(repository.url()),
            _ => Error::storage("write", Handle::CONFIG, error),
        })?;
        Ok(repository)
    }
}
