//! From an address to a storage.

use std::path::Path;
use std::sync::Arc;

use super::s3::{S3Backend, S3Location, S3Options};
use super::{
    Backend, Bandwidth, LocalBackend, OwnWritesBackend, RetryBackend, RetryPolicy, ThrottledBackend,
};
use crate::error::{Error, Result};

/// What else there is to know about a storage besides its address.
#[derive(Debug, Clone, Default)]
pub struct StorageOptions {
    /// For addresses with `s3:`.
    pub s3: S3Options,
    /// What to do about failures of storage that is not on this machine.
    pub retry: RetryPolicy,
    /// Limits of bandwidth.
    pub bandwidth: Bandwidth,
}

/// Opens the storage at `url`: a path, `file:` and a path, or as restic writes it
/// `s3:https://host/bucket/prefix` (`s3:host/bucket/prefix` is `https` too).
///
/// Nothing is sent or looked at before the storage is used.
pub fn open_backend(url: &str, options: &StorageOptions) -> Result<Arc<dyn Backend>> {
    if let Some(location) = url.strip_prefix("s3:") {
        let location = S3Location::parse(location)?;
        let storage = throttled(Arc::new(S3Backend::open(&location, &options.s3)?), options);
        let patient = RetryBackend::new(storage, options.retry.clone());
        return Ok(Arc::new(OwnWritesBackend::new(Arc::new(patient))));
    }
    let path = url
        .strip_prefix("file://")
        .or_else(|| url.strip_prefix("file:"))
        .unwrap_or(url);
    let scheme = path.split_once(':').map(|(scheme, _)| scheme);
    let has_scheme =
        scheme.is_some_and(|s| s.len() > 1 && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    if path.is_empty() || (has_scheme && !Path::new(path).exists()) {
        return Err(Error::InvalidUrl(url.to_owned()));
    }
    Ok(throttled(Arc::new(LocalBackend::new(path)), options))
}

fn throttled(inner: Arc<dyn Backend>, options: &StorageOptions) -> Arc<dyn Backend> {
    if options.bandwidth == Bandwidth::default() {
        inner
    } else {
        Arc::new(ThrottledBackend::new(inner, options.bandwidth))
    }
}
