//! A repository in a bucket of S3 or of anything that speaks its language.
//!
//! The engine calls from its own threads and waits; the requests run on a small runtime that
//! belongs to the storage. This is the only place in the engine that is asynchronous.

mod failure;
mod location;
mod options;
mod requests;
mod runtime;
mod service;

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Certificate, ClientOptions, PutMode, RetryConfig};
use strongroom_domain::tree::Cancel;

pub use location::S3Location;
pub use options::{S3Credentials, S3Options};

use super::pause::may_stop;
use super::{Backend, FileKind, Handle, Listed};
use crate::error::{Error, Result};
use failure::no_such_object;
use requests::Requests;
use runtime::Io;
use service::Connector;

/// Files as objects below a prefix, in restic's default layout.
///
/// Every request is made once; wrap it in a [`RetryBackend`](super::RetryBackend). Objects appear
/// whole or not at all. Requests are signed with the hash of what they carry, so that a server
/// refuses what was changed on the way.
#[derive(Clone)]
pub struct S3Backend {
    shared: Arc<Shared>,
    cancel: Cancel,
}

struct Shared {
    url: String,
    root: Path,
    requests: Requests,
    io: Io,
}

impl S3Backend {
    /// The storage at a location. Sends nothing yet.
    pub fn open(location: &S3Location, options: &S3Options) -> Result<Self> {
        let url = location.to_string();
        let invalid = |reason: &dyn fmt::Display| Error::Invalid(format!("`{url}`: {reason}"));
        let Some(credentials) = &options.credentials else {
            return Err(invalid(
                &"no credentials for S3: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or \
                  name a profile of `~/.aws/credentials` with `AWS_PROFILE`",
            ));
        };
        let builder = builder(location, options, credentials).map_err(|e| invalid(&e))?;
        let build = |single: bool| -> object_store::Result<AmazonS3> {
            builder.clone().with_disable_bulk_delete(single).build()
        };
        let requests = Requests {
            store: build(true).map_err(|error| invalid(&error))?,
            bulk: build(false).map_err(|error| invalid(&error))?,
            multipart_from: options.multipart_from,
            place: location.place(),
        };
        let io = Io::start().map_err(|error| invalid(&error))?;
        let root = Path::from_url_path(location.prefix()).map_err(|error| invalid(&error))?;
        let shared = Arc::new(Shared {
            url,
            root,
            requests,
            io,
        });
        Ok(Self {
            shared,
            cancel: Cancel::new(),
        })
    }

    fn path(&self, handle: Handle) -> Path {
        self.below(&handle.path())
    }

    fn below(&self, path: &str) -> Path {
        let parts = self.shared.root.parts();
        parts.chain(Path::from(path).parts()).collect()
    }

    /// Makes requests on the runtime and waits for the answer, or for the job to be cancelled.
    fn run<T, F>(&self, kind: FileKind, make: impl FnOnce(Requests) -> F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        let future = make(self.shared.requests.clone());
        let cancel = may_stop(kind).then_some(&self.cancel);
        self.shared.io.run(future, cancel)
    }

    /// The id of a listed object, if it is a file of this kind.
    fn id_of(&self, kind: FileKind, path: &Path) -> Option<Handle> {
        let id = path.filename()?.parse().ok()?;
        let handle = Handle::new(kind, id);
        (self.path(handle) == *path).then_some(handle)
    }
}

fn builder(
    location: &S3Location,
    options: &S3Options,
    credentials: &S3Credentials,
) -> object_store::Result<AmazonS3Builder> {
    let mut client = ClientOptions::new()
        .with_allow_http(location.is_plain())
        // How long a request may take depends on its size.
        .with_timeout_disabled()
        .with_connect_timeout(options.connect_timeout);
    for certificate in Certificate::from_pem_bundle(&options.ca_certificates)? {
        client = client.with_root_certificate(certificate);
    }
    let once = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    let builder = AmazonS3Builder::new()
        .with_endpoint(location.endpoint(options.virtual_hosted))
        .with_virtual_hosted_style_request(options.virtual_hosted)
        .with_bucket_name(location.bucket())
        .with_region(location.region(options))
        .with_allow_http(location.is_plain())
        .with_access_key_id(&credentials.access_key_id)
        .with_secret_access_key(credentials.secret_access_key.as_str())
        .with_retry(once)
        .with_client_options(client)
        .with_http_connector(Connector::default());
    Ok(match &credentials.session_token {
        Some(token) => builder.with_token(token.as_str()),
        None => builder,
    })
}

impl Backend for S3Backend {
    fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// The bucket must exist.
    fn create(&self) -> io::Result<()> {
        let root = self.shared.root.clone();
        self.run(FileKind::Config, |it| async move { it.look(root).await })
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let path = self.path(handle);
        self.run(handle.kind(), |it| async move {
            it.put(path, data, PutMode::Overwrite).await
        })
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let path = self.path(handle);
        let created = self.run(handle.kind(), {
            let (path, data) = (path.clone(), data.clone());
            |it| async move { it.put(path, data, PutMode::Create).await }
        });
        match created {
            // Not every server knows conditional requests.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                if self.exists(handle)? {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.put(handle, data)
            }
            created => created,
        }
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.get_within(handle, u64::MAX)
    }

    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        let path = self.path(handle);
        self.run(handle.kind(), |it| async move {
            it.get(path, None, limit).await
        })
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let path = self.path(handle);
        let end = offset.checked_add(length as u64);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.run(handle.kind(), |it| async move {
            it.get(path, Some(offset..end), u64::MAX).await
        })
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        if kind == FileKind::Config {
            return Ok(Vec::new());
        }
        let directory = self.below(kind.directory());
        let objects = self.run(kind, |it| async move { it.list(directory).await })?;
        let files = objects.into_iter().filter_map(|object| {
            let id = self.id_of(kind, &object.location)?.id();
            let size = object.size;
            Some(Listed { id, size })
        });
        Ok(files.collect())
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        let path = self.path(handle);
        let deleted = self.run(handle.kind(), |it| async move { it.delete(path).await });
        match deleted {
            Err(error) if no_such_object(&error) => Ok(()),
            deleted => deleted,
        }
    }

    fn delete_many(&self, handles: &[Handle]) -> io::Result<()> {
        let paths: Vec<Path> = handles.iter().map(|handle| self.path(*handle)).collect();
        let kind = handles.first().map_or(FileKind::Pack, Handle::kind);
        self.run(kind, |it| async move { it.delete_many(paths).await })
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        let path = self.path(handle);
        match self.run(handle.kind(), |it| async move { it.head(path).await }) {
            Err(error) if no_such_object(&error) => Ok(false),
            found => found.map(|()| true),
        }
    }

    fn with_cancel(&self, cancel: &Cancel) -> Option<Arc<dyn Backend>> {
        Some(Arc::new(Self {
            shared: Arc::clone(&self.shared),
            cancel: cancel.clone(),
        }))
    }
}

impl fmt::Debug for S3Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Backend")
            .field("url", &self.shared.url)
            .finish_non_exhaustive()
    }
}
